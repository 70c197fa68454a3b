//! What becomes of ops that come in: those with their parents are handed to the keeper, which verifies them.

use ecac_core::{Event, Refusal};

use crate::close::CloseReason;
use crate::defect::Defect;
use crate::fresh::Fresh;
use crate::keeper::Keeper;
use crate::limits::{ORPHANS_MAX, USELESS_MAX};
use crate::tally::Tally;

/// Hands on what has its parents, and counts what came of it.
///
/// # Errors
/// Why the session ends: bytes that are no op of the project, too much that is of no use, or a store that has failed.
pub(crate) fn take_ops(
    keeper: &mut dyn Keeper,
    envelopes: &[&[u8]],
    tally: &mut Tally,
    defect: Option<Defect>,
) -> Result<(), CloseReason> {
    let mut fresh = Fresh::new(envelopes.len());
    let mut batch = Vec::with_capacity(envelopes.len());
    let glances = keeper.replica().glances(envelopes);
    for (&envelope, glance) in envelopes.iter().zip(glances) {
        let op = glance.ok_or(CloseReason::BadOp)?;
        let log = keeper.replica().log();
        let mut parents = op.parents.iter();
        let here = parents.all(|it| fresh.contains(it) || log.holds(it));
        if here || defect == Some(Defect::ChecksNoParents) {
            fresh.insert(op.id);
            batch.push(envelope);
        } else {
            tally.orphans += 1;
        }
    }
    if tally.orphans > ORPHANS_MAX {
        return Err(CloseReason::Orphans);
    }
    let received = keeper.keep(&batch).map_err(|_| CloseReason::Store)?;
    let mut is_bad = false;
    for event in &received.events {
        match event {
            Event::Rejected { .. } => is_bad = true,
            Event::Refused { reason, .. } if *reason == Refusal::ForeignProject => is_bad = true,
            Event::Duplicate { .. } | Event::Refused { .. } | Event::Dropped { .. } => {
                tally.useless_ops += 1;
            }
            // One that waited before is told again when it waits for less; nobody sent it.
            Event::Pending { op, .. } => tally.orphans += u64::from(fresh.contains(&op.id)),
            Event::Applied { .. } | Event::Denied { .. } | Event::Unsupported { .. } => {
                tally.useful_ops += 1;
            }
            Event::RolledBack { .. } | Event::Reinstated { .. } => {}
        }
    }
    if is_bad {
        return Err(CloseReason::BadOp);
    }
    if tally.useless_ops > USELESS_MAX + tally.useful_ops {
        return Err(CloseReason::Useless);
    }
    Ok(())
}
