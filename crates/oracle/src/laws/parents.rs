//! The parents that are offered to whoever wants to write.

use ecac_core::limits::PARENTS_MAX;
use ecac_core::{Costs, Hlc, Log, OpId, Outcome, Payload, Replay, parents_for};

use super::law::{Breach, Law, ensure};
use super::trial::Trial;
use crate::naive::{Draft, Oracle};
use crate::world::{self, START_MS, person};

/// Offers parents, holds them to what the page says of them, and signs an op on them.
pub(super) fn check(
    trial: &Trial,
    log: &mut Log,
    replay: &Replay,
    oracle: &Oracle,
) -> Result<(), Breach> {
    let wish = &trial.wish;
    if log.admitted_count() == 0 {
        return Ok(());
    }
    let Some(payload) = wish.payload(log) else {
        return Ok(());
    };
    let author = person(wish.author).public;
    let now_ms = START_MS + wish.clock_ms;
    let costs = &mut Costs::default();
    let offered = parents_for(log, replay, &author, &payload, now_ms, costs);
    let law = Law::OfferedParents;
    let says = |what: &str| format!("{what}: {offered:?} for {payload:?} at {now_ms} by {wish:?}");
    let is_sound = (1..=PARENTS_MAX).contains(&offered.ids.len())
        && offered.ids.is_sorted_by(|one, other| one < other)
        && offered.unseen.is_sorted_by(|one, other| one < other);
    ensure(law, is_sound, || says("no op can have these parents"))?;

    let stamp_of = |op: &OpId| log.get(op).map(|op| op.body().hlc);
    let after = offered.ids.iter().filter_map(stamp_of).max();
    let hlc = Hlc::next(after, now_ms, u32::from(wish.author));
    let hlc = hlc.expect("clocks are far from their end");
    let draft = Draft {
        author,
        payload: &payload,
        parents: &offered.ids,
        now_ms,
    };
    let prospect = oracle.prospect(&draft, hlc.physical_ms);
    let says = |what: &str| format!("{}; {prospect:?}", says(what));
    ensure(law, prospect.forgotten.is_none(), || {
        says("the author has signed more")
    })?;
    ensure(law, prospect.early.is_empty(), || {
        says("some lie in the future")
    })?;
    ensure(law, prospect.redundant.is_empty(), || {
        says("some are in the past of others")
    })?;
    let is_early = |op: &OpId| stamp_of(op).is_some_and(|hlc| hlc.physical_ms > now_ms);
    // The author's last op and the grant that permits need room, too.
    let fits = prospect.acts_on + 2 <= PARENTS_MAX;
    ensure(law, !fits || offered.unseen.iter().all(is_early), || {
        says("there was room for what is not named")
    })?;
    let mut lacks = prospect.lacks.iter();
    let is_told = prospect.lacks.is_empty() || lacks.any(|op| offered.unseen.contains(op));
    ensure(law, is_told, || says("no title permits it"))?;
    if matches!(payload, Payload::Grant(_)) && offered.unseen.is_empty() {
        ensure(law, prospect.fatal.is_empty(), || {
            says("a revocation kills the grant")
        })?;
    }

    let op = world::sign(
        wish.author,
        prospect.seq,
        offered.ids.clone(),
        hlc,
        payload.clone(),
    );
    let arrivals = log.ingest(op.clone(), costs);
    let is_admitted = arrivals
        .iter()
        .any(|it| it.op == op.id() && it.outcome == Outcome::Admitted);
    let has_to_be = prospect.has_title && prospect.excuse.is_none();
    ensure(law, is_admitted || !has_to_be, || {
        says(&format!("it is {arrivals:?}"))
    })?;
    let last = log.ids_since(0).last();
    ensure(law, !is_admitted || last == Some(op.id()), || {
        says("it released other ops")
    })
}
