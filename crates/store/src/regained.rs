//! Envelopes that were dropped and came back, each by itself. The chunks are packed, and have no room for them.
//!
//! The key is the position, eight bytes with the most significant one first; the value is the envelope.

use std::path::Path;

use crate::backend::{Backend, Batch, Table};
use crate::error::{Error, Spot};
use crate::inner::Inner;
use crate::meta::Meta;
use crate::positions::Positions;
use crate::sealed::{self, CHECK_BYTES};

/// Bytes of envelopes that one transaction puts back, and some.
const PORTION_BYTES: usize = if cfg!(test) { 2048 } else { 4 << 20 };
/// Envelopes of which one transaction puts back, or drops, no more.
const PORTION_COUNT: usize = if cfg!(test) { 20 } else { 16_384 };
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

impl Inner {
    /// Puts envelopes back, which were dropped and did not come back, in as many transactions as it takes: after each of them the store
    /// is whole.
    pub(crate) fn regain_all(&mut self, envelopes: &[(u64, &[u8])]) -> Result<(), Error> {
        let mut rest = envelopes;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = |(_, envelope): &&(u64, &[u8])| {
                let before = bytes;
                bytes += envelope.len();
                before < PORTION_BYTES
            };
            let count = rest.iter().take(PORTION_COUNT).take_while(fits).count();
            let (now, later) = rest.split_at(count);
            self.change_regained(|positions, meta, batch| {
                for &(position, envelope) in now {
                    let key = position.to_be_bytes();
                    let value = sealed::seal(Table::Regained, &key, envelope.to_vec());
                    batch.put(Table::Regained, &key, value);
                    positions.add(position);
                    meta.regained_bytes += envelope.len() as u64;
                }
            })?;
            rest = later;
        }
        Ok(())
    }

    /// Drops envelopes that came back, in as many transactions as it takes.
    pub(crate) fn drop_again(&mut self, positions: &[u64]) -> Result<(), Error> {
        for now in positions.chunks(PORTION_COUNT) {
            let lengths = now
                .iter()
                .map(|&it| Ok(read(&self.file, &*self.backend, it)?.len() as u64))
                .collect::<Result<Vec<u64>, Error>>()?;
            self.change_regained(|regained, meta, batch| {
                for (position, length) in now.iter().zip(lengths) {
                    batch.remove(Table::Regained, &position.to_be_bytes());
                    regained.remove(*position);
                    meta.regained_bytes = meta.regained_bytes.saturating_sub(length);
                }
            })?;
        }
        Ok(())
    }

    /// Changes which envelopes came back, in one transaction.
    fn change_regained(
        &mut self,
        change: impl FnOnce(&mut Positions, &mut Meta, &mut Batch),
    ) -> Result<(), Error> {
        let (mut regained, mut meta) = (self.regained.clone(), self.meta);
        let mut batch = Batch::default();
        meta.generation += 1;
        change(&mut regained, &mut meta, &mut batch);
        meta.regained = regained.count();
        regained.put(&mut batch);
        meta.put(&mut batch);
        self.backend.commit(&batch)?;
        (self.meta, self.regained) = (meta, regained);
        Ok(())
    }
}
