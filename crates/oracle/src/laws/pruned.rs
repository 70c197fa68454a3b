//! A replica that drops what sealed work supersedes comes to what one comes to that has everything.

use ecac_core::{Decision, OpId, Replica, SealCheck, VerifiedOp};

use super::law::{Breach, Law, ensure};
use super::said::Said;
use super::trial::Trial;

/// How many envelopes a replica that has the whole history can drop.
#[must_use]
pub fn prunable(trial: &Trial) -> usize {
    let mut replica = Replica::join(trial.history.project);
    replica.ingest(trial.held().into_iter().cloned());
    replica.superseded().len()
}

pub(super) fn check(trial: &Trial, said: &Said) -> Result<(), Breach> {
    let law = Law::PrunedAlike;
    let mut full = Replica::join(trial.history.project);
    let mut pruned = Replica::join(trial.history.project);
    let arrivals: Vec<VerifiedOp> = trial.arrivals().into_iter().cloned().collect();
    let mut pauses = trial.pauses.iter().cycle();
    let mut rest = &arrivals[..];
    while !rest.is_empty() {
        let count = pauses.next().copied().unwrap_or(1).clamp(1, rest.len());
        let (batch, later) = rest.split_at(count);
        rest = later;
        let (one, other) = (full.ingest(batch.to_vec()), pruned.ingest(batch.to_vec()));
        ensure(law, one == other, || {
            format!("a batch does {one:?}, and to a pruned replica {other:?}")
        })?;
        let dropped = pruned.prune();
        ensure(law, dropped.is_ok(), || format!("{dropped:?}"))?;
        for op in pruned.superseded() {
            let decision = pruned.decision(&op);
            let applied = matches!(decision, Some(Decision::Applied { .. }));
            let is_gone = pruned.log().is_pruned(&op) && pruned.envelope(&op).is_none();
            ensure(law, applied && is_gone, || {
                format!("{op} was dropped: {is_gone}, and it is {decision:?}")
            })?;
        }
    }
    let told = Said::of(pruned.log(), pruned.replay());
    ensure(law, *said == told, || {
        format!("pruned {}", said.replayed.difference(&told.replayed))
    })?;
    let fault = pruned.fault();
    ensure(law, fault.is_none(), || format!("{fault:?}"))?;
    seals_agree(&full, &pruned)
}

/// What a pruned replica says of the seals, where it can.
fn seals_agree(full: &Replica, pruned: &Replica) -> Result<(), Breach> {
    let ids: Vec<OpId> = full.log().ids_since(0).collect();
    for op in ids {
        let computed = |replica: &Replica| {
            let check: Option<SealCheck> = replica.check_seal(&op);
            check.and_then(|it| it.computed)
        };
        let (whole, found) = (computed(full), computed(pruned));
        ensure(Law::PrunedAlike, found.is_none() || found == whole, || {
            format!("the digest of {op} is {whole:?}, and pruned {found:?}")
        })?;
    }
    Ok(())
}
