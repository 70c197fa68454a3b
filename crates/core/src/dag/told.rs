//! Ops that somebody tells of in the order of admission, with their parents by position.

use super::past::raise;
use super::{Chains, Dag, Index, Node, Own, Past, narrow};
use crate::id::PublicKey;
use crate::tight;

impl Dag {
    /// The chain of an author who has one.
    pub(crate) fn only_chain(&self, author: &PublicKey) -> Option<u32> {
        match self.chains_of(author) {
            &[only] => Some(only),
            _ => None,
        }
    }

    /// What the author's own ops in the past come to, where the author has this chain only and the past has all of it.
    pub(crate) fn own_whole(&self, chain: u32, past: &Past) -> Option<Own> {
        let ops = &self.chains[chain as usize];
        let is_only = matches!(self.authors[ops.author as usize].chains, Chains::One(_));
        let length = past.count(chain);
        (is_only && length as usize == ops.ops.len()).then(|| Own {
            next_seq: ops.first_seq + u64::from(length),
            surplus: 0,
            continues: Some(chain),
        })
    }

    /// The past of an op with these parents, none of which has another in its past; `counts` is memory.
    pub(crate) fn past_of_ends(&mut self, ends: &[Index], counts: &mut Vec<u16>) -> Past {
        if ends.len() < 2 {
            return self.past_of(ends);
        }
        counts.clear();
        for &end in ends {
            let (chain, position) = self.position(end);
            let base = self.base_past(self.nodes[end].base);
            let raised = base.raise(counts);
            if raised
                .and_then(|()| raise(counts, chain, position + 1))
                .is_none()
            {
                return self.past_of(ends);
            }
        }
        Past::of_small(counts, self.clocks.spare())
    }

    /// Adds an op whose parents, number and authority have been judged, and that continues the only chain of its author: as
    /// [`Dag::push`] does, but what is nobody's parent is not told until [`Dag::end_told`].
    pub(crate) fn push_told(
        &mut self,
        node: &Node,
        chain: u32,
        parents: &[Index],
        past: &Past,
    ) -> Index {
        let at = self.nodes.len();
        let is_base = self.append(node, chain, parents);
        for &parent in parents {
            self.has_child[parent] = true;
        }
        tight::push(&mut self.has_child, false);
        self.keep_past(is_base.then(|| past.clone()));
        at
    }

    /// Ops will be [told](Dag::push_told), so many or fewer, where there are none yet.
    pub(crate) fn expect_told(&mut self, ops: usize) {
        self.reserve(ops);
        self.clocks.are_told(true);
    }

    /// Finds out which ops are nobody's parents, once all were told.
    pub(crate) fn end_told(&mut self) {
        self.clocks.are_told(false);
        let free = (0..narrow(self.len())).filter(|&op| !self.has_child[op as Index]);
        self.frontier = free.collect();
    }
}
