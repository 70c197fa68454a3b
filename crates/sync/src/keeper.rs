//! Keepers: what a session reads from and hands ops to.

use ecac_core::{Received, Replica};

/// A replica with whatever stands behind it. A durable one has what it took in on the disk when [`Keeper::keep`]
/// returns.
pub trait Keeper {
    /// The replica.
    fn replica(&self) -> &Replica;

    /// Takes envelopes in, parents first. The implementation verifies each before it keeps it, and does not keep what comes
    /// before its parents, as [`Replica::receive_in_order`] does.
    ///
    /// # Errors
    /// [`KeepError`] if the store has failed; the session closes.
    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError>;
}

/// A store that has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store of the replica has failed: {reason}")]
pub struct KeepError {
    /// What went wrong, in the words of the store.
    pub reason: String,
}

impl Keeper for Replica {
    fn replica(&self) -> &Replica {
        self
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        let received = self.receive_in_order(envelopes);
        match self.fault() {
            Some(fault) => Err(KeepError {
                reason: fault.to_string(),
            }),
            None => Ok(received),
        }
    }
}
