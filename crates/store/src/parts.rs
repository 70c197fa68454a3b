//! The snapshot, in parts that fill the pages of the disk. The key of a part is the generation of its snapshot and its number, eight
//! bytes each with the most significant one first.

use std::path::Path;

use crate::backend::{Backend, Batch, Table};
use crate::error::{Error, Spot};
use crate::meta::Saved;
use crate::sealed::{self, CHECK_BYTES};

const KEY_BYTES: usize = 16;
/// A part and its key fill sixteen pages of 4,096 bytes.
const PART_BYTES: usize = 16 * 4096 - 24 - KEY_BYTES - CHECK_BYTES;

fn key(generation: u64, part: u64) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    key[..8].copy_from_slice(&generation.to_be_bytes());
    key[8..].copy_from_slice(&part.to_be_bytes());
    key
}

pub(crate) fn count(saved: &Saved) -> u64 {
    saved.bytes.div_ceil(PART_BYTES as u64)
}

/// The bytes of the pages that a snapshot takes up.
pub(crate) fn disk_bytes(saved: &Saved) -> u64 {
    count(saved) * 16 * 4096
}

/// Writes a snapshot.
pub(crate) fn put(generation: u64, snapshot: &[u8], batch: &mut Batch) {
    for (number, part) in (0..).zip(snapshot.chunks(PART_BYTES)) {
        let key = key(generation, number);
        let value = sealed::seal(Table::Snapshot, &key, part.to_vec());
        batch.put(Table::Snapshot, &key, value);
    }
}

/// Removes a snapshot.
pub(crate) fn remove(saved: &Saved, batch: &mut Batch) {
    for number in 0..count(saved) {
        batch.remove(Table::Snapshot, &key(saved.generation, number));
    }
}

/// Reads a snapshot. Whoever compares the digest of the whole need not have the checks of its parts compared, unless the
/// digest does not match: they say where.
pub(crate) fn read(
    path: &Path,
    backend: &dyn Backend,
    saved: &Saved,
    compares: bool,
) -> Result<Vec<u8>, Error> {
    let mut snapshot = Vec::with_capacity(usize::try_from(saved.bytes).unwrap_or(0).min(1 << 30));
    for number in 0..count(saved) {
        let key = key(saved.generation, number);
        let damaged = |what| {
            let place = Spot::Value {
                table: Table::Snapshot.name(),
                key: key.to_vec(),
            };
            Error::damaged(path, place, what)
        };
        let value = backend.get(Table::Snapshot, &key)?;
        let mut value = value.ok_or_else(|| damaged("a part of the snapshot is not there"))?;
        if compares {
            let part = sealed::open(Table::Snapshot, &key, value);
            value = part.ok_or_else(|| damaged("its check does not match"))?;
        } else {
            value.truncate(value.len().saturating_sub(CHECK_BYTES));
        }
        snapshot.extend_from_slice(&value);
    }
    Ok(snapshot)
}
