//! Content keys: what values are sealed under.

use core::fmt;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use ecac_core::{OpId, Sealed, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::context::Context;
use crate::unopened::Unopened;

/// The key that a `KeyRotate` stands for. It is wiped when it is dropped.
#[derive(Clone)]
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
    /// The key of these bytes, which are random, or were in a share.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let key = Self(Zeroizing::new(bytes));
        bytes.zeroize();
        key
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The value under seal for the place. The nonce is 24 random bytes that nothing else is sealed with under this key;
    /// `key` is the id of its `KeyRotate`.
    ///
    /// # Errors
    /// [`Unopened`] if the value is sealed already, or longer than any cipher takes.
    pub fn seal(
        &self,
        key: OpId,
        value: &Value,
        context: &Context<'_>,
        nonce: [u8; 24],
    ) -> Result<Sealed, Unopened> {
        if matches!(value, Value::Sealed(_)) {
            return Err(Unopened);
        }
        let plain = Zeroizing::new(value.encode());
        let payload = Payload {
            msg: &plain,
            aad: &context.encode(),
        };
        let ciphertext = self.cipher().encrypt(&XNonce::from(nonce), payload);
        Ok(Sealed {
            key,
            nonce,
            ciphertext: ciphertext.map_err(|_| Unopened)?,
        })
    }

    /// The value that was sealed for the place.
    ///
    /// # Errors
    /// [`Unopened`] if this is not its key, if it was sealed for another place, or if what comes out is no value.
    pub fn open(&self, sealed: &Sealed, context: &Context<'_>) -> Result<Value, Unopened> {
        let payload = Payload {
            msg: &sealed.ciphertext,
            aad: &context.encode(),
        };
        let plain = self.cipher().decrypt(&XNonce::from(sealed.nonce), payload);
        let plain = Zeroizing::new(plain.map_err(|_| Unopened)?);
        Value::decode(&plain).ok_or(Unopened)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(self.as_bytes().into())
    }
}

/// Shows that there is one, and not which.
impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(…)")
    }
}
