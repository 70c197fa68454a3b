//! Range-based set reconciliation over ops in the order of (physical milliseconds, op id) (`docs/sync.md`, Ranges).
//!
//! A digest of a range is BLAKE3 over the ids in it. Sums of ids, which other protocols of this family use because they
//! can be kept in trees, would let whoever grinds ids make two different ranges look the same, and the authors in dispute
//! here have signed forks already.

use std::collections::BTreeSet;

use ecac_core::OpId;

use crate::defect::Defect;
use crate::limits::{RANGE_IDS_MAX, RANGES_MAX};

/// Ops of a range up to which their ids are told instead of a digest.
const TOLD_MAX: usize = 16;
/// Parts into which a range that differs is split.
const PARTS: usize = 16;

/// Where a range ends: before the first key that is not less. Ids are compared with the prefix as byte strings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bound {
    /// Physical time of a stamp, in milliseconds since the Unix epoch.
    pub ms: u64,
    /// The beginning of an op id, as long as it has to be.
    pub prefix: Vec<u8>,
}

/// What is said of the ops between the end of the range before and the end of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// There is nothing left to say.
    Settled,
    /// BLAKE3 of the ids that the side has there, in the order of their keys.
    Digest([u8; 32]),
    /// The ids of all that the side has there, in ascending order.
    Ids(Vec<OpId>),
    /// The ids of what the side lacks there, in ascending order.
    Want(Vec<OpId>),
}

/// A range and what is said of it. What follows the last range of a message is settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Where it ends.
    pub end: Bound,
    /// What is said.
    pub claim: Claim,
}

/// The key by which ops are ordered.
pub(crate) type Key = (u64, OpId);

/// What a side has of the ops in dispute, and what it has learnt that the other one lacks.
#[derive(Debug, Default)]
pub(crate) struct Reconciler {
    /// By key.
    items: Vec<Key>,
    /// The positions of the items, by id.
    by_id: Vec<u32>,
    /// Whether the other side lacks the item.
    lacked: Vec<bool>,
    defect: Option<Defect>,
}

impl Reconciler {
    pub(crate) fn new(mut items: Vec<Key>, defect: Option<Defect>) -> Self {
        items.sort_unstable();
        // A replica counts its ops in 32 bits.
        let mut by_id: Vec<u32> = (0..).take(items.len()).collect();
        by_id.sort_unstable_by_key(|&at| items[at as usize].1);
        Self {
            lacked: vec![false; items.len()],
            items,
            by_id,
            defect,
        }
    }

    /// Whether the item is known to be what the other side lacks.
    pub(crate) fn lacks(&self, key: &Key) -> bool {
        let found = self.items.binary_search(key);
        found.is_ok_and(|at| self.lacked[at])
    }

    /// The first claims.
    pub(crate) fn open(&self) -> Vec<Range> {
        let mut answer = Answer::default();
        self.split(0, self.items.len(), last_bound(), &mut answer);
        answer.ranges
    }

    /// Takes claims in, and makes those that answer them.
    pub(crate) fn answer(&mut self, ranges: &[Range]) -> Vec<Range> {
        let mut answer = Answer::default();
        let mut from = 0;
        for (at, range) in ranges.iter().enumerate() {
            if answer.is_full() {
                // The rest is claimed anew, in one.
                let open = ranges[at..].iter().rfind(|it| it.is_open());
                if let Some(rest) = open {
                    let to = self.before(&rest.end);
                    answer.push(rest.end.clone(), Claim::Digest(self.digest(from, to)));
                }
                for wanted in &ranges[at..] {
                    self.note_wanted(wanted);
                }
                break;
            }
            let to = self.before(&range.end).max(from);
            match &range.claim {
                Claim::Settled => answer.push(range.end.clone(), Claim::Settled),
                Claim::Want(_) => {
                    self.note_wanted(range);
                    answer.push(range.end.clone(), Claim::Settled);
                }
                Claim::Digest(digest) if self.agrees(digest, from, to) => {
                    answer.push(range.end.clone(), Claim::Settled);
                }
                Claim::Digest(_) => self.split(from, to, range.end.clone(), &mut answer),
                Claim::Ids(theirs) => {
                    let mine: BTreeSet<OpId> = self.items[from..to].iter().map(|it| it.1).collect();
                    let unknown = theirs.iter().filter(|id| !mine.contains(*id));
                    let unknown: Vec<OpId> = unknown.copied().collect();
                    for (item, lacked) in
                        self.items[from..to].iter().zip(&mut self.lacked[from..to])
                    {
                        *lacked |= theirs.binary_search(&item.1).is_err();
                    }
                    let claim = if unknown.is_empty() {
                        Claim::Settled
                    } else {
                        Claim::Want(unknown)
                    };
                    answer.push(range.end.clone(), claim);
                }
            }
            from = to;
        }
        answer.ranges
    }

    fn agrees(&self, digest: &[u8; 32], from: usize, to: usize) -> bool {
        *digest == self.digest(from, to) || self.defect == Some(Defect::TrustsDigests)
    }

    fn note_wanted(&mut self, range: &Range) {
        if let Claim::Want(ids) = &range.claim
            && self.defect != Some(Defect::ForgetsWanted)
        {
            for id in ids {
                let found = self
                    .by_id
                    .binary_search_by_key(id, |&at| self.items[at as usize].1);
                if let Ok(at) = found {
                    self.lacked[self.by_id[at] as usize] = true;
                }
            }
        }
    }

    /// Claims of the items in the positions, one if they are few, and else of parts of them.
    fn split(&self, from: usize, to: usize, end: Bound, answer: &mut Answer) {
        let items = &self.items[from..to];
        if items.len() <= TOLD_MAX {
            let mut ids: Vec<OpId> = items.iter().map(|it| it.1).collect();
            ids.sort_unstable();
            answer.push(end, Claim::Ids(ids));
            return;
        }
        let mut start = from;
        for part in 1..=PARTS {
            let stop = from + items.len() * part / PARTS;
            let bound = if part == PARTS {
                end.clone()
            } else {
                bound_between(&self.items[stop - 1], &self.items[stop])
            };
            answer.push(bound, Claim::Digest(self.digest(start, stop)));
            start = stop;
        }
    }

    fn digest(&self, from: usize, to: usize) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for (_, id) in self.items.get(from..to).unwrap_or_default() {
            hasher.update(id.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// How many items come before the bound.
    fn before(&self, bound: &Bound) -> usize {
        let before = |item: &Key| {
            let (ms, id) = item;
            (*ms, &id.as_bytes()[..]) < (bound.ms, &bound.prefix[..])
        };
        self.items.partition_point(before)
    }
}

/// Beyond every key.
fn last_bound() -> Bound {
    Bound {
        ms: u64::MAX,
        prefix: vec![0xff; 32],
    }
}

/// The shortest bound after the one and not after the other.
fn bound_between(before: &Key, after: &Key) -> Bound {
    let prefix = if before.0 == after.0 {
        let pairs = before.1.as_bytes().iter().zip(after.1.as_bytes());
        let common = pairs.take_while(|(a, b)| a == b).count();
        after.1.as_bytes()[..(common + 1).min(32)].to_vec()
    } else {
        Vec::new()
    };
    Bound {
        ms: after.0,
        prefix,
    }
}

#[derive(Default)]
struct Answer {
    ranges: Vec<Range>,
    ids: usize,
}

impl Answer {
    /// Whether one more range could not be answered in any case.
    fn is_full(&self) -> bool {
        self.ranges.len() + PARTS + 1 > RANGES_MAX || self.ids + 2 * TOLD_MAX > RANGE_IDS_MAX
    }

    fn push(&mut self, end: Bound, claim: Claim) {
        if let (Claim::Settled, Some(last)) = (&claim, self.ranges.last_mut())
            && last.claim == Claim::Settled
        {
            last.end = end;
            return;
        }
        if let Claim::Ids(ids) | Claim::Want(ids) = &claim {
            self.ids += ids.len();
        }
        self.ranges.push(Range { end, claim });
    }
}

impl Range {
    /// Whether the claim asks for an answer.
    pub(crate) const fn is_open(&self) -> bool {
        match self.claim {
            Claim::Digest(_) | Claim::Ids(_) => true,
            Claim::Settled | Claim::Want(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u32) -> Key {
        let hash = blake3::hash(&number.to_be_bytes());
        (u64::from(number / 7), OpId::from_bytes(*hash.as_bytes()))
    }

    /// Messages and what each side has learnt that the other lacks.
    fn run(a: &[u32], b: &[u32]) -> (usize, BTreeSet<OpId>, BTreeSet<OpId>) {
        let of =
            |numbers: &[u32]| Reconciler::new(numbers.iter().copied().map(key).collect(), None);
        let mut sides = [of(a), of(b)];
        let mut claims = sides[0].open();
        let mut messages = 1;
        let mut turn = 1;
        while claims.iter().any(Range::is_open) {
            claims = sides[turn].answer(&claims);
            assert!(claims.len() <= RANGES_MAX);
            turn = 1 - turn;
            messages += 1;
            assert!(messages < 100, "the ranges come to no end");
        }
        sides[turn].answer(&claims);
        let [a, b] = sides.map(|side| {
            let lacked = side.items.iter().filter(|it| side.lacks(it));
            lacked.map(|it| it.1).collect()
        });
        (messages, a, b)
    }

    #[test]
    fn each_side_learns_what_the_other_lacks() {
        let all: Vec<u32> = (0..5000).collect();
        let without = |lacks: &dyn Fn(u32) -> bool| -> Vec<u32> {
            all.iter().copied().filter(|it| !lacks(*it)).collect()
        };
        let cases: [(Vec<u32>, Vec<u32>); 6] = [
            (all.clone(), all.clone()),
            (all.clone(), vec![]),
            (vec![], all.clone()),
            (without(&|it| it % 900 == 3), without(&|it| it % 700 == 5)),
            (without(&|it| it % 2 == 1), without(&|it| it % 2 == 0)),
            (without(&|it| it > 4000), without(&|it| it < 1000)),
        ];
        for (a, b) in cases {
            let ids = |of: &[u32], other: &[u32]| -> BTreeSet<OpId> {
                let only = of.iter().filter(|it| other.binary_search(it).is_err());
                only.map(|it| key(*it).1).collect()
            };
            let (messages, a_has, b_has) = run(&a, &b);
            assert_eq!(a_has, ids(&a, &b));
            assert_eq!(b_has, ids(&b, &a));
            assert!(messages <= 40, "{messages} messages");
        }
    }
}
