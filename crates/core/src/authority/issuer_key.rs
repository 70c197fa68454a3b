//! Issuer keys: whose credentials count.

use crate::credential::Timestamp;
use crate::dag::Index;
use crate::id::PublicKey;
use crate::name::Name;

/// Position of an issuer key in the register.
pub(crate) type KeyId = usize;

/// An issuer key as an `IssuerKey` op lists it.
#[derive(Debug, Clone)]
pub(crate) struct IssuerKey {
    pub(crate) op: Index,
    pub(crate) issuer: Name,
    pub(crate) kid: Name,
    pub(crate) public_key: PublicKey,
    pub(crate) valid_from_ms: u64,
    pub(crate) valid_until_ms: u64,
    /// Whether a denial ends it, or what it rests on, for any op.
    pub(super) touched: bool,
}

impl IssuerKey {
    /// Whether the time lies in the key's window.
    pub(super) fn covers(&self, time: Timestamp) -> bool {
        Timestamp::from_ms(self.valid_from_ms) <= time
            && time < Timestamp::from_ms(self.valid_until_ms)
    }
}
