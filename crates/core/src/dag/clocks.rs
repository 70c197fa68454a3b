//! Clocks: which pasts are at hand, and how the others are made again.
//!
//! An op whose only parent is the one before it in its chain shares that one's clock. Of the others the clocks of the latest
//! are kept, as far back as ops have named parents lately ([`Clocks::window`]), those of the last two of each chain, those that
//! are asked for (ops of trust and policy), and of the rest so many that each op pays for [`CLOCK_BYTES_PER_OP`].

use core::hint::black_box;
use std::borrow::Cow;
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BinaryHeap, VecDeque};

use super::{Chain, Dag, Index, Past, Placed, narrow};
use crate::segments::Segments;

/// The most memory for the clocks of the latest ops, in bytes; what falls out is kept now and then, or made again.
const RECENT_BYTES: usize = 11 << 17;
/// Latest ops of which the clocks are kept at least, as far as there is memory for them.
const RECENT_MIN: usize = 256;
/// The same for each chain: who write in turn have their last ops among them.
const RECENT_PER_CHAIN: usize = 4;
/// In about so many ops the distance to a parent is forgotten.
const REACH_OPS: u32 = 1024;
/// Clocks that are read together before they are let go of: they have not been read for long, and are far away.
const LET_GO_TOGETHER: usize = 64;
/// Memory for clocks that stay, in bytes for each op that needs one of its own.
const CLOCK_BYTES_PER_OP: usize = 5;

/// A past that is kept: for good, or as long as it is one of the latest, or of the last two of its chain.
#[derive(Debug, Clone)]
struct Kept {
    past: Past,
    for_good: bool,
}

/// The pasts that are kept, by op.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks {
    /// Those of older ops.
    pasts: BTreeMap<u32, Kept>,
    /// Those of the latest ops, from `first` on, as far as they have their own, and their size in bytes.
    recent: VecDeque<Option<Kept>>,
    first: u32,
    recent_bytes: usize,
    /// Bytes that ops have paid for clocks, less those of the clocks that stay.
    credit: usize,
    /// How many ops back a clock was needed lately, at most.
    reach: u32,
    /// One that fell out last, whose memory the next one can have.
    spare: Option<Past>,
}

impl Clocks {
    fn get(&self, at: u32) -> Option<&Past> {
        let kept = match at.checked_sub(self.first) {
            Some(recent) => self.recent.get(recent as usize)?.as_ref(),
            None => self.pasts.get(&at),
        };
        kept.map(|kept| &kept.past)
    }

    /// Reads what a union with the past of the op reads first, if it is one of the latest.
    pub(super) fn approach(&self, at: u32) {
        let recent = at.checked_sub(self.first);
        let kept = recent.and_then(|recent| self.recent.get(recent as usize));
        if let Some(Some(kept)) = kept {
            kept.past.approach();
        }
    }

    /// The pasts that are kept, by op.
    pub(super) fn each(&self) -> impl Iterator<Item = (u32, &Past)> {
        let old = self.pasts.iter().map(|(&op, kept)| (op, &kept.past));
        let recent = (self.first..).zip(&self.recent);
        old.chain(recent.filter_map(|(op, kept)| Some((op, &kept.as_ref()?.past))))
    }

    /// Keeps these pasts of ops that were pushed long ago, and no others.
    pub(super) fn put(&mut self, pasts: Vec<(u32, Past)>) {
        let for_good = true;
        let kept = |(at, past)| (at, Kept { past, for_good });
        self.pasts = pasts.into_iter().map(kept).collect();
    }

    /// Whatever is pushed from the op on is recent.
    pub(super) fn begin(&mut self, at: u32) {
        self.first = at;
    }

    /// How many of the latest ops have their clocks at hand, where there are so many chains. They are few, so that they stay in
    /// the caches of the processor.
    fn window(&self, chains: usize) -> usize {
        let by_reach = self.reach as usize;
        RECENT_MIN
            .max(chains * RECENT_PER_CHAIN)
            .max(by_reach + by_reach / 4)
    }

    /// A past that nobody needs, for its memory.
    pub(super) fn spare(&mut self) -> Option<Past> {
        self.spare.take()
    }

    /// The past of the op stays at hand, if it is.
    pub(super) fn stays(&mut self, at: u32) {
        let kept = match at.checked_sub(self.first) {
            Some(recent) => self
                .recent
                .get_mut(recent as usize)
                .and_then(Option::as_mut),
            None => self.pasts.get_mut(&at),
        };
        if let Some(kept) = kept {
            kept.for_good = true;
        }
    }
}

/// The memory of the past of an op among the recent ones, in bytes.
fn bytes(kept: Option<&Kept>) -> usize {
    size_of::<Option<Kept>>() + kept.map_or(0, |kept| kept.past.bytes())
}

/// Whether the last op of its chain follows the op, or is the op.
fn last_has_base(nodes: &Segments<Placed>, chains: &[Chain], op: u32) -> bool {
    let chain = &chains[nodes[op as Index].chain as usize];
    let last = chain.ops.last().map(|&last| &nodes[last as Index]);
    last.is_some_and(|last| last.base == op)
}

impl Dag {
    /// The strict ancestors of the op.
    pub(crate) fn past(&self, at: Index) -> Past {
        let base = self.base_past(self.nodes[at].base).into_owned();
        self.following(at, base)
    }

    /// The strict ancestors of the op, if its clock is at hand.
    pub(crate) fn past_at_hand(&self, at: Index) -> Option<Past> {
        let base = self.clocks.get(self.nodes[at].base)?;
        Some(self.following(at, base.clone()))
    }

    /// The past of the op, from that of the op that it follows.
    fn following(&self, at: Index, base: Past) -> Past {
        let placed = &self.nodes[at];
        if placed.base as Index == at {
            base
        } else {
            base.with(placed.chain, placed.position)
        }
    }

    /// The past of an op that others follow, kept or made again.
    pub(super) fn base_past(&self, at: u32) -> Cow<'_, Past> {
        match self.clocks.get(at) {
            Some(past) => Cow::Borrowed(past),
            None => Cow::Owned(self.rebuild(at as Index)),
        }
    }

    /// The past of an op that is not at hand, from the pasts of its ancestors that are: the latest first, so that what
    /// these cover need not be looked at.
    fn rebuild(&self, at: Index) -> Past {
        // Of each chain how many of its first ops belong to the past, and of these how many do with their own pasts.
        let mut counts = vec![0; self.chains.len()];
        let mut closed = vec![0; self.chains.len()];
        let mut todo: BinaryHeap<u32> = BinaryHeap::new();
        self.push_parents(at, &mut todo);
        let mut last = None;
        while let Some(op) = todo.pop() {
            let (chain, position) = self.position(op as Index);
            if last.replace(op) == Some(op) || closed[chain as usize] > position {
                continue;
            }
            let count = &mut counts[chain as usize];
            *count = (position + 1).max(*count);
            let base = self.nodes[op as Index].base;
            match self.clocks.get(base) {
                Some(past) => past.each(|chain, count| {
                    for known in [&mut counts[chain as usize], &mut closed[chain as usize]] {
                        *known = count.max(*known);
                    }
                }),
                None => self.push_parents(base as Index, &mut todo),
            }
        }
        Past::of_counts(counts)
    }

    fn push_parents(&self, at: Index, to: &mut BinaryHeap<u32>) {
        let (chain, position) = self.position(at);
        let before = position.checked_sub(1).map(|before| before as usize);
        to.extend(before.map(|before| self.chains[chain as usize].ops[before]));
        to.extend(self.other_parents(at));
    }

    /// Keeps the past of the op that was pushed last at hand for a while, if it has one of its own, and lets go of the
    /// oldest.
    pub(super) fn keep_past(&mut self, own: Option<Past>) {
        if own.is_some() {
            self.count_reach();
            self.let_go_before_last();
            self.clocks.credit += CLOCK_BYTES_PER_OP;
        }
        let kept = own.map(|past| Kept {
            past,
            for_good: false,
        });
        let clocks = &mut self.clocks;
        clocks.recent_bytes += bytes(kept.as_ref());
        clocks.recent.push_back(kept);
        if self.nodes.len().is_multiple_of(LET_GO_TOGETHER) {
            let oldest = (clocks.first..).zip(&clocks.recent).take(LET_GO_TOGETHER);
            for (at, kept) in oldest {
                if let Some(kept) = kept {
                    kept.past.approach();
                    black_box(last_has_base(&self.nodes, &self.chains, at));
                }
            }
        }
        let window = clocks.window(self.chains.len());
        while (clocks.recent_bytes > RECENT_BYTES || clocks.recent.len() > window)
            && let Some(oldest) = clocks.recent.pop_front()
        {
            let at = clocks.first;
            clocks.first += 1;
            clocks.recent_bytes -= bytes(oldest.as_ref());
            let Some(mut kept) = oldest else {
                continue;
            };
            if !kept.for_good
                && let Some(left) = clocks.credit.checked_sub(kept.past.bytes())
            {
                clocks.credit = left;
                kept.for_good = true;
            }
            if kept.for_good || last_has_base(&self.nodes, &self.chains, at) {
                clocks.pasts.insert(at, kept);
            } else {
                clocks.spare = Some(kept.past);
            }
        }
    }

    /// Notes how far back the op that was pushed last needed clocks.
    fn count_reach(&mut self) {
        let at = self.nodes.len() - 1;
        let needed = self.other_parents(at).iter();
        let furthest = needed.map(|&it| self.nodes[it as Index].base).min();
        let reach = &mut self.clocks.reach;
        *reach -= reach.div_ceil(REACH_OPS);
        if let Some(furthest) = furthest {
            *reach = (narrow(at) - furthest).max(*reach);
        }
    }

    /// Lets go of the clock before the last one of the chain to which an op with a clock of its own was pushed last, if nothing
    /// else kept it. The last one, who writes at the same time may still need.
    fn let_go_before_last(&mut self) {
        let (chain, position) = self.position(self.nodes.len() - 1);
        let ops = &self.chains[chain as usize].ops;
        let base_before = |position: u32| {
            let before = ops[position.checked_sub(1)? as usize];
            Some(self.nodes[before as Index].base)
        };
        let clocks = &self.clocks;
        let last = base_before(position).filter(|&last| last < clocks.first);
        let before_last = last.and_then(|last| base_before(self.nodes[last as Index].position));
        let pasts = &mut self.clocks.pasts;
        if let Some(before_last) = before_last
            && let Entry::Occupied(kept) = pasts.entry(before_last)
            && !kept.get().for_good
        {
            kept.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dag::tests::op;

    /// Two authors in turn, so many ops, each after the last of both; the last two.
    fn in_turn(dag: &mut Dag, ops: usize, mut last: [Index; 2]) -> [Index; 2] {
        for _ in 0..ops / 2 {
            for author in [1, 2] {
                let at = op(dag, author, &last);
                last[usize::from(author) - 1] = at;
            }
        }
        last
    }

    #[test]
    fn as_many_clocks_are_at_hand_as_ops_reach_back() {
        let mut dag = Dag::default();
        let root = op(&mut dag, 0, &[]);
        let first = [1, 2].map(|author| op(&mut dag, author, &[root]));
        let old = in_turn(&mut dag, 2_000, first);
        assert_eq!(dag.clocks.recent.len(), RECENT_MIN);

        // Who has seen little names an old op, and so may the next ones.
        let last = in_turn(&mut dag, 2_000, old);
        op(&mut dag, 3, &[old[0], old[1]]);
        assert_eq!(dag.clocks.reach, 2_002);
        let last = in_turn(&mut dag, 500, last);
        assert_eq!(dag.clocks.recent.len(), RECENT_MIN + 1 + 500);
        in_turn(&mut dag, 10_000, last);
        assert_eq!(dag.clocks.recent.len(), RECENT_MIN);
    }

    #[test]
    fn of_who_writes_seldom_the_last_two_clocks_stay() {
        let mut dag = Dag::default();
        let root = op(&mut dag, 0, &[]);
        let mut last = [1, 2].map(|author| op(&mut dag, author, &[root]));
        let mut seldom = Vec::new();
        for _ in 0..20 {
            last = in_turn(&mut dag, 2 * RECENT_MIN, last);
            let parents: Vec<Index> = seldom.last().copied().into_iter().chain(last).collect();
            seldom.push(op(&mut dag, 3, &parents));
        }
        in_turn(&mut dag, 2 * RECENT_MIN, last);
        let kept = seldom.iter().filter_map(|&at| {
            let kept = dag.clocks.pasts.get(&narrow(at))?;
            (!kept.for_good).then_some(at)
        });
        let kept: Vec<Index> = kept.collect();
        assert!(kept.iter().all(|at| seldom[18..].contains(at)), "{kept:?}");
        for &at in &seldom[18..] {
            assert!(dag.past_at_hand(at).is_some());
        }
        assert!(dag.past_at_hand(seldom[17]).is_none());
    }
}
