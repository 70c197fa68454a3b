//! Which envelopes were dropped, and which of these came back: one bit for each position.

use std::path::Path;

use crate::backend::{Backend, Batch, Table};
use crate::error::{Error, Spot};
use crate::sealed;

/// What is told of the positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Their envelopes were dropped: their records in the chunks are empty.
    Dropped,
    /// Of these, that their envelopes came back, and lie in a table of their own.
    Regained,
}

impl Told {
    /// The key in `meta`.
    const fn key(self) -> &'static [u8] {
        match self {
            Self::Dropped => b"dropped",
            Self::Regained => b"regained",
        }
    }
}

/// The positions of which something is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Positions {
    told: Told,
    /// Eight positions a byte, the first one in the least significant bit; none beyond the last of them.
    bits: Vec<u8>,
}

impl Positions {
    /// None.
    pub(crate) const fn none(told: Told) -> Self {
        let bits = Vec::new();
        Self { told, bits }
    }

    /// Those of a store of which so many of its ops are told so.
    pub(crate) fn load(
        path: &Path,
        backend: &dyn Backend,
        told: Told,
        count: u64,
        ops: u64,
    ) -> Result<Self, Error> {
        if count == 0 {
            return Ok(Self::none(told));
        }
        let key = told.key();
        let damaged = |what| {
            let place = Spot::Value {
                table: Table::Meta.name(),
                key: key.to_vec(),
            };
            Error::damaged(path, place, what)
        };
        let value = backend.get(Table::Meta, key)?;
        let value = value.ok_or_else(|| damaged("it is not told which positions they are"))?;
        let bits = sealed::open(Table::Meta, key, value);
        let positions = Self {
            told,
            bits: bits.ok_or_else(|| damaged("its check does not match"))?,
        };
        let end = positions.bits.len() as u64 * 8;
        let is_beyond = (ops..end).any(|position| positions.has(position));
        if positions.count() == count && !is_beyond {
            return Ok(positions);
        }
        Err(damaged("it tells of other positions"))
    }

    /// Writes them.
    pub(crate) fn put(&self, batch: &mut Batch) {
        let key = self.told.key();
        if self.bits.iter().all(|&it| it == 0) {
            batch.remove(Table::Meta, key);
            return;
        }
        let value = sealed::seal(Table::Meta, key, self.bits.clone());
        batch.put(Table::Meta, key, value);
    }

    /// Whether it is one of them.
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

    /// Takes a position out.
    pub(crate) fn remove(&mut self, position: u64) {
        let byte = usize::try_from(position / 8).ok();
        if let Some(byte) = byte.and_then(|it| self.bits.get_mut(it)) {
            *byte &= !(1 << (position % 8));
        }
    }

    /// Whether all of them are among the others.
    pub(crate) fn are_among(&self, others: &Self) -> bool {
        let others = others.bits.iter().copied().chain(core::iter::repeat(0));
        self.bits
            .iter()
            .zip(others)
            .all(|(&own, other)| own & !other == 0)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.bits.iter().map(|it| u64::from(it.count_ones())).sum()
    }
}
