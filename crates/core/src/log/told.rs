//! Dropped ops that somebody tells of: admitted as others are, without the detour over a body.

use super::Log;
use crate::authority::{Applicant, Asked, Entry};
use crate::costs::Costs;
use crate::dag::{Index, Node};
use crate::place::{Spot, Touch};
use crate::store::StoreError;

/// What is told of an op without its envelope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) node: Node,
    /// Ascending.
    pub(crate) parents: &'a [Index],
    pub(crate) touch: Touch,
    /// Where it belongs, as far as that is known here.
    pub(crate) spot: Spot,
}

impl Log {
    /// Makes room for so many ops, where there are none yet.
    pub(crate) fn reserve(&mut self, ops: usize) {
        self.dag.reserve(ops);
        self.places.reserve(ops);
    }

    /// Admits an op in the plain case: its place is known, and what its author may do follows from what is remembered of their chain.
    /// Returns those of its parents that no other one has in its past. `None` if it is not so plain, and nothing has changed: then
    /// [`Log::ingest`] finds out.
    ///
    /// # Errors
    /// [`StoreError`] if the store keeps no op without an envelope.
    pub(crate) fn admit_told(
        &mut self,
        told: &Told<'_>,
        costs: &mut Costs,
    ) -> Result<Option<Vec<Index>>, StoreError> {
        let (node, spot) = (told.node, told.spot);
        let Some((place, tags)) = spot.place.zip(self.authority.tags_of_field(spot.field)) else {
            return Ok(None);
        };
        let is_new = self.dag.find(&node.id).is_none();
        let is_later = |&parent: &Index| self.dag.hlc(parent) < node.hlc;
        if !is_new || !told.parents.iter().all(is_later) || self.authority.has_secrets() {
            return Ok(None);
        }
        let (past, ends) = self.dag.past_and_ends(told.parents);
        let own = self.dag.own(&node.author, &past);
        if node.seq != own.next_seq || told.parents.is_empty() {
            return Ok(None);
        }
        let applicant = Applicant {
            author: node.author,
            now_ms: node.hlc.physical_ms,
            own,
        };
        let asked = Asked::Edit(tags);
        let leave = self
            .authority
            .leave(&self.dag, &past, &applicant, asked, costs);
        let Some(leave) = leave else {
            return Ok(None);
        };
        self.store.append(&[])?;
        let at = self.dag.push(node, told.parents, past.clone(), own, false);
        self.places
            .push_at(&self.dag, place, told.touch, &past, costs);
        // An op that is data says nothing about authority.
        Entry::new(&mut self.authority, &self.dag, at, leave, costs);
        Ok(Some(ends))
    }
}
