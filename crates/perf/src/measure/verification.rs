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
/// floor take turns, so that none of them has the better minutes.
pub fn ingest(plan: &Plan) -> Result<Ingested> {
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let setup = core::mem::take(&mut workload.setup);
    let ops = super::signed(&mut workload, plan.ops(OPS))?;
    // As they come in a file or from the network: side by side.
    let bytes: Vec<u8> = ops.iter().flat_map(VerifiedOp::envelope).copied().collect();
    let mut rest = &bytes[..];
    let envelopes = ops.iter().map(|op| {
        let (envelope, others) = rest.split_at(op.envelope().len());
        rest = others;
        envelope
    });
    let envelopes: Vec<&[u8]> = envelopes.collect();
    let mut budget = plan.budget();
    let (mut one, mut two, mut floor) = (Least::default(), Least::default(), Least::default());
    for _ in 0..plan.rounds + MORE_ROUNDS {
        for (threads, least) in [(1, &mut one), (2, &mut two)] {
            let engine = Engine::with_threads(workload.project, threads);
            let mut engine = begun_with(engine, &setup)?;
            for (at, batch) in envelopes.chunks(floor::SIGNATURES).enumerate() {
                let start = wall_ns();
                let (cpu_ns, advance) = timed(|| engine.receive(batch));
                least.take(at, batch.len(), cpu_ns, wall_ns() - start);
                admitted(advance)?;
                if !budget.charge(cpu_ns) {
                    break;
                }
            }
        }
        for (at, batch) in ops.chunks(floor::SIGNATURES).take(one.0.len()).enumerate() {
            let ns = floor::verification_together(batch).context("verify the workload")?;
            floor.take(at, batch.len(), ns, ns);
        }
        if !budget.is_left() {
            break;
        }
    }
    let measured = |least: &Least, of: fn(&Took) -> u64, floor: Point| Measured {
        ops: least.ops() as u64,
        ps: Some(least.point(of).ps_per_op),
        floor_ps: Some(floor.ps_per_op),
        stopped: least.ops() < ops.len(),
        ..Measured::default()
    };
    Ok(Ingested {
        one: measured(&one, |it| it.cpu_ns, floor.point(|it| it.cpu_ns)),
        two: measured(&two, |it| it.wall_ns, one.point(|it| it.wall_ns)),
    })
}

/// Rounds beyond those of the plan: each batch takes a tenth of a second, in which much can happen.
const MORE_ROUNDS: usize = 2;

/// Of each batch the least that it took.
#[derive(Debug, Default)]
struct Least(Vec<Took>);

/// What a batch took.
#[derive(Debug, Clone, Copy)]
struct Took {
    ops: usize,
    cpu_ns: u64,
    wall_ns: u64,
}

impl Least {
    /// Notes what the batch with this number took; those before it were noted.
    fn take(&mut self, batch: usize, ops: usize, cpu_ns: u64, wall_ns: u64) {
        match self.0.get_mut(batch) {
            Some(known) => {
                known.cpu_ns = known.cpu_ns.min(cpu_ns);
                known.wall_ns = known.wall_ns.min(wall_ns);
            }
            None => self.0.push(Took {
                ops,
                cpu_ns,
                wall_ns,
            }),
        }
    }

    fn ops(&self) -> usize {
        self.0.iter().map(|it| it.ops).sum()
    }

    fn point(&self, of: fn(&Took) -> u64) -> Point {
        Point::new(self.ops(), self.0.iter().map(of).sum(), self.ops())
    }
}
