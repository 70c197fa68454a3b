//! The log: what a replica holds of one project, and what entered the DAG.

mod ahead;
mod judging;
mod pruned;
mod questions;
mod saved;
mod scout;
mod told;

pub(crate) use judging::Waits;
pub(crate) use scout::GROUP;
pub(crate) use told::{Known, Site, Told};

use core::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::authority::{Authority, Seen};
use crate::costs::Costs;
use crate::dag::{Dag, Index, Past};
use crate::held::{Held, Limits};
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId, PublicKey};
use crate::name::Name;
use crate::op::{Body, Rejected, VerifiedOp};
use crate::payload::Share;
use crate::place::Places;
use crate::reason::Refusal;
use crate::store::{MemoryStore, OpStore, StoreError};
use crate::value::Value;

/// The ops of one project that a replica holds: admitted, refused, pending or unsupported.
///
/// Ops may arrive in any order and any number of times. Admission is judged once, from the op's bytes and past,
/// as soon as all parents have been judged; it is final and the same on every replica.
#[derive(Debug)]
pub struct Log {
    project: ProjectId,
    pub(crate) dag: Dag,
    pub(crate) places: Places,
    pub(crate) authority: Authority,
    /// The envelopes of the admitted ops.
    store: Box<dyn OpStore>,
    /// The first failure of the store.
    fault: OnceCell<StoreError>,
    refused: Held<RefusedOp>,
    pending: Held<VerifiedOp>,
    unsupported: Held<VerifiedOp>,
    /// Pending ops by a parent that they wait for.
    waiting: BTreeMap<OpId, BTreeSet<OpId>>,
    rejected: u64,
}

/// What is kept of a refused op: enough to judge what builds on it.
#[derive(Debug, Clone, Copy)]
struct RefusedOp {
    reason: Refusal,
    witness: Option<OpId>,
    hlc: Hlc,
    foreign: bool,
}

/// What became of an op that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It entered the DAG.
    Admitted,
    /// It never will.
    Refused {
        /// Why.
        reason: Refusal,
        /// The denial or the grant that shows it.
        witness: Option<OpId>,
    },
    /// An ancestor is absent: stored, not visible.
    Pending,
    /// This program does not know its kind, or it builds on such an op: stored, not judged.
    Unsupported,
    /// It was here already; nothing changed.
    Duplicate,
}

/// An op and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The op.
    pub op: OpId,
    /// What became of it.
    pub outcome: Outcome,
}

/// How far a replica is behind the project: what it holds and cannot judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Features that the project uses and this program does not know.
    pub features: BTreeSet<Name>,
    /// Unsupported ops that are held.
    pub unsupported: usize,
}

impl Log {
    /// An empty log of the project, with the usual limits.
    #[must_use]
    pub fn new(project: ProjectId) -> Self {
        Self::with_limits(project, Limits::default())
    }

    /// An empty log of the project that holds so much outside of the DAG.
    #[must_use]
    pub fn with_limits(project: ProjectId, limits: Limits) -> Self {
        Self {
            project,
            dag: Dag::default(),
            places: Places::default(),
            authority: Authority::default(),
            store: Box::new(MemoryStore::new()),
            fault: OnceCell::new(),
            refused: Held::new(limits.refused_ops, usize::MAX),
            pending: Held::new(limits.pending_ops, limits.pending_bytes),
            unsupported: Held::new(limits.unsupported_ops, limits.unsupported_bytes),
            waiting: BTreeMap::new(),
            rejected: 0,
        }
    }

    /// The project.
    #[must_use]
    pub const fn project(&self) -> ProjectId {
        self.project
    }

    /// Decodes, verifies and ingests an envelope.
    ///
    /// # Errors
    /// [`Rejected`] if the bytes are not canonical or the signature is bad.
    pub fn receive(
        &mut self,
        envelope: &[u8],
        costs: &mut Costs,
    ) -> Result<Vec<Arrival>, Rejected> {
        match VerifiedOp::read(envelope, costs) {
            Ok(op) => Ok(self.ingest(op, costs)),
            Err(rejected) => {
                self.count_rejected();
                Err(rejected)
            }
        }
    }

    /// Takes an op in: what became of it, and of the pending ops that it released, in that order. A log whose store has
    /// [failed](Log::fault) takes in nothing.
    pub fn ingest(&mut self, op: VerifiedOp, costs: &mut Costs) -> Vec<Arrival> {
        let mut arrivals = Vec::with_capacity(1);
        self.ingest_scouted(&op.into(), None, Waits::All, &mut arrivals, costs);
        arrivals
    }

    /// Counts bytes that were no op.
    pub(crate) const fn count_rejected(&mut self) {
        self.rejected += 1;
    }

    /// A log of the same ops to try things in: what is taken in there leaves this one as it is.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be branched off.
    pub(crate) fn branch(&self) -> Result<Self, StoreError> {
        Ok(Self {
            project: self.project,
            dag: self.dag.clone(),
            places: self.places.clone(),
            authority: self.authority.clone(),
            store: self.store.branch()?,
            fault: self.fault.clone(),
            refused: self.refused.clone(),
            pending: self.pending.clone(),
            unsupported: self.unsupported.clone(),
            waiting: self.waiting.clone(),
            rejected: self.rejected,
        })
    }

    fn hold_pending(&mut self, op: VerifiedOp, absent: OpId) {
        let (id, bytes) = (op.id(), op.envelope().len());
        self.waiting.entry(absent).or_default().insert(id);
        for (gone, op) in self.pending.insert(id, bytes, op) {
            for parent in &op.body().parents {
                if let Some(children) = self.waiting.get_mut(parent) {
                    children.remove(&gone);
                    if children.is_empty() {
                        self.waiting.remove(parent);
                    }
                }
            }
        }
    }

    pub(crate) fn seen<'a>(&'a self, past: &'a Past, costs: &'a mut Costs) -> Seen<'a> {
        Seen {
            dag: &self.dag,
            authority: &self.authority,
            data: self,
            past: past.clone(),
            tags: None,
            costs,
        }
    }

    /// The admitted op at the index; `None` if its envelope was dropped, or the store has failed.
    pub(crate) fn op(&self, at: Index) -> Option<VerifiedOp> {
        self.read(at, VerifiedOp::stored)
    }

    /// The body of the admitted op at the index; if its envelope was dropped, what is known of it without. `None` if the store
    /// has failed.
    pub(crate) fn body(&self, at: Index) -> Option<Body> {
        if self.store.is_pruned(at) {
            return self.hollow_body(at);
        }
        self.read(at, VerifiedOp::stored_body)
    }

    /// The value that the admitted op at the index writes after so many names; `None` if the store has failed.
    pub(crate) fn value(&self, at: Index, names: usize) -> Option<Value> {
        self.read(at, |envelope| VerifiedOp::stored_value(envelope, names))
    }

    /// What the admitted `KeyGrant` at the index gives the recipient; `None` if the store has failed.
    pub(crate) fn share(&self, at: Index, recipient: &PublicKey) -> Option<Share> {
        self.read(at, |envelope| VerifiedOp::stored_share(envelope, recipient))
    }

    fn read<T>(&self, at: Index, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        if self.store.is_pruned(at) {
            return None;
        }
        let found = self.store.read(at).and_then(|envelope| {
            let none = || StoreError::new(format!("there is no op at position {at}"));
            read(&envelope).ok_or_else(none)
        });
        match found {
            Ok(found) => Some(found),
            Err(fault) => {
                self.failed(fault);
                None
            }
        }
    }

    /// The failure of the store, if it has failed. What is asked of content since then is answered as if the op were not
    /// here.
    #[must_use]
    pub fn fault(&self) -> Option<&StoreError> {
        self.fault.get()
    }

    /// Keeps the first failure; nothing has become of the op.
    fn failed(&self, fault: StoreError) -> Outcome {
        // Of several failures the first is told.
        let _ = self.fault.set(fault);
        Outcome::Pending
    }

    /// Whether the op is here, in whatever standing.
    #[must_use]
    pub fn holds(&self, id: &OpId) -> bool {
        self.parent(id).is_some() || self.pending.contains(id)
    }

    /// The op, unless it is refused, not here, or its envelope was dropped; nothing is kept of the bytes of refused ops.
    #[must_use]
    pub fn get(&self, id: &OpId) -> Option<VerifiedOp> {
        match self.dag.find(id) {
            Some(at) => self.op(at),
            None => self
                .pending
                .get(id)
                .or_else(|| self.unsupported.get(id))
                .cloned(),
        }
    }

    /// Why the op was refused, with the witness, if it was.
    #[must_use]
    pub fn refusal(&self, id: &OpId) -> Option<(Refusal, Option<OpId>)> {
        self.refused
            .get(id)
            .map(|refused| (refused.reason, refused.witness))
    }

    /// Whether the op is here and cannot be judged by this program.
    #[must_use]
    pub fn is_unsupported(&self, id: &OpId) -> bool {
        self.unsupported.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use ed25519_zebra::SigningKey;

    use super::*;
    use crate::name::Name;
    use crate::op::{Body, public_key};
    use crate::payload::SetField;
    use crate::value::Value;

    fn op(parents: &[u8], physical_ms: u64) -> VerifiedOp {
        let key = SigningKey::from([1; 32]);
        let body = Body {
            author: public_key(&key),
            seq: 0,
            parents: parents
                .iter()
                .map(|it| OpId::from_bytes([*it; 32]))
                .collect(),
            hlc: Hlc {
                physical_ms,
                logical: 0,
                node: 0,
            },
            payload: SetField {
                object: Name::new("o").unwrap(),
                field: Name::new("f").unwrap(),
                value: Value::Null,
            }
            .into(),
        };
        VerifiedOp::sign(body, &key).unwrap()
    }

    #[test]
    fn nothing_waits_that_has_fallen_out() {
        let limits = Limits {
            pending_ops: 5,
            ..Limits::default()
        };
        let mut log = Log::with_limits(OpId::from_bytes([0; 32]), limits);
        let costs = &mut Costs::default();
        let waiting = |log: &Log| log.waiting.values().map(BTreeSet::len).sum::<usize>();
        for number in 0..50 {
            let first = u8::try_from(number % 7).unwrap();
            log.ingest(op(&[first, 100 + first], number), costs);
            assert_eq!(waiting(&log), log.pending.len());
            let listed = log.waiting.values().flatten();
            assert!(listed.into_iter().all(|id| log.pending.contains(id)));
        }
        assert_eq!((waiting(&log), log.pending.len()), (5, 5));
        let none = Limits {
            pending_ops: 0,
            ..limits
        };
        let mut log = Log::with_limits(OpId::from_bytes([0; 32]), none);
        log.ingest(op(&[1], 1), costs);
        assert!(log.waiting.is_empty());
    }
}
