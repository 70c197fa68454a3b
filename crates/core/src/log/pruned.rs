//! Dropped envelopes: what is known of an op without its own (`docs/pruning.md`).

use super::Log;
use crate::dag::Index;
use crate::id::OpId;
use crate::name::Name;
use crate::op::{Body, VerifiedOp};
use crate::payload::{Payload, SetAdd, SetField, SetRemove};
use crate::place::Touch;
use crate::store::StoreError;
use crate::value::Value;

impl Log {
    /// Drops the envelopes of these admitted data ops for good; returns how many bytes they had.
    pub(crate) fn prune(&mut self, ops: &[Index]) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for &at in ops {
            bytes += self.store.read(at)?.len() as u64;
        }
        self.store.prune(ops)?;
        Ok(bytes)
    }

    /// Whether the envelope of the admitted op at the index was dropped.
    pub(crate) fn is_hollow(&self, at: Index) -> bool {
        self.store.is_pruned(at)
    }

    /// Whether the op is admitted, and its envelope was dropped here: others may have it.
    #[must_use]
    pub fn is_pruned(&self, id: &OpId) -> bool {
        self.dag.find(id).is_some_and(|at| self.is_hollow(at))
    }

    /// How many admitted ops have no envelope here any more.
    #[must_use]
    pub fn pruned_count(&self) -> usize {
        (0..self.dag.len()).filter(|&at| self.is_hollow(at)).count()
    }

    /// What is kept of the admitted op at the position in the order of admission, if its envelope was dropped: an op with its id,
    /// author, number, stamp and place, without a value and an envelope, and with the op before it in its chain among its parents.
    /// Its id is not that of this body, and nobody can verify it: another replica of the same store can take it in as an op that
    /// was dropped there, and comes to the same decisions.
    #[must_use]
    pub fn remains(&self, position: usize) -> Option<VerifiedOp> {
        if position >= self.dag.len() || !self.is_hollow(position) {
            return None;
        }
        self.op_or_hollow(position)
    }

    /// Every admitted op in order of admission; of those whose envelopes were dropped what is kept of them ([`Log::remains`]).
    pub fn admitted_or_remains(&self) -> impl Iterator<Item = VerifiedOp> {
        (0..self.dag.len()).filter_map(|at| self.op_or_hollow(at))
    }

    /// The body of an admitted data op by what is known of it without its envelope: without the value, and with the op before it
    /// in its chain among the parents, whether it was named or not. Its past is that of the op.
    pub(super) fn hollow_body(&self, at: Index) -> Option<Body> {
        let (place, touch) = self.places.touched(at)?;
        let (object, field, element) = self.places.names(place)?;
        let (object, field) = (Name::new(object).ok()?, Name::new(field).ok()?);
        let element = element.map(Name::new).transpose().ok()?;
        let value = Value::Null;
        let payload: Payload = match (touch, element) {
            (Touch::Write, None) => SetField {
                object,
                field,
                value,
            }
            .into(),
            (Touch::Add, Some(element)) => SetAdd {
                object,
                field,
                element,
                value,
            }
            .into(),
            (Touch::Remove, Some(element)) => SetRemove {
                object,
                field,
                element,
            }
            .into(),
            (Touch::Write, Some(_)) | (Touch::Add | Touch::Remove, None) => return None,
        };
        let node = self.dag.node(at);
        let parents = self.dag.covering(at).into_iter();
        let mut parents: Vec<OpId> = parents.map(|parent| self.dag.id(parent)).collect();
        parents.sort_unstable();
        Some(Body {
            author: node.author,
            seq: node.seq,
            parents,
            hlc: node.hlc,
            payload,
        })
    }

    /// The admitted op at the index for a replay that nobody sees; without its envelope, if that was dropped.
    pub(crate) fn op_or_hollow(&self, at: Index) -> Option<VerifiedOp> {
        if !self.is_hollow(at) {
            return self.op(at);
        }
        Some(VerifiedOp::hollow(self.dag.id(at), self.hollow_body(at)?))
    }
}
