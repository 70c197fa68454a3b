//! What becomes of ops that come in: the keeper verifies them, and keeps those that have their parents.

use std::collections::BTreeSet;

use ecac_core::{Event, OpId, Received, Refusal};

use crate::close::CloseReason;
use crate::keeper::{Keeper, RegainFault};
use crate::limits::{ORPHANS_MAX, USELESS_MAX};
use crate::tally::Tally;

/// Hands ops on, and counts what came of them.
///
/// # Errors
/// Why the session ends: bytes that are no op of the project, too much that is of no use, or a store that has failed.
pub(crate) fn take_ops(
    keeper: &mut dyn Keeper,
    envelopes: &[&[u8]],
    tally: &mut Tally,
) -> Result<(), CloseReason> {
    let received = keeper.keep(envelopes).map_err(|_| CloseReason::Store)?;
    tally.orphans += received.orphans as u64 + waiting(&received);
    let mut is_bad = false;
    for event in &received.events {
        match event {
            Event::Rejected { .. } => is_bad = true,
            Event::Refused { reason, .. } if *reason == Refusal::ForeignProject => is_bad = true,
            Event::Duplicate { .. } | Event::Refused { .. } | Event::Dropped { .. } => {
                tally.useless_ops += 1;
            }
            Event::Applied { .. } | Event::Denied { .. } | Event::Unsupported { .. } => {
                tally.useful_ops += 1;
            }
            Event::Pending { .. } | Event::RolledBack { .. } | Event::Reinstated { .. } => {}
        }
    }
    if is_bad {
        return Err(CloseReason::BadOp);
    }
    if tally.orphans > ORPHANS_MAX {
        return Err(CloseReason::Orphans);
    }
    check_use(tally)
}

/// Gives older ops back, and counts what came of them.
///
/// # Errors
/// Why the session ends: an op that is not what is kept of it, too much that is of no use, or a store that has failed.
pub(crate) fn regain(
    keeper: &mut dyn Keeper,
    envelopes: &[&[u8]],
    tally: &mut Tally,
) -> Result<(), CloseReason> {
    let regained = keeper.regain(envelopes).map_err(|error| match error {
        RegainFault::Contradicts { .. } => CloseReason::Contradicts,
        RegainFault::Keep(_) => CloseReason::Store,
    })?;
    tally.regained_ops += regained.ops as u64;
    tally.useless_ops += regained.others as u64;
    check_use(tally)
}

const fn check_use(tally: &Tally) -> Result<(), CloseReason> {
    if tally.useless_ops > USELESS_MAX + tally.useful_ops {
        return Err(CloseReason::Useless);
    }
    Ok(())
}

/// How many ops of the batch wait for a good copy of a parent. One that waited before is told again when it waits for less;
/// nobody sent it.
fn waiting(received: &Received) -> u64 {
    let waits = |it: &Event| {
        if let Event::Pending { op, .. } = it {
            Some(op.id)
        } else {
            None
        }
    };
    let waiting: BTreeSet<OpId> = received.events.iter().filter_map(waits).collect();
    if waiting.is_empty() {
        return 0;
    }
    let came = received.arrivals.iter().filter(|it| !it.released);
    let came: BTreeSet<OpId> = came.map(|it| it.arrival.op).collect();
    waiting.intersection(&came).count() as u64
}
