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

/// Checks it where something is dropped: a replica that drops nothing is one like any other.
pub(super) fn check(trial: &Trial, said: &Said) -> Result<(), Breach> {
    let law = Law::PrunedAlike;
    let batches = batches(trial);
    if !drops(trial, &batches)? {
        return Ok(());
    }
    let mut full = Replica::join(trial.history.project);
    let mut pruned = Replica::join(trial.history.project);
    for batch in batches {
        let (one, other) = (full.ingest(batch.clone()), pruned.ingest(batch));
        ensure(law, one == other, || {
            format!("a batch does {one:?}, and to a pruned replica {other:?}")
        })?;
        prune(&mut pruned)?;
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
    seals_agree(&full, &pruned)?;
    regains(&full, pruned)
}

/// Whoever is given everything back that they are without is the replica that has everything.
pub(super) fn regains(full: &Replica, mut lacking: Replica) -> Result<(), Breach> {
    let law = Law::PrunedAlike;
    let (gone, before) = (lacking.log().pruned_count(), lacking.save());
    let everything: Vec<_> = full.envelopes().collect();
    let regained = lacking.regain(&everything).map(|it| it.ops);
    ensure(law, regained == Ok(gone), || {
        format!("{gone} envelopes were dropped, and of the given ones {regained:?} come back")
    })?;
    ensure(law, lacking.save() == before, || {
        "envelopes that come back change something".into()
    })?;
    let shown = |it: &Replica| -> Vec<VerifiedOp> { it.total_order().collect() };
    ensure(law, shown(&lacking) == shown(full), || {
        "what came back is not what was dropped".into()
    })?;
    seals_agree(full, &lacking)
}

/// The ops as they arrive, up to each pause.
pub(super) fn batches(trial: &Trial) -> Vec<Vec<VerifiedOp>> {
    let mut arrivals = trial.arrivals().into_iter().cloned();
    let mut pauses = trial.pauses.iter().cycle();
    let mut batches = Vec::new();
    while arrivals.len() > 0 {
        let size = pauses.next().copied().unwrap_or(1).max(1);
        batches.push(arrivals.by_ref().take(size).collect());
    }
    batches
}

/// Whether a replica that prunes after each batch ever drops something.
fn drops(trial: &Trial, batches: &[Vec<VerifiedOp>]) -> Result<bool, Breach> {
    let mut replica = Replica::join(trial.history.project);
    for batch in batches {
        replica.ingest(batch.clone());
        if prune(&mut replica)? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Prunes the replica; returns how many envelopes it dropped.
fn prune(replica: &mut Replica) -> Result<usize, Breach> {
    let dropped = replica.prune();
    ensure(Law::PrunedAlike, dropped.is_ok(), || format!("{dropped:?}"))?;
    Ok(dropped.map_or(0, |it| it.ops))
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
