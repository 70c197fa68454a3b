//! Settings, and how a replica is created or opened with them.

use std::path::{Path, PathBuf};

use ecac_core::{Genesis, ProjectId, Replica, ReplicaBuilder, RestoreError, Signer};

use crate::disk::Check;
use crate::durable::DurableReplica;
use crate::error::{Error, Spot};
use crate::form::{self, Form};
use crate::marker::Marking;
use crate::store::{CACHE_BYTES, Store};

/// Settings with which a replica is created or opened, each with a default.
///
/// ```
/// use ecac_core::Replica;
/// use ecac_store::Options;
///
/// let options = Options::new()
///     .replica(Replica::builder().threads(2))
///     .markers("/var/lib/shop/markers");
/// # drop(options);
/// ```
#[derive(Debug, Clone)]
#[must_use = "options open nothing before `create`, `join` or `open`"]
pub struct Options {
    replica: ReplicaBuilder,
    cache_bytes: usize,
    form: Form,
    check: Check,
    markers: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            replica: Replica::builder(),
            cache_bytes: CACHE_BYTES,
            form: Form::default(),
            check: Check::All,
            markers: None,
        }
    }
}

impl Options {
    /// The default of each.
    pub fn new() -> Self {
        Self::default()
    }

    /// The engine's own settings.
    pub fn replica(mut self, replica: ReplicaBuilder) -> Self {
        self.replica = replica;
        self
    }

    /// Memory for pages of the file, in bytes; [`CACHE_BYTES`] if nothing else is said.
    pub const fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// In which form a new store is made; what is opened says so itself.
    pub const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Of a store that was closed in order, verifies each page when it is read for the first time, and not when the store is
    /// opened: that takes no longer for many ops than for few. Then damage can show in any question: as long as
    /// [`Replica::fault`] is none, every answer so far was right.
    pub const fn verify_as_read(mut self) -> Self {
        self.check = Check::AsRead;
        self
    }

    /// The directory in which it is marked what each key has signed last, so that a restored backup is noticed before
    /// anything is signed twice. Keep it apart from the store, where backups of the store do not reach. Without it nothing is
    /// noticed.
    pub fn markers(mut self, directory: impl Into<PathBuf>) -> Self {
        self.markers = Some(directory.into());
        self
    }

    /// Founds a project in a new store.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Io`], [`Error::Author`] if the genesis cannot be signed.
    pub fn create(
        self,
        file: impl AsRef<Path>,
        genesis: Genesis,
        signer: &dyn Signer,
        now_ms: u64,
    ) -> Result<DurableReplica, Error> {
        let file = file.as_ref();
        if file.exists() {
            return Err(Error::Exists {
                file: file.to_owned(),
            });
        }
        let founded = match &self.markers {
            Some(markers) => {
                let marking = Marking::new(signer, markers, None, 1);
                let founded = self.replica.clone().create(genesis, &marking, now_ms);
                founded.map_err(|error| marking.failed().unwrap_or_else(|| error.into()))?
            }
            None => self.replica.clone().create(genesis, signer, now_ms)?,
        };
        let mut replica = self.join(file, founded.project())?;
        let envelopes: Vec<_> = founded.envelopes().map(|it| it.into_owned()).collect();
        if let Err(error) = replica.receive(&envelopes) {
            drop(replica);
            form::remove_new(file);
            return Err(error);
        }
        Ok(replica)
    }

    /// A replica of the project, in a new store, that holds nothing yet.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Io`].
    pub fn join(self, file: impl AsRef<Path>, project: ProjectId) -> Result<DurableReplica, Error> {
        let file = file.as_ref();
        let store = Store::create_with(self.form, file, project, self.cache_bytes)?;
        self.on(store, true)
    }

    /// A replica of the project, in a new store, that starts from a sealed snapshot that anybody carries, as
    /// [`ReplicaBuilder::start_from`] does. A store of the project that holds nothing, as one does after a power failure amid
    /// this, is as good as a new one.
    ///
    /// # Errors
    /// [`Error::Start`] if nothing starts from it; [`Error::Exists`], [`Error::Io`].
    pub fn start_from(
        self,
        file: impl AsRef<Path>,
        project: ProjectId,
        carried: &[u8],
    ) -> Result<DurableReplica, Error> {
        let file = file.as_ref();
        let started = self.replica.clone().start_from(project, carried)?;
        let created = Store::create_with(self.form, file, project, self.cache_bytes);
        let is_new = created.is_ok();
        let store = match created {
            Err(Error::Exists { .. }) => {
                let exists = || Error::Exists {
                    file: file.to_owned(),
                };
                let store = Store::open_with(file, self.cache_bytes, false, Check::All);
                let store = store.map_err(|_| exists())?;
                let is_of_it = is_blank(&store) && store.project() == project;
                is_of_it.then_some(store).ok_or_else(exists)?
            }
            created => created?,
        };
        if let Err(error) = fill(&store, &started) {
            drop((store, started));
            if is_new {
                form::remove_new(file);
            }
            return Err(error);
        }
        drop(started);
        self.on(store, true)
    }

    /// The same in a store that is open and holds nothing, of the project of the store.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn start_on(self, store: Store, carried: &[u8]) -> Result<DurableReplica, Error> {
        if !is_blank(&store) {
            return Err(Error::Exists {
                file: store.file().to_owned(),
            });
        }
        let started = self.replica.clone().start_from(store.project(), carried)?;
        fill(&store, &started)?;
        drop(started);
        self.on(store, true)
    }

    /// Opens the replica in a store, to write in it.
    ///
    /// # Errors
    /// [`Error`]; nothing is changed on the disk.
    pub fn open(self, file: impl AsRef<Path>) -> Result<DurableReplica, Error> {
        let store = Store::open_with(file.as_ref(), self.cache_bytes, false, self.check)?;
        self.on(store, true)
    }

    /// Opens the replica in a store, to read it, beside others that read. The file is not touched.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open_read_only(self, file: impl AsRef<Path>) -> Result<DurableReplica, Error> {
        let store = Store::open_with(file.as_ref(), self.cache_bytes, true, self.check)?;
        self.on(store, true)
    }

    /// Opens the replica in a store without regard to its snapshot: every op is verified and decided again, and a new
    /// snapshot is written.
    ///
    /// # Errors
    /// [`Error`]; [`Error::Damaged`] with the place if an op is not what was written; [`Error::Pruned`] if envelopes were dropped.
    pub fn rebuild(self, file: impl AsRef<Path>) -> Result<DurableReplica, Error> {
        let store = Store::open_with(file.as_ref(), self.cache_bytes, false, Check::All)?;
        let mut replica = self.on(store, false)?;
        replica.snapshot()?;
        Ok(replica)
    }

    /// The replica in a store that is open, with or without regard to its snapshot.
    ///
    /// # Errors
    /// [`Error`].
    pub fn on(self, store: Store, with_snapshot: bool) -> Result<DurableReplica, Error> {
        let snapshot = if with_snapshot {
            store.read_snapshot(false)?
        } else if store.dropped() > 0 {
            return Err(Error::Pruned {
                file: store.file().to_owned(),
                source: None,
            });
        } else {
            None
        };
        let held = store.held()?;
        let resumed =
            self.replica
                .resume(store.project(), store.engine(), snapshot.as_deref(), &held);
        drop((snapshot, held));
        let replica = match resumed {
            Ok(replica) => replica,
            Err(error) => {
                // If its bytes are not those that were written, that is said with the place.
                store.snapshot()?;
                return Err(unresumed(&store, error));
            }
        };
        DurableReplica::of(replica, store, self.markers)
    }
}

/// Whether the store holds nothing.
fn is_blank(store: &Store) -> bool {
    store.ops() == 0 && store.held_ids().is_empty()
}

/// Writes all that the replica holds into a store that holds nothing, in one transaction.
fn fill(store: &Store, started: &Replica) -> Result<(), Error> {
    let ops = started.log().admitted_or_remains();
    store.fill(ops.map(|op| op.envelope().to_vec()), started.save())
}

/// Why a replica could not be resumed: the snapshot, or the ops.
pub(crate) fn unresumed(store: &Store, error: RestoreError) -> Error {
    let file = store.file().to_owned();
    match error {
        RestoreError::Store(fault) => Error::damaged(&file, Spot::File, fault.reason.to_string()),
        source if store.dropped() > 0 => Error::Pruned {
            file,
            source: Some(source),
        },
        source => Error::Snapshot { file, source },
    }
}

impl DurableReplica {
    /// Founds a project in a new store, as [`Options::create`] does.
    ///
    /// # Errors
    /// As there.
    pub fn create(
        file: impl AsRef<Path>,
        genesis: Genesis,
        signer: &dyn Signer,
        now_ms: u64,
    ) -> Result<Self, Error> {
        Options::new().create(file, genesis, signer, now_ms)
    }

    /// Joins a project in a new store, as [`Options::join`] does.
    ///
    /// # Errors
    /// As there.
    pub fn join(file: impl AsRef<Path>, project: ProjectId) -> Result<Self, Error> {
        Options::new().join(file, project)
    }

    /// Starts from a sealed snapshot in a new store, as [`Options::start_from`] does.
    ///
    /// # Errors
    /// As there.
    pub fn start_from(
        file: impl AsRef<Path>,
        project: ProjectId,
        carried: &[u8],
    ) -> Result<Self, Error> {
        Options::new().start_from(file, project, carried)
    }

    /// Opens a store to write in it, as [`Options::open`] does.
    ///
    /// # Errors
    /// As there.
    pub fn open(file: impl AsRef<Path>) -> Result<Self, Error> {
        Options::new().open(file)
    }

    /// Opens a store to read it, as [`Options::open_read_only`] does.
    ///
    /// # Errors
    /// As there.
    pub fn open_read_only(file: impl AsRef<Path>) -> Result<Self, Error> {
        Options::new().open_read_only(file)
    }
}
