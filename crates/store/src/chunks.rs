//! Envelopes by position, packed into chunks.
//!
//! The records, each a length (LEB128) and an envelope, follow each other without a gap and are cut into chunks of one size, which
//! fill the pages of the disk. A record can lie across chunks. The record of an envelope that was dropped is a length of zero; where some
//! were dropped, numbers of chunks are missing and chunks are not full. The key of a chunk is the position of the first record that begins in
//! it, or behind it where none does, and then its number, each with eight bytes and the most significant one first. Its value
//! begins with the place where that record begins, four bytes with the least significant one first.

use core::ops::ControlFlow;
use std::path::Path;

use ecac_core::limits::ENVELOPE_BYTES_MAX;

use crate::backend::{Backend, Batch, Table};
use crate::error::{Error, Spot};
use crate::sealed::{self, CHECK_BYTES};

/// What a leaf of redb spends beside one key and one value, and a bit more.
const PAGE_HEAD_BYTES: usize = 24;
/// A chunk and its key fill four pages of 4,096 bytes.
const VALUE_BYTES: usize = 4 * 4096 - PAGE_HEAD_BYTES - KEY_BYTES - CHECK_BYTES;
const KEY_BYTES: usize = 16;
/// Where the first record begins.
const HEAD_BYTES: usize = 4;
/// Bytes of records in a full chunk.
const CHUNK_BYTES: usize = VALUE_BYTES - HEAD_BYTES;
/// Chunks that are written anew together where envelopes are dropped, and some: what one transaction takes into memory.
const WINDOW_CHUNKS: u64 = if cfg!(test) { 3 } else { 1024 };

/// A chunk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chunk {
    first: u64,
    number: u64,
    /// Where the first record begins.
    start: usize,
    bytes: Vec<u8>,
    /// Where the records begin that were looked for, from the first one on.
    begins: Vec<u32>,
}

/// Why a chunk is not what was written.
const CHECK: &str = "its check does not match";

impl Chunk {
    fn key(&self) -> [u8; KEY_BYTES] {
        key(self.first, self.number)
    }

    fn of(path: &Path, key: &[u8], value: Vec<u8>) -> Result<Self, Error> {
        let bad = |first, what: &str| Error::damaged(path, Spot::Ops { first, op: None }, what);
        let Some((first, number)) = key.split_first_chunk::<8>() else {
            return Err(bad(0, "a key is too short"));
        };
        let first = u64::from_be_bytes(*first);
        let number: [u8; 8] = number
            .try_into()
            .map_err(|_| bad(first, "a key is too long"))?;
        let mut bytes = sealed::open(Table::Ops, key, value).ok_or_else(|| bad(first, CHECK))?;
        let head = bytes.first_chunk::<HEAD_BYTES>();
        let start = head.map(|it| u32::from_le_bytes(*it) as usize);
        let start = start.ok_or_else(|| bad(first, CHECK))?;
        bytes.drain(..HEAD_BYTES);
        Ok(Self {
            first,
            number: u64::from_be_bytes(number),
            start,
            bytes,
            begins: vec![u32::try_from(start).unwrap_or(u32::MAX)],
        })
    }

    fn put(&self, batch: &mut Batch) {
        let key = self.key();
        let mut value = Vec::with_capacity(HEAD_BYTES + self.bytes.len() + CHECK_BYTES);
        value.extend_from_slice(&u32::try_from(self.start).unwrap_or(u32::MAX).to_le_bytes());
        value.extend_from_slice(&self.bytes);
        batch.put(Table::Ops, &key, sealed::seal(Table::Ops, &key, value));
    }

    /// Where the record of the position begins: the chunk is the one in which it does.
    fn begin(&mut self, position: u64) -> Option<usize> {
        let wanted = usize::try_from(position.checked_sub(self.first)?).ok()?;
        if self.start >= self.bytes.len() {
            return None;
        }
        while self.begins.len() <= wanted {
            let last = *self.begins.last()? as usize;
            let (length, head) = length_at(&self.bytes, last)?;
            let next = last + head + length;
            if next >= self.bytes.len() {
                return None;
            }
            self.begins.push(u32::try_from(next).ok()?);
        }
        Some(self.begins[wanted] as usize)
    }
}

fn key(first: u64, number: u64) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    key[..8].copy_from_slice(&first.to_be_bytes());
    key[8..].copy_from_slice(&number.to_be_bytes());
    key
}

/// The length of a record, and how many bytes tell it; `None` if they do not all lie there.
fn length_at(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut length = 0;
    for (head, byte) in bytes.get(at..)?.iter().enumerate().take(4) {
        length |= usize::from(byte & 0x7f) << (7 * head);
        if byte & 0x80 == 0 {
            return Some((length, head + 1));
        }
    }
    None
}

fn push_length(bytes: &mut Vec<u8>, mut length: usize) {
    while length >= 0x80 {
        bytes.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
        length >>= 7;
    }
    bytes.push(u8::try_from(length).unwrap_or(0));
}

/// The chunks of a store: how many records there are, and the last chunk, which is not full.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chunks {
    count: u64,
    last: Chunk,
}

impl Chunks {
    /// The chunks in a backend that are to hold so many records.
    pub(crate) fn load(path: &Path, backend: &dyn Backend, count: u64) -> Result<Self, Error> {
        let last = backend.at_or_before(Table::Ops, &[0xff; KEY_BYTES])?;
        let Some((key, value)) = last else {
            if count == 0 {
                return Ok(Self::default());
            }
            return Err(missing(path, 0));
        };
        let mut chunks = Self {
            count,
            last: Chunk::of(path, &key, value)?,
        };
        // The records end where they are to end.
        if count < chunks.last.first {
            return Err(missing(path, count));
        }
        if let Some(position) = count.checked_sub(1) {
            let mut cache = None;
            chunks.read(path, backend, &mut cache, position)?;
        }
        let mut count = chunks.last.first;
        let mut at = chunks.last.start;
        while at < chunks.last.bytes.len() {
            let (length, head) =
                length_at(&chunks.last.bytes, at).ok_or_else(|| missing(path, count))?;
            at += length + head;
            count += 1;
        }
        if count != chunks.count || at != chunks.last.bytes.len() {
            return Err(missing(path, count.min(chunks.count)));
        }
        chunks.last.begins.clear();
        Ok(chunks)
    }

    /// The bytes of the pages that they take up, if so many are missing.
    pub(crate) const fn disk_bytes(&self, spared: u64) -> u64 {
        (self.last.number + 1).saturating_sub(spared) * 4 * 4096
    }

    /// How many records there are.
    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// The chunks after these envelopes, and what has to be written for them.
    pub(crate) fn append<'a>(
        &self,
        envelopes: impl Iterator<Item = &'a [u8]>,
        batch: &mut Batch,
    ) -> Self {
        let mut after = self.clone();
        for envelope in envelopes {
            after.push(envelope, 0, batch);
        }
        after.last.put(batch);
        after
    }

    /// Adds the record of an envelope, of which the last so many bytes lie elsewhere; writes the chunks that it fills.
    fn push(&mut self, envelope: &[u8], elsewhere: usize, batch: &mut Batch) {
        let mut record = Vec::with_capacity(envelope.len() + 4);
        push_length(&mut record, envelope.len());
        record.extend_from_slice(envelope);
        let mut rest = &record[..record.len().saturating_sub(elsewhere)];
        if self.last.bytes.len() >= CHUNK_BYTES {
            self.next(self.count, 0, batch);
        }
        while !rest.is_empty() {
            let room = CHUNK_BYTES - self.last.bytes.len();
            let (now, later) = rest.split_at(room.min(rest.len()));
            self.last.bytes.extend_from_slice(now);
            rest = later;
            if !rest.is_empty() {
                self.next(self.count + 1, rest.len(), batch);
            }
        }
        self.count += 1;
    }

    /// Begins another chunk, in which so many bytes belong to a record that began before.
    fn next(&mut self, first: u64, carried: usize, batch: &mut Batch) {
        self.last.put(batch);
        self.last = Chunk {
            first,
            number: self.last.number + 1,
            start: carried.min(CHUNK_BYTES),
            bytes: Vec::with_capacity(CHUNK_BYTES),
            begins: Vec::new(),
        };
    }

    /// The envelope at the position; `cache` is the chunk that was read last.
    pub(crate) fn read(
        &self,
        path: &Path,
        backend: &dyn Backend,
        cache: &mut Option<Chunk>,
        position: u64,
    ) -> Result<Vec<u8>, Error> {
        if position >= self.count {
            return Err(missing(path, position));
        }
        let begun = cache.as_mut().and_then(|chunk| chunk.begin(position));
        let at = match begun {
            Some(at) => at,
            None => {
                let found = backend.at_or_before(Table::Ops, &key(position, u64::MAX))?;
                let (key, value) = found.ok_or_else(|| missing(path, position))?;
                let chunk = cache.insert(Chunk::of(path, &key, value)?);
                chunk
                    .begin(position)
                    .ok_or_else(|| missing(path, position))?
            }
        };
        let Some(chunk) = cache.as_ref() else {
            return Err(missing(path, position));
        };
        if let Some((length, head)) = length_at(&chunk.bytes, at)
            && let Some(envelope) = chunk.bytes.get(at + head..at + head + length)
        {
            return Ok(envelope.to_vec());
        }
        // It lies across chunks. A length is at most three bytes, an envelope at most what the protocol says.
        let mut record = chunk.bytes[at..].to_vec();
        let mut spare = None;
        loop {
            if let Some((length, head)) = length_at(&record, 0) {
                if length > ENVELOPE_BYTES_MAX {
                    return Err(missing(path, position));
                }
                if record.len() >= head + length {
                    record.truncate(head + length);
                    record.drain(..head);
                    break;
                }
            } else if record.len() > 4 {
                return Err(missing(path, position));
            }
            let before = spare.as_ref().unwrap_or(chunk);
            let next = backend.after(Table::Ops, &before.key())?;
            let (key, value) = next.ok_or_else(|| missing(path, position))?;
            let next = Chunk::of(path, &key, value)?;
            if next.number <= before.number || next.first != position + 1 {
                return Err(missing(path, position));
            }
            let carried = next.bytes.get(..next.start);
            record.extend_from_slice(carried.ok_or_else(|| missing(path, position))?);
            spare = Some(next);
        }
        if spare.is_some() {
            // The next position begins there.
            *cache = spare;
        }
        Ok(record)
    }

    /// The chunks after the envelopes that `is_dropped` tells were dropped, of some of them from the one on in which the record of
    /// the position begins; and up to which position that goes, and how many chunks fewer there are.
    ///
    /// What is left of the records is packed into as few chunks as it takes. The chunk after them keeps its key, and loses what it
    /// had of a record that began before, if that was dropped.
    pub(crate) fn drop_from(
        &self,
        path: &Path,
        backend: &dyn Backend,
        position: u64,
        is_dropped: &dyn Fn(u64) -> bool,
        batch: &mut Batch,
    ) -> Result<(Self, u64, u64), Error> {
        let found = backend.at_or_before(Table::Ops, &key(position, u64::MAX))?;
        let (first, value) = found.ok_or_else(|| missing(path, position))?;
        let mut chunk = Chunk::of(path, &first, value)?;
        let mut after = Self {
            count: chunk.first,
            last: Chunk {
                bytes: chunk.bytes.get(..chunk.start).unwrap_or_default().to_vec(),
                begins: Vec::new(),
                ..chunk.clone()
            },
        };
        let (mut taken, mut end) = (0, self.count);
        let next = loop {
            batch.remove(Table::Ops, &chunk.key());
            taken += 1;
            let Some((key, value)) = backend.after(Table::Ops, &chunk.key())? else {
                break None;
            };
            chunk = Chunk::of(path, &key, value)?;
            if taken >= WINDOW_CHUNKS && chunk.start < chunk.bytes.len() {
                end = chunk.first;
                break Some(chunk);
            }
        };
        let (began, mut cache) = (after.last.number, None);
        let carried = next.as_ref().map_or(0, |it| it.start);
        for position in after.count..end {
            if is_dropped(position) {
                after.push(&[], 0, batch);
                continue;
            }
            let envelope = self.read(path, backend, &mut cache, position)?;
            let is_last = position + 1 == end;
            after.push(&envelope, if is_last { carried } else { 0 }, batch);
        }
        after.last.put(batch);
        let spared = taken - (after.last.number + 1 - began).min(taken);
        let Some(mut next) = next else {
            return Ok((after, end, spared));
        };
        if carried > 0 && is_dropped(end - 1) {
            next.bytes.drain(..carried);
            next.start = 0;
            next.put(batch);
        }
        let last = if next.number == self.last.number {
            next
        } else {
            self.last.clone()
        };
        let count = self.count;
        Ok((Self { count, last }, end, spared))
    }

    /// Looks at every chunk: whether its check holds, it continues the one before, and has no envelope where one was dropped.
    pub(crate) fn verify(
        &self,
        path: &Path,
        backend: &dyn Backend,
        is_dropped: &dyn Fn(u64) -> bool,
    ) -> Result<(), Error> {
        let mut row = Row::default();
        let mut fault = None;
        backend.each(Table::Ops, &mut |key, value| {
            let looked = Chunk::of(path, key, value.to_vec()).and_then(|it| {
                row.take(&it, is_dropped)
                    .ok_or_else(|| missing(path, it.first))
            });
            match looked {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    fault = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        match fault {
            Some(error) => Err(error),
            None if row.count == self.count && row.left == 0 => Ok(()),
            None => Err(missing(path, row.count)),
        }
    }
}

/// What the chunks up to one of them come to.
#[derive(Debug, Default)]
struct Row {
    /// The number of the last chunk.
    number: Option<u64>,
    /// How many records have begun.
    count: u64,
    /// What there is of a length that goes on in the next chunk.
    head: Vec<u8>,
    /// Bytes that the last record has in the chunks that follow, without those of its length.
    left: usize,
}

impl Row {
    /// Goes on with the next chunk; `None` if it is none.
    fn take(&mut self, chunk: &Chunk, is_dropped: &dyn Fn(u64) -> bool) -> Option<()> {
        let is_next = self.number.is_none_or(|it| it < chunk.number) && chunk.first == self.count;
        self.number = Some(chunk.number);
        let mut at = 0;
        while is_next && at < chunk.bytes.len() {
            if self.left > 0 {
                let here = self.left.min(chunk.bytes.len() - at);
                (self.left, at) = (self.left - here, at + here);
                continue;
            }
            if self.head.is_empty() {
                // The first record that begins here begins where the chunk says.
                if self.count == chunk.first && at != chunk.start {
                    return None;
                }
                self.count += 1;
            }
            self.head.push(chunk.bytes[at]);
            at += 1;
            if let Some((length, _)) = length_at(&self.head, 0) {
                let is_empty = is_dropped(self.count - 1);
                if length > ENVELOPE_BYTES_MAX || is_empty != (length == 0) {
                    return None;
                }
                self.left = length;
                self.head.clear();
            } else if self.head.len() > 4 {
                return None;
            }
        }
        let has_begun = self.count > chunk.first || chunk.start == chunk.bytes.len();
        (is_next && has_begun).then_some(())
    }
}

fn missing(path: &Path, first: u64) -> Error {
    let place = Spot::Ops { first, op: None };
    Error::damaged(path, place, "what stands there does not fit together")
}
