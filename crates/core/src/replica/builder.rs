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

    /// How many threads may verify the signatures of one batch, at most; 1 if nothing else is said, and for 0.
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

    /// A replica of a project that holds nothing yet, as [`Replica::join`] makes one.
    #[must_use]
    pub fn join(self, project: ProjectId) -> Replica {
        Replica {
            log: Log::with_limits(project, self.limits),
            replay: Replay::new(),
            costs: Costs::default(),
            options: self.options,
        }
    }
}
