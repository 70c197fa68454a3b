//! Starting from a sealed snapshot that somebody carries (`docs/pruning.md`).
//!
//! One thread admits what is told, op by op. Whatever that does not wait for, signatures and digests of skeletons, is done beside
//! it ([`Part`]), and all of it before anything counts.

use minicbor::decode::Error as Malformed;

use super::{Replica, ReplicaBuilder};
use crate::authority::Judge;
use crate::costs::Costs;
use crate::dag::{Index, TellMemory};
use crate::id::{OpId, ProjectId};
use crate::log::{Arrival, Outcome, Waits};
use crate::op::{Incoming, first_unsigned};
use crate::payload::Payload;
use crate::place::Sight;
use crate::snapshot::{CarriedOp, Reader, Skeletons, Unhashed, binds_skeletons, digest};
use crate::store::StoreError;
use crate::threads::{Beside, beside};

/// Ops that are looked at ahead.
const AHEAD: usize = 64;
/// Envelopes whose signatures are checked together, or a few more: as many as fill a batch.
const TOGETHER: usize = 8192 - AHEAD;

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
        let (seal, threads) = (reader.seal, self.options.threads);
        beside(threads, Part::work_on, |beside| {
            let mut start = Start {
                seal,
                skeletons: Skeletons::of_about(ops),
                memory: TellMemory::default(),
                is_sealed: false,
                unverified: Unverified::default(),
                first_bad: None,
                beside,
            };
            let taken = self.take_ops(&mut reader, &mut start);
            start.finish();
            // A signature that is bad comes before whatever else is.
            start.check()?;
            taken
        })?;
        self.decide_quietly();
        let costs = &mut Costs::default();
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
        start: &mut Start<'_, '_, 'a>,
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
                        start.unverified.push(op.id(), envelope, position);
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
            start.go_on();
            start.check()?;
        }
    }

    /// Admits the next op; before the seal it has to turn out that the seal is of all ops so far.
    fn take_in(
        &mut self,
        op: Incoming<'_>,
        sight: Option<Sight>,
        start: &mut Start<'_, '_, '_>,
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
    fn compare(
        &mut self,
        seal: &Incoming<'_>,
        start: &mut Start<'_, '_, '_>,
    ) -> Result<(), StartError> {
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
        start.finish();
        let (skeletons, costs) = (Some(&start.skeletons), &mut Costs::default());
        let threads = self.options.threads;
        let found = digest(&self.log, &self.replay, skeletons, threads, costs);
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

    /// Where the first stands that its author has not signed.
    fn first_bad(&self) -> Option<usize> {
        first_unsigned(&self.ops).map(|first| self.positions[first])
    }
}

/// Work on what is taken in that nobody waits for before the seal: other threads do it, if there are any.
enum Part<'a> {
    Verify(Unverified<'a>),
    Hash(Unhashed),
}

/// What came of it.
enum Done {
    FirstBad(Option<usize>),
    Digests(Vec<(Index, [u8; 32])>),
}

impl Part<'_> {
    fn work_on(self) -> Done {
        match self {
            Self::Verify(ops) => Done::FirstBad(ops.first_bad()),
            Self::Hash(skeletons) => Done::Digests(skeletons.digests()),
        }
    }
}

/// What is known while a carried snapshot is taken in.
struct Start<'b, 'w, 'a> {
    seal: OpId,
    skeletons: Skeletons,
    memory: TellMemory,
    /// Whether what comes is behind the seal.
    is_sealed: bool,
    unverified: Unverified<'a>,
    /// Where the first op stands of which the signature is known to be bad. Parts are given in the order of their ops, so when all
    /// that were given are done it is the first of all.
    first_bad: Option<usize>,
    beside: &'b mut Beside<'w, Part<'a>, Done>,
}

impl Start<'_, '_, '_> {
    /// Gives away what is to be done, as soon as it is enough; at the end, all of it.
    fn give(&mut self, is_end: bool) {
        let count = self.unverified.ops.len();
        if count >= TOGETHER || is_end && count > 0 {
            let unverified = core::mem::take(&mut self.unverified);
            self.beside.give(Part::Verify(unverified));
        }
        if let Some(unhashed) = self.skeletons.take_due(is_end) {
            self.beside.give(Part::Hash(unhashed));
        }
    }

    /// Takes in what came of what was given away.
    fn take_in(&mut self, done: Vec<Done>) {
        for done in done {
            match done {
                Done::FirstBad(None) => {}
                Done::FirstBad(Some(at)) => {
                    self.first_bad = Some(self.first_bad.map_or(at, |first| first.min(at)));
                }
                Done::Digests(digests) => self.skeletons.take_hashed(digests),
            }
        }
    }

    /// Gives away what there is to do, and takes in what was done.
    fn go_on(&mut self) {
        self.give(false);
        let done = self.beside.done();
        self.take_in(done);
    }

    /// Has all done that there is to do.
    fn finish(&mut self) {
        self.give(true);
        let done = self.beside.all_done();
        self.take_in(done);
    }

    /// Whether no signature is known to be bad.
    fn check(&self) -> Result<(), StartError> {
        let not_admitted = |position| Err(StartError::NotAdmitted { position });
        self.first_bad.map_or(Ok(()), not_admitted)
    }
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
    fn what_is_unsigned_is_told_by_where_it_stands() {
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
        for first in [10, 70] {
            let mut unverified = Unverified::default();
            assert_eq!(unverified.first_bad(), None);
            for (position, envelope) in (first..).zip([&good, &good]) {
                unverified.push(id, envelope, position);
            }
            assert_eq!(unverified.first_bad(), None);
            for (position, envelope) in (first + 2..).zip([&bad, &good, &bad]) {
                unverified.push(id, envelope, position);
            }
            assert_eq!(unverified.first_bad(), Some(first + 2));
        }
    }
}
