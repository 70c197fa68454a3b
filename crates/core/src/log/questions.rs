//! Questions to a log: what it holds, in which standing, and in which order.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::{Behind, Log};
use crate::authority::{DataOps, Judge};
use crate::costs::Costs;
use crate::dag::Index;
use crate::held::Holdings;
use crate::id::OpId;
use crate::limits::ABSENT_NAMED_MAX;
use crate::name::Name;
use crate::op::VerifiedOp;
use crate::reason::Refusal;

impl Log {
    /// The ancestors that a pending op waits for and that are not here; empty for an op that is not pending.
    #[must_use]
    pub fn absent(&self, id: &OpId) -> BTreeSet<OpId> {
        let mut absent = BTreeSet::new();
        let mut known = BTreeSet::from([*id]);
        let mut todo: Vec<OpId> = vec![*id];
        while let Some(op) = todo.pop().and_then(|id| self.pending.get(&id)) {
            for parent in &op.body().parents {
                if self.pending.contains(parent) {
                    if known.insert(*parent) {
                        todo.push(*parent);
                    }
                } else if self.parent(parent).is_none() {
                    absent.insert(*parent);
                }
            }
        }
        absent
    }

    /// Of each pending op the least [`ABSENT_NAMED_MAX`] of the ancestors that it waits for.
    pub(crate) fn absent_named(&self) -> BTreeMap<OpId, BTreeSet<OpId>> {
        let mut named: BTreeMap<OpId, BTreeSet<OpId>> = BTreeMap::new();
        for (id, _) in self.pending.iter() {
            let mut todo = vec![*id];
            while let Some(id) = todo.last().copied() {
                let Some(op) = self.pending.get(&id).filter(|_| !named.contains_key(&id)) else {
                    todo.pop();
                    continue;
                };
                let parents = &op.body().parents;
                let unknown =
                    |parent: &&OpId| self.pending.contains(parent) && !named.contains_key(*parent);
                let before = todo.len();
                todo.extend(parents.iter().filter(unknown));
                if todo.len() > before {
                    continue;
                }
                let mut absent = BTreeSet::new();
                for parent in parents {
                    match named.get(parent) {
                        Some(theirs) => absent.extend(theirs),
                        None if self.parent(parent).is_none() => {
                            absent.insert(*parent);
                        }
                        None => {}
                    }
                }
                while absent.len() > ABSENT_NAMED_MAX {
                    absent.pop_last();
                }
                named.insert(id, absent);
                todo.pop();
            }
        }
        named
    }

    /// How far this replica is behind the project, if it is: it holds what it cannot judge, or the project uses
    /// features that this program does not know, which takes as many roots as sign together.
    #[must_use]
    pub fn behind(&self) -> Option<Behind> {
        let behind = Behind {
            features: self.unknown_features(),
            unsupported: self.unsupported.len(),
        };
        (!behind.features.is_empty() || behind.unsupported > 0).then_some(behind)
    }

    fn unknown_features(&self) -> BTreeSet<Name> {
        let costs = &mut Costs::default();
        Judge::new(&self.dag, &self.authority, costs).unknown_features()
    }

    /// What is held outside of the DAG, and what fell out of it.
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        Holdings {
            pending_ops: self.pending.len(),
            pending_bytes: self.pending.bytes(),
            pending_dropped: self.pending.dropped(),
            unsupported_ops: self.unsupported.len(),
            unsupported_bytes: self.unsupported.bytes(),
            unsupported_dropped: self.unsupported.dropped(),
            refused_ops: self.refused.len(),
            refused_dropped: self.refused.dropped(),
            rejected: self.rejected,
        }
    }

    /// How many ops are admitted.
    #[must_use]
    pub fn admitted_count(&self) -> usize {
        self.dag.len()
    }

    /// How many refused ops are remembered; bytes that were [`crate::Rejected`] are not counted.
    #[must_use]
    pub fn refused_count(&self) -> usize {
        self.refused.len()
    }

    /// How many ops are pending.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// Where an admitted op stands in the order of admission, from 0; `None` for any other op.
    #[must_use]
    pub fn position(&self, id: &OpId) -> Option<usize> {
        self.dag.find(id)
    }

    /// Admitted ops whose envelopes are here, in order of admission: parents come before children.
    pub fn admitted(&self) -> impl Iterator<Item = VerifiedOp> {
        self.admitted_since(0)
    }

    /// The admitted ops but for the first `count`, in order of admission: what is new since a log of that many. Those whose
    /// envelopes were dropped are left out.
    pub fn admitted_since(&self, count: usize) -> impl Iterator<Item = VerifiedOp> {
        (count..self.dag.len()).filter_map(|at| self.op(at))
    }

    /// The envelopes of the admitted ops, in order of admission, but for those that were dropped.
    pub fn envelopes(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        (0..self.store.len()).filter_map(|at| self.envelope_at(at))
    }

    /// The envelope of the admitted op at the position; `None` if there is none, it was dropped, or the store has failed.
    pub(crate) fn envelope_at(&self, at: usize) -> Option<Cow<'_, [u8]>> {
        if self.store.is_pruned(at) {
            return None;
        }
        match self.store.read(at) {
            Ok(envelope) => Some(envelope),
            Err(fault) => {
                self.failed(fault);
                None
            }
        }
    }

    /// The ids of the admitted ops but for the first `count`, in order of admission.
    pub fn ids_since(&self, count: usize) -> impl Iterator<Item = OpId> {
        (count..self.dag.len()).map(|at| self.dag.id(at))
    }

    /// Refused ops by op id, each with its reason and witness.
    pub fn refused(&self) -> impl Iterator<Item = (OpId, Refusal, Option<OpId>)> {
        self.refused
            .iter()
            .map(|(id, refused)| (*id, refused.reason, refused.witness))
    }

    /// Pending ops by op id.
    pub fn pending(&self) -> impl Iterator<Item = &VerifiedOp> {
        self.pending.iter().map(|(_, op)| op)
    }

    /// The op, if this program cannot judge it.
    pub(crate) fn unsupported_op(&self, id: &OpId) -> Option<&VerifiedOp> {
        self.unsupported.get(id)
    }

    /// Ops that this program cannot judge, by op id.
    pub fn unsupported(&self) -> impl Iterator<Item = &VerifiedOp> {
        self.unsupported.iter().map(|(_, op)| op)
    }

    /// Admitted ops whose envelopes are here, in the total order: parents first, ties by (stamp, op id). For display and export; no
    /// decision depends on it.
    pub fn total_order(&self) -> impl Iterator<Item = VerifiedOp> {
        let order = self.dag.total_order().into_iter();
        order.filter_map(|at| self.op(at))
    }

    /// Whether `a` happens before `b`: whether it is a strict ancestor. `None` unless both are admitted.
    #[must_use]
    pub fn happens_before(&self, a: &OpId, b: &OpId, costs: &mut Costs) -> Option<bool> {
        Some(self.dag.before(self.dag.find(a)?, self.dag.find(b)?, costs))
    }

    /// The admitted ops that are nobody's parent, by op id: together they have the whole DAG in their pasts. What a new
    /// op should name is [`crate::parents_for`]'s to say.
    #[must_use]
    pub fn heads(&self) -> Vec<OpId> {
        let mut heads: Vec<OpId> = self.dag.frontier().map(|op| self.dag.id(op)).collect();
        heads.sort_unstable();
        heads
    }
}

impl DataOps for Log {
    fn target(&self, at: Index) -> Option<(Name, Name)> {
        let body = self.body(at)?;
        let (object, field) = body.payload.target()?;
        Some((object.clone(), field.clone()))
    }
}
