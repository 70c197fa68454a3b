//! What a replica answers, and how soon it can.

use anyhow::{Context as _, Result};
use ecac_core::{OpId, VerifiedOp};

use super::{Measured, Plan, begun, ps_each, take_all};
use crate::clock::{least, timed};
use crate::engine::Engine;
use crate::floor;
use crate::workload::{Shape, Workload, tags};

/// Ops of the history that questions are about.
const OPS: usize = 100_000;
/// Ops of the history that is opened again.
const OPS_REOPENED: usize = 1_000_000;
/// Questions of a round.
const ASKED: usize = 1_000;

/// What questions cost. A question to which the engine has no answer costs nothing that is known.
#[derive(Debug)]
pub struct Questions {
    /// May somebody write there?
    pub can: Measured,
    /// What is the value?
    pub get: Measured,
    /// Why does an op count?
    pub explain: Measured,
    /// The whole state as canonical JSON.
    pub export: Measured,
}

/// Asks a replica of the work of 64 racing authors.
pub fn questions(plan: &Plan) -> Result<Questions> {
    let (engine, ops, stopped) = built(plan, OPS)?;
    let stride = (ops.len() / ASKED).max(1);
    // Of the places that the ops touch the registers can be asked for.
    let registers = ops
        .iter()
        .filter(|op| op.body().payload.element().is_none());
    let asked: Vec<&VerifiedOp> = registers.step_by(stride).take(ASKED).collect();
    let ids: Vec<OpId> = asked.iter().map(|op| op.id()).collect();
    let floor_ps = ps_each(floor::look_up(&ops, &ids), ids.len());
    let measured = |ps: Option<u64>, floor_ps: Option<u64>| Measured {
        ops: ops.len() as u64,
        ps,
        floor_ps: floor_ps.filter(|_| ps.is_some()),
        stopped,
        ..Measured::default()
    };
    let question = |ask: &dyn Fn(&VerifiedOp) -> Option<usize>| {
        ask(asked.first()?)?;
        let ns = least(plan.rounds + 2, || {
            asked.iter().filter_map(|op| ask(op)).sum::<usize>()
        });
        Some(ps_each(ns, asked.len()))
    };
    let floor_ps = Some(floor_ps);
    let tags = tags();
    let export = engine.export();
    let export_ns = least(plan.rounds, || engine.export());
    Ok(Questions {
        can: measured(
            question(&|op| engine.can(op, &tags).map(usize::from)),
            floor_ps,
        ),
        get: measured(question(&|op| engine.get(op)), floor_ps),
        explain: measured(question(&|op| engine.explain(&op.id())), floor_ps),
        export: measured(
            Some(ps_each(export_ns, 1)),
            floor::write_json(&export).map(|ns| ps_each(ns, 1)),
        ),
    })
}

/// A replica of the work of 64 racing authors, what it took in, and whether the time was over before it had all.
fn built(plan: &Plan, ops: usize) -> Result<(Engine, Vec<VerifiedOp>, bool)> {
    let wanted = plan.ops(ops);
    let mut workload = Workload::new(Shape::Race(64), plan.seed);
    let setup = core::mem::take(&mut workload.setup);
    let mut engine = begun(workload.project, &setup)?;
    let mut ops = super::signed(&mut workload, wanted)?;
    let (taken, _) = take_all(&mut engine, &ops, &mut plan.budget())?;
    ops.truncate(taken);
    Ok((engine, ops, taken < wanted))
}

/// Opens a replica from its snapshot, to its first answer.
pub fn reopen(plan: &Plan) -> Result<Measured> {
    let (engine, ops, stopped) = built(plan, OPS_REOPENED)?;
    let project = engine.project();
    let (store, snapshot) = engine.saved()?;
    drop(engine);
    let op = ops.last().context("make a workload")?;
    let (mut best, mut floor_ns) = (u64::MAX, u64::MAX);
    for _ in 0..plan.rounds {
        let store = store.clone();
        let (ns, opened) = timed(|| {
            let engine = Engine::reopen(project, store, &snapshot)?;
            anyhow::ensure!(
                engine.explain(&op.id()).is_some(),
                "the last op is not here"
            );
            Ok(engine)
        });
        best = best.min(ns);
        drop(opened?);
        let (ns, _) = timed(|| std::hint::black_box(blake3::hash(&snapshot)));
        floor_ns = floor_ns.min(ns);
    }
    Ok(Measured {
        ops: ops.len() as u64,
        ps: Some(ps_each(best, 1)),
        floor_ps: Some(ps_each(floor_ns, 1)),
        stopped,
        ..Measured::default()
    })
}
