//! A replica that advances again and again, and keeps a checkpoint of each time.

use std::collections::BTreeMap;

use ecac_core::{
    Change, Costs, Decision, Log, OpId, Outcome, Payload, Refusal, Replay, VerifiedOp,
};

use super::law::{Breach, Law, ensure};
use super::said::Replayed;
use super::trial::Trial;
use crate::naive::Oracle;

/// Where a replica has come to.
pub(super) struct Steps {
    pub(super) log: Log,
    pub(super) replay: Replay,
}

/// Lets the ops of a trial arrive.
pub(super) fn walk(trial: &Trial, oracle: Option<&Oracle>) -> Result<Steps, Breach> {
    let costs = &mut Costs::default();
    let mut log = Log::new(trial.history.project);
    let mut replay = Replay::new();
    let mut checkpoints = Vec::new();
    let mut before = BTreeMap::new();
    let mut causes = Causes::default();
    let arrivals = trial.arrivals();
    let forged = trial.copied % arrivals.len();
    let mut pauses = trial.pauses.iter().cycle();
    let mut next_pause = 0;
    for (at, op) in arrivals.iter().enumerate() {
        if at == forged {
            reject_forgeries(&mut log, op)?;
        }
        log.ingest((*op).clone(), costs);
        let is_last = at + 1 == arrivals.len();
        if at < next_pause && !is_last {
            continue;
        }
        next_pause = at + pauses.next().expect("there is a pause");
        checkpoints.push((replay.clone(), causes.order.len()));
        let changes = replay.advance(&log, costs);
        let full = Replay::of(&log, costs);
        let now = replay.decisions(&log);
        only_onwards(&before, &now)?;
        causes.follow(&log, &now, &changes, oracle)?;
        same_replays(&log, &replay, &full, || format!("after {} ops", at + 1))?;
        come_again(&mut log, &mut replay, arrivals[trial.copied % (at + 1)])?;
        before = now;
    }
    let full = Replay::of(&log, costs);
    for (mut restored, admitted) in checkpoints {
        let changes = restored.advance(&log, costs);
        let which = || format!("from a checkpoint after {admitted} admitted ops");
        same_replays(&log, &restored, &full, which)?;
        let expected = causes.since(admitted, &before);
        ensure(Law::Caused, changes == expected, || {
            format!(
                "{}: reported is {changes:?}, changed has {expected:?}",
                which()
            )
        })?;
    }
    Ok(Steps { log, replay })
}

/// Compares what two replays say of one log. What they say is a function of what they are, so the exports are looked
/// at only if they are not the same.
fn same_replays(
    log: &Log,
    replay: &Replay,
    full: &Replay,
    which: impl FnOnce() -> String,
) -> Result<(), Breach> {
    if replay == full {
        return Ok(());
    }
    let [found, expected] = [replay, full].map(|it| Replayed::of(log, it));
    ensure(Law::IncrementalEqualsFull, found == expected, || {
        format!("{}: {}", which(), found.difference(&expected))
    })
}

/// Compares what was decided before an op came with what is decided afterwards: what waited can come to anything, what was
/// applied can be denied, and nothing else changes its verdict.
fn only_onwards(
    before: &BTreeMap<OpId, Decision>,
    after: &BTreeMap<OpId, Decision>,
) -> Result<(), Breach> {
    for (op, earlier) in before {
        let later = after.get(op);
        let says = || format!("{op}: {earlier:?}, then {later:?}");
        match earlier {
            Decision::Pending { .. } => ensure(Law::Caused, later.is_some(), says)?,
            Decision::Applied { .. } => {
                let goes_on = matches!(
                    later,
                    Some(Decision::Applied { .. } | Decision::Denied { .. })
                );
                ensure(Law::Caused, goes_on, says)?;
            }
            Decision::Denied { .. } => {
                let stays = matches!(later, Some(Decision::Denied { .. }));
                ensure(Law::Caused, stays, says)?;
            }
            Decision::Refused { .. } | Decision::Unsupported => {
                ensure(Law::FinalRefusals, later == Some(earlier), says)?;
            }
        }
    }
    Ok(())
}

/// What rolled back what.
#[derive(Default)]
struct Causes {
    /// Admitted ops in order of admission.
    order: Vec<OpId>,
    /// The denied ones, each with the op that rolled it back, or nothing if it was denied in the advance that brought it.
    denied: BTreeMap<OpId, Option<OpId>>,
}

impl Causes {
    /// Takes in the ops that the log has admitted, and holds what the replay reports to what it has to report.
    fn follow(
        &mut self,
        log: &Log,
        now: &BTreeMap<OpId, Decision>,
        changes: &[Change],
        oracle: Option<&Oracle>,
    ) -> Result<(), Breach> {
        let first_new = self.order.len();
        let new = log.admitted_since(first_new).map(VerifiedOp::id);
        self.order.extend(new);
        for (at, op) in self.order.iter().enumerate() {
            if !is_denied(&now[op]) || self.denied.contains_key(op) {
                continue;
            }
            let cause = if at < first_new {
                let cause = match oracle {
                    Some(oracle) => self.first_denial(*op, first_new, oracle),
                    None => reported(changes, *op),
                };
                let body = cause.and_then(|it| log.get(&it)).map(VerifiedOp::body);
                let is_new = cause.is_some_and(|it| self.order[first_new..].contains(&it));
                let can_deny = body.is_some_and(|body| can_deny(&body.payload));
                ensure(Law::Caused, is_new && can_deny, || {
                    format!("{op} is {:?}, and the cause is {body:?}", now[op])
                })?;
                cause
            } else {
                None
            };
            self.denied.insert(*op, cause);
        }
        let expected = self.since(first_new, now);
        ensure(Law::Caused, changes == expected, || {
            format!("reported is {changes:?}, changed has {expected:?}")
        })
    }

    /// Of the new ops, in order of admission, the first with which the definitions deny the op.
    fn first_denial(&self, op: OpId, first_new: usize, oracle: &Oracle) -> Option<OpId> {
        let denies = |count: &usize| {
            let decided = oracle.decisions_within(&self.order[..*count], &[op]);
            decided.iter().all(is_denied)
        };
        let count = (first_new + 1..=self.order.len()).find(denies)?;
        Some(self.order[count - 1])
    }

    /// What an advance has to report that finds all but the first ops new.
    fn since(&self, first_new: usize, now: &BTreeMap<OpId, Decision>) -> Vec<Change> {
        let (old, new) = self.order.split_at(first_new);
        let change = |op: &OpId, cause: Option<OpId>| Change {
            op: *op,
            was_applied: cause.is_some(),
            decision: now[op].clone(),
            cause,
        };
        let rolled_back = old.iter().filter_map(|op| {
            let cause = self.denied.get(op).copied().flatten()?;
            new.contains(&cause).then(|| change(op, Some(cause)))
        });
        let new = new.iter().map(|op| change(op, None));
        new.chain(rolled_back).collect()
    }
}

fn reported(changes: &[Change], op: OpId) -> Option<OpId> {
    changes.iter().find(|change| change.op == op)?.cause
}

const fn is_denied(decision: &Decision) -> bool {
    matches!(decision, Decision::Denied { .. })
}

/// Whether ops of the kind occur in kills.
const fn can_deny(payload: &Payload) -> bool {
    match payload {
        Payload::Revoke(_) | Payload::IssuerKeyRevoke(_) | Payload::StatusList(_) => true,
        Payload::Genesis(_)
        | Payload::SetField(_)
        | Payload::SetAdd(_)
        | Payload::SetRemove(_)
        | Payload::Credential(_)
        | Payload::Grant(_)
        | Payload::IssuerKey(_)
        | Payload::Upgrade(_)
        | Payload::Schema(_)
        | Payload::Unassigned(_) => false,
    }
}

/// Offers a copy of an op with another's signature, and one with a byte too many.
fn reject_forgeries(log: &mut Log, op: &VerifiedOp) -> Result<(), Breach> {
    let costs = &mut Costs::default();
    let mut forged = op.envelope().to_vec();
    *forged
        .last_mut()
        .expect("an envelope ends with a signature") ^= 1;
    let mut expect = |bytes: &[u8], reason, claimed| {
        let held = log.holds(&op.id());
        let found = log.receive(bytes, costs);
        let is_rejected = found
            .as_ref()
            .is_err_and(|it| it.reason == reason && it.claimed == claimed);
        let leaves_no_trace = log.holds(&op.id()) == held;
        ensure(Law::HarmlessCopies, is_rejected && leaves_no_trace, || {
            format!(
                "a forged copy of {} is {found:?}, and not {reason}",
                op.id()
            )
        })
    };
    expect(&forged, Refusal::BadSignature, Some(op.id()))?;
    forged.push(0);
    expect(&forged, Refusal::NonCanonical, None)
}

/// Takes in an op that is here already.
fn come_again(log: &mut Log, replay: &mut Replay, op: &VerifiedOp) -> Result<(), Breach> {
    let costs = &mut Costs::default();
    let arrivals = log.ingest(op.clone(), costs);
    let changes = replay.advance(log, costs);
    let is_duplicate = matches!(&arrivals[..], [it] if it.outcome == Outcome::Duplicate);
    ensure(
        Law::HarmlessCopies,
        is_duplicate && changes.is_empty(),
        || format!("{} comes again: {arrivals:?}, {changes:?}", op.id()),
    )
}
