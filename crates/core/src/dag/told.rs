//! Ops that somebody tells of in the order of admission, with their parents by position.

use super::authors::Chains;
use super::past::raise;
use super::{Dag, Index, Node, Own, Past, narrow};
use crate::id::PublicKey;
use crate::tight;

/// Parents of an op but for the one before it in its chain, for which room is made ahead.
const PARENTS_TOLD: usize = 3;

/// Memory for what is found out of one op after the other.
#[derive(Debug, Default)]
pub(crate) struct TellMemory {
    /// The parents of the last one that no other of its parents has in its past, in order of admission.
    pub(crate) ends: Vec<Index>,
    counts: Vec<u16>,
}

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

    /// The past of an op with these parents, which are in order of admission; `memory` has then those of them that no other one
    /// has in its past.
    pub(crate) fn past_told(&mut self, parents: &[Index], memory: &mut TellMemory) -> Past {
        let TellMemory { ends, counts } = memory;
        ends.clear();
        counts.clear();
        if let [only] = parents {
            ends.push(*only);
            return self.past_of(parents);
        }
        for &parent in parents.iter().rev() {
            let (chain, position) = self.position(parent);
            if counts
                .get(chain as usize)
                .is_some_and(|&it| u32::from(it) > position)
            {
                continue;
            }
            let raised = self.base_past(self.nodes[parent].base).raise(counts);
            let raised = raised.and_then(|()| raise(counts, chain, position + 1));
            if raised.is_none() {
                let (past, found) = self.past_and_ends(parents);
                *ends = found;
                return past;
            }
            ends.push(parent);
        }
        ends.reverse();
        match ends[..] {
            [_] => self.past_of(ends),
            _ => Past::of_small(counts, self.clocks.spare()),
        }
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
        self.parents.reserve_exact(ops * PARENTS_TOLD);
    }

    /// Finds out which ops are nobody's parents, once all were told.
    pub(crate) fn end_told(&mut self) {
        self.parents.shrink_to_fit();
        let free = (0..narrow(self.len())).filter(|&op| !self.has_child[op as Index]);
        self.frontier = free.collect();
    }
}
