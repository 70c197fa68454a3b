//! Carrying: a sealed snapshot for who has nothing of the project yet, and starting from one (`docs/pruning.md`).

use minicbor::decode::Error as Malformed;

use super::{Replica, ReplicaBuilder};
use crate::authority::Judge;
use crate::costs::Costs;
use crate::dag::{Index, TellMemory};
use crate::id::{OpId, ProjectId};
use crate::log::{Arrival, Outcome, Waits};
use crate::op::{Incoming, VerifiedOp, first_unsigned};
use crate::payload::Payload;
use crate::place::Sight;
use crate::snapshot::{
    CarriedOp, Reader, SealedPast, Skeletons, binds_skeletons, digest, write_carried,
};
use crate::store::StoreError;

/// Envelopes whose signatures are checked together, or a few more: as many as fill a batch.
const TOGETHER: usize = 8192;
/// Ops that are looked at ahead.
const AHEAD: usize = 64;

/// Why there is no sealed snapshot to carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// No seal is final.
    #[error("nothing is sealed: no seal is final")]
    Unsealed,
    /// The digest of the seal is of version 1: it does not bind what is kept of dropped ops.
    #[error(
        "the seal {seal} does not bind what would be carried: the feature `carry` is not in force in its past"
    )]
    Unbound {
        /// The seal.
        seal: OpId,
    },
    /// The seal does not say what it seals.
    #[error("the digest of the seal {seal} is not that of its past")]
    Disagrees {
        /// The seal.
        seal: OpId,
    },
    /// An envelope that has to go with the snapshot was dropped here.
    #[error("an envelope that has to go with the seal {seal} was dropped here")]
    Pruned {
        /// The seal.
        seal: OpId,
    },
}

/// Why nothing starts from a carried snapshot. Whoever made it may have been anybody: none of it counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// It is no carried snapshot of a version that this program knows.
    #[error("this is no carried snapshot of version 1")]
    OtherForm,
    /// It cannot be read.
    #[error("the carried snapshot cannot be read: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// It is of another project.
    #[error("the carried snapshot is of project {project}")]
    OtherProject {
        /// The project.
        project: ProjectId,
    },
    /// What stands at the position is no op that is admitted there.
    #[error("what stands at position {position} of the carried snapshot is no op that is admitted")]
    NotAdmitted {
        /// The position, from 0.
        position: usize,
    },
    /// The op lies outside of the past of the seal, and has no envelope.
    #[error("the op {op} has no envelope, and the seal has not seen it")]
    Unsealed {
        /// The op.
        op: OpId,
    },
    /// The op has no envelope, and is not one that the past of the seal has covered for good.
    #[error("the op {op} has no envelope, and is not covered for good")]
    Uncovered {
        /// The op.
        op: OpId,
    },
    /// The seal does not say what is carried: something of it was changed, or the seal lies, or its digest is of version 1.
    #[error("the seal {seal} is not of what is carried")]
    Disagrees {
        /// The seal.
        seal: OpId,
    },
    /// Not enough roots have signed the seal.
    #[error("the seal {seal} is not final: not enough roots have signed it")]
    NotFinal {
        /// The seal.
        seal: OpId,
    },
    /// The op store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Malformed> for StartError {
    fn from(error: Malformed) -> Self {
        Self::Malformed {
            reason: error.to_string(),
        }
    }
}

impl Replica {
    /// A snapshot for who has nothing of the project yet: the past of a final seal, without the envelopes of what sealed work
    /// supersedes, with the seal and the `Cosign`s that make it final. Whoever starts from it ([`Replica::start_from`]) believes
    /// nothing but what the roots signed. Of several final seals it is the one with the most ops in its past; two replicas that
    /// hold the same ops carry the same bytes, unless one of them has dropped more.
    ///
    /// Both halves of an equivocation go with their envelopes, as far as these are here. The cost is that of a replay of the
    /// past of the seal.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(), schema: [].into(),
    /// #     features: [(Name::new("carry")?, Vec::new()), (Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1)?;
    /// let first = replica.author(SetField::new("order/1", "status", Value::Int(1))?, &key, 2)?.op;
    /// replica.author(SetField::new("order/1", "status", Value::Int(2))?, &key, 3)?;
    /// replica.seal(&key, 4)?;
    ///
    /// let newcomer = Replica::start_from(replica.project(), &replica.carry()?)?;
    /// assert_eq!(newcomer.state_digest(), replica.state_digest());
    /// assert!(newcomer.log().is_pruned(&first) && newcomer.decision(&first) == replica.decision(&first));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CarryError`], of the final seal with the most ops in its past.
    pub fn carry(&self) -> Result<Vec<u8>, CarryError> {
        let (dag, costs) = (&self.log.dag, &mut Costs::default());
        let finals = Judge::new(dag, &self.log.authority, costs).finals_ever();
        let mut ends: Vec<(usize, OpId, Index)> = Vec::new();
        for seal in dag.ends(&finals) {
            let past = dag.past(seal);
            let mut ops = 0;
            past.each(|_, count| ops += count as usize);
            ends.push((ops, dag.id(seal), seal));
        }
        ends.sort_unstable_by_key(|&(ops, id, _)| (core::cmp::Reverse(ops), id));
        let mut first = None;
        for (.., seal) in ends {
            match self.carry_to(seal, costs) {
                Ok(carried) => return Ok(carried),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or(CarryError::Unsealed))
    }

    fn carry_to(&self, at: Index, costs: &mut Costs) -> Result<Vec<u8>, CarryError> {
        let (log, seal) = (&self.log, self.log.dag.id(at));
        let pruned = || CarryError::Pruned { seal };
        let body = log.body(at).ok_or_else(pruned)?;
        let Payload::Seal(said) = &body.payload else {
            return Err(CarryError::Disagrees { seal });
        };
        let past = SealedPast::of(log, &body.parents, costs).ok_or_else(pruned)?;
        if past.skeletons.is_none() {
            return Err(CarryError::Unbound { seal });
        }
        if !past.says_all() {
            return Err(pruned());
        }
        if past.digest(costs) != said.digest {
            return Err(CarryError::Disagrees { seal });
        }
        let after = self.after(at, costs).ok_or_else(pruned)?;
        let drops =
            |op: Index| past.log.is_hollow(op) || past.covers(op) && !past.log.dag.is_fork(op);
        let hollow = (0..past.log.dag.len()).filter(|&op| past.log.is_hollow(op));
        if hollow.into_iter().any(|op| !past.covers(op)) {
            return Err(pruned());
        }
        write_carried(&past, drops, &after).ok_or_else(pruned)
    }

    /// The final seal and what makes it final, in the total order but for the seal, which comes first: of its `Cosign`s, in that
    /// order, those that add to it until they are enough, with all that they have seen and the seal has not. `None` if an envelope of these was dropped.
    fn after(&self, seal: Index, costs: &mut Costs) -> Option<Vec<VerifiedOp>> {
        let (dag, authority) = (&self.log.dag, &self.log.authority);
        let sealed = dag.past(seal);
        let in_order = |&at: &Index| (dag.hlc(at), dag.id(at));
        let mut cosigns = authority.cosigns_of(seal).to_vec();
        cosigns.sort_unstable_by_key(in_order);
        let mut all = dag.with(&sealed, seal);
        let mut pairs = Judge::new(dag, authority, costs).pairs_in(seal, &all);
        for cosign in cosigns {
            if pairs >= self.quorum() {
                break;
            }
            let more = dag.with(&all, cosign);
            let found = Judge::new(dag, authority, costs).pairs_in(seal, &more);
            if found > pairs {
                (all, pairs) = (more, found);
            }
        }
        let is_after = |at: Index, costs: &mut Costs| {
            at != seal && dag.contains(&all, at, costs) && !dag.contains(&sealed, at, costs)
        };
        let mut after: Vec<Index> = (0..dag.len()).filter(|&at| is_after(at, costs)).collect();
        after.sort_unstable_by_key(in_order);
        after.insert(0, seal);
        after.into_iter().map(|at| self.log.op(at)).collect()
    }

    /// A replica that starts from a carried snapshot, as [`ReplicaBuilder::start_from`] does.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica, StartError};
    /// let project = OpId::from_bytes([0; 32]);
    /// assert!(matches!(Replica::start_from(project, b"anything"), Err(StartError::OtherForm)));
    /// ```
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start_from(project: ProjectId, carried: &[u8]) -> Result<Self, StartError> {
        Self::builder().start_from(project, carried)
    }

    fn take_start(&mut self, carried: &[u8]) -> Result<(), StartError> {
        let mut reader = Reader::new(carried).ok_or(StartError::OtherForm)??;
        if reader.project != self.project() {
            let project = reader.project;
            return Err(StartError::OtherProject { project });
        }
        let ops = reader.ops_at_most();
        self.log.expect_told(ops, reader.places_at_most());
        let mut start = Start {
            seal: reader.seal,
            skeletons: Skeletons::of_about(ops),
            memory: TellMemory::default(),
            is_sealed: false,
        };
        let mut unverified = Unverified::default();
        let taken = self.take_ops(&mut reader, &mut start, &mut unverified);
        // A signature that is bad comes before whatever else is.
        unverified.verify(self.options.threads)?;
        taken?;
        self.decide_quietly();
        let (seal, costs) = (start.seal, &mut Costs::default());
        let at = self.log.dag.find(&seal);
        let at = at.ok_or(StartError::NotFinal { seal })?;
        let finals = Judge::new(&self.log.dag, &self.log.authority, costs).finals_ever();
        if !finals.contains(&at) {
            return Err(StartError::NotFinal { seal });
        }
        Ok(())
    }

    /// Admits all that is carried.
    fn take_ops<'a>(
        &mut self,
        reader: &mut Reader<'a>,
        start: &mut Start,
        unverified: &mut Unverified<'a>,
    ) -> Result<(), StartError> {
        let (mut carried, mut ops) = (Vec::with_capacity(AHEAD), Vec::with_capacity(AHEAD));
        let mut again = Vec::new();
        loop {
            reader.next(&mut carried)?;
            if carried.is_empty() {
                return Ok(());
            }
            let envelopes = carried.iter().filter_map(CarriedOp::envelope);
            let costs = &mut self.costs;
            ops.extend(envelopes.map(|it| Incoming::unverified(it, costs, &mut again)));
            reader.approach(&carried, &self.log);
            let mut sights = self.log.scout_told(ops.iter().flatten()).into_iter();
            let mut next_ops = ops.drain(..);
            for carried in &carried {
                let position = self.log.dag.len();
                let not_admitted = StartError::NotAdmitted { position };
                match carried {
                    CarriedOp::Envelope(envelope) => {
                        let op = next_ops.next().and_then(Result::ok).ok_or(not_admitted)?;
                        unverified.push(op.id(), envelope, position);
                        self.take_in(op, sights.next().flatten(), start)?;
                    }
                    CarriedOp::Dropped(dropped) if start.is_sealed => {
                        return Err(StartError::Unsealed { op: dropped.id });
                    }
                    CarriedOp::Dropped(dropped) => {
                        let (log, costs) = (&mut self.log, &mut self.costs);
                        let Start {
                            skeletons, memory, ..
                        } = &mut *start;
                        let admitted = reader.admit(dropped, log, skeletons, memory, costs);
                        admitted?.ok_or(not_admitted)?;
                    }
                }
            }
            if unverified.ops.len() >= TOGETHER {
                unverified.verify(self.options.threads)?;
            }
        }
    }

    /// Admits the next op; before the seal it has to turn out that the seal is of all ops so far.
    fn take_in(
        &mut self,
        op: Incoming<'_>,
        sight: Option<Sight>,
        start: &mut Start,
    ) -> Result<(), StartError> {
        let (id, position) = (op.id(), self.log.dag.len());
        if id == start.seal {
            self.compare(&op, start)?;
        }
        let not_admitted = StartError::NotAdmitted { position };
        let said = match start.is_sealed {
            true => None,
            false => Skeletons::said(op.body()).map_err(|_| not_admitted.clone())?,
        };
        if let Some(said) = &said {
            let memory = &mut start.memory;
            let (log, costs) = (&mut self.log, &mut self.costs);
            if log.admit_signed(&op, sight, memory, costs)?.is_some() {
                let pushed = start.skeletons.push_told(&log.dag, &memory.ends, said);
                return pushed.map_err(|_| not_admitted);
            }
        }
        let mut arrivals = Vec::with_capacity(1);
        let (log, costs) = (&mut self.log, &mut self.costs);
        log.ingest_scouted(&op, sight, Waits::All, &mut arrivals, costs);
        if let Some(fault) = self.log.fault() {
            return Err(fault.clone().into());
        }
        let outcome = Outcome::Admitted;
        if arrivals != [Arrival { op: id, outcome }] {
            return Err(not_admitted);
        }
        if !start.is_sealed {
            let pushed = start.skeletons.push(&self.log.dag, said.as_deref());
            pushed.map_err(|_| not_admitted)?;
        }
        Ok(())
    }

    /// Compares what the seal says with what was taken in before it.
    fn compare(&mut self, seal: &Incoming<'_>, start: &mut Start) -> Result<(), StartError> {
        let disagrees = StartError::Disagrees { seal: start.seal };
        let Payload::Seal(said) = &seal.body().payload else {
            return Err(disagrees);
        };
        self.log.dag.end_told();
        let (dag, parents) = (&self.log.dag, &seal.body().parents);
        let is_end = |op: Index| parents.binary_search(&dag.id(op)).is_ok();
        if !dag.frontier().all(is_end) {
            return Err(disagrees);
        }
        let everything = dag.everything();
        if !binds_skeletons(&self.log, &everything, &mut Costs::default()) {
            return Err(disagrees);
        }
        self.decide_quietly();
        let state = self.replay.state();
        let mut shown = (0..self.log.dag.len()).filter(|&op| !state.is_covered(op));
        if let Some(op) = shown.find(|&op| self.log.is_hollow(op)) {
            let op = self.log.dag.id(op);
            return Err(StartError::Uncovered { op });
        }
        let costs = &mut Costs::default();
        let found = digest(&self.log, &self.replay, Some(&start.skeletons), costs);
        start.is_sealed = true;
        if found == said.digest {
            Ok(())
        } else {
            Err(disagrees)
        }
    }

    /// Decides on what was admitted.
    fn decide_quietly(&mut self) {
        self.replay.advance_quietly(&self.log, &mut self.costs);
    }
}

/// Ops that were taken in before their signatures are checked, many at a time: nothing counts before all are.
#[derive(Default)]
struct Unverified<'a> {
    ops: Vec<(OpId, &'a [u8])>,
    /// Where they stand in the log.
    positions: Vec<usize>,
}

impl<'a> Unverified<'a> {
    fn push(&mut self, id: OpId, envelope: &'a [u8], position: usize) {
        self.ops.push((id, envelope));
        self.positions.push(position);
    }

    /// Checks them, and lets go of them.
    fn verify(&mut self, threads: usize) -> Result<(), StartError> {
        let first = first_unsigned(&self.ops, threads).map(|first| self.positions[first]);
        self.ops.clear();
        self.positions.clear();
        let not_admitted = |position| Err(StartError::NotAdmitted { position });
        first.map_or(Ok(()), not_admitted)
    }
}

/// What is known while a carried snapshot is taken in.
struct Start {
    seal: OpId,
    skeletons: Skeletons,
    memory: TellMemory,
    /// Whether what comes is behind the seal.
    is_sealed: bool,
}

impl ReplicaBuilder {
    /// A replica of the project that starts from what [`Replica::carry`] of anybody made. It admits and decides every op, verifies
    /// every envelope, and compares: the seal, which enough roots have signed, has to name the digest of all that is told of the
    /// ops that have no envelope. Where a signature is bad, the first one is told. It answers as a replica that has pruned, and
    /// takes in whatever comes later.
    ///
    /// # Errors
    /// [`StartError`]: then nothing of it counts.
    pub fn start_from(self, project: ProjectId, carried: &[u8]) -> Result<Replica, StartError> {
        let mut replica = self.join(project);
        replica.take_start(carried)?;
        Ok(replica)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Genesis, Name, SigningKey, public_key};

    #[test]
    fn what_is_taken_in_is_checked_once_and_told_by_where_it_stands() {
        let key = SigningKey::from([1; 32]);
        let genesis = Genesis {
            name: Name::new("shop").unwrap(),
            nonce: [0; 16],
            roots: [public_key(&key)].into(),
            schema: [].into(),
            features: [].into(),
        };
        let replica = Replica::create(genesis, &key, 1).unwrap();
        let good = replica.envelopes().next().unwrap().into_owned();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        let id = replica.project();
        let mut unverified = Unverified::default();
        let not_admitted = |position| Err(StartError::NotAdmitted { position });
        for first in [10, 70] {
            for (position, envelope) in (first..).zip([&good, &good, &bad, &good, &bad]) {
                unverified.push(id, envelope, position);
            }
            assert_eq!(unverified.verify(1), not_admitted(first + 2));
            assert_eq!(
                unverified.verify(1),
                Ok(()),
                "nothing is left to be checked"
            );
            unverified.push(id, &good, first + 5);
            assert_eq!(unverified.verify(2), Ok(()));
        }
    }
}
