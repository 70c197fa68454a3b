//! Sums of a history and of what is decided of it, which are the same however the history is listed.

use super::ledger::Facts;
use crate::history::{Author, Kind, OPS_MAX, Op, Set};

/// Of a history, and of that in which Ann and Ben have changed parts.
type Pair = [u64; 2];

/// How many ops of each author a past has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen(Pair);

impl Seen {
    pub(crate) fn of(facts: &Facts, past: Set) -> Self {
        let [ann, ben, others @ ..] =
            Author::ALL.map(|author| u64::from((facts.by(author) & past).len()));
        let number = |ann, ben| {
            others
                .iter()
                .fold(ann << 3 | ben, |seen, it| seen << 3 | it)
        };
        Self([number(ann, ben), number(ben, ann)])
    }
}

/// The numbers of an op.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mark {
    there: Pair,
    applied: Pair,
}

impl Mark {
    /// An op is known by its author, its kind, and how many ops of each author it has seen. What it signs is known
    /// by its author, and by how many of the author's ops come before.
    pub(crate) fn of(facts: &Facts, op: Op, seen: Seen) -> Self {
        let (name, subject) = match op.kind {
            Kind::Edit => (0, None),
            Kind::Grant => (1, None),
            Kind::Revoke(subject) => (2, Some(subject)),
            Kind::DeviceRevoke(device) => (3, Some(device)),
            Kind::Seal => (4, None),
            Kind::Cosign(target) => {
                let target = facts.op(usize::from(target));
                let before = facts.by(target.author) & target.past;
                (5 + u64::from(before.len()), Some(target.author))
            }
        };
        let number = |seen: u64, cast: fn(Author) -> Author| {
            let subject = subject.map_or(7, |it| cast(it) as u64);
            mix(((seen << 4 | name) << 3 | subject) << 3 | cast(op.author) as u64)
        };
        let Seen([one, other]) = seen;
        let there = [number(one, |it| it), number(other, Author::recast)];
        Self {
            there,
            applied: there.map(|it| mix(!it)),
        }
    }
}

/// The marks of a history, and their sum.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Prints {
    len: usize,
    there: Pair,
    /// By the place of an op.
    marks: [Pair; OPS_MAX],
    applied: Set,
    all: Pair,
}

impl Prints {
    /// With one more op, of which that is applied.
    pub(crate) fn with(&self, mark: Mark, applied: Set) -> Self {
        let mut longer = *self;
        longer.marks[self.len] = mark.applied;
        longer.len += 1;
        longer.there = sum(self.there, mark.there);
        longer.applied = applied;
        longer.all = (applied.iter()).fold(longer.there, |all, it| sum(all, longer.marks[it]));
        longer
    }

    /// One number for the history with one more op, of which that is applied.
    pub(crate) fn print(&self, mark: Mark, applied: Set) -> u64 {
        let mut all = sum(self.all, mark.there);
        let (was, new) = (self.applied, Set::of(self.len));
        if !(applied & new).is_empty() {
            all = sum(all, mark.applied);
        }
        for it in (applied & !was & !new).iter() {
            all = sum(all, self.marks[it]);
        }
        for it in (was & !applied).iter() {
            let [one, other] = self.marks[it];
            all = [all[0].wrapping_sub(one), all[1].wrapping_sub(other)];
        }
        mix(all[0]).wrapping_add(mix(all[1]))
    }
}

fn sum(one: Pair, other: Pair) -> Pair {
    [one[0].wrapping_add(other[0]), one[1].wrapping_add(other[1])]
}

/// SplitMix64's, in which every bit moves about half of the bits.
pub(crate) const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}
