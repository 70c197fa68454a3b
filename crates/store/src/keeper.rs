//! A durable replica as what a session of sync reads from and hands ops to.

use ecac_core::{Received, Regained, Replica};
use ecac_sync::{KeepError, Keeper, RegainFault};

use crate::durable::DurableReplica;
use crate::error::Error;

impl Keeper for DurableReplica {
    fn replica(&self) -> &Replica {
        self
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.receive_in_order(envelopes).map_err(|error| KeepError {
            reason: error.to_string(),
        })
    }

    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault> {
        DurableReplica::regain(self, envelopes).map_err(|error| match error {
            Error::Regain(error) => error.into(),
            other => KeepError {
                reason: other.to_string(),
            }
            .into(),
        })
    }
}
