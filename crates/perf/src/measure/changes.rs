//! One op that turns old ones, forks, and long delegation.

use anyhow::{Context as _, Result};
use ecac_core::VerifiedOp;

use super::{Measured, Plan, Point, admitted, begun, ps_each, take_all};
use crate::clock::timed;
use crate::engine::status_list_floor;
use crate::floor::Reader;
use crate::workload::{Late, StatusGrants, Turn, Workload, delegation, forks as forked};

/// Ops of the history before a late revocation.
const LATE_OPS: usize = 1_000_000;
/// Ops of it that the administrator has not seen.
const UNSEEN: usize = 10_000;
/// Grants under one status list.
const GRANTS: usize = 10_000;
/// Authors in one field, and what each writes.
const HOT: (usize, usize) = (1_000, 100);
/// Forks of one author.
const FORKS: usize = 10_000;
/// Ops of a fork that is a chain.
const FORK_LENGTH: u64 = 10;
/// Ops under a long delegation.
const DELEGATED_OPS: usize = 5_000;
/// The long delegation.
const DEPTH: usize = 62;

/// The revocation of a sole editor.
pub fn late_solo(plan: &Plan) -> Result<Measured> {
    late(plan, 1)
}

/// The revocation of one of 64 editors.
pub fn late_race(plan: &Plan) -> Result<Measured> {
    late(plan, 64)
}

fn late(plan: &Plan, writers: usize) -> Result<Measured> {
    let ops = plan.ops(LATE_OPS);
    let unseen = UNSEEN.min(ops / 2);
    let mut history = Late::new(plan.seed, writers, unseen);
    turned(plan, &mut history, ops, 1)
}

/// One more version of a status list, with one more bit set.
pub fn status_bit(plan: &Plan) -> Result<Measured> {
    let grants = plan.ops(GRANTS);
    let mut history = StatusGrants::new(plan.seed, grants);
    turned(plan, &mut history, grants, 5)
}

/// The revocation of one of many who write in one field, by somebody who has seen none of it.
pub fn rollback_hot(plan: &Plan) -> Result<Measured> {
    let (authors, writes) = HOT;
    let authors = plan.ops(authors * writes).div_ceil(writes);
    let mut history = Late::hot(plan.seed, authors);
    turned(plan, &mut history, authors * writes, 3)
}

/// Builds the history and measures the ops that end it: the cheapest of so many, one after the other; where it is one, the
/// history is built again as often as the plan has rounds.
fn turned(plan: &Plan, history: &mut dyn Turn, ops: usize, turns: usize) -> Result<Measured> {
    let setup = history.take_setup();
    let mut budget = plan.budget();
    let mut ended: Vec<VerifiedOp> = Vec::new();
    let mut best: Option<Measured> = None;
    let mut built: Vec<VerifiedOp> = Vec::new();
    let rounds = if turns == 1 { plan.rounds } else { 1 };
    for round in 0..rounds {
        let mut engine = begun(history.project(), &setup)?;
        let mut spent = 0;
        let mut taken = 0;
        if round == 0 {
            while built.len() < ops && (taken == 0 || budget.charge(0)) {
                let more = history.next_ops((ops - built.len()).min(8 * super::BATCH));
                let (count, ns) = take_all(&mut engine, &more, &mut budget)?;
                taken += count;
                spent += ns;
                built.extend(more.into_iter().take(count));
            }
            ended.extend((0..turns).map(|_| history.turn(built.len())));
        } else {
            (taken, spent) = take_all(&mut engine, &built, &mut budget)?;
        }
        if taken < built.len() {
            break;
        }
        for end in &ended {
            let before = engine.costs();
            let op = vec![end.clone()];
            let (ns, advance) = timed(|| engine.take(op));
            admitted(advance)?;
            let measured = Measured {
                ops: built.len() as u64,
                ps: Some(ps_each(ns, 1)),
                evaluated: Some(engine.costs().since(&before).ops_evaluated),
                changed: Some(advance.changed as u64),
                stopped: built.len() < ops,
                ..Measured::default()
            };
            if best.as_ref().is_none_or(|best| measured.ps < best.ps) {
                best = Some(measured);
            }
        }
        if !budget.allows(spent) {
            break;
        }
    }
    let mut best = best.context("measure at least once")?;
    let changed = usize::try_from(best.changed.unwrap_or_default()).unwrap_or(usize::MAX);
    let last = &built[built.len().saturating_sub(changed)..];
    let floor_ns = Reader::default().read(last) + ended.first().map_or(0, status_list_floor);
    best.floor_ps = Some(ps_each(floor_ns, 1));
    Ok(best)
}

/// The forks of one author: all of one number, and as chains; the worse of the two.
pub fn forks(plan: &Plan) -> Result<Measured> {
    let count = plan.ops(FORKS);
    let length = usize::try_from(FORK_LENGTH).unwrap_or(1);
    let wide = replayed(plan, forked(plan.seed, count, 1), count)?;
    let chains = count.div_ceil(length);
    let chains = replayed(plan, forked(plan.seed, chains, FORK_LENGTH), count)?;
    Ok(if wide.ps > chains.ps { wide } else { chains })
}

/// Ops under a long delegation, beside the same under a short one.
pub fn deep(plan: &Plan) -> Result<Measured> {
    let ops = plan.ops(DELEGATED_OPS);
    let short = replayed(plan, delegation(plan.seed, 1), ops)?;
    let long = replayed(plan, delegation(plan.seed, DEPTH), ops)?;
    Ok(Measured {
        floor_ps: short.ps,
        stopped: short.stopped || long.stopped,
        ..long
    })
}

/// Replays so many ops of a workload.
fn replayed(plan: &Plan, mut workload: Workload, ops: usize) -> Result<Measured> {
    let setup = core::mem::take(&mut workload.setup);
    let ops = super::signed(&mut workload, ops)?;
    let mut budget = plan.budget();
    let mut best = u64::MAX;
    for _ in 0..plan.rounds {
        let mut engine = begun(workload.project, &setup)?;
        let (taken, ns) = take_all(&mut engine, &ops, &mut budget)?;
        if taken < ops.len() && best == u64::MAX {
            return Ok(Measured {
                ops: taken as u64,
                ps: Some(Point::new(taken, ns, taken).ps_per_op),
                stopped: true,
                ..Measured::default()
            });
        }
        if taken == ops.len() {
            best = best.min(ns);
        }
        if !budget.allows(ns) {
            break;
        }
    }
    let floor_ns = Reader::default().read(&ops);
    Ok(Measured {
        ops: ops.len() as u64,
        ps: Some(ps_each(best, ops.len())),
        floor_ps: Some(ps_each(floor_ns, ops.len())),
        ..Measured::default()
    })
}
