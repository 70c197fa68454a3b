//! A replay with seals beside the same without.

use anyhow::Result;

use super::{BATCH, Measured, Plan, admitted, begun, ps_each, signed};
use crate::clock::timed;
use crate::workload::Sealed;

/// Seals of a history.
const SEALS: usize = 100;
/// Ops of the history.
const OPS: usize = 1_000_000;

/// Replays the work of so many racing writers with a hundred seals of all that there is, and, as the floor, without: in turn, a batch
/// each, so that both meet the same machine.
pub fn seals(plan: &Plan, writers: usize) -> Result<Measured> {
    let ops = plan.ops(OPS);
    let every = (ops / SEALS).max(1);
    let mut workloads = [every, 0].map(|every| Sealed::workload(plan.seed, writers, every));
    let mut engines = Vec::new();
    for workload in &mut workloads {
        let setup = core::mem::take(&mut workload.setup);
        engines.push(begun(workload.project, &setup)?);
    }
    let (mut budget, mut spent, mut taken) = (plan.budget(), [0; 2], [0; 2]);
    let mut is_left = true;
    while is_left && taken[1] < ops {
        for (at, (workload, engine)) in workloads.iter_mut().zip(&mut engines).enumerate() {
            let batch = signed(workload, BATCH)?;
            taken[at] += batch.len();
            let (ns, advance) = timed(|| engine.take(batch));
            admitted(advance)?;
            spent[at] += ns;
            is_left &= budget.charge(ns);
        }
    }
    Ok(Measured {
        ops: taken[1] as u64,
        ps: Some(ps_each(spent[0], taken[0])),
        floor_ps: Some(ps_each(spent[1], taken[1])),
        stopped: taken[1] < ops,
        ..Measured::default()
    })
}
