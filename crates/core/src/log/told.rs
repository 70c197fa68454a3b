//! Dropped ops that somebody tells of: admitted as others are, without the detour over a body.

use super::Log;
use crate::authority::{Applicant, Asked, Entry, Leave};
use crate::costs::Costs;
use crate::dag::{Index, Node};
use crate::place::{Spot, Touch};
use crate::store::StoreError;

/// What is told of an op without its envelope.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) node: Node,
    /// The only chain of the author.
    pub(crate) chain: u32,
    /// Its parents, none of which has another in its past.
    pub(crate) ends: &'a [Index],
    pub(crate) touch: Touch,
    /// Where it belongs, as far as that is known here.
    pub(crate) spot: Spot,
}

impl Log {
    /// Ops will be told, so many or fewer, where there are none yet.
    pub(crate) fn expect_told(&mut self, ops: usize) {
        self.dag.expect_told(ops);
        self.places.reserve(ops);
    }

    /// Admits an op in the plain case: its place is known, and it continues the only chain of its author. `None` if it is not so
    /// plain, or not admitted, and nothing has changed: then [`Log::ingest`] finds out. `counts` is memory.
    ///
    /// What is nobody's parent has to be [found out](crate::dag::Dag::end_told) afterwards.
    ///
    /// # Errors
    /// [`StoreError`] if the store keeps no op without an envelope.
    pub(crate) fn admit_told(
        &mut self,
        told: &Told<'_>,
        counts: &mut Vec<u16>,
        costs: &mut Costs,
    ) -> Result<Option<()>, StoreError> {
        let (node, spot) = (&told.node, told.spot);
        let Some((place, tags)) = spot.place.zip(self.authority.tags_of_field(spot.field)) else {
            return Ok(None);
        };
        let is_later = |&end: &Index| self.dag.hlc(end) < node.hlc;
        let is_new = self.dag.find(&node.id).is_none();
        let is_plain = !told.ends.is_empty() && !self.authority.has_secrets();
        if !is_new || !is_plain || !told.ends.iter().all(is_later) {
            return Ok(None);
        }
        let past = self.dag.past_of_ends(told.ends, counts);
        let own = self.dag.own_whole(told.chain, &past);
        let Some(own) = own.filter(|own| own.next_seq == node.seq) else {
            return Ok(None);
        };
        let applicant = Applicant {
            author: node.author,
            now_ms: node.hlc.physical_ms,
            own,
        };
        let asked = Asked::Edit(tags);
        let leave = self
            .authority
            .leave(&self.dag, &past, &applicant, asked, costs);
        let leave = match leave {
            Some(leave) => leave,
            None => {
                let need = self.authority.need_of(tags);
                match self.seen(&past, costs).authorise(&need, &applicant) {
                    Ok(titles) => Leave::of(titles),
                    Err(_) => return Ok(None),
                }
            }
        };
        self.store.append(&[])?;
        let at = self.dag.push_told(node, told.chain, told.ends, &past);
        self.places
            .push_at(&self.dag, place, told.touch, &past, costs);
        // An op that is data says nothing about authority.
        Entry::new(&mut self.authority, &self.dag, at, leave, costs);
        Ok(Some(()))
    }
}
