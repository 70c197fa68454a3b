//! Cold receive: from bytes to decisions.

use anyhow::{Context as _, Result};
use ecac_core::VerifiedOp;

use super::{Measured, Plan, Point, admitted, begun_with};
use crate::clock::{timed, wall_ns};
use crate::engine::Engine;
use crate::floor;
use crate::workload::{Shape, Workload};

/// Signed ops that are received.
const OPS: usize = 200_000;

/// What receiving came to.
#[derive(Debug)]
pub struct Ingested {
    /// On one core: processor time, beside the bare batch verification.
    pub one: Measured,
    /// On two: time that passes, beside that of one.
    pub two: Measured,
}

/// Receives the ops of 64 racing authors, on one core and on two. Of each batch the least of several rounds counts; both and the
/// floor take turns, batch by batch, so that none of them has the better minutes.
pub fn ingest(plan: &Plan) -> Result<Ingested> {
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let setup = core::mem::take(&mut workload.setup);
    let ops = super::signed(&mut workload, plan.ops(OPS))?;
    let batches = || ops.chunks(floor::SIGNATURES);
    let begun = |threads: usize| {
        let engine = Engine::with_threads(workload.project, threads);
        begun_with(engine, &setup)
    };
    let mut least = vec![Times::MOST; batches().len()];
    let mut budget = plan.budget();
    for _ in 0..plan.rounds + MORE_ROUNDS {
        let (mut one, mut two) = (begun(1)?, begun(2)?);
        for (batch, least) in batches().zip(&mut least) {
            let times = Times::of(batch, &mut one, &mut two)?;
            *least = least.least(times);
            if !budget.charge(times.one.cpu_ns + times.two.cpu_ns) {
                break;
            }
        }
        if !budget.is_left() {
            break;
        }
    }
    let measured = batches()
        .zip(&least)
        .take_while(|(_, it)| **it != Times::MOST);
    let ops_measured = measured.clone().map(|(batch, _)| batch.len()).sum();
    let sum = |of: fn(&Times) -> u64| {
        let ns = measured.clone().map(|(_, it)| of(it)).sum();
        Point::new(ops_measured, ns, ops_measured)
    };
    let result = |point: Point, floor: Point| Measured {
        ops: ops_measured as u64,
        ps: Some(point.ps_per_op),
        floor_ps: Some(floor.ps_per_op),
        stopped: ops_measured < ops.len(),
        ..Measured::default()
    };
    Ok(Ingested {
        one: result(sum(|it| it.one.cpu_ns), sum(|it| it.floor_ns)),
        two: result(sum(|it| it.two.wall_ns), sum(|it| it.one.wall_ns)),
    })
}

/// Rounds beyond those of the plan: each batch takes a tenth of a second, in which much can happen.
const MORE_ROUNDS: usize = 2;

/// What one batch took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Times {
    one: Took,
    two: Took,
    /// The bare verification, of the processor.
    floor_ns: u64,
}

/// What an engine took for a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Took {
    cpu_ns: u64,
    wall_ns: u64,
}

impl Times {
    /// What is more than anything takes.
    const MOST: Self = Self {
        one: Took::MOST,
        two: Took::MOST,
        floor_ns: u64::MAX,
    };

    /// Those of a batch that an engine on one core and one on two receive next.
    fn of(batch: &[VerifiedOp], one: &mut Engine, two: &mut Engine) -> Result<Self> {
        Ok(Self {
            one: Took::receiving(batch, one)?,
            floor_ns: floor::verification_together(batch).context("verify the workload")?,
            two: Took::receiving(batch, two)?,
        })
    }

    fn least(self, other: Self) -> Self {
        Self {
            one: self.one.least(other.one),
            two: self.two.least(other.two),
            floor_ns: self.floor_ns.min(other.floor_ns),
        }
    }
}

impl Took {
    const MOST: Self = Self {
        cpu_ns: u64::MAX,
        wall_ns: u64::MAX,
    };

    /// Receives a batch that has just come, as the floor has just got its messages: the envelopes lie side by side.
    fn receiving(batch: &[VerifiedOp], engine: &mut Engine) -> Result<Self> {
        let bytes: Vec<u8> = batch
            .iter()
            .flat_map(VerifiedOp::envelope)
            .copied()
            .collect();
        let mut rest = &bytes[..];
        let envelopes = batch.iter().map(|op| {
            let (envelope, others) = rest.split_at(op.envelope().len());
            rest = others;
            envelope
        });
        let envelopes: Vec<&[u8]> = envelopes.collect();
        let start = wall_ns();
        let (cpu_ns, advance) = timed(|| engine.receive(&envelopes));
        let wall_ns = wall_ns() - start;
        admitted(advance)?;
        Ok(Self { cpu_ns, wall_ns })
    }

    fn least(self, other: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns.min(other.cpu_ns),
            wall_ns: self.wall_ns.min(other.wall_ns),
        }
    }
}
