//! Clocks: which pasts are at hand, and how the others are made again.
//!
//! An op whose only parent is the one before it in its chain shares that one's clock. Of the others the clocks of the latest
//! are kept ([`RECENT_BYTES`]), that of the last of each chain, those that are asked for (ops of trust and policy), and of the
//! rest so many that each op pays for [`CLOCK_BYTES_PER_OP`].

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use super::{Dag, Index, Past};

/// Memory for the clocks of the latest ops, in bytes; what falls out is kept now and then, or made again.
const RECENT_BYTES: usize = 8 << 20;
/// Memory for clocks that stay, in bytes for each op that needs one of its own.
const CLOCK_BYTES_PER_OP: usize = 24;

/// A past that is kept.
#[derive(Debug)]
struct Kept {
    past: Past,
    for_good: bool,
}

/// The pasts that are kept.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    pasts: BTreeMap<u32, Kept>,
    /// Of these, those that stay only for a while, the oldest first, and their size in bytes.
    recent: VecDeque<u32>,
    recent_bytes: usize,
}

impl Clocks {
    fn get(&self, at: u32) -> Option<&Past> {
        self.pasts.get(&at).map(|kept| &kept.past)
    }

    /// The past of the op stays at hand, if it is.
    pub(super) fn stays(&mut self, at: u32) {
        if let Some(kept) = self.pasts.get_mut(&at) {
            kept.for_good = true;
        }
    }
}

impl Dag {
    /// The strict ancestors of the op.
    pub(crate) fn past(&self, at: Index) -> Past {
        let placed = &self.nodes[at];
        let base = self.base_past(placed.base).into_owned();
        if placed.base as Index == at {
            base
        } else {
            base.with(placed.chain, placed.position)
        }
    }

    /// The strict ancestors of the op, if its clock is at hand.
    pub(crate) fn past_at_hand(&self, at: Index) -> Option<Past> {
        let placed = &self.nodes[at];
        let base = self.clocks.get(placed.base)?.clone();
        Some(if placed.base as Index == at {
            base
        } else {
            base.with(placed.chain, placed.position)
        })
    }

    /// The past of an op that others follow, kept or made again.
    pub(super) fn base_past(&self, at: u32) -> Cow<'_, Past> {
        match self.clocks.get(at) {
            Some(past) => Cow::Borrowed(past),
            None => Cow::Owned(self.rebuild(at as Index)),
        }
    }

    /// The past of an op that is not at hand, from the pasts of its ancestors that are. Looks at each op between once.
    fn rebuild(&self, at: Index) -> Past {
        let mut counts = vec![0; self.chains.len()];
        let mut todo: Vec<(u32, u32)> = Vec::new();
        let demand = |op: Index, todo: &mut Vec<(u32, u32)>| {
            for &parent in self.other_parents(op) {
                let (chain, position) = self.position(parent as Index);
                todo.push((chain, position + 1));
            }
        };
        demand(at, &mut todo);
        todo.push(self.position(at));
        while let Some((chain, count)) = todo.pop() {
            let ops = &self.chains[chain as usize].ops;
            let mut next = count;
            while next > counts[chain as usize] {
                let base = self.nodes[ops[next as usize - 1] as Index].base;
                let position = self.nodes[base as Index].position;
                if position < counts[chain as usize] {
                    break;
                }
                if let Some(past) = self.clocks.get(base) {
                    past.each(|chain, count| {
                        let known = &mut counts[chain as usize];
                        *known = count.max(*known);
                    });
                    break;
                }
                demand(base as Index, &mut todo);
                next = position;
            }
            let known = &mut counts[chain as usize];
            *known = count.max(*known);
        }
        Past::of_counts(counts)
    }

    /// Keeps the past of an op at hand for a while, and lets go of the oldest.
    pub(super) fn keep_past(&mut self, at: u32, past: Past) {
        let clocks = &mut self.clocks;
        clocks.recent.push_back(at);
        clocks.recent_bytes += past.bytes();
        let kept = Kept {
            past,
            for_good: false,
        };
        clocks.pasts.insert(at, kept);
        let chain = self.nodes[at as Index].chain;
        self.chains[chain as usize].credit += CLOCK_BYTES_PER_OP;
        while clocks.recent_bytes > RECENT_BYTES
            && let Some(oldest) = clocks.recent.pop_front()
        {
            let Some(kept) = clocks.pasts.get(&oldest) else {
                continue;
            };
            let bytes = kept.past.bytes();
            clocks.recent_bytes -= bytes;
            if kept.for_good {
                continue;
            }
            let chain = &mut self.chains[self.nodes[oldest as Index].chain as usize];
            let last = chain.ops.last().map(|&last| &self.nodes[last as Index]);
            if last.is_some_and(|last| last.base == oldest) {
                chain.credit = chain.credit.saturating_sub(bytes);
            } else if let Some(left) = chain.credit.checked_sub(bytes) {
                chain.credit = left;
            } else {
                clocks.pasts.remove(&oldest);
            }
        }
    }
}
