//! Keys that a target signs with. They protect nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ecac_core::{PublicKey, SigningKey, public_key};

/// How many there are.
pub(crate) const COUNT: u8 = 10;
/// The first of them own projects.
pub(crate) const ROOTS: [u8; 3] = [0, 1, 2];
/// The first of those that issue credentials.
pub(crate) const ISSUER_KEYS: u8 = 8;

/// The key of a person.
pub(crate) fn secret(number: u8) -> SigningKey {
    SigningKey::from([number + 1; 32])
}

/// The public key of a person.
pub(crate) fn public(number: u8) -> PublicKey {
    static KEYS: LazyLock<Vec<PublicKey>> =
        LazyLock::new(|| (0..COUNT).map(|it| public_key(&secret(it))).collect());
    KEYS[usize::from(number)]
}

/// Whose public key it is.
pub(crate) fn find(key: &PublicKey) -> Option<u8> {
    static NUMBERS: LazyLock<BTreeMap<PublicKey, u8>> =
        LazyLock::new(|| (0..COUNT).map(|it| (public(it), it)).collect());
    NUMBERS.get(key).copied()
}
