//! Envelopes that were dropped and came back, each by itself. The chunks are packed, and have no room for them.
//!
//! The key is the position, eight bytes with the most significant one first; the value is the envelope.

use std::path::Path;

use crate::backend::{Backend, Batch, Table};
use crate::error::{Error, Spot};
use crate::meta::Meta;
use crate::sealed::{self, CHECK_BYTES};

/// Bytes of envelopes that one transaction puts back, and some.
const PORTION_BYTES: usize = if cfg!(test) { 2048 } else { 4 << 20 };
/// Envelopes of which one transaction puts back, or drops, no more.
pub(crate) const PORTION_COUNT: usize = if cfg!(test) { 20 } else { 16_384 };
/// What an envelope takes up beside its own bytes: key, check, and where they lie in the page.
const BESIDE_BYTES: u64 = 8 + CHECK_BYTES as u64 + 8;

/// The envelope at the position, which came back.
pub(crate) fn read(path: &Path, backend: &dyn Backend, position: u64) -> Result<Vec<u8>, Error> {
    let key = position.to_be_bytes();
    let value = backend.get(Table::Regained, &key)?;
    let opened = value.and_then(|it| sealed::open(Table::Regained, &key, it));
    opened.ok_or_else(|| {
        let place = Spot::Value {
            table: Table::Regained.name(),
            key: key.to_vec(),
        };
        Error::damaged(path, place, "it is not what was written")
    })
}

/// The bytes of the pages that they take up, which are not full.
pub(crate) const fn disk_bytes(meta: &Meta) -> u64 {
    (meta.regained_bytes + meta.regained * BESIDE_BYTES) * 5 / 4
}

/// How many of the envelopes one transaction puts back.
pub(crate) fn portion(envelopes: &[(u64, &[u8])]) -> usize {
    let mut bytes = 0;
    let fits = |(_, envelope): &&(u64, &[u8])| {
        let before = bytes;
        bytes += envelope.len();
        before < PORTION_BYTES
    };
    envelopes
        .iter()
        .take(PORTION_COUNT)
        .take_while(fits)
        .count()
}

/// Puts an envelope back.
pub(crate) fn put(batch: &mut Batch, position: u64, envelope: &[u8]) {
    let key = position.to_be_bytes();
    let value = sealed::seal(Table::Regained, &key, envelope.to_vec());
    batch.put(Table::Regained, &key, value);
}

/// Drops it again.
pub(crate) fn remove(batch: &mut Batch, position: u64) {
    batch.remove(Table::Regained, &position.to_be_bytes());
}
