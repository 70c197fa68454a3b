//! Starting from a sealed snapshot that somebody carries.

use anyhow::{Context as _, Result, ensure};
use ecac_core::{Replica, VerifiedOp};
use minicbor::Decoder;

use super::{Budget, Measured, Plan, ps_each};
use crate::clock::timed;
use crate::floor;
use crate::workload::Race;

/// Ops of the snapshot.
const OPS: usize = 1_000_000;
/// Ops that are taken in at a time.
const BATCH: usize = 8_192;
/// Writers.
const WRITERS: usize = 64;
/// Ops for each object: nine of ten are superseded in the end.
const OPS_PER_OBJECT: usize = 100;

/// Starts a replica from the sealed snapshot of a race, from the bytes to the first decision. The floor is what reading it
/// takes: BLAKE3 over the bytes, a walk over their CBOR items, and the bare verification of the signatures in it.
pub fn start_sealed(plan: &Plan) -> Result<Measured> {
    let wanted = plan.ops(OPS);
    let mut race = Race::carrying(plan.seed, WRITERS);
    race.project().write_among((wanted / OPS_PER_OBJECT) as u64);
    let mut replica = Replica::builder().places(false).join(race.project_id());
    replica.ingest(race.project().take_ops());
    let (mut budget, mut taken): (Budget, usize) = (plan.budget(), 0);
    while taken < wanted {
        let ops: Vec<_> = race.by_ref().take(BATCH.min(wanted - taken)).collect();
        taken += ops.len();
        let (ns, _) = timed(|| replica.ingest(ops));
        if !budget.charge(ns) {
            break;
        }
    }
    // The last seal has seen the others, and says what it seals.
    let seals: Vec<VerifiedOp> = (1..race.seals_of_all()).map(|_| race.seal()).collect();
    replica.ingest(seals);
    race.project().seal_truly(&mut replica)?;
    let carried = replica.carry().context("carry what is sealed")?;
    let (project, digest) = (replica.project(), replica.state_digest());
    let ops = replica.log().admitted_count();
    drop(replica);
    let (mut best, mut floor_ns, mut dropped) = (u64::MAX, u64::MAX, 0);
    for _ in 0..plan.rounds {
        let (ns, started) = timed(|| Replica::start_from(project, &carried));
        let started = started.context("start from what was carried")?;
        ensure!(
            started.state_digest() == digest && started.log().admitted_count() == ops,
            "another replica has started"
        );
        best = best.min(ns);
        dropped = started.log().pruned_count();
        let signed: Vec<VerifiedOp> = started.ops().collect();
        drop(started);
        let (ns, walked) = timed(|| {
            std::hint::black_box(blake3::hash(&carried));
            Decoder::new(&carried).skip()
        });
        walked.context("walk over what was carried")?;
        let verified = floor::verification(&signed).context("verify what was carried")?;
        floor_ns = floor_ns.min(ns + verified);
    }
    ensure!(dropped > 0, "nothing was dropped");
    Ok(Measured {
        ops: ops as u64,
        ps: Some(ps_each(best, 1)),
        floor_ps: Some(ps_each(floor_ns, 1)),
        bytes: Some(carried.len() as u64 / (ops as u64).max(1)),
        changed: Some(dropped as u64),
        stopped: taken < wanted,
        ..Measured::default()
    })
}
