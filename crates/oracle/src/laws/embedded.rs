//! A replica that takes the ops in in batches: what it reports, and what it foresees of an op that somebody wants to write.

use std::collections::BTreeMap;

use ecac_core::{AuthorError, Event, OpId, Received, Replica};

use super::law::{Breach, Law, ensure};
use super::said::Said;
use super::trial::Trial;
use crate::world::{START_MS, person};

const LAW: Law = Law::EmbeddedAlike;

/// Lets the ops of the trial arrive in batches, and somebody write.
pub(super) fn check(trial: &Trial, said: &Said) -> Result<(), Breach> {
    let mut replica = Replica::builder()
        .behind_is_fine(true)
        .join(trial.history.project);
    let mut reported = BTreeMap::new();
    let mut arrivals = trial.arrivals().into_iter();
    let mut pauses = trial.pauses.iter().cycle();
    while arrivals.len() > 0 {
        let size = *pauses.next().expect("there is a pause");
        let received = replica.ingest(arrivals.by_ref().take(size).cloned());
        report(&mut reported, &received);
    }
    let told = Said::of(replica.log(), replica.replay());
    ensure(LAW, told == *said, || {
        let difference = said.replayed.difference(&told.replayed);
        format!("in batches {difference}")
    })?;
    is_reported(&replica, &reported)?;
    let Some(payload) = trial.wish.payload(replica.log()) else {
        return Ok(());
    };
    let person = person(trial.wish.author);
    let now_ms = START_MS + trial.wish.clock_ms;
    let foreseen = replica.preview(payload.clone(), person.public, now_ms);
    let after = Said::of(replica.log(), replica.replay());
    ensure(LAW, after == told, || "a preview leaves traces".into())?;
    match (foreseen, replica.author(payload, &person.secret, now_ms)) {
        (Ok(foreseen), Ok(written)) => {
            let same = foreseen.op == written.op
                && foreseen.unseen == written.unseen
                && foreseen.effect == written.effect
                && foreseen.received == written.received;
            ensure(LAW, same, || {
                format!("foreseen is {foreseen:?}, and comes {written:?}")
            })?;
            report(&mut reported, &written.received);
            is_reported(&replica, &reported)
        }
        (Err(foreseen), Err(AuthorError::Draft(error))) => {
            ensure(LAW, foreseen == error, || {
                format!("foreseen is {foreseen:?}, and comes {error:?}")
            })?;
            let after = Said::of(replica.log(), replica.replay());
            ensure(LAW, after == told, || {
                "what is not written leaves traces".into()
            })
        }
        (foreseen, written) => ensure(LAW, false, || {
            format!("foreseen is {foreseen:?}, and comes {written:?}")
        }),
    }
}

/// The verdict that each event leaves.
fn report(reported: &mut BTreeMap<OpId, &'static str>, received: &Received) {
    for event in &received.events {
        let verdict = match event {
            Event::Applied { .. } | Event::Reinstated { .. } => "applied",
            Event::Denied { .. } | Event::RolledBack { .. } => "denied",
            Event::Refused { .. } => "refused",
            Event::Pending { .. } => "pending",
            Event::Unsupported { .. } => "unsupported",
            Event::Rejected { .. } | Event::Duplicate { .. } | Event::Dropped { .. } => continue,
        };
        if let Some(op) = event.op() {
            reported.insert(op, verdict);
        }
    }
}

/// The events left what is decided.
fn is_reported(replica: &Replica, reported: &BTreeMap<OpId, &'static str>) -> Result<(), Breach> {
    let decisions = replica.decisions();
    let decided = decisions.iter().map(|(op, it)| (*op, it.verdict()));
    let decided: BTreeMap<OpId, &str> = decided.collect();
    ensure(LAW, decided == *reported, || {
        format!("reported is {reported:?}, decided {decided:?}")
    })
}
