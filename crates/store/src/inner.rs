//! What a store has in memory of its file, and how a transaction is put together.

use core::ops::ControlFlow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use ecac_core::OpId;

use crate::backend::{Backend, Batch, Table};
use crate::chunks::{Chunk, Chunks};
use crate::error::{Error, Spot};
use crate::meta::{Meta, Saved};
use crate::parts;
use crate::positions::Positions;
use crate::regained;
use crate::sealed;

/// Envelopes one after another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Appended {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Appended {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn push(&mut self, envelope: &[u8]) {
        self.bytes.extend_from_slice(envelope);
        self.ends.push(self.bytes.len());
    }

    pub(crate) fn get(&self, at: usize) -> Option<&[u8]> {
        let end = *self.ends.get(at)?;
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.bytes[start..end])
    }

    pub(crate) fn each(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).filter_map(|at| self.get(at))
    }
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) file: PathBuf,
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) meta: Meta,
    pub(crate) chunks: Chunks,
    /// Envelopes that were appended since the last commit.
    pub(crate) appended: Appended,
    /// Which envelopes were dropped.
    pub(crate) dropped: Positions,
    /// Which of these came back.
    pub(crate) regained: Positions,
    /// The chunk that was read last.
    pub(crate) cache: Option<Chunk>,
    /// The ops that are held outside of the DAG, by their ids.
    pub(crate) held: BTreeSet<OpId>,
    /// The first failure: nothing is written any more.
    pub(crate) broken: Option<String>,
}

/// What a transaction changes beside the envelopes that were appended.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Envelopes that are held outside of the DAG from now on, and were not before.
    pub(crate) held: Vec<(OpId, Vec<u8>)>,
    /// Ops that are not held there any more.
    pub(crate) released: Vec<OpId>,
    /// The snapshot of all that is appended.
    pub(crate) snapshot: Option<Vec<u8>>,
    /// Positions, among those that are appended, of ops that have no envelope: the snapshot tells of them.
    pub(crate) dropped: Vec<u64>,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            held,
            released,
            snapshot,
            dropped,
        } = self;
        held.is_empty() && released.is_empty() && snapshot.is_none() && dropped.is_empty()
    }
}

impl Inner {
    /// How many envelopes are committed.
    pub(crate) const fn committed(&self) -> u64 {
        self.meta.ops
    }

    /// How many envelopes there are, committed or not.
    pub(crate) fn len(&self) -> usize {
        let stored = usize::try_from(self.chunks.count()).unwrap_or(usize::MAX);
        stored.saturating_add(self.appended.len())
    }

    pub(crate) fn append(&mut self, envelope: &[u8]) {
        self.appended.push(envelope);
    }

    pub(crate) fn read(&mut self, position: u64) -> Result<Vec<u8>, Error> {
        if let Some(at) = position.checked_sub(self.chunks.count()) {
            let found = usize::try_from(at)
                .ok()
                .and_then(|at| self.appended.get(at));
            return found.map(<[u8]>::to_vec).ok_or_else(|| {
                let place = Spot::Ops {
                    first: position,
                    op: None,
                };
                Error::damaged(&self.file, place, "there is no op")
            });
        }
        if self.lacks(position) {
            return Err(Error::Dropped {
                file: self.file.clone(),
                position,
            });
        }
        if self.regained.has(position) {
            return regained::read(&self.file, &*self.backend, position);
        }
        self.chunks
            .read(&self.file, &*self.backend, &mut self.cache, position)
    }

    /// Whether the envelope at the position was dropped, and did not come back.
    pub(crate) fn lacks(&self, position: u64) -> bool {
        self.dropped.has(position) && !self.regained.has(position)
    }

    /// The bytes of the pages that are in use.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let snapshot = self.meta.snapshot.map_or(0, |it| parts::disk_bytes(&it));
        let regained = regained::disk_bytes(&self.meta);
        self.chunks.disk_bytes(self.meta.spared) + snapshot + regained
    }

    /// Drops the envelopes at these positions, which are in ascending order and in the snapshot, in as many transactions as it
    /// takes: after each of them the store is whole.
    pub(crate) fn drop_all(&mut self, positions: &[u64]) -> Result<(), Error> {
        let (again, first): (Vec<u64>, Vec<u64>) =
            positions.iter().partition(|&&it| self.dropped.has(it));
        self.drop_again(&again)?;
        let mut rest = &first[..];
        while let Some(&first) = rest.first() {
            let mut batch = Batch::default();
            let is_new = |position: &u64| rest.binary_search(position).is_ok();
            let is_dropped = |position| self.dropped.has(position) || is_new(&position);
            let (chunks, end, spared) = self.chunks.drop_from(
                &self.file,
                &*self.backend,
                first,
                &is_dropped,
                &mut batch,
            )?;
            let (now, later) = rest.split_at(rest.partition_point(|&it| it < end));
            let mut dropped = self.dropped.clone();
            now.iter().for_each(|&it| dropped.add(it));
            dropped.put(&mut batch);
            let mut meta = self.meta;
            meta.generation += 1;
            meta.dropped = dropped.count();
            meta.spared += spared;
            meta.put(&mut batch);
            self.cache = None;
            self.backend.commit(&batch)?;
            (self.meta, self.chunks, self.dropped) = (meta, chunks, dropped);
            rest = later;
        }
        Ok(())
    }

    /// Puts envelopes back, which were dropped and did not come back, in as many transactions as it takes: after each of them the store
    /// is whole.
    pub(crate) fn regain_all(&mut self, envelopes: &[(u64, &[u8])]) -> Result<(), Error> {
        let mut rest = envelopes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(regained::portion(rest));
            self.change_regained(|positions, meta, batch| {
                for &(position, envelope) in now {
                    regained::put(batch, position, envelope);
                    positions.add(position);
                    meta.regained_bytes += envelope.len() as u64;
                }
            })?;
            rest = later;
        }
        Ok(())
    }

    /// Drops envelopes that came back, in as many transactions as it takes.
    fn drop_again(&mut self, positions: &[u64]) -> Result<(), Error> {
        for now in positions.chunks(regained::PORTION_COUNT) {
            let lengths = now
                .iter()
                .map(|&it| Ok(regained::read(&self.file, &*self.backend, it)?.len() as u64))
                .collect::<Result<Vec<u64>, Error>>()?;
            self.change_regained(|positions, meta, batch| {
                for (position, length) in now.iter().zip(lengths) {
                    regained::remove(batch, *position);
                    positions.remove(*position);
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

    pub(crate) fn read_held(&self) -> Result<BTreeMap<OpId, Vec<u8>>, Error> {
        let mut held = BTreeMap::new();
        let mut fault = None;
        self.backend.each(Table::Held, &mut |key, value| {
            let op = key.try_into().map(OpId::from_bytes).ok();
            let opened = sealed::open(Table::Held, key, value.to_vec());
            match op.zip(opened) {
                Some((op, envelope)) => {
                    held.insert(op, envelope);
                    ControlFlow::Continue(())
                }
                None => {
                    fault = Some(key.to_vec());
                    ControlFlow::Break(())
                }
            }
        })?;
        if fault.is_none() && held.len() as u64 == self.meta.held {
            return Ok(held);
        }
        let place = Spot::Value {
            table: Table::Held.name(),
            key: fault.unwrap_or_default(),
        };
        let what = "what is held outside of the DAG is not what was written";
        Err(Error::damaged(&self.file, place, what))
    }

    pub(crate) fn commit(&mut self, changes: Changes) -> Result<(), Error> {
        let mut batch = Batch::default();
        let mut meta = self.meta;
        meta.generation += 1;
        let mut chunks = None;
        if self.appended.len() > 0 {
            let after = self.chunks.append(self.appended.each(), &mut batch);
            meta.ops = after.count();
            chunks = Some(after);
        }
        let mut dropped = None;
        if !changes.dropped.is_empty() {
            let mut after = self.dropped.clone();
            changes.dropped.iter().for_each(|&it| after.add(it));
            after.put(&mut batch);
            meta.dropped = after.count();
            dropped = Some(after);
        }
        let mut held = Vec::new();
        for op in changes.released.iter().filter(|op| self.held.contains(op)) {
            meta.held -= 1;
            batch.remove(Table::Held, op.as_bytes());
        }
        for (op, envelope) in changes.held {
            meta.held += 1;
            let value = sealed::seal(Table::Held, op.as_bytes(), envelope);
            batch.put(Table::Held, op.as_bytes(), value);
            held.push(op);
        }
        if let Some(snapshot) = changes.snapshot {
            if let Some(before) = &meta.snapshot {
                parts::remove(before, &mut batch);
            }
            parts::put(meta.generation, &snapshot, &mut batch);
            meta.snapshot = Some(Saved {
                generation: meta.generation,
                ops: meta.ops,
                bytes: snapshot.len() as u64,
            });
        }
        meta.put(&mut batch);
        self.backend.commit(&batch)?;
        self.meta = meta;
        for op in &changes.released {
            self.held.remove(op);
        }
        self.held.extend(held);
        if let Some(dropped) = dropped {
            self.dropped = dropped;
        }
        if let Some(chunks) = chunks {
            self.chunks = chunks;
            self.appended = Appended::default();
        }
        Ok(())
    }
}
