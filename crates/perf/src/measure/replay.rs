//! Cold replay, and one more op at the end of a history.

use anyhow::Result;
use ecac_core::{ProjectId, VerifiedOp};

use super::{BATCH, Budget, Measured, Plan, Point, admitted, begun, ps_each};
use crate::clock::timed;
use crate::floor::Reader;
use crate::workload::{Shape, Workload};

/// Groups of ops that are taken in one by one at the end of a short history each time, of which the cheapest counts.
const GROUPS: usize = 4;
/// Ops of a group.
const GROUP: usize = 250;
/// Histories up to this length are replayed more often.
const SHORT: usize = 10_000;
/// How often a short history is replayed.
const ROUNDS_SHORT: usize = 5;

/// Groups at the end of a history of that length, which is replayed so often if it is long: all lengths have as many, since the
/// least of many is less than the least of few.
fn groups(length: usize, rounds: usize) -> usize {
    if length <= SHORT {
        GROUPS
    } else {
        (GROUPS * ROUNDS_SHORT).div_ceil(rounds.max(1))
    }
}

/// What a shape of history came to.
#[derive(Debug)]
pub struct Replayed {
    /// A cold replay.
    pub replay: Measured,
    /// One more op.
    pub tip: Measured,
}

/// A workload whose ops are signed when they are asked for, once.
struct Source {
    project: ProjectId,
    setup: Vec<VerifiedOp>,
    workload: Workload,
    ops: Vec<VerifiedOp>,
}

impl Source {
    fn new(shape: Shape, seed: u64) -> Self {
        let mut workload = Workload::new(shape, seed);
        Self {
            project: workload.project,
            setup: core::mem::take(&mut workload.setup),
            workload,
            ops: Vec::new(),
        }
    }

    fn get(&mut self, from: usize, to: usize) -> Result<&[VerifiedOp]> {
        let missing = to.saturating_sub(self.ops.len());
        let more = super::signed(&mut self.workload, missing)?;
        self.ops.extend(more);
        Ok(&self.ops[from..to])
    }
}

/// What one pass over a history saw: at each mark, and where it stopped before the next.
#[derive(Debug, Default)]
struct Pass {
    replay: Vec<Point>,
    tip: Vec<Point>,
    floor: Vec<Point>,
    stopped: Option<Point>,
    ns: u64,
}

/// Replays a history of the shape in batches, and at 10^3, 10^4 and so on takes some ops in one by one, which count for
/// `tip` only.
pub fn replay(shape: Shape, plan: &Plan) -> Result<Replayed> {
    let mut source = Source::new(shape, plan.seed);
    let mut budget = plan.budget();
    let marks = marks(plan.ops_max);
    let mut best = pass(&mut source, &marks, plan.rounds, &mut budget)?;
    for _ in 1..plan.rounds {
        if best.stopped.is_some() || !budget.allows(best.ns) {
            break;
        }
        best.least(pass(&mut source, &marks, plan.rounds, &mut budget)?);
    }
    let short: Vec<usize> = marks.into_iter().filter(|&it| it <= SHORT).collect();
    for _ in plan.rounds..ROUNDS_SHORT {
        let short = pass(&mut source, &short, plan.rounds, &mut plan.budget())?;
        if short.stopped.is_none() {
            best.least(short);
        }
    }
    Ok(best.into())
}

/// 10^3, 10^4 and so on, and the end.
fn marks(ops_max: usize) -> Vec<usize> {
    let powers = (3..).map(|power| 10_usize.pow(power));
    let mut marks: Vec<usize> = powers.take_while(|&it| it < ops_max).collect();
    marks.push(ops_max);
    marks
}

fn pass(source: &mut Source, marks: &[usize], rounds: usize, budget: &mut Budget) -> Result<Pass> {
    let mut pass = Pass::default();
    let mut engine = begun(source.project, &source.setup)?;
    let mut floor = Reader::default();
    let (mut at, mut counted, mut spent, mut floor_ns) = (0, 0, 0, 0);
    for &mark in marks {
        while counted < mark {
            let size = BATCH.min(mark - counted);
            let batch = source.get(at, at + size)?;
            floor_ns += floor.read(batch);
            let batch = batch.to_vec();
            at += size;
            counted += size;
            let (ns, advance) = timed(|| engine.take(batch));
            admitted(advance)?;
            spent += ns;
            pass.ns += ns;
            if !budget.charge(ns) && counted < mark {
                pass.stopped = Some(Point::new(counted, spent, counted));
                pass.floor.push(Point::new(counted, floor_ns, counted));
                return Ok(pass);
            }
        }
        pass.replay.push(Point::new(mark, spent, mark));
        pass.floor.push(Point::new(mark, floor_ns, mark));
        let mut least = u64::MAX;
        for _ in 0..groups(mark, rounds) {
            let group = source.get(at, at + GROUP)?;
            let _ = floor.read(group);
            let group = group.to_vec();
            at += GROUP;
            let (ns, advances) = timed(|| {
                let ops = group.into_iter();
                ops.map(|op| engine.take(vec![op])).collect::<Vec<_>>()
            });
            advances.into_iter().try_for_each(admitted)?;
            pass.ns += ns;
            least = least.min(ps_each(ns, GROUP));
            budget.charge(ns);
        }
        pass.tip.push(Point {
            ops: mark as u64,
            ps_per_op: least,
        });
    }
    Ok(pass)
}

impl Pass {
    /// Takes over what another pass did in less.
    fn least(&mut self, other: Self) {
        let pairs = [
            (&mut self.replay, other.replay),
            (&mut self.tip, other.tip),
            (&mut self.floor, other.floor),
        ];
        for (mine, theirs) in pairs {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                mine.ps_per_op = mine.ps_per_op.min(theirs.ps_per_op);
            }
        }
    }
}

impl From<Pass> for Replayed {
    fn from(pass: Pass) -> Self {
        let floor_ps = pass.floor.last().map(|it| it.ps_per_op);
        let measured = |curve: Vec<Point>| Measured {
            ops: curve.last().map_or(0, |it| it.ops),
            ps: curve.last().map(|it| it.ps_per_op),
            floor_ps,
            curve,
            stopped: pass.stopped.is_some(),
            ..Measured::default()
        };
        let mut replay = pass.replay;
        replay.extend(pass.stopped);
        Self {
            replay: measured(replay),
            tip: measured(pass.tip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_as_many_groups() {
        for rounds in 1..=ROUNDS_SHORT {
            assert!(groups(1_000_000, rounds) * rounds >= GROUPS * ROUNDS_SHORT);
            assert_eq!(groups(SHORT, rounds), GROUPS);
        }
    }

    #[test]
    fn marks_are_powers_of_ten_and_the_end() {
        assert_eq!(marks(1_000_000), [1_000, 10_000, 100_000, 1_000_000]);
        assert_eq!(marks(20_000), [1_000, 10_000, 20_000]);
        assert_eq!(marks(1_000), [1_000]);
        assert_eq!(marks(7), [7]);
    }

    #[test]
    fn a_pass_that_runs_out_of_time_says_where() {
        let mut source = Source::new(Shape::Chain, 1);
        let mut budget = Budget { left_ns: 1 };
        let pass = pass(&mut source, &[2_000], 3, &mut budget).unwrap();
        assert_eq!(pass.stopped.map(|it| it.ops), Some(BATCH as u64));
        let replayed = Replayed::from(pass);
        assert!(replayed.replay.stopped && replayed.replay.ps.is_some());
        assert_eq!((replayed.tip.ops, replayed.tip.ps), (0, None));
    }
}
