//! Keepers: what a session reads from and hands ops to.

use ecac_core::{OpId, Received, RegainError, Regained, Replica};

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

    /// Gives back envelopes of ops that are here without, as [`Replica::regain`] does. A durable replica has them on the disk when it
    /// returns. Only a session [that asks](crate::Session::asking_for_older) calls it; a keeper that does not say how takes nothing back.
    ///
    /// # Errors
    /// [`RegainFault`]: nothing came back, and the session closes.
    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault> {
        let reason = format!("it takes no envelopes back, and {} came", envelopes.len());
        Err(KeepError { reason }.into())
    }
}

/// A store that has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store of the replica has failed: {reason}")]
pub struct KeepError {
    /// What went wrong, in the words of the store.
    pub reason: String,
}

/// Why envelopes are not given back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegainFault {
    /// The op is not what is kept of it; see [`RegainError::Contradicts`].
    #[error("the op {op} is not what was told of it without its envelope")]
    Contradicts {
        /// The op.
        op: OpId,
    },
    /// The store has failed.
    #[error(transparent)]
    Keep(#[from] KeepError),
}

impl From<RegainError> for RegainFault {
    fn from(error: RegainError) -> Self {
        match error {
            RegainError::Contradicts { op } => Self::Contradicts { op },
            other => Self::Keep(KeepError {
                reason: other.to_string(),
            }),
        }
    }
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

    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault> {
        Ok(Replica::regain(self, envelopes)?)
    }
}
