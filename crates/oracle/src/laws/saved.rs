//! A replica that is saved and restored in between comes to what one replay comes to.

use ecac_core::{MemoryStore, OpStore as _, Replica, VerifiedOp};

use super::law::{Breach, Law, ensure};
use super::said::Said;
use super::trial::Trial;

pub(super) fn check(trial: &Trial, said: &Said) -> Result<(), Breach> {
    let law = Law::IncrementalEqualsFull;
    let ops: Vec<&VerifiedOp> = trial.held().into_iter().collect();
    // Any place will do, and this one is another one for each history.
    let turn = ops
        .last()
        .map_or(0, |op| usize::from(op.id().as_bytes()[0]));
    let (first, rest) = ops.split_at(ops.len() * turn / 256);
    let mut replica = Replica::join(trial.history.project);
    replica.ingest(first.iter().copied().cloned());
    let mut store = MemoryStore::new();
    for envelope in replica.log().envelopes() {
        let kept = store.append(&envelope);
        ensure(law, kept.is_ok(), || format!("{kept:?}"))?;
    }
    let builder = Replica::builder();
    let project = trial.history.project;
    let mut restored = match builder.restore(project, Box::new(store), &replica.save()) {
        Ok(restored) => restored,
        Err(error) => {
            let what = format!("a snapshot after {} ops: {error}", first.len());
            return Err(Breach { law, what });
        }
    };
    let said_of = |replica: &Replica| Said::of(replica.log(), replica.replay());
    let (before, after) = (said_of(&replica), said_of(&restored));
    ensure(law, before == after, || {
        let difference = before.replayed.difference(&after.replayed);
        format!("restored after {} ops: {difference}", first.len())
    })?;
    restored.ingest(rest.iter().copied().cloned());
    let whole = said_of(&restored);
    ensure(law, whole == *said, || {
        let difference = said.replayed.difference(&whole.replayed);
        format!(
            "restored after {} ops, at the end: {difference}",
            first.len()
        )
    })
}
