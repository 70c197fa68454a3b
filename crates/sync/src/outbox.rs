//! Ops that wait to be sent, parents first.

use std::collections::VecDeque;

use ecac_core::{OpId, Replica};

use crate::defect::Defect;
use crate::limits::{BATCH_BYTES_MAX, BATCH_OPS_MAX};

/// Four bytes for each admitted op: its position in the order of admission, which no op leaves.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    admitted: VecDeque<u32>,
    /// What this program cannot judge; it comes after what is admitted.
    unjudged: VecDeque<OpId>,
}

impl Outbox {
    pub(crate) fn new(
        mut admitted: Vec<u32>,
        mut unjudged: Vec<OpId>,
        defect: Option<Defect>,
    ) -> Self {
        admitted.sort_unstable();
        match defect {
            Some(Defect::ForgetsTheLast) => {
                if unjudged.pop().is_none() {
                    admitted.pop();
                }
            }
            Some(Defect::ChildrenFirst) => {
                admitted.reverse();
                unjudged.reverse();
            }
            Some(_) | None => {}
        }
        Self {
            admitted: admitted.into(),
            unjudged: unjudged.into(),
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The envelopes of as many ops as go into a message; `None` if no op is left.
    pub(crate) fn next_batch(&mut self, replica: &Replica) -> Option<Vec<Vec<u8>>> {
        let (mut batch, mut left) = (Vec::new(), BATCH_BYTES_MAX);
        while let Some(id) = self.front(replica) {
            // What fell out meanwhile is passed over: it was never admitted.
            if let Some(envelope) = replica.envelope(&id) {
                if envelope.len() > left || batch.len() == BATCH_OPS_MAX {
                    break;
                }
                left -= envelope.len();
                batch.push(envelope.into_owned());
            }
            if self.admitted.pop_front().is_none() {
                self.unjudged.pop_front();
            }
        }
        (!batch.is_empty()).then_some(batch)
    }

    fn front(&self, replica: &Replica) -> Option<OpId> {
        match self.admitted.front() {
            Some(&rank) => replica.log().ids_since(rank as usize).next(),
            None => self.unjudged.front().copied(),
        }
    }
}
