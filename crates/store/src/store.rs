//! The store of one project: envelopes by position, what is held outside of the DAG, and a snapshot.

use core::fmt;
use core::ops::ControlFlow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecac_core::{OpId, OpStore, ProjectId};

use crate::backend::{Backend, Batch, Table};
use crate::chunks::Chunks;
use crate::disk::Check;
use crate::engine::{Growing, Handle};
use crate::error::{Error, Spot};
use crate::form::{self, Form};
use crate::inner::{Appended, Changes, Inner};
use crate::meta::Meta;
use crate::parts;
use crate::positions::{Positions, Told};
use crate::reader::Reader;
use crate::sealed;

/// Memory for pages of the file, in bytes, where nothing else is said: 16 MiB. The rest of what a replica needs is the engine's.
pub const CACHE_BYTES: usize = 16 << 20;

/// A store: one file, or a directory ([`Form`]), which one process writes, or several read.
///
/// It keeps bytes and verifies that they are those that were written; what they mean is [`crate::DurableReplica`]'s business.
pub struct Store {
    inner: Arc<Mutex<Inner>>,
    file: PathBuf,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("file", &self.file).finish()
    }
}

impl Store {
    /// Makes a new store of the project, which is empty.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Io`].
    pub fn create(file: impl AsRef<Path>, project: ProjectId) -> Result<Self, Error> {
        Self::create_as(Form::Redb, file, project)
    }

    /// Makes a new store of the project, in this form.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Io`].
    pub fn create_as(
        form: Form,
        file: impl AsRef<Path>,
        project: ProjectId,
    ) -> Result<Self, Error> {
        Self::create_with(form, file.as_ref(), project, CACHE_BYTES)
    }

    pub(crate) fn create_with(
        form: Form,
        file: &Path,
        project: ProjectId,
        cache_bytes: usize,
    ) -> Result<Self, Error> {
        let backend = form.create(file, cache_bytes)?;
        // A file without a store is of no use.
        Self::create_on(file, backend, project).inspect_err(|_| form::remove_new(file))
    }

    /// Opens a store to write in it. Every page of the file is verified before it is believed: by this call, or if the file was
    /// closed in order when it is read for the first time. The file is not touched before something is written.
    ///
    /// # Errors
    /// [`Error`]: what is not a whole store of a known version, or is in use, is not opened.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(file.as_ref(), CACHE_BYTES, false, Check::AsRead)
    }

    /// Opens a store to read it, beside others that read. The file is not touched, whatever was left by a process that
    /// ended amid a write.
    ///
    /// # Errors
    /// [`Error`], as [`Store::open`].
    pub fn open_read_only(file: impl AsRef<Path>) -> Result<Self, Error> {
        Self::open_with(file.as_ref(), CACHE_BYTES, true, Check::AsRead)
    }

    pub(crate) fn open_with(
        file: &Path,
        cache_bytes: usize,
        reads_only: bool,
        check: Check,
    ) -> Result<Self, Error> {
        Self::open_on(file, form::open(file, cache_bytes, reads_only, check)?)
    }

    /// A new store on an empty backend; `file` is what errors call it.
    ///
    /// # Errors
    /// [`Error`] of the backend.
    pub fn create_on(
        file: &Path,
        mut backend: Box<dyn Backend>,
        project: ProjectId,
    ) -> Result<Self, Error> {
        let mut batch = Batch::default();
        Meta::new(project).put(&mut batch);
        backend.commit(&batch)?;
        Self::open_on(file, backend)
    }

    /// The store on a backend; `file` is what errors call it.
    ///
    /// # Errors
    /// [`Error`], as [`Store::open`].
    pub fn open_on(file: &Path, backend: Box<dyn Backend>) -> Result<Self, Error> {
        let meta = Meta::load(file, &*backend)?;
        let positions = |told, count| Positions::load(file, &*backend, told, count, meta.ops);
        let dropped = positions(Told::Dropped, meta.dropped)?;
        let regained = positions(Told::Regained, meta.regained)?;
        if !regained.are_among(&dropped) {
            let place = Spot::Value {
                table: Table::Meta.name(),
                key: b"regained".to_vec(),
            };
            let what = "an envelope came back that was not dropped";
            return Err(Error::damaged(file, place, what));
        }
        let chunks = Chunks::load(file, &*backend, meta.ops)?;
        let mut inner = Inner {
            file: file.to_owned(),
            backend,
            meta,
            chunks,
            appended: Appended::default(),
            dropped,
            regained,
            cache: None,
            held: BTreeSet::new(),
            broken: None,
        };
        inner.held = inner.read_held()?.into_keys().collect();
        Ok(Self {
            inner: Arc::new(Mutex::new(inner)),
            file: file.to_owned(),
        })
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // What panicked within left at most a cache behind.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> ProjectId {
        self.inner().meta.project
    }

    /// How many transactions there were.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.inner().meta.generation
    }

    /// How many admitted ops are committed.
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.inner().meta.ops
    }

    /// Of how many ops the snapshot is, if there is one.
    #[must_use]
    pub fn snapshot_ops(&self) -> Option<u64> {
        self.inner().meta.snapshot.map(|it| it.ops)
    }

    /// The length of the snapshot in bytes; 0 if there is none.
    #[must_use]
    pub fn snapshot_bytes(&self) -> u64 {
        self.inner().meta.snapshot.map_or(0, |it| it.bytes)
    }

    /// Whether it was opened to be read only.
    #[must_use]
    pub fn reads_only(&self) -> bool {
        self.inner().backend.reads_only()
    }

    /// The envelope of the admitted op at the position, from 0, in order of admission.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not what was written, or not there; [`Error::Dropped`].
    pub fn envelope(&self, position: u64) -> Result<Vec<u8>, Error> {
        self.inner().read(position)
    }

    /// How many envelopes of admitted ops were dropped, and did not come back.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.inner().meta.lacking()
    }

    /// How many of those that were dropped came back ([`crate::DurableReplica::regain`]).
    #[must_use]
    pub fn regained(&self) -> u64 {
        self.inner().meta.regained
    }

    /// Whether the envelope of the admitted op at the position was dropped, and did not come back.
    #[must_use]
    pub fn is_dropped(&self, position: u64) -> bool {
        self.inner().lacks(position)
    }

    /// The envelopes of the ops that are held outside of the DAG, by op id.
    ///
    /// # Errors
    /// [`Error::Damaged`] if they are not what was written.
    pub fn held(&self) -> Result<Vec<Vec<u8>>, Error> {
        Ok(self.inner().read_held()?.into_values().collect())
    }

    /// The snapshot, if there is one.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not what was written.
    pub fn snapshot(&self) -> Result<Option<Vec<u8>>, Error> {
        self.read_snapshot(true)
    }

    /// The snapshot as [`Store::snapshot`], or as it lies there: for who compares the digest at its end.
    pub(crate) fn read_snapshot(&self, compares: bool) -> Result<Option<Vec<u8>>, Error> {
        let inner = self.inner();
        let saved = inner.meta.snapshot;
        let read = saved.map(|saved| parts::read(&inner.file, &*inner.backend, &saved, compares));
        read.transpose()
    }

    /// Reads what is committed, from other threads.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::of(Arc::clone(&self.inner))
    }

    /// Whether something can be written.
    pub(crate) fn check_writes(&self) -> Result<(), Error> {
        let inner = self.inner();
        let file = || inner.file.clone();
        if let Some(reason) = &inner.broken {
            return Err(Error::Broken {
                file: file(),
                reason: reason.clone(),
            });
        }
        if inner.backend.reads_only() {
            return Err(Error::ReadOnly { file: file() });
        }
        Ok(())
    }

    /// The store, as the engine wants it: what is appended there is committed with the next [`Store::commit`].
    pub(crate) fn engine(&self) -> Box<dyn OpStore> {
        Box::new(Handle::of(Arc::clone(&self.inner)))
    }

    /// The store as one that is empty and grows by what the store has.
    pub(crate) fn growing(&self) -> Growing {
        let total = usize::try_from(self.ops()).unwrap_or(usize::MAX);
        Growing::of(Arc::clone(&self.inner), total)
    }

    /// Appends envelopes as those of the ops that are admitted next, and commits them in one transaction, whatever they are:
    /// which ops are admitted, [`crate::DurableReplica`] alone knows. For measuring what the store itself costs.
    ///
    /// # Errors
    /// [`Error`], as [`crate::DurableReplica::receive`].
    pub fn append<B: AsRef<[u8]>>(&mut self, envelopes: &[B]) -> Result<(), Error> {
        self.check_writes()?;
        let mut inner = self.inner();
        for envelope in envelopes {
            inner.appended.push(envelope.as_ref());
        }
        drop(inner);
        self.commit(Changes::default())
    }

    /// Fills the store, which is empty, with what a replica holds that has started elsewhere, in one transaction: the envelopes by
    /// position, of which the ones without bytes were dropped, and the snapshot that tells of these.
    ///
    /// # Errors
    /// [`Error`], as [`crate::DurableReplica::receive`].
    pub(crate) fn fill<B: AsRef<[u8]>>(
        &self,
        envelopes: impl Iterator<Item = B>,
        snapshot: Vec<u8>,
    ) -> Result<(), Error> {
        self.check_writes()?;
        let mut dropped = Vec::new();
        let mut inner = self.inner();
        debug_assert_eq!(inner.len(), 0, "the store is empty");
        for (position, envelope) in (0..).zip(envelopes) {
            inner.appended.push(envelope.as_ref());
            if envelope.as_ref().is_empty() {
                dropped.push(position);
            }
        }
        drop(inner);
        self.commit(Changes {
            snapshot: Some(snapshot),
            dropped,
            ..Changes::default()
        })
    }

    /// Whether the op is held outside of the DAG, as far as is committed.
    pub(crate) fn holds(&self, op: &OpId) -> bool {
        self.inner().held.contains(op)
    }

    /// The ops that are held outside of the DAG, as far as is committed.
    pub(crate) fn held_ids(&self) -> BTreeSet<OpId> {
        self.inner().held.clone()
    }

    /// Whether something was appended that is not committed.
    pub(crate) fn has_appended(&self) -> bool {
        self.inner().appended.len() > 0
    }

    /// Commits what was appended, and these changes, in one transaction: all of it is in the store when this returns, or
    /// none.
    ///
    /// # Errors
    /// [`Error`]; then nothing more is written, because the engine has taken in what the store does not have.
    pub(crate) fn commit(&self, changes: Changes) -> Result<(), Error> {
        let inner = &mut *self.inner();
        if let Some(reason) = &inner.broken {
            return Err(Error::Broken {
                file: inner.file.clone(),
                reason: reason.clone(),
            });
        }
        let committed = inner.commit(changes);
        if let Err(error) = &committed {
            inner.broken = Some(error.to_string());
        }
        committed
    }

    /// Drops the envelopes at these positions, which are in ascending order, and all of which the snapshot has. Each transaction
    /// drops some; after a crash those of the first ones are dropped.
    ///
    /// # Errors
    /// [`Error`]; then nothing more is written.
    pub(crate) fn drop_all(&self, positions: &[u64]) -> Result<(), Error> {
        let inner = &mut *self.inner();
        debug_assert!(
            inner.appended.len() == 0
                && positions.last() < inner.meta.snapshot.map(|it| it.ops).as_ref(),
            "the snapshot has what is dropped"
        );
        let done = inner.drop_all(positions);
        if let Err(error) = &done {
            inner.broken = Some(error.to_string());
        }
        done
    }

    /// Puts envelopes back, each at its position, where it was dropped. Each transaction puts some; after a crash those of the first
    /// ones are there.
    ///
    /// # Errors
    /// [`Error`]; then nothing more is written.
    pub(crate) fn regain_all(&self, envelopes: &[(u64, &[u8])]) -> Result<(), Error> {
        let inner = &mut *self.inner();
        debug_assert!(
            envelopes.iter().all(|it| inner.lacks(it.0)),
            "what comes back was dropped"
        );
        let done = inner.regain_all(envelopes);
        if let Err(error) = &done {
            inner.broken = Some(error.to_string());
        }
        done
    }

    /// Writes nothing any more, because of this.
    pub(crate) fn break_off(&self, reason: &str) {
        let inner = &mut *self.inner();
        inner.broken.get_or_insert_with(|| reason.to_owned());
    }

    /// Checks every value of every table.
    pub(crate) fn verify_values(&self) -> Result<(), Error> {
        let inner = &*self.inner();
        let is_dropped = |position| inner.dropped.has(position);
        inner
            .chunks
            .verify(&inner.file, &*inner.backend, &is_dropped)?;
        let mut snapshot_parts = 0;
        let (mut regained, mut regained_bytes, mut strangers) = (0, 0, 0);
        for table in [Table::Meta, Table::Held, Table::Snapshot, Table::Regained] {
            let mut fault = None;
            inner.backend.each(table, &mut |key, value| {
                snapshot_parts += u64::from(table == Table::Snapshot);
                if let Some(opened) = sealed::open(table, key, value.to_vec()) {
                    if table == Table::Regained {
                        let at = key.try_into().map(u64::from_be_bytes);
                        strangers += u64::from(!at.is_ok_and(|it| inner.regained.has(it)));
                        regained += 1;
                        regained_bytes += opened.len() as u64;
                    }
                    return ControlFlow::Continue(());
                }
                fault = Some(key.to_vec());
                ControlFlow::Break(())
            })?;
            if let Some(key) = fault {
                let place = Spot::Value {
                    table: table.name(),
                    key,
                };
                return Err(Error::damaged(
                    &inner.file,
                    place,
                    "its check does not match",
                ));
            }
        }
        let meta = &inner.meta;
        if (regained, regained_bytes, strangers) != (meta.regained, meta.regained_bytes, 0) {
            let place = Spot::Value {
                table: Table::Regained.name(),
                key: Vec::new(),
            };
            let what = "other envelopes are there than those that came back";
            return Err(Error::damaged(&inner.file, place, what));
        }
        let wanted = inner.meta.snapshot.map_or(0, |saved| parts::count(&saved));
        if snapshot_parts != wanted {
            let place = Spot::Value {
                table: Table::Snapshot.name(),
                key: Vec::new(),
            };
            let what = format!("there are {snapshot_parts} parts of a snapshot, and not {wanted}");
            return Err(Error::damaged(&inner.file, place, what));
        }
        Ok(())
    }

    /// Ends the use of the file.
    ///
    /// # Errors
    /// [`Error`] if the file cannot be put in order, which the next process to open it does. What was committed is there.
    pub fn close(self) -> Result<(), Error> {
        let inner = &mut *self.inner();
        let in_use = inner.disk_bytes();
        inner.cache = None;
        inner.backend.close(in_use)
    }
}
