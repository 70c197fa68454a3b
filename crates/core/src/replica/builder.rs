//! How a replica is built.

use super::author::AuthorError;
use super::signer::Signer;
use super::{Options, Replica};
use crate::costs::Costs;
use crate::held::Limits;
use crate::id::ProjectId;
use crate::log::Log;
use crate::payload::Genesis;
use crate::replay::Replay;
use crate::snapshot::{RestoreError, restore};
use crate::store::{OpStore, StoreError};

/// How far a clock may be ahead of this one, in milliseconds, where nothing else is said: a minute.
pub const DRIFT_MS: u64 = 60_000;

/// Settings of a [`Replica`], each with a default for people; none of them moves a decision.
///
/// ```
/// use ecac_core::{Limits, OpId, Replica};
///
/// # let project = OpId::from_bytes([0; 32]);
/// let replica = Replica::builder()
///     .limits(Limits::default())
///     .drift_ms(5_000)
///     .threads(2)
///     .join(project);
/// assert_eq!(replica.project(), project);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder builds nothing before `create` or `join`"]
pub struct ReplicaBuilder {
    limits: Limits,
    options: Options,
}

impl Default for ReplicaBuilder {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            options: Options {
                threads: 1,
                drift_ms: DRIFT_MS,
                node: 0,
                behind_is_fine: false,
                places: true,
            },
        }
    }
}

impl ReplicaBuilder {
    /// How much is kept of what strangers can send without limit.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many threads may verify the signatures of one batch, or work on the [start](ReplicaBuilder::start_from) from a sealed
    /// snapshot, at most, the calling one counted; 1 if nothing else is said, and for 0, and 64 for more. No result shows it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.options.threads = threads.max(1);
        self
    }

    /// How far the stamp of an op by others may be ahead of the local clock, in milliseconds, for a new op to name it as
    /// parent; [`DRIFT_MS`] if nothing else is said. What is further ahead is judged at once all the same.
    pub const fn drift_ms(mut self, drift_ms: u64) -> Self {
        self.options.drift_ms = drift_ms;
        self
    }

    /// The node tag in the stamps of new ops; 0 if nothing else is said. It tells replicas apart and carries no meaning.
    pub const fn node(mut self, node: u32) -> Self {
        self.options.node = node;
        self
    }

    /// Whether to author while the replica is behind ([`Replica::behind`]): what is written then is written without
    /// knowing all that the project says. Not, if nothing else is said.
    pub const fn behind_is_fine(mut self, is_fine: bool) -> Self {
        self.options.behind_is_fine = is_fine;
        self
    }

    /// Whether to look what places showed before a batch and after it ([`super::Received::changes`]), and to name the places
    /// of ops in events: for interfaces. Yes, if nothing else is said; a node that only forwards need not.
    pub const fn places(mut self, looks: bool) -> Self {
        self.options.places = looks;
        self
    }

    /// Founds a project, as [`Replica::create`] does.
    ///
    /// # Errors
    /// As [`Replica::create`].
    pub fn create(
        self,
        genesis: Genesis,
        signer: &dyn Signer,
        now_ms: u64,
    ) -> Result<Replica, AuthorError> {
        let mut costs = Costs::default();
        let op = self.options.found(genesis, signer, now_ms, &mut costs)?;
        let mut replica = self.join(op.id());
        replica.costs = costs;
        replica.ingest([op]);
        Ok(replica)
    }

    /// A replica of the project on a store: verifies and takes in what the store has, and keeps what comes there. An empty
    /// store is that of a replica that holds nothing yet.
    ///
    /// ```
    /// use ecac_core::{MemoryStore, OpId, OpStore, Replica};
    ///
    /// # let project = OpId::from_bytes([0; 32]);
    /// let store: Box<dyn OpStore> = Box::new(MemoryStore::new());
    /// let replica = Replica::builder().open(project, store)?;
    /// assert!(replica.heads().is_empty());
    /// # Ok::<(), ecac_core::StoreError>(())
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read, or has what is not admitted at its position: a store of another
    /// project, or one that was damaged.
    pub fn open(self, project: ProjectId, store: Box<dyn OpStore>) -> Result<Replica, StoreError> {
        let mut replica = self.on(project, store);
        replica.catch_up()?;
        Ok(replica)
    }

    /// The replica that [`Replica::save`] was called on, on its store: nothing that the snapshot tells is verified or
    /// decided again. What the store has beyond it is taken in.
    ///
    /// ```
    /// use ecac_core::{MemoryStore, OpStore as _, Replica};
    ///
    /// # use ecac_core::{Genesis, Name, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// let replica = Replica::create(genesis, &key, 1_767_225_600_000)?;
    /// let mut store = MemoryStore::new();
    /// for envelope in replica.envelopes() {
    ///     store.append(&envelope)?;
    /// }
    /// let snapshot = replica.save();
    /// let restored = Replica::builder().restore(replica.project(), Box::new(store), &snapshot)?;
    /// assert_eq!(restored.state_digest(), replica.state_digest());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RestoreError`]; [`ReplicaBuilder::open`] needs no snapshot.
    pub fn restore(
        self,
        project: ProjectId,
        store: Box<dyn OpStore>,
        snapshot: &[u8],
    ) -> Result<Replica, RestoreError> {
        let mut replica = self.on(project, store);
        replica.restore_from(snapshot)?;
        replica.catch_up()?;
        Ok(replica)
    }

    /// A replica on the store, of which it has taken in nothing.
    pub(super) fn on(&self, project: ProjectId, store: Box<dyn OpStore>) -> Replica {
        Replica {
            log: Log::on(project, self.limits, store),
            ..self.join(project)
        }
    }

    /// A replica of a project that holds nothing yet, as [`Replica::join`] makes one.
    #[must_use]
    pub fn join(&self, project: ProjectId) -> Replica {
        Replica {
            log: Log::with_limits(project, self.limits),
            replay: Replay::new(),
            costs: Costs::default(),
            options: self.options,
        }
    }
}

impl Replica {
    /// Fills an empty replica from a snapshot.
    pub(super) fn restore_from(&mut self, snapshot: &[u8]) -> Result<(), RestoreError> {
        (self.replay, self.costs) = restore(&mut self.log, snapshot)?;
        Ok(())
    }
}
