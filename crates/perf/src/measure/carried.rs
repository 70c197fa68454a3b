//! Starting from a sealed snapshot that somebody carries.

use anyhow::{Context as _, Result, ensure};
use ecac_core::{Replica, VerifiedOp};
use minicbor::Decoder;

use super::{Budget, Measured, Plan, ps_each};
use crate::clock::{timed, wall_ns};
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

/// What starting came to.
#[derive(Debug)]
pub struct Started {
    /// On one core: processor time.
    pub one: Measured,
    /// On two: time that passes.
    pub two: Measured,
}

/// Starts a replica from the sealed snapshot of a race, from the bytes to the first decision. The floor is what reading it
/// takes on one core: BLAKE3 over the bytes, a walk over their CBOR items, and the bare verification of the signatures in it.
pub fn start_sealed(plan: &Plan) -> Result<Started> {
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
    let start = |threads: usize| {
        let builder = Replica::builder().threads(threads);
        let passed = wall_ns();
        let (ns, started) = timed(|| builder.start_from(project, &carried));
        let passed = wall_ns() - passed;
        let started = started.context("start from what was carried")?;
        ensure!(
            started.state_digest() == digest && started.log().admitted_count() == ops,
            "another replica has started"
        );
        Ok((ns, passed, started))
    };
    let (mut one_ns, mut two_ns, mut floor_ns, mut dropped) = (u64::MAX, u64::MAX, u64::MAX, 0);
    for _ in 0..plan.rounds {
        let (_, passed, started) = start(2)?;
        two_ns = two_ns.min(passed);
        drop(started);
        let (ns, _, started) = start(1)?;
        one_ns = one_ns.min(ns);
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
    let measured = |ns: u64| Measured {
        ops: ops as u64,
        ps: Some(ps_each(ns, 1)),
        floor_ps: Some(ps_each(floor_ns, 1)),
        bytes: Some(carried.len() as u64 / (ops as u64).max(1)),
        changed: Some(dropped as u64),
        stopped: taken < wanted,
        ..Measured::default()
    };
    Ok(Started {
        one: measured(one_ns),
        two: measured(two_ns),
    })
}
