//! The one rule by which signatures are valid.

use crate::id::PublicKey;

/// Whether `signature` is `key`'s over `message` under ZIP 215, the one rule for ops, credentials and lists.
#[must_use]
pub fn zip215_verifies(key: &PublicKey, signature: &[u8; 64], message: &[u8]) -> bool {
    let signature = ed25519_zebra::Signature::from(*signature);
    ed25519_zebra::VerificationKey::try_from(*key.as_bytes())
        .is_ok_and(|key| key.verify(&signature, message).is_ok())
}
