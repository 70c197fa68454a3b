//! Values with a check: 16 bytes that depend on the table, the key and the value.

use crate::backend::Table;

/// Bytes of the check.
pub(crate) const CHECK_BYTES: usize = 16;

fn check(table: &str, key: &[u8], value: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"ECAC_STORE_V1");
    for part in [table.as_bytes(), key] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.update(value);
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK_BYTES]);
    check
}

/// The value with its check at the end.
pub(crate) fn seal(table: Table, key: &[u8], value: Vec<u8>) -> Vec<u8> {
    seal_in(table.name(), key, value)
}

/// The same, for what is in no table of a backend.
pub(crate) fn seal_in(table: &str, key: &[u8], mut value: Vec<u8>) -> Vec<u8> {
    let check = check(table, key, &value);
    value.extend_from_slice(&check);
    value
}

/// The value, if it is what was sealed under this key.
pub(crate) fn open(table: Table, key: &[u8], sealed: Vec<u8>) -> Option<Vec<u8>> {
    open_in(table.name(), key, sealed)
}

/// The same, for what is in no table of a backend.
pub(crate) fn open_in(table: &str, key: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let (value, found) = sealed.split_last_chunk::<CHECK_BYTES>()?;
    if *found != check(table, key, value) {
        return None;
    }
    sealed.truncate(sealed.len() - CHECK_BYTES);
    Some(sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_sealed_opens() {
        let sealed = seal(Table::Ops, b"key", b"value".to_vec());
        assert_eq!(sealed.len(), 5 + CHECK_BYTES);
        let opened = |table, key: &[u8], sealed: &[u8]| open(table, key, sealed.to_vec());
        assert_eq!(opened(Table::Ops, b"key", &sealed).unwrap(), b"value");
        assert_eq!(opened(Table::Held, b"key", &sealed), None);
        assert_eq!(opened(Table::Ops, b"kez", &sealed), None);
        for at in 0..sealed.len() {
            let mut other = sealed.clone();
            other[at] ^= 1;
            assert_eq!(opened(Table::Ops, b"key", &other), None, "byte {at}");
            assert_eq!(opened(Table::Ops, b"key", &sealed[..at]), None);
        }
    }
}
