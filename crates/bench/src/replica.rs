//! Simulated replicas: an author with a log of its own, and the observer whose arrivals make the op log.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{
    Body, Costs, Hlc, Log, OpId, Outcome, Payload, ProjectId, PublicKey, Replay, SigningKey,
    VerifiedOp, parents_for, public_key,
};

/// One author's replica.
#[derive(Debug)]
pub(crate) struct Replica {
    key: SigningKey,
    node: u32,
    log: Log,
    replay: Replay,
    next_seq: u64,
    /// How much of another author's log has been fetched.
    pulled: BTreeMap<PublicKey, usize>,
}

impl Replica {
    pub(crate) fn new(project: ProjectId, key: SigningKey, node: u32) -> Self {
        let log = Log::new(project);
        Self {
            key,
            node,
            log,
            replay: Replay::new(),
            next_seq: 0,
            pulled: BTreeMap::new(),
        }
    }

    /// The replica of the author who founds the project, and the genesis.
    pub(crate) fn found(
        key: SigningKey,
        node: u32,
        now_ms: u64,
        genesis: Payload,
    ) -> (Self, VerifiedOp) {
        let hlc = Hlc {
            physical_ms: now_ms,
            logical: 0,
            node,
        };
        let author = public_key(&key);
        let body = Body {
            author,
            seq: 0,
            parents: Vec::new(),
            hlc,
            payload: genesis,
        };
        let op = VerifiedOp::sign(body, &key).expect("scenarios stay within the limits");
        let mut replica = Self::new(op.id(), key, node);
        assert_eq!(
            replica.take(&op),
            Outcome::Admitted,
            "a genesis is admitted"
        );
        (replica, op)
    }

    pub(crate) fn author(&self) -> PublicKey {
        public_key(&self.key)
    }

    /// Takes an op in, keeping the sequence number up to date.
    fn take(&mut self, op: &VerifiedOp) -> Outcome {
        let arrivals = self.log.ingest(op.clone(), &mut Costs::default());
        for arrival in &arrivals {
            let admitted = arrival.outcome == Outcome::Admitted;
            let Some(op) = self.log.get(&arrival.op).filter(|_| admitted) else {
                continue;
            };
            let body = op.body();
            if body.author == public_key(&self.key) {
                self.next_seq = self.next_seq.max(body.seq + 1);
            }
        }
        arrivals
            .first()
            .map_or(Outcome::Duplicate, |arrival| arrival.outcome)
    }

    /// Signs an op on the parents that the engine offers at local time `now_ms` and takes it in.
    ///
    /// Whether it enters the DAG is the engine's verdict, not the scenario's.
    pub(crate) fn write(&mut self, now_ms: u64, payload: Payload) -> (VerifiedOp, Outcome) {
        let (author, costs) = (self.author(), &mut Costs::default());
        self.replay.advance(&self.log, costs);
        let parents = parents_for(&self.log, &self.replay, &author, &payload, now_ms, costs).ids;
        let stamps = parents
            .iter()
            .filter_map(|parent| Some(self.log.get(parent)?.body().hlc));
        let hlc =
            Hlc::next(stamps.max(), now_ms, self.node).expect("virtual time is far from its end");
        let body = Body {
            author,
            seq: self.next_seq,
            parents,
            hlc,
            payload,
        };
        let op = VerifiedOp::sign(body, &self.key).expect("scenarios stay within the limits");
        let outcome = self.take(&op);
        (op, outcome)
    }

    /// Fetches everything that the other replica has and this one lacks.
    pub(crate) fn pull(&mut self, other: &Self) {
        let from = self
            .pulled
            .insert(other.author(), other.log.admitted_count())
            .unwrap_or(0);
        for op in other.log.admitted_since(from) {
            if !self.log.holds(&op.id()) {
                self.take(&op);
            }
        }
    }
}

/// The replica that the record is about: ops in order of arrival.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    held: BTreeSet<OpId>,
    arrivals: Vec<u8>,
    count: usize,
    pulled: BTreeMap<PublicKey, usize>,
}

impl Observer {
    /// An op arrives, if it is not here yet.
    pub(crate) fn receive(&mut self, op: &VerifiedOp) {
        if self.held.insert(op.id()) {
            self.arrivals.extend_from_slice(op.envelope());
            self.count += 1;
        }
    }

    /// Everything that the replica has arrives, in its order.
    pub(crate) fn pull(&mut self, replica: &Replica) {
        let count = replica.log.admitted_count();
        let from = self.pulled.insert(replica.author(), count).unwrap_or(0);
        replica
            .log
            .admitted_since(from)
            .for_each(|op| self.receive(&op));
    }

    /// How many ops have arrived.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// The op log.
    pub(crate) fn into_op_log(self) -> Vec<u8> {
        self.arrivals
    }
}
