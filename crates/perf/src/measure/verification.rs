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

/// Receives the ops of 64 racing authors, on one core and on two.
pub fn ingest(plan: &Plan) -> Result<Ingested> {
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let setup = core::mem::take(&mut workload.setup);
    let ops = super::signed(&mut workload, plan.ops(OPS))?;
    let envelopes: Vec<&[u8]> = ops.iter().map(VerifiedOp::envelope).collect();
    let run = |threads: usize| -> Result<Run> {
        let mut engine = begun_with(Engine::with_threads(workload.project, threads), &setup)?;
        let mut budget = plan.budget();
        let mut run = Run::default();
        for batch in envelopes.chunks(floor::SIGNATURES) {
            let start = wall_ns();
            let (ns, advance) = timed(|| engine.receive(batch));
            run.wall_ns += wall_ns() - start;
            run.cpu_ns += ns;
            run.ops += batch.len();
            admitted(advance)?;
            if !budget.charge(ns) {
                break;
            }
        }
        run.stopped = run.ops < envelopes.len();
        Ok(run)
    };
    let least = |threads: usize| -> Result<Run> {
        let mut best = run(threads)?;
        for _ in 1..plan.rounds {
            if best.stopped || best.cpu_ns.saturating_mul(2) > plan.budget_ns {
                break;
            }
            let other = run(threads)?;
            best.cpu_ns = best.cpu_ns.min(other.cpu_ns);
            best.wall_ns = best.wall_ns.min(other.wall_ns);
        }
        Ok(best)
    };
    let (one, two) = (least(1)?, least(2)?);
    let floor = (0..plan.rounds).map(|_| floor::verification(&ops));
    let floor_ns = floor.min().flatten().context("verify the workload")?;
    Ok(Ingested {
        one: one.measured(one.cpu_ns, Point::new(ops.len(), floor_ns, ops.len())),
        two: two.measured(two.wall_ns, Point::new(one.ops, one.wall_ns, one.ops)),
    })
}

/// One run over the envelopes.
#[derive(Debug, Default)]
struct Run {
    ops: usize,
    cpu_ns: u64,
    wall_ns: u64,
    stopped: bool,
}

impl Run {
    fn measured(&self, ns: u64, floor: Point) -> Measured {
        Measured {
            ops: self.ops as u64,
            ps: Some(Point::new(self.ops, ns, self.ops).ps_per_op),
            floor_ps: Some(floor.ps_per_op),
            stopped: self.stopped,
            ..Measured::default()
        }
    }
}
