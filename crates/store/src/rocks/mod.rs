//! The tables in a directory, by RocksDB.
//!
//! RocksDB puts a directory in order when it opens it to write: it replays its log, writes another manifest and removes files. So a
//! directory is opened to be read, whoever opens it, and opened again to write before the first commit. A log that was cut off
//! looks to RocksDB as a process leaves it that was killed. So a directory that is closed says up to which change it goes, and
//! an opening that finds less is told so.

mod closed;
mod lock;

use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DBRawIterator, DBRecoveryMode, ErrorKind,
    LogLevel, Options, WriteBatch, WriteOptions,
};

use crate::backend::{Backend, Batch, Pair, Table, Take};
use crate::directory::sync_parent;
use crate::error::{Error, Spot};
use crate::holder::Note;
use closed::Closed;
use lock::Lock;

/// The file by which a directory of RocksDB is known: it names the manifest.
const CURRENT: &str = "CURRENT";
/// Changes are kept in memory, and in the log, up to so many bytes; in trials fewer, so that they become tables.
const MEMORY_BYTES: usize = if cfg!(test) { 64 << 10 } else { 8 << 20 };
/// A directory that is closed may be larger than what is in use by so many bytes and this share.
const SPARE_BYTES: u64 = 1 << 20;
const SPARE_SHARE: u64 = 16;
/// Bytes of the tables on the disk.
const TABLE_BYTES: &str = "rocksdb.total-sst-files-size";

/// Tables in a directory of RocksDB: each key begins with a byte that says which table it is of.
#[derive(Debug)]
pub(crate) struct Rocks {
    directory: PathBuf,
    state: RefCell<State>,
    cache_bytes: usize,
    reads_only: bool,
    lock: Option<Lock>,
    /// Removed when the directory is closed.
    note: Option<Note>,
}

enum State {
    /// As it was found.
    Reading(DB),
    /// To be written to.
    Writing(DB),
    Closed,
}

impl core::fmt::Debug for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Reading(_) => "Reading",
            Self::Writing(_) => "Writing",
            Self::Closed => "Closed",
        })
    }
}

impl Rocks {
    /// A new directory; the first commit makes it a store.
    pub(crate) fn create(path: &Path, cache_bytes: usize) -> Result<Self, Error> {
        fs::create_dir(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists {
                file: path.to_owned(),
            },
            _ => Error::io(path, "create", error),
        })?;
        let made = Self::make(path, cache_bytes);
        if made.is_err() {
            // What is left of the attempt is empty.
            drop(fs::remove_dir_all(path));
        }
        made
    }

    fn make(path: &Path, cache_bytes: usize) -> Result<Self, Error> {
        sync_parent(path)?;
        let lock = Lock::create(path)?;
        let mut options = options(cache_bytes);
        options.create_if_missing(true);
        options.set_error_if_exists(true);
        let database = DB::open(&options, path);
        let database = database.map_err(|error| refused(path, "create", &error))?;
        Ok(Self {
            directory: path.to_owned(),
            state: RefCell::new(State::Writing(database)),
            cache_bytes,
            reads_only: false,
            lock: Some(lock),
            note: Note::leave(path),
        })
    }

    /// Whether the path is a directory, of whatever kind: what is no directory is not RocksDB's.
    pub(crate) fn may_be_at(path: &Path) -> bool {
        path.is_dir()
    }

    /// The directory at the path.
    pub(crate) fn open(path: &Path, cache_bytes: usize, reads_only: bool) -> Result<Self, Error> {
        let mut entries = fs::read_dir(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NotFound {
                file: path.to_owned(),
            },
            _ => Error::io(path, "open", error),
        })?;
        if !path.join(CURRENT).exists() {
            let file = path.to_owned();
            let is_ours = entries.next().is_none() || Lock::is_there(path);
            return Err(if is_ours {
                Error::Empty { file }
            } else {
                Error::Foreign { file }
            });
        }
        let lock = Lock::take(path, reads_only)?;
        let database = DB::open_for_read_only(&options(cache_bytes), path, false);
        let database = database.map_err(|error| unopened(path, &error))?;
        let reached = database.latest_sequence_number();
        if let Some(closed) = Closed::read(path)?
            && closed.sequence != reached
        {
            let what = format!(
                "it was closed at change {}, and goes up to change {reached}",
                closed.sequence
            );
            return Err(Error::damaged(path, Spot::Index, what));
        }
        Ok(Self {
            directory: path.to_owned(),
            state: RefCell::new(State::Reading(database)),
            cache_bytes,
            reads_only,
            lock: Some(lock),
            note: if reads_only { None } else { Note::leave(path) },
        })
    }

    /// Calls `look` with the database.
    fn look<T>(&self, look: impl FnOnce(&DB) -> Result<T, Error>) -> Result<T, Error> {
        match &*self.state.borrow() {
            State::Reading(database) | State::Writing(database) => look(database),
            State::Closed => Err(self.closed()),
        }
    }

    fn closed(&self) -> Error {
        Error::Broken {
            file: self.directory.clone(),
            reason: "it is closed".to_owned(),
        }
    }

    /// Moves an iterator, and gives the pair that it is at if that is of the table.
    fn pair(
        &self,
        table: Table,
        key: &[u8],
        seek: impl FnOnce(&mut DBRawIterator<'_>, &[u8]),
    ) -> Result<Option<Pair>, Error> {
        self.look(|database| {
            let mut iterator = database.raw_iterator();
            seek(&mut iterator, &full(table, key));
            match at(&iterator, table) {
                Some((key, value)) => Ok(Some((key.to_vec(), value.to_vec()))),
                None => self.ended(&iterator, table, key).map(|()| None),
            }
        })
    }

    /// That an iterator stands nowhere because there is nothing, and not because something cannot be read.
    fn ended(&self, iterator: &DBRawIterator<'_>, table: Table, key: &[u8]) -> Result<(), Error> {
        let status = iterator.status();
        status.map_err(|error| self.unread(table, key, &error))
    }

    fn unread(&self, table: Table, key: &[u8], error: &rocksdb::Error) -> Error {
        if error.kind() != ErrorKind::Corruption {
            return refused(&self.directory, "read", error);
        }
        let place = Spot::Value {
            table: table.name(),
            key: key.to_vec(),
        };
        Error::damaged(&self.directory, place, error.to_string())
    }

    /// Opens the directory to write, if it is not yet.
    fn begin_to_write(&self) -> Result<(), Error> {
        let mut state = self.state.borrow_mut();
        match &*state {
            State::Writing(_) => return Ok(()),
            State::Closed => return Err(self.closed()),
            State::Reading(_) => *state = State::Closed,
        }
        Closed::remove(&self.directory)?;
        let database = DB::open(&options(self.cache_bytes), &self.directory);
        let database = database.map_err(|error| unopened(&self.directory, &error))?;
        *state = State::Writing(database);
        Ok(())
    }
}

impl Backend for Rocks {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.look(|database| {
            let found = database.get(full(table, key));
            found.map_err(|error| self.unread(table, key, &error))
        })
    }

    fn at_or_before(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, Error> {
        self.pair(table, key, |iterator, key| iterator.seek_for_prev(key))
    }

    fn after(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, Error> {
        self.pair(table, key, |iterator, key| {
            iterator.seek(key);
            if iterator.key() == Some(key) {
                iterator.next();
            }
        })
    }

    fn each(&self, table: Table, take: &mut Take<'_>) -> Result<(), Error> {
        self.look(|database| {
            let mut iterator = database.raw_iterator();
            iterator.seek(full(table, &[]));
            while let Some((key, value)) = at(&iterator, table) {
                if take(key, value).is_break() {
                    return Ok(());
                }
                iterator.next();
            }
            self.ended(&iterator, table, &[])
        })
    }

    fn reads_only(&self) -> bool {
        self.reads_only
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        if self.reads_only {
            return Err(Error::ReadOnly {
                file: self.directory.clone(),
            });
        }
        self.begin_to_write()?;
        let mut changes = WriteBatch::default();
        for (table, key, value) in &batch.changes {
            match value {
                Some(value) => changes.put(full(*table, key), value),
                None => changes.delete(full(*table, key)),
            }
        }
        let mut synced = WriteOptions::default();
        synced.set_sync(true);
        self.look(|database| {
            let written = database.write_opt(changes, &synced);
            written.map_err(|error| refused(&self.directory, "write to", &error))
        })
    }

    fn close(&mut self, in_use_bytes: u64) -> Result<(), Error> {
        let closed = match self.state.replace(State::Closed) {
            State::Writing(database) => in_order(&self.directory, &database, in_use_bytes),
            State::Reading(_) | State::Closed => Ok(()),
        };
        self.note = None;
        self.lock = None;
        closed
    }
}

/// Writes what is in memory and in the log to the tables, and says up to where they go.
fn in_order(directory: &Path, database: &DB, in_use_bytes: u64) -> Result<(), Error> {
    let put = |error: &rocksdb::Error| refused(directory, "close", error);
    database.flush().map_err(|error| put(&error))?;
    let bytes = database.property_int_value(TABLE_BYTES);
    let bytes = bytes.map_err(|error| put(&error))?.unwrap_or(0);
    let wasted = bytes.saturating_sub(in_use_bytes.saturating_add(SPARE_BYTES));
    if wasted > in_use_bytes / SPARE_SHARE {
        database.compact_range::<&[u8], &[u8]>(None, None);
    }
    database.cancel_all_background_work(true);
    let sequence = database.latest_sequence_number();
    Closed { sequence }.write(directory)
}

impl Drop for Rocks {
    fn drop(&mut self) {
        // What was committed stays in the log; the next one to write puts the directory in order.
        drop(self.state.replace(State::Closed));
    }
}

/// The key of RocksDB.
fn full(table: Table, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(1 + key.len());
    full.push(table as u8);
    full.extend_from_slice(key);
    full
}

/// What an iterator is at, if that is of the table.
fn at<'a>(iterator: &'a DBRawIterator<'_>, table: Table) -> Option<(&'a [u8], &'a [u8])> {
    let (key, value) = iterator.item()?;
    let key = key.strip_prefix(&[table as u8])?;
    Some((key, value))
}

fn options(cache_bytes: usize) -> Options {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&Cache::new_lru_cache(cache_bytes));
    let mut options = Options::default();
    options.set_block_based_table_factory(&tables);
    options.set_compression_type(DBCompressionType::None);
    options.set_paranoid_checks(true);
    // What a crash has torn was not acknowledged.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_write_buffer_size(MEMORY_BYTES);
    options.set_keep_log_file_num(1);
    options.set_log_level(LogLevel::Fatal);
    options
}

/// Why RocksDB does not do what it was asked to.
fn refused(path: &Path, action: &'static str, error: &rocksdb::Error) -> Error {
    match error.kind() {
        ErrorKind::Corruption => Error::damaged(path, Spot::Index, error.to_string()),
        ErrorKind::IOError => {
            let said = error.to_string();
            let kind = if said.contains("No space left on device") {
                io::ErrorKind::StorageFull
            } else if said.contains("Permission denied") {
                io::ErrorKind::PermissionDenied
            } else if said.contains("Read-only file system") {
                io::ErrorKind::ReadOnlyFilesystem
            } else {
                io::ErrorKind::Other
            };
            Error::io(path, action, io::Error::new(kind, said))
        }
        _ => Error::Broken {
            file: path.to_owned(),
            reason: error.to_string(),
        },
    }
}

/// Why RocksDB does not open a directory: what it lacks and cannot read is damage.
fn unopened(path: &Path, error: &rocksdb::Error) -> Error {
    match refused(path, "open", error) {
        Error::Io { source, .. } if source.kind() == io::ErrorKind::Other => {
            Error::damaged(path, Spot::Index, error.to_string())
        }
        Error::Broken { reason, .. } => Error::damaged(path, Spot::Index, reason),
        other => other,
    }
}
