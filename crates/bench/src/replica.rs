//! Simulated replicas: an author with a replica of its own, and the observer whose arrivals make the op log.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{
    Body, Genesis, OpId, Payload, ProjectId, PublicKey, Received, Rehearsal, Replica,
    ReplicaBuilder, SigningKey, TakenBack, VerifiedOp, public_key,
};

use crate::storage::{Storage, StoredReplica};

/// One author's replica.
#[derive(Debug)]
pub(crate) struct Author<R> {
    key: SigningKey,
    replica: R,
    /// What has been fetched and not been taken in yet: all of it is, in one batch, before the author writes.
    inbox: Vec<VerifiedOp>,
    /// The ids of those.
    fetched: BTreeSet<OpId>,
    /// How much of another author's log has been fetched.
    pulled: BTreeMap<PublicKey, usize>,
}

/// Clocks of simulated replicas do not differ, and nobody looks at places.
fn builder(node: u32) -> ReplicaBuilder {
    Replica::builder()
        .node(node)
        .drift_ms(0)
        .places(false)
        .threads(1)
}

impl<R: StoredReplica> Author<R> {
    pub(crate) fn join<S: Storage<Replica = R, Error = R::Error>>(
        storage: &mut S,
        project: ProjectId,
        key: SigningKey,
        node: u32,
    ) -> Result<Self, R::Error> {
        Ok(Self {
            key,
            replica: storage.join(builder(node), project)?,
            inbox: Vec::new(),
            fetched: BTreeSet::new(),
            pulled: BTreeMap::new(),
        })
    }

    /// The replica of the author who founds the project, and the genesis.
    pub(crate) fn found<S: Storage<Replica = R, Error = R::Error>>(
        storage: &mut S,
        key: SigningKey,
        node: u32,
        now_ms: u64,
        genesis: Genesis,
    ) -> Result<(Self, VerifiedOp), R::Error> {
        let founded = builder(node)
            .create(genesis, &key, now_ms)
            .expect("scenarios stay within the limits");
        let op = founded.ops().next().expect("it holds its genesis");
        let mut author = Self::join(storage, op.id(), key, node)?;
        author.replica.take(vec![op.clone()])?;
        assert_eq!(author.replica.heads(), [op.id()], "a genesis is admitted");
        Ok((author, op))
    }

    pub(crate) fn key(&self) -> PublicKey {
        public_key(&self.key)
    }

    /// Signs an op on the parents that the engine offers at local time `now_ms` and takes it in.
    ///
    /// Whether it enters the DAG is the engine's verdict, not the scenario's.
    pub(crate) fn write(
        &mut self,
        now_ms: u64,
        payload: impl Into<Payload>,
    ) -> Result<VerifiedOp, R::Error> {
        let body = self.body(now_ms, payload)?;
        let op = self.sign(body);
        self.replica.take(vec![op.clone()])?;
        Ok(op)
    }

    /// The same, with a body that `change` has changed before it is signed: what no program of ours does.
    pub(crate) fn doctor(
        &mut self,
        now_ms: u64,
        payload: impl Into<Payload>,
        change: impl FnOnce(&mut Body),
    ) -> Result<VerifiedOp, R::Error> {
        let mut body = self.body(now_ms, payload)?;
        change(&mut body);
        let op = self.sign(body);
        self.replica.take(vec![op.clone()])?;
        Ok(op)
    }

    /// Signs the ops that are rehearsed, and takes them in as one batch; how many they are.
    pub(crate) fn write_rehearsed(
        &mut self,
        now_ms: u64,
        rehearse: impl FnOnce(&mut Rehearsal),
    ) -> Result<usize, R::Error> {
        self.settle()?;
        let rehearsal = self.replica.rehearse(self.key(), now_ms);
        let mut rehearsal = rehearsal.expect("a store in order is copied");
        rehearse(&mut rehearsal);
        let bodies = rehearsal.finish().into_iter().map(|it| it.body);
        let ops: Vec<VerifiedOp> = bodies.map(|body| self.sign(body)).collect();
        let count = ops.len();
        self.replica.take(ops)?;
        Ok(count)
    }

    fn body(&mut self, now_ms: u64, payload: impl Into<Payload>) -> Result<Body, R::Error> {
        self.settle()?;
        let body = self.replica.body(payload, self.key(), now_ms);
        Ok(body.expect("the genesis is here, and virtual time is far from its end"))
    }

    fn sign(&self, body: Body) -> VerifiedOp {
        VerifiedOp::sign(body, &self.key).expect("scenarios stay within the limits")
    }

    /// Signs a `Seal` of everything that is here, with the digest of its snapshot, and takes it in.
    pub(crate) fn seal(&mut self, now_ms: u64) -> Result<VerifiedOp, R::Error> {
        self.settle()?;
        let seal = self.replica.next_seal(self.key(), now_ms);
        let seal = seal.expect("a root seals in a project that uses seals");
        self.write(now_ms, seal)
    }

    /// The work that was taken back, as far as it has been fetched.
    pub(crate) fn taken_back(&mut self) -> Result<Vec<TakenBack>, R::Error> {
        self.settle()?;
        Ok(self.replica.taken_back().value)
    }

    /// Fetches everything that the other has and this one lacks.
    pub(crate) fn pull(&mut self, other: &Self) {
        let from = self.pulled.insert(other.key(), other.count());
        for op in other.ops_since(from.unwrap_or(0)) {
            if !self.replica.log().holds(&op.id()) && self.fetched.insert(op.id()) {
                self.inbox.push(op);
            }
        }
    }

    /// Takes in what has been fetched. Somebody has admitted each of those ops, and so does everybody.
    pub(crate) fn settle(&mut self) -> Result<(), R::Error> {
        if self.inbox.is_empty() {
            return Ok(());
        }
        self.fetched.clear();
        self.replica
            .take(core::mem::take(&mut self.inbox))
            .map(drop)
    }

    /// The replica.
    pub(crate) fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Takes in what a session has brought.
    pub(crate) fn take(&mut self, ops: Vec<VerifiedOp>) -> Result<Received, R::Error> {
        self.replica.take(ops)
    }

    /// Everything that the author has, in its order.
    pub(crate) fn ops(&self) -> impl Iterator<Item = VerifiedOp> {
        self.ops_since(0)
    }

    /// How many ops the author has: admitted, or fetched.
    fn count(&self) -> usize {
        self.replica.log().admitted_count() + self.inbox.len()
    }

    /// The ops that the author has but for the first `count`: those that are admitted, in their order, which those that are
    /// fetched go on with.
    fn ops_since(&self, count: usize) -> impl Iterator<Item = VerifiedOp> {
        let log = self.replica.log();
        let of_inbox = count.saturating_sub(log.admitted_count());
        let fetched = self.inbox.iter().skip(of_inbox).cloned();
        log.admitted_since(count).chain(fetched)
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

    /// Everything that the author has arrives, in its order.
    pub(crate) fn pull<R: StoredReplica>(&mut self, author: &Author<R>) {
        let from = self.pulled.insert(author.key(), author.count());
        for op in author.ops_since(from.unwrap_or(0)) {
            self.receive(&op);
        }
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
