//! A store that has dropped what sealed work supersedes, beside the same before.

use anyhow::{Context as _, Result, ensure};
use ecac_store::Form;

use super::memory::memory_open;
use super::{Budget, Measured, Plan};
use crate::clock::timed;
use crate::durable;
use crate::workload::Race;

/// Ops of the store.
const OPS: usize = 1_000_000;
/// Ops that it takes in at a time.
const BATCH: usize = 8_192;
/// Writers.
const WRITERS: usize = 64;
/// Ops for each object: nine of ten are superseded in the end.
const OPS_PER_OBJECT: usize = 100;

/// What a pruned store came to beside the full one.
#[derive(Debug)]
pub struct Pruned {
    /// Bytes of the file.
    pub disk: Measured,
    /// Bytes that the replica in it has allocated once it is open.
    pub memory: Measured,
}

/// Fills a store, seals it, weighs it, prunes it, and weighs it again.
pub fn pruned(plan: &Plan) -> Result<Pruned> {
    let directory = tempfile::tempdir().context("make a temporary directory")?;
    let file = directory.path().join("store");
    let wanted = plan.ops(OPS);
    let mut race = Race::sealing(plan.seed, WRITERS);
    race.project().write_among((wanted / OPS_PER_OBJECT) as u64);
    let mut replica = durable::join(Form::Redb, &file, race.project_id())?;
    let envelopes = |ops: &[ecac_core::VerifiedOp]| -> Vec<Vec<u8>> {
        ops.iter().map(|op| op.envelope().to_vec()).collect()
    };
    replica.receive(&envelopes(&race.project().take_ops()))?;
    let (mut budget, mut taken): (Budget, usize) = (plan.budget(), 0);
    while taken < wanted {
        let ops: Vec<_> = race.by_ref().take(BATCH.min(wanted - taken)).collect();
        let (ns, received) = timed(|| replica.receive(&envelopes(&ops)));
        received?;
        taken += ops.len();
        if !budget.charge(ns) {
            break;
        }
    }
    let seals: Vec<_> = (0..race.seals_of_all()).map(|_| race.seal()).collect();
    replica.receive(&envelopes(&seals))?;
    replica.snapshot()?;
    let ops = replica.store().ops();
    replica.close()?;
    let length = || -> Result<u64> {
        let metadata = std::fs::metadata(&file).context("look at the store")?;
        Ok(metadata.len() / ops.max(1))
    };
    let (full, full_memory) = (length()?, memory_open(&file)?);
    let mut replica = durable::open_to_write(&file)?;
    let dropped = replica.prune()?.ops;
    replica.close()?;
    ensure!(dropped > 0, "nothing was dropped");
    let measured = |bytes: Option<u64>, whole: Option<u64>| Measured {
        ops,
        bytes,
        whole,
        changed: Some(dropped as u64),
        stopped: taken < wanted,
        ..Measured::default()
    };
    Ok(Pruned {
        disk: measured(Some(length()?), Some(full)),
        memory: measured(memory_open(&file)?.bytes, full_memory.bytes),
    })
}
