//! Older ops: envelopes that a side is without although it has admitted the ops, and asks for (`docs/sync.md`, Older ops).

use std::collections::VecDeque;

use ecac_core::{OpId, Replica};

use crate::close::CloseReason;
use crate::defect::Defect;
use crate::intake::regain;
use crate::keeper::Keeper;
use crate::limits::{ASKS_MAX, BATCH_BYTES_MAX, BATCH_OPS_MAX, OLDER_IDS_MAX, REGAIN_BYTES};
use crate::message::Message;
use crate::tally::Tally;

/// What this side asks for, and what has come of it.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    /// Whether there may be more to ask for.
    goes_on: bool,
    /// The first position in the order of admission that was not asked for.
    next: usize,
    /// Of each ask that is not answered, how many envelopes may still come.
    open: VecDeque<usize>,
    /// What came and is not handed on yet.
    came: Vec<Vec<u8>>,
    bytes: usize,
}

impl Asking {
    /// Asks for everything that is missing.
    pub(crate) const fn begin(&mut self) {
        self.goes_on = true;
    }

    /// Whether something that was asked for may still come.
    pub(crate) fn waits(&self) -> bool {
        !self.open.is_empty()
    }

    /// Asks for nothing more.
    pub(crate) const fn stop(&mut self) {
        self.goes_on = false;
    }

    /// What is to be asked for next, unless too many asks are not answered or everything was asked for.
    pub(crate) fn next(&mut self, replica: &Replica, tally: &mut Tally) -> Option<Message> {
        if !self.goes_on || self.open.len() == ASKS_MAX {
            return None;
        }
        let count = replica.log().admitted_count();
        let mut ids: Vec<OpId> = Vec::new();
        while self.next < count && ids.len() < OLDER_IDS_MAX {
            if replica.is_pruned_at(self.next) {
                ids.extend(replica.log().ids_since(self.next).next());
            }
            self.next += 1;
        }
        if ids.is_empty() {
            self.goes_on = false;
            return None;
        }
        ids.sort_unstable();
        self.open.push_back(ids.len());
        tally.asked_ops += ids.len() as u64;
        Some(Message::Older(ids))
    }

    /// Takes in what came of the first ask that is not answered; `last`: it is answered now.
    ///
    /// # Errors
    /// Why the session ends.
    pub(crate) fn take(
        &mut self,
        keeper: &mut dyn Keeper,
        last: bool,
        envelopes: Vec<Vec<u8>>,
        tally: &mut Tally,
    ) -> Result<(), CloseReason> {
        let left = self.open.front_mut().ok_or(CloseReason::Unexpected)?;
        let is_empty = envelopes.is_empty() && !last;
        *left = left
            .checked_sub(envelopes.len())
            .filter(|_| !is_empty)
            .ok_or(CloseReason::Unexpected)?;
        if last {
            self.open.pop_front();
        }
        self.bytes += envelopes.iter().map(Vec::len).sum::<usize>();
        self.came.extend(envelopes);
        if last || self.bytes >= REGAIN_BYTES {
            let came = core::mem::take(&mut self.came);
            self.bytes = 0;
            let came: Vec<&[u8]> = came.iter().map(Vec::as_slice).collect();
            regain(keeper, &came, tally)?;
        }
        Ok(())
    }
}

/// What the other side asks for.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    /// Of each ask that is not answered, what was not looked for yet.
    asks: VecDeque<VecDeque<OpId>>,
}

impl Asked {
    /// Whether everything that was asked for was answered.
    pub(crate) fn is_empty(&self) -> bool {
        self.asks.is_empty()
    }

    /// Forgets it.
    pub(crate) fn clear(&mut self) {
        self.asks.clear();
    }

    /// Takes an ask in. Nobody has to ask for an op twice: who has been sent as many as there are is sent no more.
    ///
    /// # Errors
    /// Why the session ends.
    pub(crate) fn take(
        &mut self,
        ids: Vec<OpId>,
        replica: &Replica,
        tally: &Tally,
        defect: Option<Defect>,
    ) -> Result<(), CloseReason> {
        let admitted = replica.log().admitted_count() as u64;
        if self.asks.len() == ASKS_MAX || tally.older_ops > admitted {
            return Err(CloseReason::Unexpected);
        }
        let forgets = defect == Some(Defect::ForgetsOlder);
        let ids = if forgets { Vec::new() } else { ids };
        self.asks.push_back(ids.into());
        Ok(())
    }

    /// The next message of the answer to the first ask: what is at hand of it, in its order.
    pub(crate) fn next(&mut self, replica: &Replica, tally: &mut Tally) -> Option<Message> {
        let ids = self.asks.front_mut()?;
        let (mut envelopes, mut left) = (Vec::new(), BATCH_BYTES_MAX);
        while let Some(id) = ids.front() {
            if let Some(envelope) = replica.envelope(id) {
                if envelope.len() > left || envelopes.len() == BATCH_OPS_MAX {
                    break;
                }
                left -= envelope.len();
                envelopes.push(envelope.into_owned());
            }
            ids.pop_front();
        }
        let last = ids.is_empty();
        if last {
            self.asks.pop_front();
        }
        tally.older_ops += envelopes.len() as u64;
        Some(Message::Again { last, envelopes })
    }
}
