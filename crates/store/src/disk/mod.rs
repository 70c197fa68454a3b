//! The tables in one file, by redb.
//!
//! redb checks nothing while it reads, and trusts what it reads. So each page of a file that was closed in order is verified when it is
//! read for the first time, from the root down; of any other file every page that counts is verified by the opening, before anything is
//! believed. Each commit has two phases, so that the state that counts is known and redb has no
//! reason to fall back to the one before it; and whatever panics in redb all the same ends here, as an error.

mod guard;
mod header;
mod pages;
mod xxh3;

use core::cell::RefCell;
use core::ops::Bound;
use core::panic::AssertUnwindSafe;
use std::fs::{File, OpenOptions};
use std::io;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{
    Database, ReadOnlyTable, ReadTransaction, ReadableDatabase as _, StorageBackend, StorageError,
    TableDefinition, TableError,
};

use crate::backend::{Backend, Batch, Pair, Table, Take};
use crate::directory::sync_parent;
use crate::error::{Error, Spot};
use crate::holder::Note;
use guard::Guard;
use header::{FLAGS, HEADER_BYTES, MAGIC, SECOND_SLOT, SLOT_TRANSACTION, SLOTS};
use pages::Pages;

/// A file that is closed may be larger than what is in use by so many bytes and this share.
const SPARE_BYTES: u64 = 256 << 10;
const SPARE_SHARE: u64 = 16;

const fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

type Reading = [Option<ReadOnlyTable<&'static [u8], &'static [u8]>>; Table::ALL.len()];

/// When the pages of a file are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// When they are read for the first time, if the file was closed in order; else as [`Check::All`].
    AsRead,
    /// All that count, by the opening.
    All,
}

/// Tables in a file of redb.
#[derive(Debug)]
pub(crate) struct Disk {
    file: PathBuf,
    database: Option<Database>,
    guard: Guard,
    reads_only: bool,
    /// Removed when the file is closed.
    note: Option<Note>,
    reading: RefCell<Option<Tables>>,
}

struct Tables {
    tables: Reading,
    /// What is read stays while this does.
    _transaction: ReadTransaction,
}

impl core::fmt::Debug for Tables {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tables")
    }
}

impl Disk {
    /// A new file; the first commit makes it a store.
    pub(crate) fn create(path: &Path, cache_bytes: usize) -> Result<Self, Error> {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => Error::Exists {
                file: path.to_owned(),
            },
            _ => Error::io(path, "create", error),
        })?;
        let made = sync_parent(path).and_then(|()| {
            let storage = Self::storage(path, file)?;
            Self::create_on(path, storage, cache_bytes)
        });
        if made.is_err() {
            // What is left of the attempt is empty.
            drop(std::fs::remove_file(path));
        }
        let mut disk = made?;
        disk.note = Note::leave(path);
        Ok(disk)
    }

    /// The file at the path.
    pub(crate) fn open(
        path: &Path,
        cache_bytes: usize,
        reads_only: bool,
        check: Check,
    ) -> Result<Self, Error> {
        let opened = OpenOptions::new().read(true).write(!reads_only).open(path);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::NotFound {
                file: path.to_owned(),
            },
            _ => Error::io(path, "open", error),
        })?;
        if file.metadata().is_ok_and(|it| it.is_dir()) {
            return Err(Error::Foreign {
                file: path.to_owned(),
            });
        }
        let storage = Self::storage(path, file)?;
        let mut disk = Self::open_on(path, storage, cache_bytes, reads_only, check)?;
        disk.note = if reads_only { None } else { Note::leave(path) };
        Ok(disk)
    }

    fn storage(path: &Path, file: File) -> Result<Box<dyn StorageBackend>, Error> {
        let storage = FileBackend::new(file);
        Ok(Box::new(
            storage.map_err(|error| failed(path, "open", error))?,
        ))
    }

    /// A new database on an empty storage.
    pub(crate) fn create_on(
        path: &Path,
        storage: Box<dyn StorageBackend>,
        cache_bytes: usize,
    ) -> Result<Self, Error> {
        let guard = Guard::new(storage, false).map_err(|error| Error::io(path, "create", error))?;
        Self::load(path, guard, cache_bytes, false, Check::All)
    }

    /// The database on a storage.
    pub(crate) fn open_on(
        path: &Path,
        storage: Box<dyn StorageBackend>,
        cache_bytes: usize,
        reads_only: bool,
        check: Check,
    ) -> Result<Self, Error> {
        let read = |error| Error::io(path, "read", error);
        let guard = Guard::new(storage, reads_only).map_err(read)?;
        let length = guard.len().map_err(read)?;
        if length == 0 {
            return Err(Error::Empty {
                file: path.to_owned(),
            });
        }
        let mut header = [0; HEADER_BYTES];
        if length < HEADER_BYTES as u64 {
            return Err(Error::Foreign {
                file: path.to_owned(),
            });
        }
        guard.read(0, &mut header).map_err(read)?;
        if header == [0; HEADER_BYTES] {
            return Err(Error::Empty {
                file: path.to_owned(),
            });
        }
        if header[..MAGIC.len()] != MAGIC {
            return Err(Error::Foreign {
                file: path.to_owned(),
            });
        }
        let Some(newer) = newer_slot_beside(&header) else {
            let pages = match check {
                Check::AsRead => Pages::of(&header, length),
                Check::All => None,
            };
            let check = pages.map_or(Check::All, |pages| {
                guard.verify(pages);
                Check::AsRead
            });
            return Self::load(path, guard, cache_bytes, reads_only, check);
        };
        // The last process ended within a commit, or the flags are damaged: the later state is taken if it is whole.
        guard.show(FLAGS as u64, &[newer]).map_err(read)?;
        match Self::load(path, guard.clone(), cache_bytes, reads_only, Check::All) {
            Err(Error::Damaged { .. }) => {
                guard.forget().map_err(read)?;
                Self::load(path, guard, cache_bytes, reads_only, Check::All)
            }
            loaded => loaded,
        }
    }

    fn load(
        path: &Path,
        guard: Guard,
        cache_bytes: usize,
        reads_only: bool,
        check: Check,
    ) -> Result<Self, Error> {
        let storage = guard.clone();
        let opened = guarded(path, || {
            let mut builder = Database::builder();
            builder.set_cache_size(cache_bytes);
            builder.set_check_integrity_on_open(check == Check::All);
            builder
                .create_with_backend(storage)
                .map_err(|error| failed(path, "open", error))
        });
        Ok(Self {
            file: path.to_owned(),
            database: Some(opened.map_err(|error| told(path, &guard, error))?),
            guard,
            reads_only,
            note: None,
            reading: RefCell::new(None),
        })
    }

    fn database(&self) -> Result<&Database, Error> {
        self.database.as_ref().ok_or_else(|| Error::Broken {
            file: self.file.clone(),
            reason: "it is closed".to_owned(),
        })
    }

    /// Looks something up in a table as the last commit left it.
    fn look<T>(
        &self,
        table: Table,
        with: impl FnOnce(&ReadOnlyTable<&'static [u8], &'static [u8]>) -> Result<T, StorageError>,
    ) -> Result<Option<T>, Error> {
        let database = self.database()?;
        let looked = guarded(&self.file, || {
            let mut reading = self.reading.borrow_mut();
            if reading.is_none() {
                let transaction = database
                    .begin_read()
                    .map_err(|error| self.failed("read", error))?;
                let mut tables = Vec::with_capacity(Table::ALL.len());
                for table in Table::ALL {
                    match transaction.open_table(definition(table)) {
                        Ok(table) => tables.push(Some(table)),
                        Err(TableError::TableDoesNotExist(_)) => tables.push(None),
                        Err(error) => return Err(self.failed("read", error)),
                    }
                }
                *reading = tables.try_into().ok().map(|tables| Tables {
                    tables,
                    _transaction: transaction,
                });
            }
            let tables = reading.as_ref().map(|it| &it.tables);
            match tables.and_then(|it| it[table as usize].as_ref()) {
                Some(table) => with(table)
                    .map(Some)
                    .map_err(|error| self.failed("read", error)),
                None => Ok(None),
            }
        });
        looked.map_err(|error| told(&self.file, &self.guard, error))
    }

    fn failed(&self, action: &'static str, error: impl Into<redb::Error>) -> Error {
        failed(&self.file, action, error)
    }
}

impl Backend for Disk {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let found = self.look(table, |table| {
            Ok(table.get(key)?.map(|it| it.value().to_vec()))
        })?;
        Ok(found.flatten())
    }

    fn at_or_before(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, Error> {
        let found = self.look(table, |table| {
            let mut range = table.range::<&[u8]>(..=key)?;
            let last = range.next_back().transpose()?;
            Ok(last.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
        })?;
        Ok(found.flatten())
    }

    fn after(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, Error> {
        let found = self.look(table, |table| {
            let mut range = table.range::<&[u8]>((Bound::Excluded(key), Bound::Unbounded))?;
            let first = range.next().transpose()?;
            Ok(first.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
        })?;
        Ok(found.flatten())
    }

    fn each(&self, table: Table, take: &mut Take<'_>) -> Result<(), Error> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            let next = match &after {
                Some(key) => self.after(table, key)?,
                None => match self.get(table, &[])? {
                    Some(value) => Some((Vec::new(), value)),
                    None => self.after(table, &[])?,
                },
            };
            let Some((key, value)) = next else {
                return Ok(());
            };
            if take(&key, &value).is_break() {
                return Ok(());
            }
            after = Some(key);
        }
    }

    fn reads_only(&self) -> bool {
        self.reads_only
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        if self.reads_only {
            return Err(Error::ReadOnly {
                file: self.file.clone(),
            });
        }
        // What is not read any more can be written over.
        drop(self.reading.take());
        let this = &*self;
        let database = this.database()?;
        let committed = guarded(&this.file, || {
            let through = this.guard.let_through();
            through.map_err(|error| Error::io(&this.file, "write to", error))?;
            let mut transaction = database
                .begin_write()
                .map_err(|error| this.failed("write to", error))?;
            transaction.set_two_phase_commit(true);
            for table in Table::ALL {
                let mut changes = batch.changes.iter().filter(|it| it.0 == table).peekable();
                // Earlier versions look for the others, which are there from the first commit on.
                if table == Table::Regained && changes.peek().is_none() {
                    continue;
                }
                let mut open = transaction
                    .open_table(definition(table))
                    .map_err(|error| this.failed("write to", error))?;
                for (_, key, value) in changes {
                    let done = match value {
                        Some(value) => open.insert(key.as_slice(), value.as_slice()).map(drop),
                        None => open.remove(key.as_slice()).map(drop),
                    };
                    done.map_err(|error| this.failed("write to", error))?;
                }
            }
            transaction
                .commit()
                .map_err(|error| this.failed("write to", error))
        });
        committed.map_err(|error| told(&this.file, &this.guard, error))
    }

    fn close(&mut self, in_use_bytes: u64) -> Result<(), Error> {
        drop(self.reading.take());
        let Some(mut database) = self.database.take() else {
            return Ok(());
        };
        let bytes = self.guard.written_bytes();
        let wasted = bytes.saturating_sub(in_use_bytes.saturating_add(SPARE_BYTES));
        let closed = guarded(&self.file, || {
            if wasted > in_use_bytes / SPARE_SHARE {
                let compacted = database.compact();
                compacted.map_err(|error| failed(&self.file, "compact", error))?;
            }
            let closed = database.close();
            closed.map_err(|error| failed(&self.file, "close", error))
        });
        self.note = None;
        closed.map_err(|error| told(&self.file, &self.guard, error))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // What was committed stays, and the next one to open the file puts it in order.
        drop(self.close(u64::MAX));
    }
}

/// The flags with the other slot counting, if that one is of a later transaction.
fn newer_slot_beside(header: &[u8; HEADER_BYTES]) -> Option<u8> {
    let transaction = |slot: usize| {
        let at = SLOTS[slot] + SLOT_TRANSACTION;
        let bytes = header.get(at..at + 8)?.try_into().ok()?;
        Some(u64::from_le_bytes(bytes))
    };
    let counts = usize::from(header[FLAGS] & SECOND_SLOT);
    (transaction(1 - counts)? > transaction(counts)?).then_some(header[FLAGS] ^ SECOND_SLOT)
}

/// Calls redb, whose panics end here.
fn guarded<T>(path: &Path, call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        let what = said.unwrap_or("the pages do not fit together");
        Err(Error::damaged(path, Spot::File, what))
    })
}

/// What redb makes of a page that is not what was written is that page's error.
fn told(path: &Path, guard: &Guard, error: Error) -> Error {
    match guard.damage() {
        Some(offset) => Error::damaged(path, Spot::Page { offset }, "it is not what was written"),
        None => error,
    }
}

fn failed(path: &Path, action: &'static str, error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Io(source) if source.kind() == io::ErrorKind::InvalidData => Error::Foreign {
            file: path.to_owned(),
        },
        redb::Error::Io(source) => Error::io(path, action, source),
        redb::Error::DatabaseAlreadyOpen => Error::Held {
            file: path.to_owned(),
            holder: Note::read(path),
        },
        redb::Error::Corrupted(what) => Error::damaged(path, Spot::Index, what),
        redb::Error::UpgradeRequired(version) => {
            Error::damaged(path, Spot::Header, format!("its form is {version}"))
        }
        other => Error::Broken {
            file: path.to_owned(),
            reason: other.to_string(),
        },
    }
}
