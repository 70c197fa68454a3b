//! A replica that starts from a carried snapshot comes to what one comes to that has everything, and what somebody has changed
//! starts nothing.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{OpId, Received, Replica, VerifiedOp};

use super::law::{Breach, Law, ensure};
use super::pruned::{batches, regains};
use super::said::Said;
use super::trial::Trial;

const LAW: Law = Law::PrunedAlike;

/// Places at which a carried snapshot is changed, one at a time.
const CHANGES: usize = 8;

/// Whether a replica that has the whole history has a sealed snapshot to carry, in which something is dropped.
#[must_use]
pub fn carries(trial: &Trial) -> bool {
    let mut replica = Replica::join(trial.history.project);
    replica.ingest(trial.held().into_iter().cloned());
    let carried = replica.carry();
    carried.is_ok_and(|it| {
        let started = Replica::start_from(trial.history.project, &it);
        started.is_ok_and(|it| it.log().pruned_count() > 0)
    })
}

/// Starts a newcomer wherever there is another snapshot to carry while the ops arrive, and lets it take in the rest.
pub(super) fn check(trial: &Trial, said: &Said) -> Result<(), Breach> {
    let mut full = Replica::join(trial.history.project);
    let mut finals = Vec::new();
    let batches = batches(trial);
    for (number, batch) in batches.iter().enumerate() {
        full.ingest(batch.clone());
        let now = full.sealing().value.finals;
        if now == finals {
            continue;
        }
        finals = now;
        if let Ok(carried) = full.carry() {
            starts(trial, &full, &carried)?;
            goes_on(trial, &carried, &batches[number + 1..], said)?;
            is_guarded(trial, &carried)?;
            let mut pruned = copy(trial, full.ops());
            pruned.prune().map_err(|fault| breach(fault.to_string()))?;
            if let Ok(carried) = pruned.carry() {
                starts(trial, &full, &carried)?;
            }
        }
    }
    Ok(())
}

fn breach(what: String) -> Breach {
    Breach { law: LAW, what }
}

fn start(trial: &Trial, carried: &[u8]) -> Result<Replica, Breach> {
    Replica::start_from(trial.history.project, carried).map_err(|error| {
        let error = format!("what was carried starts nothing: {error}");
        breach(error)
    })
}

fn copy(trial: &Trial, ops: impl IntoIterator<Item = VerifiedOp>) -> Replica {
    let mut replica = Replica::join(trial.history.project);
    replica.ingest(ops);
    replica
}

/// The newcomer says what a replica says that has the envelopes of the same ops, and carries what it started from.
fn starts(trial: &Trial, full: &Replica, carried: &[u8]) -> Result<(), Breach> {
    let newcomer = start(trial, carried)?;
    let ids: BTreeSet<OpId> = newcomer.log().ids_since(0).collect();
    let same = copy(trial, full.ops().filter(|op| ids.contains(&op.id())));
    let [expected, told] = [&same, &newcomer].map(|it| Said::of(it.log(), it.replay()));
    ensure(LAW, expected == told, || {
        let difference = expected.replayed.difference(&told.replayed);
        format!("started {difference}")
    })?;
    ensure(LAW, same.heads() == newcomer.heads(), || {
        "other heads".into()
    })?;
    let again = newcomer.carry();
    ensure(LAW, again.as_deref() == Ok(carried), || {
        "a newcomer carries something else than it started from".into()
    })?;
    regains(&same, newcomer)
}

/// With the rest the newcomer does what others do, and comes to what everybody comes to.
fn goes_on(
    trial: &Trial,
    carried: &[u8],
    rest: &[Vec<VerifiedOp>],
    said: &Said,
) -> Result<(), Breach> {
    let mut newcomer = start(trial, carried)?;
    // Events of old ops are in the order of admission, so it has to be the same.
    let held = trial.held().into_iter();
    let held: BTreeMap<OpId, &VerifiedOp> = held.map(|op| (op.id(), op)).collect();
    let ids = newcomer.log().ids_since(0);
    let known = ids.filter_map(|id| held.get(&id).map(|&op| op.clone()));
    let mut full = copy(trial, known.collect::<Vec<_>>());
    ensure(
        LAW,
        full.log().ids_since(0).eq(newcomer.log().ids_since(0)),
        || "who has started has admitted what does not follow from its parents".into(),
    )?;
    for batch in rest {
        let batches = [&mut full, &mut newcomer].map(|it| it.ingest(batch.clone()));
        let [one, other]: [Received; 2] = batches;
        ensure(LAW, one == other, || {
            format!("a batch does {one:?}, and to who has started {other:?}")
        })?;
    }
    newcomer.ingest(trial.arrivals().into_iter().cloned());
    let told = Said::of(newcomer.log(), newcomer.replay());
    ensure(LAW, *said == told, || {
        let difference = said.replayed.difference(&told.replayed);
        format!("in the end who has started says {difference}")
    })?;
    newcomer
        .prune()
        .map_err(|fault| breach(fault.to_string()))?;
    let told = Said::of(newcomer.log(), newcomer.replay());
    ensure(LAW, *said == told, || {
        "pruned it says something else".into()
    })
}

/// Whatever byte is changed or missing, nothing starts.
fn is_guarded(trial: &Trial, carried: &[u8]) -> Result<(), Breach> {
    let starts = |bytes: &[u8]| Replica::start_from(trial.history.project, bytes).is_ok();
    for change in 0..CHANGES {
        let number = trial.keys.iter().cycle().nth(trial.copied + change);
        let at = (carried.len() * change / CHANGES) + usize::from(number.copied().unwrap_or(0));
        let at = at % carried.len();
        let mut changed = carried.to_vec();
        changed[at] ^= 1 << (change % 8);
        ensure(LAW, !starts(&changed), || {
            format!("with another byte at {at} it starts something")
        })?;
        ensure(LAW, !starts(&carried[..at]), || {
            format!("its first {at} bytes start something")
        })?;
    }
    Ok(())
}
