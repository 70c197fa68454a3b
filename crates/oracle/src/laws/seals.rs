//! What is sealed.

use std::collections::BTreeSet;

use ecac_core::{Costs, Decision, Log, OpId, Payload, Replay, VerifiedOp};

use super::law::{Breach, Law, ensure};
use super::said::Said;

/// Replays the past of each final seal by itself: what is applied there is applied.
pub(super) fn check(log: &Log, said: &Said) -> Result<(), Breach> {
    let is_applied =
        |decision: Option<&Decision>| matches!(decision, Some(Decision::Applied { .. }));
    let effects = &said.replayed.effects;
    let is_final = |op: &VerifiedOp| {
        matches!(op.body().payload, Payload::Seal(_))
            && effects
                .get(&op.id())
                .is_some_and(|effect| effect.code.counts() == Some(true))
    };
    for seal in log.admitted().filter(is_final) {
        let past = past_of(log, &seal);
        let mut sealed = Log::new(log.project());
        for op in log.admitted().filter(|op| past.contains(&op.id())) {
            sealed.ingest(op, &mut Costs::default());
        }
        let within = Replay::of(&sealed, &mut Costs::default()).decisions(&sealed);
        for (op, then) in &within {
            let now = said.replayed.decisions.get(op);
            let stands = !is_applied(Some(then)) || is_applied(now);
            ensure(Law::SealedStands, stands, || {
                format!("{} seals {op} as {then:?}, and it is {now:?}", seal.id())
            })?;
        }
    }
    Ok(())
}

/// The ids of the strict ancestors.
pub(super) fn past_of(log: &Log, op: &VerifiedOp) -> BTreeSet<OpId> {
    let mut past = BTreeSet::new();
    let mut todo: Vec<OpId> = op.body().parents.clone();
    while let Some(id) = todo.pop() {
        if past.insert(id) {
            let op = log.get(&id);
            todo.extend(op.iter().flat_map(|op| &op.body().parents));
        }
    }
    past
}
