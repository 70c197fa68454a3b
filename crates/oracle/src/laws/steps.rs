//! A replica that advances again and again, and keeps a checkpoint of each time.

use std::collections::BTreeMap;

use ecac_core::{
    Change, Costs, Decision, EffectCode, Log, OpId, Outcome, Payload, Refusal, Replay, VerifiedOp,
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
    let mut told = BTreeMap::new();
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
        tell(&mut told, &log, causes.order.len())?;
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
    told_is_so(&told, &log, &replay)?;
    Ok(Steps { log, replay })
}

/// Takes in what is told of effects that fall short; each change has a cause among the new ops, if its op is not new itself.
fn tell(told: &mut BTreeMap<OpId, EffectCode>, log: &Log, first_new: usize) -> Result<(), Breach> {
    let new: Vec<OpId> = log.ids_since(first_new).collect();
    for change in log.effect_changes(first_new) {
        let before = told.insert(change.op, change.effect);
        let is_new = new.contains(&change.op);
        let is_caused = match change.cause {
            Some(cause) => !is_new && new.contains(&cause),
            None => is_new,
        };
        let is_change = before != Some(change.effect);
        ensure(Law::Caused, is_caused && is_change, || {
            format!("{change:?}, before it {before:?}")
        })?;
    }
    Ok(())
}

/// What was told on the way of effects that fall short is so in the end, and nothing is left out.
fn told_is_so(told: &BTreeMap<OpId, EffectCode>, log: &Log, replay: &Replay) -> Result<(), Breach> {
    let mut all = BTreeMap::new();
    for change in log.effect_changes(0) {
        all.insert(change.op, change.effect);
    }
    let costs = &mut Costs::default();
    let is_told_of = log.admitted().any(|op| goes_beyond(&op.body().payload));
    for op in log.admitted() {
        let effect = replay.effect(log, &op.id(), costs).map(|it| it.code);
        let short = effect.filter(|it| it.falls_short());
        let last = told.get(&op.id()).copied().filter(|it| it.falls_short());
        let at_once = all.get(&op.id()).copied();
        let is_told = match op.body().payload {
            Payload::Upgrade(_) | Payload::Cosign(_) => None,
            _ => short.filter(|_| is_told_of),
        };
        let says = || format!("{} is {short:?}, told {last:?}, {at_once:?}", op.id());
        ensure(
            Law::IncrementalEqualsFull,
            last == is_told && at_once == is_told,
            says,
        )?;
    }
    Ok(())
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
/// admitted is applied or denied, and nothing else changes its verdict.
fn only_onwards(
    before: &BTreeMap<OpId, Decision>,
    after: &BTreeMap<OpId, Decision>,
) -> Result<(), Breach> {
    for (op, earlier) in before {
        let later = after.get(op);
        let says = || format!("{op}: {earlier:?}, then {later:?}");
        match earlier {
            Decision::Pending { .. } => ensure(Law::Caused, later.is_some(), says)?,
            Decision::Applied { .. } | Decision::Denied { .. } => {
                let goes_on = matches!(
                    later,
                    Some(Decision::Applied { .. } | Decision::Denied { .. })
                );
                ensure(Law::Caused, goes_on, says)?;
            }
            Decision::Refused { .. } | Decision::Unsupported => {
                ensure(Law::FinalRefusals, later == Some(earlier), says)?;
            }
        }
    }
    Ok(())
}

/// What changed which verdict.
#[derive(Default)]
struct Causes {
    /// Admitted ops in order of admission.
    order: Vec<OpId>,
    /// The verdicts on each: after how many admitted ops it was denied, or was not. The first is that on its admission, or
    /// after the advance that brought it, if nobody knows.
    verdicts: BTreeMap<OpId, Vec<(usize, bool)>>,
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
        let new = log.ids_since(first_new);
        self.order.extend(new);
        match oracle {
            Some(oracle) => self.ask(first_new, log, oracle)?,
            None => self.believe(first_new, now, changes),
        }
        for change in changes {
            let cause = change.cause.and_then(|it| log.get(&it));
            let body = cause.as_ref().map(VerifiedOp::body);
            let is_new = change
                .cause
                .is_none_or(|it| self.order[first_new..].contains(&it));
            let fits = body.is_none_or(|body| {
                let verdict = is_denied(&change.decision);
                can(&body.payload, verdict)
            });
            ensure(Law::Caused, is_new && fits, || {
                format!("{change:?}, and the cause is {body:?}")
            })?;
        }
        let expected = self.since(first_new, now);
        ensure(Law::Caused, changes == expected, || {
            format!("reported is {changes:?}, changed has {expected:?}")
        })
    }

    /// Finds out by the definitions with which of the new ops which verdict changed.
    fn ask(&mut self, first_new: usize, log: &Log, oracle: &Oracle) -> Result<(), Breach> {
        for count in first_new + 1..=self.order.len() {
            let here = &self.order[..count];
            let last = here[count - 1];
            let op = log.get(&last).expect("what was admitted is here");
            let body = op.body();
            let asked = if moves(&body.payload) == Moves::Nothing {
                &here[count - 1..]
            } else {
                here
            };
            let decided = oracle.decisions_within(here, asked);
            for (op, decision) in asked.iter().zip(decided) {
                let denied = is_denied(&decision);
                let verdicts = self.verdicts.entry(*op).or_default();
                let before = verdicts.last().map(|(_, denied)| *denied);
                if before == Some(denied) {
                    continue;
                }
                verdicts.push((count, denied));
                let fits = before.is_none() || can(&body.payload, denied);
                ensure(Law::Caused, fits, || {
                    format!("by the oracle {op} is {decision:?} with {body:?}")
                })?;
            }
        }
        Ok(())
    }

    /// Takes the causes from what is reported.
    fn believe(&mut self, first_new: usize, now: &BTreeMap<OpId, Decision>, changes: &[Change]) {
        for (at, op) in self.order.iter().enumerate() {
            let denied = is_denied(&now[op]);
            let verdicts = self.verdicts.entry(*op).or_default();
            if verdicts.last().is_some_and(|(_, before)| *before == denied) {
                continue;
            }
            let cause = reported(changes, *op).filter(|_| at < first_new);
            let cause = cause.and_then(|it| self.order.iter().position(|op| *op == it));
            verdicts.push((cause.unwrap_or(at) + 1, denied));
        }
    }

    /// What an advance has to report that finds all but the first ops new.
    fn since(&self, first_new: usize, now: &BTreeMap<OpId, Decision>) -> Vec<Change> {
        let (old, new) = self.order.split_at(first_new);
        let changed = old.iter().filter_map(|op| {
            let verdicts = &self.verdicts[op];
            let before = verdicts.iter().rev().find(|(count, _)| *count <= first_new);
            let was_applied = before.is_some_and(|(_, denied)| !denied);
            let (count, denied) = *verdicts.last()?;
            (was_applied == denied).then(|| Change {
                op: *op,
                was_applied,
                decision: now[op].clone(),
                cause: Some(self.order[count - 1]),
            })
        });
        let new = new.iter().map(|op| Change {
            op: *op,
            was_applied: false,
            decision: now[op].clone(),
            cause: None,
        });
        new.chain(changed).collect()
    }
}

/// Whether the op makes its project one of those in which effects are told of.
fn goes_beyond(payload: &Payload) -> bool {
    match payload {
        Payload::Genesis(genesis) => genesis.features.iter().any(|(name, with)| {
            let of_several = |k: u8| (2..=genesis.roots.len()).contains(&usize::from(k));
            name.as_str() == "quorum" && matches!(with[..], [k] if of_several(k))
        }),
        Payload::Seal(_) | Payload::Device(_) | Payload::Endorse(_) => true,
        _ => false,
    }
}

fn reported(changes: &[Change], op: OpId) -> Option<OpId> {
    changes.iter().find(|change| change.op == op)?.cause
}

const fn is_denied(decision: &Decision) -> bool {
    matches!(decision, Decision::Denied { .. })
}

/// What ops of a kind can do to verdicts on others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moves {
    Nothing,
    Denies,
    Reinstates,
    Both,
}

const fn moves(payload: &Payload) -> Moves {
    match payload {
        Payload::Revoke(_)
        | Payload::IssuerKeyRevoke(_)
        | Payload::StatusList(_)
        | Payload::DeviceRevoke(_) => Moves::Denies,
        Payload::Endorse(_) => Moves::Reinstates,
        Payload::Seal(_) | Payload::Cosign(_) => Moves::Both,
        Payload::Genesis(_)
        | Payload::SetField(_)
        | Payload::SetAdd(_)
        | Payload::SetRemove(_)
        | Payload::Credential(_)
        | Payload::Grant(_)
        | Payload::IssuerKey(_)
        | Payload::Upgrade(_)
        | Payload::Schema(_)
        | Payload::Device(_)
        | Payload::ReaderKey(_)
        | Payload::KeyRotate(_)
        | Payload::KeyGrant(_)
        | Payload::SetFieldSealed(_)
        | Payload::SetAddSealed(_)
        | Payload::Unassigned(_) => Moves::Nothing,
    }
}

/// Whether ops of the kind can deny what was applied, or else reinstate what was denied.
fn can(payload: &Payload, deny: bool) -> bool {
    match moves(payload) {
        Moves::Nothing => false,
        Moves::Denies => deny,
        Moves::Reinstates => !deny,
        Moves::Both => true,
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
