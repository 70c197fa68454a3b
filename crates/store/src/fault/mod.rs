//! A disk in memory whose power fails, for simulations of whatever stands on a store.

mod step;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecac_core::ProjectId;
use redb::StorageBackend;

use crate::disk::{Check, Disk};
use crate::durable::DurableReplica;
use crate::error::Error;
use crate::options::Options;
use crate::store::Store;

pub(crate) use step::{Step, torn};

/// What errors call the disk.
const NAME: &str = "faulty disk";
/// Memory for pages, in bytes: little, so that pages leave it.
const PAGES_BYTES: usize = 1 << 16;

/// A disk in memory that can lose power: what was synced stays, and of the rest what chance leaves. Copies are the same disk.
///
/// ```
/// use ecac_core::OpId;
/// use ecac_store::{FaultyDisk, Options};
///
/// let disk = FaultyDisk::new();
/// let replica = disk.join(Options::new(), OpId::from_bytes([1; 32]))?;
/// disk.fail_after(0);
/// drop(replica);
/// disk.restore(&mut |bound| bound - 1);
/// assert!(disk.open(Options::new())?.heads().is_empty());
/// # Ok::<(), ecac_store::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct FaultyDisk(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    bytes: Vec<u8>,
    synced: Vec<u8>,
    /// What was done since the last sync.
    unsynced: Vec<Step>,
    /// Steps until power fails.
    steps_left: Option<usize>,
}

impl Inner {
    const fn has_failed(&self) -> bool {
        matches!(self.steps_left, Some(0))
    }
}

impl FaultyDisk {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A replica of the project that holds nothing, on the empty disk.
    ///
    /// # Errors
    /// [`Error`] if power fails.
    pub fn join(&self, options: Options, project: ProjectId) -> Result<DurableReplica, Error> {
        let path = Path::new(NAME);
        let disk = Disk::create_on(path, Box::new(self.clone()), PAGES_BYTES)?;
        let store = Store::create_on(path, Box::new(disk), project)?;
        options.on(store, true)
    }

    /// A replica that starts from a sealed snapshot, as [`Options::start_from`] does, on a disk with a store that holds nothing.
    ///
    /// # Errors
    /// As there, or if power fails.
    pub fn start_from(&self, options: Options, carried: &[u8]) -> Result<DurableReplica, Error> {
        options.start_on(self.store()?, carried)
    }

    fn store(&self) -> Result<Store, Error> {
        let path = Path::new(NAME);
        let disk = Disk::open_on(path, Box::new(self.clone()), PAGES_BYTES, false, Check::All)?;
        Store::open_on(path, Box::new(disk))
    }

    /// The replica on the disk.
    ///
    /// # Errors
    /// [`Error`] if there is none, or power fails.
    pub fn open(&self, options: Options) -> Result<DurableReplica, Error> {
        options.on(self.store()?, true)
    }

    /// Power fails after so many more steps: writes, changes of length and syncs. Everything fails from then on.
    pub fn fail_after(&self, steps: usize) {
        let mut inner = self.inner();
        if !inner.has_failed() {
            inner.steps_left = Some(steps);
        }
    }

    /// Whether power has failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.inner().has_failed()
    }

    /// Power comes back. `below` chooses what is left of what was not synced: numbers below the one that it is given.
    pub fn restore(&self, below: &mut dyn FnMut(usize) -> usize) {
        let mut inner = self.inner();
        let mut bytes = core::mem::take(&mut inner.synced);
        torn(&mut bytes, &inner.unsynced, below);
        inner.synced.clone_from(&bytes);
        inner.bytes = bytes;
        inner.unsynced.clear();
        inner.steps_left = None;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, step: Step) -> io::Result<()> {
        let mut inner = self.inner();
        match &mut inner.steps_left {
            Some(0) => return Err(no_power()),
            Some(left) => *left -= 1,
            None => {}
        }
        if inner.has_failed() {
            // What the last step does is not known to be done.
            if !matches!(step, Step::Sync) {
                inner.unsynced.push(step);
            }
            return Err(no_power());
        }
        step.apply_all(&mut inner.bytes);
        let Inner {
            synced, unsynced, ..
        } = &mut *inner;
        match step {
            Step::Sync => unsynced.drain(..).for_each(|it| it.apply_all(synced)),
            Step::Write { .. } | Step::Resize(_) => unsynced.push(step),
        }
        Ok(())
    }
}

fn no_power() -> io::Error {
    io::Error::other("power has failed")
}

impl StorageBackend for FaultyDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inner = self.inner();
        if inner.has_failed() {
            return Err(no_power());
        }
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let there = start.checked_add(out.len());
        let there = there.and_then(|end| inner.bytes.get(start..end));
        out.copy_from_slice(there.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let length = usize::try_from(len).map_err(io::Error::other)?;
        self.step(Step::Resize(length))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.step(Step::Sync)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = data.to_vec();
        self.step(Step::Write { offset, bytes })
    }
}
