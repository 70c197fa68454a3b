//! Ops that wait to be sent, parents first.

use std::borrow::Cow;
use std::collections::VecDeque;

use ecac_core::{OpId, Replica};

/// Four bytes for each admitted op: its position in the order of admission, which no op leaves.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    admitted: VecDeque<u32>,
    /// What this program cannot judge; it comes after what is admitted.
    unjudged: VecDeque<OpId>,
}

impl Outbox {
    pub(crate) fn new(mut admitted: Vec<u32>, unjudged: Vec<OpId>) -> Self {
        admitted.sort_unstable();
        Self {
            admitted: admitted.into(),
            unjudged: unjudged.into(),
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.admitted.is_empty() && self.unjudged.is_empty()
    }

    /// The envelope of the op that is sent next; `None` if it is not here any more.
    pub(crate) fn envelope<'a>(&self, replica: &'a Replica) -> Option<Cow<'a, [u8]>> {
        match self.admitted.front() {
            Some(&rank) => replica.envelope_at(rank as usize),
            None => replica.envelope(self.unjudged.front()?),
        }
    }

    /// Whether the envelope of the op that is sent next was dropped.
    pub(crate) fn is_pruned(&self, replica: &Replica) -> bool {
        let first = self.admitted.front();
        first.is_some_and(|&rank| replica.is_pruned_at(rank as usize))
    }

    /// The ops of which the envelopes were dropped, in order; none that is not judged.
    pub(crate) fn pruned(&self, replica: &Replica) -> impl Iterator<Item = OpId> {
        let admitted = self.admitted.iter();
        let pruned = admitted.filter(|&&rank| replica.is_pruned_at(rank as usize));
        pruned.filter_map(|&rank| id_at(replica, rank))
    }

    pub(crate) fn pop(&mut self) {
        if self.admitted.pop_front().is_none() {
            self.unjudged.pop_front();
        }
    }

    /// Keeps the ops, taken in order, of which the function says so.
    pub(crate) fn retain(&mut self, replica: &Replica, mut keeps: impl FnMut(&OpId) -> bool) {
        self.admitted
            .retain(|&rank| id_at(replica, rank).is_some_and(|it| keeps(&it)));
        self.unjudged.retain(|it| keeps(it));
    }

    /// A defect: the last op is not sent.
    pub(crate) fn forget_the_last(&mut self) {
        if self.unjudged.pop_back().is_none() {
            self.admitted.pop_back();
        }
    }

    /// A defect: children come before their parents.
    pub(crate) fn reverse(&mut self) {
        self.admitted.make_contiguous().reverse();
        self.unjudged.make_contiguous().reverse();
    }
}

fn id_at(replica: &Replica, rank: u32) -> Option<OpId> {
    replica.log().ids_since(rank as usize).next()
}
