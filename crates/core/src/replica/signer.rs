//! Signers: who holds a private key, and signs with it.

use core::error::Error;

use crate::id::PublicKey;
use crate::op::{SigningKey, public_key};

/// Whoever signs for an author: a key in memory, in hardware, or in another process.
///
/// The engine asks once for each op that would be admitted, verifies what it is given, and never sees the private key.
///
/// ```
/// use ecac_core::{PublicKey, SignError, Signer, SigningKey};
///
/// /// A device that signs; a key in memory stands for it here.
/// struct Card(SigningKey);
///
/// impl Signer for Card {
///     fn public_key(&self) -> PublicKey {
///         ecac_core::public_key(&self.0)
///     }
///
///     fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
///         Ok(self.0.sign(message).into())
///     }
/// }
///
/// let card = Card(SigningKey::from([1; 32]));
/// assert_eq!(card.sign(b"message")?.len(), 64);
/// # Ok::<(), SignError>(())
/// ```
pub trait Signer {
    /// The public key with which the signatures verify: the author of the ops.
    fn public_key(&self) -> PublicKey;

    /// The Ed25519 signature of the message (RFC 8032), which is at most [`crate::limits::ENVELOPE_BYTES_MAX`] bytes long.
    ///
    /// # Errors
    /// [`SignError`] if there is no signature to be had.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// Why a [`Signer`] did not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// Whoever holds the key does not want to.
    #[error("the holder of the key declined")]
    Declined,
    /// The key is not to be reached, or what holds it failed.
    #[error("what holds the key failed")]
    Failed {
        /// What the signer says of it.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl SignError {
    /// The error that what holds the key reports.
    ///
    /// ```
    /// use std::error::Error as _;
    ///
    /// let error = ecac_core::SignError::failed("no card in the slot");
    /// assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("no card in the slot"));
    /// ```
    #[must_use]
    pub fn failed(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed {
            source: source.into(),
        }
    }
}

impl Signer for SigningKey {
    fn public_key(&self) -> PublicKey {
        public_key(self)
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        Ok(Self::sign(self, message).into())
    }
}
