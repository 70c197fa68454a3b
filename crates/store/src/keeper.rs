//! A durable replica as what a session of sync reads from and hands ops to.

use ecac_core::{Received, Replica};
use ecac_sync::{KeepError, Keeper};

use crate::durable::DurableReplica;

impl Keeper for DurableReplica {
    fn replica(&self) -> &Replica {
        self
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.receive_in_order(envelopes).map_err(|error| KeepError {
            reason: error.to_string(),
        })
    }
}
