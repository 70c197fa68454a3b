//! Which envelopes were dropped: one bit for each position.

use std::path::Path;

use crate::backend::{Backend, Batch, Table};
use crate::error::{Error, Spot};
use crate::sealed;

/// The key in `meta`.
const KEY: &[u8] = b"dropped";

/// The positions whose envelopes were dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Eight positions a byte, the first one in the least significant bit; none beyond the last that was dropped.
    bits: Vec<u8>,
}

impl Dropped {
    /// Those of a store that has dropped so many of its ops.
    pub(crate) fn load(
        path: &Path,
        backend: &dyn Backend,
        count: u64,
        ops: u64,
    ) -> Result<Self, Error> {
        if count == 0 {
            return Ok(Self::default());
        }
        let damaged = |what| {
            let place = Spot::Value {
                table: Table::Meta.name(),
                key: KEY.to_vec(),
            };
            Error::damaged(path, place, what)
        };
        let value = backend.get(Table::Meta, KEY)?;
        let value = value.ok_or_else(|| damaged("it is not told which envelopes were dropped"))?;
        let bits = sealed::open(Table::Meta, KEY, value);
        let dropped = Self {
            bits: bits.ok_or_else(|| damaged("its check does not match"))?,
        };
        let end = dropped.bits.len() as u64 * 8;
        let is_beyond = (ops..end).any(|position| dropped.has(position));
        if dropped.count() == count && !is_beyond {
            return Ok(dropped);
        }
        Err(damaged("other envelopes were dropped"))
    }

    /// Writes them.
    pub(crate) fn put(&self, batch: &mut Batch) {
        let value = sealed::seal(Table::Meta, KEY, self.bits.clone());
        batch.put(Table::Meta, KEY, value);
    }

    /// Whether the envelope at the position was dropped.
    pub(crate) fn has(&self, position: u64) -> bool {
        let byte = usize::try_from(position / 8).ok();
        let byte = byte.and_then(|it| self.bits.get(it));
        byte.is_some_and(|it| it >> (position % 8) & 1 == 1)
    }

    /// Adds a position.
    pub(crate) fn add(&mut self, position: u64) {
        let Ok(byte) = usize::try_from(position / 8) else {
            return;
        };
        if self.bits.len() <= byte {
            self.bits.resize(byte + 1, 0);
        }
        self.bits[byte] |= 1 << (position % 8);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.bits.iter().map(|it| u64::from(it.count_ones())).sum()
    }
}
