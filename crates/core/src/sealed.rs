//! Sealed values: what the log shows of a value that only readers can open.

use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::id::OpId;

/// A value under a content key (`docs/protocol.md`, Sealed values and keys). Nothing here opens it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sealed {
    /// The `KeyRotate` that made the key.
    pub key: OpId,
    /// Nonce of XChaCha20-Poly1305.
    pub nonce: [u8; 24],
    /// Ciphertext with its tag, [`crate::limits::SEALED_BYTES_MIN`] to [`crate::limits::SEALED_BYTES_MAX`] bytes.
    pub ciphertext: Vec<u8>,
}

impl Sealed {
    /// SHA-256 of nonce and ciphertext, which stands for the value in exports.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(self.nonce);
        hasher.update(&self.ciphertext);
        hasher.finalize().into()
    }

    /// The value in exports.
    #[must_use]
    pub fn to_json(&self) -> Json {
        json!({ "sealed": { "digest": hex::encode(self.digest()), "key": self.key } })
    }
}
