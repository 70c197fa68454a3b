//! A storage that keeps writes back until they are let through.
//!
//! Opening a database verifies it, and writes: what an unclean end left is put in order, and the database is marked as being in
//! use. All that stays in memory until the store itself is written to for the first time. So a file that is damaged, foreign or
//! only looked at is not touched, and a file whose last process was killed can be read without being able to write.
//!
//! A transaction of redb has two phases, and each ends with a sync: the new state and the record of it, then the flag that makes it count. The
//! record is what an opening looks for ([`super::Disk`] takes a later state that is whole, whatever the flag says), so the flag need not be
//! waited for: it reaches the disk with the next sync at the latest. It lies in the first sector, with the records, so that it is never older
//! than they are.
//!
//! Of a file that was closed in order each page is verified when it is read for the first time.

use core::ops::Bound;
use core::sync::atomic::{AtomicU8, Ordering};
use std::collections::BTreeMap;
use std::io;
use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
};

use redb::{BackendError, StorageBackend};

use super::pages::Pages;

/// What a disk writes whole or not at all, in bytes; flags and records lie in the first.
const SECTOR_BYTES: u64 = 512;
/// What was written since the last sync: nothing, the first sector, or more.
const NOTHING: u8 = 0;
const FIRST_SECTOR: u8 = 1;
const MORE: u8 = 2;
/// Bytes that are kept together.
const PAGE_BYTES: usize = 4096;

/// A storage whose writes are kept back.
#[derive(Debug, Clone)]
pub(super) struct Guard(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    storage: Box<dyn StorageBackend>,
    /// Whether the storage is locked as a reader does, whatever is asked for.
    shares: bool,
    kept: RwLock<Option<Kept>>,
    unsynced: AtomicU8,
    /// What the pages have to be, if they are verified as they are read.
    pages: Mutex<Option<Pages>>,
    /// Where a page lies that is not what was written.
    damage: OnceLock<u64>,
}

/// What was written and is not in the storage.
#[derive(Debug)]
struct Kept {
    steps: Vec<Step>,
    pages: BTreeMap<u64, Box<[u8; PAGE_BYTES]>>,
    len: u64,
    /// Up to where the storage says what is not among the pages; beyond it there are zeros.
    valid: u64,
}

#[derive(Debug)]
enum Step {
    Write { offset: u64, bytes: Vec<u8> },
    Resize(u64),
    Sync,
}

impl Guard {
    pub(super) fn new(storage: Box<dyn StorageBackend>, shares: bool) -> io::Result<Self> {
        let kept = RwLock::new(Some(Kept::nothing(storage.len()?)));
        Ok(Self(Arc::new(Inner {
            storage,
            shares,
            kept,
            unsynced: AtomicU8::new(NOTHING),
            pages: Mutex::new(None),
            damage: OnceLock::new(),
        })))
    }

    /// Verifies each page from now on when it is read.
    pub(super) fn verify(&self, pages: Pages) {
        *self.0.pages() = Some(pages);
    }

    /// Where a page lies that was read and is not what was written.
    pub(super) fn damage(&self) -> Option<u64> {
        self.0.damage.get().copied()
    }

    /// Forgets what was kept back.
    pub(super) fn forget(&self) -> io::Result<()> {
        *self.0.kept_mut() = Some(Kept::nothing(self.0.storage.len()?));
        Ok(())
    }

    /// Makes in the storage what was kept back, in order, and keeps nothing back any more.
    pub(super) fn let_through(&self) -> io::Result<()> {
        let mut kept = self.0.kept_mut();
        if let Some(of) = kept.as_mut() {
            for step in of.steps.drain(..) {
                match step {
                    Step::Write { offset, bytes } => self.0.storage.write(offset, &bytes)?,
                    Step::Resize(len) => self.0.storage.set_len(len)?,
                    Step::Sync => self.0.storage.sync_data()?,
                }
            }
        }
        *kept = None;
        Ok(())
    }

    /// How long the storage is, if writes are let through; else 0.
    pub(super) fn written_bytes(&self) -> u64 {
        match &*self.0.kept() {
            Some(_) => 0,
            None => self.0.storage.len().unwrap_or(0),
        }
    }

    /// Shows other bytes there than the storage has, without a step that would write them.
    pub(super) fn show(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let storage = &*self.0.storage;
        match self.0.kept_mut().as_mut() {
            Some(kept) => kept.lay(storage, offset, bytes),
            None => Ok(()),
        }
    }
}

impl Inner {
    fn sync(&self) -> io::Result<()> {
        self.storage.sync_data()?;
        self.unsynced.store(NOTHING, Ordering::Relaxed);
        Ok(())
    }

    fn pages(&self) -> MutexGuard<'_, Option<Pages>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept(&self) -> RwLockReadGuard<'_, Option<Kept>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn kept_mut(&self) -> RwLockWriteGuard<'_, Option<Kept>> {
        self.kept.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    const fn nothing(len: u64) -> Self {
        Self {
            steps: Vec::new(),
            pages: BTreeMap::new(),
            len,
            valid: len,
        }
    }

    fn read(&self, storage: &dyn StorageBackend, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(out.len() as u64);
        if end.is_none_or(|end| end > self.len) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let from_storage = self.valid.saturating_sub(offset).min(out.len() as u64);
        let (below, beyond) = out.split_at_mut(usize::try_from(from_storage).unwrap_or(0));
        if !below.is_empty() {
            storage.read(offset, below)?;
        }
        beyond.fill(0);
        for (page, from, to) in parts(offset, out.len()) {
            if let Some(bytes) = self.pages.get(&page) {
                let within = within(offset, from);
                out[from..to].copy_from_slice(&bytes[within..within + (to - from)]);
            }
        }
        Ok(())
    }

    /// Puts the bytes onto the pages.
    fn lay(&mut self, storage: &dyn StorageBackend, offset: u64, bytes: &[u8]) -> io::Result<()> {
        for (page, from, to) in parts(offset, bytes.len()) {
            if !self.pages.contains_key(&page) {
                let start = page * PAGE_BYTES as u64;
                let mut blank = Box::new([0; PAGE_BYTES]);
                let there = self.len.saturating_sub(start).min(PAGE_BYTES as u64);
                let there = usize::try_from(there).unwrap_or(0);
                self.read(storage, start, &mut blank[..there])?;
                self.pages.insert(page, blank);
            }
            if let Some(of) = self.pages.get_mut(&page) {
                let within = within(offset, from);
                of[within..within + (to - from)].copy_from_slice(&bytes[from..to]);
            }
        }
        Ok(())
    }
}

/// The pages that so many bytes from the offset on lie in, each with the part of the bytes.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let mut from = 0;
    core::iter::from_fn(move || {
        if from == length {
            return None;
        }
        let page = (offset + from as u64) / PAGE_BYTES as u64;
        let to = length.min(from + PAGE_BYTES - within(offset, from));
        let part = (page, from, to);
        from = to;
        Some(part)
    })
}

/// Where in its page the byte lies that is so far behind the offset.
fn within(offset: u64, from: usize) -> usize {
    usize::try_from((offset + from as u64) % PAGE_BYTES as u64).unwrap_or(0)
}

impl StorageBackend for Guard {
    fn len(&self) -> io::Result<u64> {
        match &*self.0.kept() {
            Some(kept) => Ok(kept.len),
            None => self.0.storage.len(),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &*self.0.kept() {
            Some(kept) => kept.read(&*self.0.storage, offset, out)?,
            None => self.0.storage.read(offset, out)?,
        }
        let mut pages = self.0.pages();
        if pages.as_mut().is_none_or(|it| it.verifies(offset, out)) {
            return Ok(());
        }
        self.0.damage.get_or_init(|| offset);
        Err(io::Error::other("a page is not what was written"))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        match self.0.kept_mut().as_mut() {
            Some(kept) => {
                if len < kept.len {
                    let whole = len.div_ceil(PAGE_BYTES as u64);
                    kept.pages.retain(|&page, _| page < whole);
                    if let Some(last) = kept.pages.get_mut(&(len / PAGE_BYTES as u64)) {
                        last[within(len, 0)..].fill(0);
                    }
                    kept.valid = kept.valid.min(len);
                }
                kept.len = len;
                kept.steps.push(Step::Resize(len));
                Ok(())
            }
            None => {
                self.0.unsynced.store(MORE, Ordering::Relaxed);
                self.0.storage.set_len(len)
            }
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        match self.0.kept_mut().as_mut() {
            Some(kept) => {
                kept.steps.push(Step::Sync);
                Ok(())
            }
            None if self.0.unsynced.load(Ordering::Relaxed) == FIRST_SECTOR => Ok(()),
            None => self.0.sync(),
        }
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if let Some(pages) = self.0.pages().as_mut() {
            pages.written(offset, data.len());
        }
        match self.0.kept_mut().as_mut() {
            Some(kept) => {
                kept.lay(&*self.0.storage, offset, data)?;
                kept.steps.push(Step::Write {
                    offset,
                    bytes: data.to_vec(),
                });
                Ok(())
            }
            None => {
                let end = offset.saturating_add(data.len() as u64);
                let what = if end <= SECTOR_BYTES {
                    FIRST_SECTOR
                } else {
                    MORE
                };
                self.0.unsynced.fetch_max(what, Ordering::Relaxed);
                self.0.storage.write(offset, data)
            }
        }
    }

    fn close(&self) -> io::Result<()> {
        let synced = match self.0.unsynced.load(Ordering::Relaxed) {
            NOTHING => Ok(()),
            _ => self.0.sync(),
        };
        self.0.storage.close()?;
        synced
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        if self.0.shares {
            return self.0.storage.try_lock_shared_range(start, end);
        }
        self.0.storage.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.0.storage.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        if self.0.shares {
            return self.0.storage.lock_shared_range(start, end);
        }
        self.0.storage.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.0.storage.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.0.storage.query_lock_range(start, end)
    }
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;

    use super::*;

    /// A storage that others look into, and how often it was synced.
    #[derive(Debug, Clone, Default)]
    struct Shared(Arc<InMemoryBackend>, Arc<AtomicU8>);

    impl StorageBackend for Shared {
        fn len(&self) -> io::Result<u64> {
            self.0.len()
        }
        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            self.0.read(offset, out)
        }
        fn set_len(&self, len: u64) -> io::Result<()> {
            self.0.set_len(len)
        }
        fn sync_data(&self) -> io::Result<()> {
            self.1.fetch_add(1, Ordering::Relaxed);
            self.0.sync_data()
        }
        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            self.0.write(offset, data)
        }
    }

    fn all(storage: &dyn StorageBackend) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(storage.len().unwrap()).unwrap()];
        storage.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_kept_back_shows_and_is_let_through() {
        let below = Shared::default();
        below.set_len(10_000).unwrap();
        below.write(0, &[7; 10_000]).unwrap();
        let before = all(&below);
        let guard = Guard::new(Box::new(below.clone()), false).unwrap();
        let plain = Shared::default();
        plain.set_len(10_000).unwrap();
        plain.write(0, &[7; 10_000]).unwrap();
        for storage in [&guard as &dyn StorageBackend, &plain] {
            storage.write(4090, &[1; 20]).unwrap();
            storage.set_len(5000).unwrap();
            storage.sync_data().unwrap();
            storage.set_len(30_000).unwrap();
            storage.write(8191, &[2; 9000]).unwrap();
            storage.write(0, &[3]).unwrap();
            assert!(storage.read(29_999, &mut [0; 2]).is_err());
        }
        assert_eq!(all(&guard), all(&plain));
        assert_eq!(all(&below), before);
        guard.let_through().unwrap();
        assert_eq!(all(&below), all(&plain));
        guard.write(1, &[9]).unwrap();
        assert_eq!(all(&below)[1], 9);
    }

    #[test]
    fn the_flag_alone_is_not_waited_for() {
        let below = Shared::default();
        let guard = Guard::new(Box::new(below.clone()), false).unwrap();
        guard.let_through().unwrap();
        let synced = || below.1.swap(0, Ordering::Relaxed);
        let check = |writes: &[(u64, usize)], wanted: u8| {
            for &(offset, length) in writes {
                guard.write(offset, &vec![1; length]).unwrap();
            }
            guard.sync_data().unwrap();
            assert_eq!(synced(), wanted, "{writes:?}");
        };
        guard.set_len(10_000).unwrap();
        check(&[], 1);
        check(&[(0, 320), (4096, 1)], 1);
        check(&[(0, 320)], 0);
        check(&[(0, 320)], 0);
        check(&[(0, 320), (4096, 4096)], 1);
        check(&[(0, 513)], 1);
        check(&[(500, 12)], 0);
        guard.close().unwrap();
        assert_eq!(synced(), 1, "what was not waited for is synced at the end");
    }
}
