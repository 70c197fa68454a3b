//! The durable store under measurement, and what writes the same bytes without it.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use ecac_core::{ProjectId, Replica};
use ecac_store::{DurableReplica, Form, Options, Store};
use redb::{Database, TableDefinition};

/// The one table of bare redb.
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("ops");

fn options() -> Options {
    Options::new().replica(Replica::builder().places(false).threads(1))
}

/// The form of stores beside that of redb, if this program is built with one: RocksDB.
#[must_use]
pub fn rocksdb() -> Option<Form> {
    Form::ALL.iter().copied().find(|it| *it != Form::Redb)
}

/// A replica in a new store, which holds nothing.
pub fn join(form: Form, file: &Path, project: ProjectId) -> Result<DurableReplica> {
    Ok(options().form(form).join(file, project)?)
}

/// The replica in a store that was closed, to read it; its pages are verified as they are read.
pub fn open(file: &Path) -> Result<DurableReplica> {
    Ok(options().verify_as_read().open_read_only(file)?)
}

/// The replica in a store that was closed, to write in it.
pub fn open_to_write(file: &Path) -> Result<DurableReplica> {
    Ok(options().open(file)?)
}

/// Whether the replica has decided on its last op: the first decision that is asked for.
#[must_use]
pub fn decides(replica: &DurableReplica) -> bool {
    let last = replica.heads().first().copied();
    last.is_some_and(|op| replica.decision(&op).is_some())
}

/// A writer of batches of envelopes, each of which is on the disk when its call returns.
pub trait Appender {
    /// Appends a batch.
    ///
    /// # Errors
    /// What the storage says.
    fn append(&mut self, batch: &[Vec<u8>]) -> Result<()>;
}

impl Appender for Store {
    fn append(&mut self, batch: &[Vec<u8>]) -> Result<()> {
        Ok(Self::append(self, batch)?)
    }
}

/// A new store, without an engine.
pub fn store(form: Form, file: &Path, project: ProjectId) -> Result<Store> {
    Ok(Store::create_as(form, file, project)?)
}

/// Bare redb: one table from the number of an envelope to the envelope, and commits in two phases as those of the store.
#[derive(Debug)]
pub struct Bare {
    database: Database,
    count: u64,
}

impl Bare {
    /// A new file.
    ///
    /// # Errors
    /// What redb says.
    pub fn create(file: &Path) -> Result<Self> {
        let database = Database::create(file).context("create a redb file")?;
        Ok(Self { database, count: 0 })
    }
}

impl Appender for Bare {
    fn append(&mut self, batch: &[Vec<u8>]) -> Result<()> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_two_phase_commit(true);
        let mut table = transaction.open_table(TABLE)?;
        for envelope in batch {
            table.insert(&self.count.to_be_bytes()[..], &envelope[..])?;
            self.count += 1;
        }
        drop(table);
        Ok(transaction.commit()?)
    }
}

/// A file to which envelopes are appended one after another, each after its length, with one sync for a batch.
#[derive(Debug)]
pub struct Raw(File);

impl Raw {
    /// A new file.
    ///
    /// # Errors
    /// What the system says.
    pub fn create(file: &Path) -> Result<Self> {
        let created = File::create_new(file);
        Ok(Self(created.context("create a file")?))
    }
}

impl Appender for Raw {
    fn append(&mut self, batch: &[Vec<u8>]) -> Result<()> {
        let mut bytes = Vec::new();
        for envelope in batch {
            let length = u32::try_from(envelope.len()).context("an envelope is short")?;
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(envelope);
        }
        self.0.write_all(&bytes).context("append to a file")?;
        self.0.sync_data().context("sync a file")
    }
}
