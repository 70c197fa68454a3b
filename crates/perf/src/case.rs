//! The cases: their names, what is counted in each, and the bar that each has to clear.

use crate::measure::{Measured, Point};

/// A limit that a case has to keep at its scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A unit costs at most so many picoseconds.
    Cost(u64),
    /// The cost is at most so many thousandths of the floor.
    Ratio(u64),
    /// The cost is at most so many picoseconds beyond the floor.
    Beyond(u64),
    /// The cost at the full scale is at most so many thousandths of that at 10^4 ops.
    Growth(u64),
    /// The dearest point of the curve is at most so many thousandths of the cheapest.
    Flat(u64),
    /// Decisions that are made are at most so many thousandths of those that turn.
    PerChange(u64),
    /// An op, or a session, takes at most so many bytes beyond its envelopes.
    Bytes(u64),
    /// An op, or a session, takes at most so many thousandths of its envelopes and so many bytes, the envelopes among them.
    Envelopes(u64, u64),
    /// A session takes at most so many round trips.
    RoundTrips(u64),
    /// An op takes at most so many thousandths of the bytes that it takes in what it is compared with.
    Share(u64),
}

/// A case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// What the cost is that of.
    pub unit: &'static str,
    /// The ops of the history at which the bar counts.
    pub scale: u64,
    /// The bar.
    pub bar: &'static [Limit],
}

const US: u64 = 1_000_000;
const MS: u64 = 1_000 * US;
const KIB: u64 = 1_024;
const REPLAY: &[Limit] = &[Limit::Cost(33 * US / 10), Limit::Growth(1_500)];
const REPLAY_WIDE: &[Limit] = &[Limit::Cost(66 * US / 10), Limit::Growth(1_500)];
const TIP: &[Limit] = &[Limit::Cost(10 * US), Limit::Flat(1_500)];
const START: &[Limit] = &[Limit::Beyond(2_000 * MS)];
const SEALS: &[Limit] = &[Limit::Ratio(1_200)];
const LATE: &[Limit] = &[Limit::Cost(50 * MS), Limit::PerChange(1_200)];

const KNOWN: &[Limit] = &[
    Limit::Cost(100 * MS),
    Limit::RoundTrips(2),
    Limit::Envelopes(1_200, 32 * KIB),
];
const FORKS: &[Limit] = &[Limit::RoundTrips(5), Limit::Bytes(100 * KIB)];

const fn case(name: &'static str, unit: &'static str, scale: u64, bar: &'static [Limit]) -> Case {
    Case {
        name,
        unit,
        scale,
        bar,
    }
}

/// The length of a history at which growth begins to count.
const GROWTH_FROM: u64 = 10_000;
const MILLION: u64 = 1_000_000;
/// Readers of whom one is removed.
const READERS: u64 = 512;
/// Values that are sealed and opened.
const VALUES: u64 = 2_000;

/// Every case, in the order in which they are shown.
pub const CASES: [Case; 55] = [
    // Seven tenths of the floor's speed.
    case("ingest-64", "op", 200_000, &[Limit::Ratio(1_428)]),
    case("ingest-64-2", "op", 200_000, &[Limit::Ratio(580)]),
    case("replay-chain", "op", MILLION, REPLAY),
    case("replay-race64", "op", MILLION, REPLAY),
    case("replay-race1000", "op", MILLION, REPLAY_WIDE),
    case("replay-branches", "op", MILLION, REPLAY),
    case("replay-policy", "op", MILLION, REPLAY_WIDE),
    case("tip-chain", "op", MILLION, TIP),
    case("tip-race64", "op", MILLION, TIP),
    case("tip-race1000", "op", MILLION, TIP),
    case("tip-branches", "op", MILLION, TIP),
    case("tip-policy", "op", MILLION, TIP),
    case("seals-chain", "op", MILLION, SEALS),
    case("seals-race64", "op", MILLION, SEALS),
    case("seals-race1000", "op", MILLION, SEALS),
    case("late-solo", "revocation", MILLION, LATE),
    case("late-race64", "revocation", MILLION, LATE),
    case("status-bit", "list", 10_000, &[Limit::Cost(MS)]),
    case(
        "rollback-hot",
        "revocation",
        100_000,
        &[Limit::Cost(5 * MS)],
    ),
    case("forks", "op", 10_000, &[Limit::Cost(10 * US)]),
    case("deep-62", "op", 5_000, &[Limit::Ratio(1_500)]),
    case("query-can", "question", 100_000, &[Limit::Cost(2 * US)]),
    case("query-get", "question", 100_000, &[Limit::Cost(US)]),
    case("explain", "question", 100_000, &[Limit::Cost(10 * US)]),
    case("export", "export", 100_000, &[Limit::Cost(60 * MS)]),
    case("memory-64", "op", MILLION, &[Limit::Bytes(200)]),
    case("memory-1000", "op", 100_000, &[Limit::Bytes(250)]),
    case("reopen", "opening", MILLION, &[Limit::Cost(300 * MS)]),
    case("start-sealed", "start", MILLION, START),
    case("start-sealed-2", "start", MILLION, START),
    case("append", "op", 51_200, &[Limit::Ratio(1_500)]),
    case("append-raw", "op", 51_200, &[]),
    case("append-one", "op", 1_000, &[]),
    case("open", "opening", MILLION, &[Limit::Cost(300 * MS)]),
    case("disk", "op", MILLION, &[Limit::Envelopes(1_150, 60)]),
    case("memory-open", "op", MILLION, &[Limit::Bytes(250)]),
    case("sync-known", "session", MILLION, KNOWN),
    case("negentropy-known", "session", MILLION, &[]),
    case("sync-forks", "session", MILLION, FORKS),
    case("negentropy-forks", "session", MILLION, &[]),
    case("sync-first", "op", MILLION, &[Limit::Ratio(1_300)]),
    case(
        "sync-memory",
        "session",
        MILLION,
        &[Limit::Bytes(64 * KIB * KIB)],
    ),
    case("pruned-disk", "op", MILLION, &[Limit::Share(400)]),
    case("pruned-memory", "op", MILLION, &[Limit::Share(1_000)]),
    case("rekey-512", "removal", READERS, &[Limit::Cost(60 * MS)]),
    case(
        "rekey-512-each",
        "receiver",
        READERS,
        &[Limit::Cost(3 * MS / 10)],
    ),
    case("rekey-512-xwing", "removal", READERS, &[]),
    case("rekey-512-xwing-each", "receiver", READERS, &[]),
    case("seal", "value", VALUES, &[Limit::Ratio(1_500)]),
    case("open-sealed", "value", VALUES, &[Limit::Ratio(1_500)]),
    // As fast as plain, and what one measurement differs from another.
    case("replay-sealed", "op", 100_000, &[Limit::Ratio(1_100)]),
    case("rocksdb-append", "op", 51_200, &[]),
    case("rocksdb-append-one", "op", 1_000, &[]),
    case("rocksdb-open", "opening", MILLION, &[]),
    case("rocksdb-disk", "op", MILLION, &[]),
];

impl Case {
    /// The case of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        CASES.iter().find(|case| case.name == name)
    }

    /// Whether what was measured keeps the bar; `None` where the scale is not that of the bar, unless a case that was stopped is
    /// beyond it already.
    #[must_use]
    pub fn met(&self, measured: &Measured) -> Option<bool> {
        let kept: Vec<Option<bool>> = self.bar.iter().map(|it| it.keeps(measured)).collect();
        let exceeds = kept.contains(&Some(false));
        if self.bar.is_empty() {
            return None;
        }
        if measured.ops < self.scale || measured.stopped {
            return (measured.stopped && exceeds).then_some(false);
        }
        if exceeds {
            return Some(false);
        }
        kept.iter().all(|it| *it == Some(true)).then_some(true)
    }
}

impl Limit {
    /// Whether what was measured keeps the limit, where it was measured.
    fn keeps(self, measured: &Measured) -> Option<bool> {
        match self {
            Self::Cost(most) => Some(measured.ps? <= most),
            Self::Ratio(most) => Some(measured.ratio_milli()? <= most),
            Self::Beyond(most) => Some(measured.ps? <= measured.floor_ps?.saturating_add(most)),
            Self::Growth(most) => Some(measured.growth_milli()? <= most),
            Self::Flat(most) => Some(measured.spread_milli()? <= most),
            Self::PerChange(most) => Some(measured.per_change_milli()? <= most),
            Self::Bytes(most) => Some(measured.bytes? <= most),
            Self::Share(most) => Some(measured.ratio_milli()? <= most),
            Self::RoundTrips(most) => Some(measured.round_trips? <= most),
            Self::Envelopes(milli, more) => {
                let envelope = measured.envelope?;
                let all = envelope.saturating_add(measured.bytes?);
                let most = envelope.saturating_mul(milli) / 1_000;
                Some(all <= most.saturating_add(more))
            }
        }
    }
}

/// `of` in thousandths of `whole`, which is not zero.
fn milli(of: u64, whole: u64) -> Option<u64> {
    of.saturating_mul(1_000).checked_div(whole)
}

impl Measured {
    /// The cost in thousandths of the floor, or the bytes in those of what they are compared with.
    #[must_use]
    pub fn ratio_milli(&self) -> Option<u64> {
        match self.whole {
            Some(whole) => milli(self.bytes?, whole),
            None => milli(self.ps?, self.floor_ps?),
        }
    }

    /// The cost in thousandths of that at 10^4 ops.
    #[must_use]
    pub fn growth_milli(&self) -> Option<u64> {
        let early = self.curve.iter().find(|it| it.ops == GROWTH_FROM)?;
        let last = self.curve.last().filter(|it| it.ops > GROWTH_FROM)?;
        milli(last.ps_per_op, early.ps_per_op)
    }

    /// The dearest point of the curve in thousandths of the cheapest.
    #[must_use]
    pub fn spread_milli(&self) -> Option<u64> {
        let costs = |it: &Point| it.ps_per_op;
        let most = self.curve.iter().map(costs).max()?;
        let least = self.curve.iter().map(costs).min()?;
        (self.curve.len() > 1).then(|| milli(most, least)).flatten()
    }

    /// Decisions made in thousandths of those that turned.
    #[must_use]
    pub fn per_change_milli(&self) -> Option<u64> {
        milli(self.evaluated?, self.changed?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(ops: u64, ps: u64) -> Measured {
        let point = |ops, ps_per_op| Point { ops, ps_per_op };
        Measured {
            ops,
            ps: Some(ps),
            curve: vec![point(10_000, 2 * US), point(ops, ps)],
            ..Measured::default()
        }
    }

    #[test]
    fn a_bar_is_judged_at_its_scale_only() {
        let case = Case::named("replay-chain").unwrap();
        assert_eq!(case.met(&measured(MILLION, 3 * US)), Some(true));
        assert_eq!(case.met(&measured(MILLION, 32 * US / 10)), Some(false));
        assert_eq!(case.met(&measured(MILLION, 4 * US)), Some(false));
        assert_eq!(case.met(&measured(100_000, 9 * US)), None);
        let stopped = |ps| Measured {
            stopped: true,
            ..measured(100_000, ps)
        };
        assert_eq!(case.met(&stopped(9 * US)), Some(false));
        assert_eq!(case.met(&stopped(2 * US)), None);
        assert_eq!(case.met(&Measured::default()), None);
    }

    #[test]
    fn what_is_not_measured_is_not_met() {
        let case = Case::named("reopen").unwrap();
        let absent = Measured {
            ops: MILLION,
            ..Measured::default()
        };
        assert_eq!(case.met(&absent), None);
    }

    #[test]
    fn a_file_is_judged_with_the_envelopes_in_it() {
        let case = Case::named("disk").unwrap();
        let file = |bytes| Measured {
            ops: MILLION,
            bytes: Some(bytes),
            envelope: Some(200),
            ..Measured::default()
        };
        assert_eq!(case.met(&file(90)), Some(true));
        assert_eq!(case.met(&file(91)), Some(false));
    }

    #[test]
    fn bytes_are_judged_beside_those_of_what_they_are_compared_with() {
        let case = Case::named("pruned-disk").unwrap();
        let pruned = |bytes| Measured {
            ops: MILLION,
            bytes: Some(bytes),
            whole: Some(500),
            ..Measured::default()
        };
        assert_eq!(case.met(&pruned(200)), Some(true));
        assert_eq!(case.met(&pruned(201)), Some(false));
    }

    #[test]
    fn a_case_without_a_bar_is_not_judged() {
        let case = Case::named("append-one").unwrap();
        assert_eq!(case.met(&measured(MILLION, US)), None);
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = CASES.iter().map(|it| it.name).collect();
        assert_eq!(names.len(), CASES.len());
    }
}
