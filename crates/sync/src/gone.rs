//! What a side does not have any more: envelopes that it has dropped, and the other side lacks (`docs/pruning.md`).

use std::collections::BTreeSet;

use ecac_core::{OpId, Replica};

use crate::close::CloseReason;
use crate::defect::Defect;
use crate::limits::{GONE_IDS_MAX, GONE_MESSAGES_MAX};
use crate::message::Gone;
use crate::outbox::Outbox;
use crate::tally::Tally;

/// Takes out of what is to be sent, parents first, what was dropped and what builds on it; `None` if nothing was.
pub(crate) fn part(replica: &Replica, ops: &mut Outbox, defect: Option<Defect>) -> Option<Gone> {
    let log = replica.log();
    let mut ids: BTreeSet<OpId> = ops.pruned(replica).collect();
    if ids.is_empty() {
        return None;
    }
    let (dropped, mut held_back) = (ids.len() as u64, 0);
    let mut lacked = ids.clone();
    ops.retain(replica, |op| {
        if lacked.contains(op) {
            return false;
        }
        let builds_on = |op: &OpId| {
            let held = log.get(op);
            held.is_some_and(|it| it.body().parents.iter().any(|it| lacked.contains(it)))
        };
        let is_sent = !builds_on(op) || defect == Some(Defect::SendsBeyondGone);
        if !is_sent {
            held_back += 1;
            lacked.insert(*op);
        }
        is_sent
    });
    while ids.len() > GONE_IDS_MAX {
        ids.pop_last();
    }
    Some(Gone {
        dropped,
        held_back,
        ids: ids.into_iter().collect(),
    })
}

/// What the other side says it has dropped.
#[derive(Debug, Default)]
pub(crate) struct Told {
    ids: BTreeSet<OpId>,
    messages: u32,
}

impl Told {
    /// The ops that it names.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &OpId> {
        self.ids.iter()
    }

    /// Takes in what it says: not that nothing was dropped, and not without end.
    ///
    /// # Errors
    /// Why the session ends.
    pub(crate) fn take(&mut self, gone: Gone, tally: &mut Tally) -> Result<(), CloseReason> {
        let named = gone.dropped.min(GONE_IDS_MAX as u64);
        self.messages += 1;
        if self.messages > GONE_MESSAGES_MAX || named == 0 || gone.ids.len() as u64 != named {
            return Err(CloseReason::Unexpected);
        }
        tally.gone_ops = tally.gone_ops.saturating_add(gone.dropped);
        tally.held_back_ops = tally.held_back_ops.saturating_add(gone.held_back);
        self.ids.extend(gone.ids);
        Ok(())
    }
}
