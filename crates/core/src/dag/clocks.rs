//! Clocks: which pasts are at hand, and how the others are made again.
//!
//! An op whose only parent is the one before it in its chain shares that one's clock. Of the others the clocks of the latest
//! are kept ([`RECENT_BYTES`]), that of the last of each chain, those that are asked for (ops of trust and policy), and of the
//! rest so many that each op pays for [`CLOCK_BYTES_PER_OP`].

use core::hint::black_box;
use std::borrow::Cow;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use super::{Chain, Dag, Index, Past, Placed};
use crate::segments::Segments;

/// Memory for the clocks of the latest ops, in bytes; what falls out is kept now and then, or made again.
const RECENT_BYTES: usize = 11 << 17;
/// Clocks that are read together before they are let go of: they have not been read for long, and are far away.
const LET_GO_TOGETHER: usize = 64;
/// Ops that are recent while ops are told.
const RECENT_TOLD: usize = 1024;
/// Memory for clocks that stay, in bytes for each op that needs one of its own.
const CLOCK_BYTES_PER_OP: usize = 5;

/// A past that is kept.
#[derive(Debug, Clone)]
struct Kept {
    past: Past,
    for_good: bool,
}

/// The pasts that are kept, by op.
#[derive(Debug, Clone, Default)]
pub(super) struct Clocks {
    /// Those that stay.
    pasts: BTreeMap<u32, Past>,
    /// Those of the latest ops, from `first` on, as far as they have their own, and their size in bytes.
    recent: VecDeque<Option<Kept>>,
    first: u32,
    recent_bytes: usize,
    /// Bytes that ops have paid for clocks, less those of the clocks that stay.
    credit: usize,
    /// Whether ops arrive one after the other that have seen the latest: then fewer are recent, which stay in the caches of the
    /// processor.
    told: bool,
    /// One that fell out last, whose memory the next one can have.
    spare: Option<Past>,
}

impl Clocks {
    fn get(&self, at: u32) -> Option<&Past> {
        match at.checked_sub(self.first) {
            Some(recent) => {
                let kept = self.recent.get(recent as usize)?.as_ref()?;
                Some(&kept.past)
            }
            None => self.pasts.get(&at),
        }
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
        let old = self.pasts.iter().map(|(&op, past)| (op, past));
        let recent = (self.first..).zip(&self.recent);
        old.chain(recent.filter_map(|(op, kept)| Some((op, &kept.as_ref()?.past))))
    }

    /// Keeps these pasts of ops that were pushed long ago, and no others.
    pub(super) fn put(&mut self, pasts: Vec<(u32, Past)>) {
        self.pasts = pasts.into_iter().collect();
    }

    /// Whatever is pushed from the op on is recent.
    pub(super) fn begin(&mut self, at: u32) {
        self.first = at;
    }

    /// Ops arrive one after the other that have seen the latest, or they do so no longer.
    pub(super) fn are_told(&mut self, told: bool) {
        self.told = told;
        self.spare = None;
    }

    /// A past that nobody needs, for its memory.
    pub(super) fn spare(&mut self) -> Option<Past> {
        self.spare.take()
    }

    /// The past of the op stays at hand, if it is.
    pub(super) fn stays(&mut self, at: u32) {
        let recent = at.checked_sub(self.first);
        let kept = recent.and_then(|recent| self.recent.get_mut(recent as usize));
        if let Some(Some(kept)) = kept {
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
        let kept = own.map(|past| Kept {
            past,
            for_good: false,
        });
        let clocks = &mut self.clocks;
        if kept.is_some() {
            clocks.credit += CLOCK_BYTES_PER_OP;
        }
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
        while (clocks.recent_bytes > RECENT_BYTES
            || clocks.told && clocks.recent.len() > RECENT_TOLD)
            && let Some(oldest) = clocks.recent.pop_front()
        {
            let at = clocks.first;
            clocks.first += 1;
            clocks.recent_bytes -= bytes(oldest.as_ref());
            let Some(Kept { past, for_good }) = oldest else {
                continue;
            };
            let is_last = last_has_base(&self.nodes, &self.chains, at);
            let left = clocks.credit.checked_sub(past.bytes());
            if for_good || is_last || left.is_some() {
                if !for_good {
                    clocks.credit = left.unwrap_or(0);
                }
                clocks.pasts.insert(at, past);
            } else if clocks.told {
                clocks.spare = Some(past);
            }
        }
    }
}
