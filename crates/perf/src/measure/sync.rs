//! Sessions of sync: with a known peer, with one whose authors have all forked, and the first one; beside negentropy alone.

use anyhow::{Context as _, Result, ensure};
use ecac_core::{ProjectId, Received, Replica, VerifiedOp};
use ecac_sync::{KeepError, Keeper};
use xtask::host::interrupt;

use super::{Budget, Measured, Plan, admitted, begun_with, ps_each};
use crate::clock::{timed, wall_ns};
use crate::engine::Engine;
use crate::floor::SIGNATURES;
use crate::link::{Met, meet};
use crate::negentropy_alone::{Found, Item, find};
use crate::workload::{Race, Twins};

/// Ops of the log.
const OPS: usize = 1_000_000;
/// Ops by which two sides differ.
const DIFFERENCE: usize = 1_000;
/// Who writes.
const WRITERS: usize = 64;
/// Ops that a side takes in at a time before it meets the other one.
const STEP: usize = 8_192;
/// Threads for signatures in a first session.
const THREADS: usize = 2;

/// What sessions came to, beside the reconciliation of the same ops by negentropy alone.
#[derive(Debug)]
pub struct Synced {
    /// The session.
    pub session: Measured,
    /// Negentropy.
    pub negentropy: Measured,
}

/// A replica, and the time that it takes to receive ops.
struct Timed<'a> {
    engine: &'a mut Engine,
    ns: u64,
}

impl Keeper for Timed<'_> {
    fn replica(&self) -> &Replica {
        self.engine.replica()
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        let (ns, received) = timed(|| self.engine.keep(envelopes));
        self.ns += ns;
        received
    }
}

/// Has each side take in the ops of the iterator until there are so many, or the time is over: how many there are.
pub(super) fn fill(
    sides: &mut [Engine],
    ops: &mut dyn Iterator<Item = VerifiedOp>,
    wanted: usize,
    budget: &mut Budget,
) -> Result<usize> {
    let (mut taken, mut goes_on) = (0, true);
    while taken < wanted && goes_on {
        let count = STEP.min(wanted - taken);
        let batch: Vec<VerifiedOp> = ops
            .take(count)
            .take_while(|_| !interrupt::requested())
            .collect();
        interrupt::check()?;
        taken += batch.len();
        for side in &mut *sides {
            let copy = batch.clone();
            let (ns, advance) = timed(|| side.take(copy));
            admitted(advance)?;
            goes_on &= budget.charge(ns);
        }
    }
    Ok(taken)
}

/// What one session came to, and negentropy beside it.
struct Round {
    met: Met,
    /// Processor time of both ends, without receiving ops.
    cpu_ns: u64,
    found: Found,
    /// Bytes of the envelopes that were missing.
    missing: u64,
}

/// One more session of two that hold the same, once each has got these.
fn round(sides: &mut [Engine; 2], new: &[Vec<VerifiedOp>; 2]) -> Result<Round> {
    let mut missing = 0;
    for (side, ops) in sides.iter_mut().zip(new) {
        admitted(side.take(ops.clone()))?;
        missing += ops.iter().map(|op| op.envelope().len() as u64).sum::<u64>();
    }
    let [one, other] = sides.each_ref().map(items);
    let found = find(&one, &other)?;
    drop((one, other));
    let [mut one, mut other] = sides.each_mut().map(|engine| Timed { engine, ns: 0 });
    let mut spent = 0;
    let met = meet(&mut one, &mut other, &mut |_, work| {
        spent += timed(work).0;
    })?;
    let written = new.each_ref().map(Vec::len);
    ensure!(
        [met.to_listener, met.to_dialler] == written.map(|it| it as u64)
            && [found.had, found.lacked] == written,
        "a session brings something else than what is missing"
    );
    Ok(Round {
        met,
        cpu_ns: spent.saturating_sub(one.ns + other.ns),
        found,
        missing,
    })
}

/// What both protocols order the ops by.
fn items(engine: &Engine) -> Vec<Item> {
    let replica = engine.replica();
    let mut items = Vec::with_capacity(engine.admitted());
    for head in replica.chain_heads() {
        let ops = replica.ops_of(&head.author, 0);
        items.extend(ops.map(|it| (it.hlc.physical_ms, it.op)));
    }
    items
}

/// Sessions of two that share a log, with what the function says that each has written since the last one.
fn synced(
    plan: &Plan,
    mut race: Race,
    next: impl FnOnce(Race) -> Box<dyn FnMut() -> [Vec<VerifiedOp>; 2]>,
) -> Result<Synced> {
    let (project, setup) = (race.project_id(), race.project().take_ops());
    let mut sides = [
        begun_with(Engine::new(project), &setup)?,
        begun_with(Engine::new(project), &setup)?,
    ];
    let (mut budget, wanted) = (plan.budget(), plan.ops(OPS));
    let ops = fill(&mut sides, &mut race, wanted, &mut budget)?;
    let mut next = next(race);
    let mut rounds = Vec::new();
    while rounds.len() < plan.rounds && (rounds.is_empty() || budget.is_left()) {
        let round = round(&mut sides, &next())?;
        budget.charge(round.cpu_ns + round.found.cpu_ns);
        rounds.push(round);
    }
    let least = |of: fn(&Round) -> u64| rounds.iter().map(of).min();
    let most = |of: fn(&Round) -> u64| rounds.iter().map(of).max();
    let measured = |ns: Option<u64>| Measured {
        ops: ops as u64,
        ps: ns.map(|it| ps_each(it, 1)),
        stopped: ops < wanted,
        ..Measured::default()
    };
    let negentropy = Measured {
        round_trips: most(|it| it.found.round_trips),
        bytes: most(|it| it.found.bytes),
        ..measured(least(|it| it.found.cpu_ns))
    };
    let session = Measured {
        floor_ps: negentropy.ps,
        round_trips: most(|it| it.met.round_trips),
        bytes: most(|it| it.met.bytes - it.missing),
        envelope: least(|it| it.missing),
        ..measured(least(|it| it.cpu_ns))
    };
    Ok(Synced {
        session,
        negentropy,
    })
}

/// A peer that has written 1,000 ops more, and is dialled.
///
/// # Errors
/// If an op of the workload is not admitted, or the program is interrupted.
pub fn sync_known(plan: &Plan) -> Result<Synced> {
    let count = plan.ops(DIFFERENCE);
    synced(plan, Race::new(plan.seed, WRITERS, None), |mut race| {
        Box::new(move || [Vec::new(), race.by_ref().take(count).collect()])
    })
}

/// A peer at whom all authors have gone on as they have here: 500 ops at each side, and not one chain of which one side's is
/// the beginning of the other's.
///
/// # Errors
/// If an op of the workload is not admitted, or the program is interrupted.
pub fn sync_forks(plan: &Plan) -> Result<Synced> {
    let count = plan.ops(DIFFERENCE) / 2;
    synced(plan, Race::new(plan.seed, WRITERS, None), |race| {
        let mut twins = Twins::after(race);
        Box::new(move || twins.next_ops(count))
    })
}

/// The first session of who has nothing, two threads for signatures: time that passes, the other end's work in it; beside
/// receiving the same envelopes as [`super::ingest`] has it.
///
/// # Errors
/// If an op of the workload is not admitted, or the program is interrupted.
pub fn sync_first(plan: &Plan) -> Result<Measured> {
    let mut race = Race::new(plan.seed, WRITERS, None);
    let (project, setup) = (race.project_id(), race.project().take_ops());
    let mut full = [begun_with(Engine::new(project), &setup)?];
    let (mut budget, wanted) = (plan.budget(), plan.ops(OPS));
    let ops = fill(&mut full, &mut race, wanted, &mut budget)?;
    let [full] = &mut full;
    let (mut best, mut floor_ns) = (u64::MAX, u64::MAX);
    for round in 0..plan.rounds {
        if round > 0 && !budget.is_left() {
            break;
        }
        let mut newcomer = Engine::with_threads(project, THREADS);
        let start = (wall_ns(), crate::clock::cpu_ns());
        let met = meet(&mut newcomer, full, &mut |_, work| work())?;
        best = best.min(wall_ns() - start.0);
        ensure!(
            met.to_dialler == full.admitted() as u64,
            "a session brings not all ops"
        );
        drop(newcomer);
        floor_ns = floor_ns.min(received(project, full)?);
        budget.charge(crate::clock::cpu_ns() - start.1);
    }
    Ok(Measured {
        ops: ops as u64,
        ps: Some(ps_each(best, full.admitted())),
        floor_ps: Some(ps_each(floor_ns, full.admitted())),
        stopped: ops < wanted,
        ..Measured::default()
    })
}

/// How long it takes to receive all envelopes of the replica.
fn received(project: ProjectId, full: &Engine) -> Result<u64> {
    let mut engine = Engine::with_threads(project, THREADS);
    let (mut spent, mut from) = (0, 0);
    while from < full.admitted() {
        let ids = full.replica().log().ids_since(from).take(SIGNATURES);
        let batch: Option<Vec<_>> = ids.map(|it| full.replica().envelope(&it)).collect();
        let batch = batch.context("read an envelope")?;
        let start = wall_ns();
        let advance = engine.receive(&batch);
        spent += wall_ns() - start;
        admitted(advance)?;
        from += batch.len();
    }
    Ok(spent)
}
