//! The people of `ecac_oracle::world` whom a target needs.

use ecac_core::PublicKey;
use ecac_oracle::world::person;

/// How many there are.
pub(crate) const COUNT: u8 = 10;
/// The first of those that issue credentials.
pub(crate) const ISSUER_KEYS: u8 = 8;

/// Whose public key it is.
pub(crate) fn find(key: &PublicKey) -> Option<u8> {
    (0..COUNT).find(|number| person(*number).public == *key)
}
