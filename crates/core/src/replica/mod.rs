//! The replica: one object over the log, the decisions and the state of a project (`docs/embedding.md`).
//!
//! A [`Replica`] takes in batches of signed ops, writes ops for people, answers questions, and tells what each batch did.
//! It keeps a [`Log`] and a [`Replay`] in step, so that no order of calls can part them.

mod author;
mod batch;
mod builder;
mod carrying;
mod event;
mod export;
mod inventory;
mod member;
mod place;
mod preview;
mod proposal;
mod pruning;
mod query;
mod reading;
mod receive;
mod regaining;
mod rehearsal;
mod resume;
mod right;
mod sealing;
mod signer;
mod starting;
mod taken_back;

use author::Drafted;
pub use author::{AuthorError, Authored, DraftError};
pub use batch::{AuthoredBatch, Written};
pub use builder::{DRIFT_MS, ReplicaBuilder};
pub use carrying::CarryError;
pub use event::{Arrived, Event, Mention, PlaceChange, Received};
pub use inventory::{ChainHead, Stocked, Tip};
pub use member::{Granted, LinkedDevice, Member, Standing};
pub use place::{Element, Place, Shown, Winner};
pub use preview::Preview;
pub use proposal::{Foreseen, Proposal, Signature};
pub use pruning::Pruned;
pub use query::Answer;
pub use reading::ContentKeyInfo;
pub use regaining::{RegainError, Regained};
pub use rehearsal::Rehearsal;
pub use right::{Allowed, NotAllowed, Warrant};
pub use sealing::{SealCheck, Sealing};
pub use signer::{SignError, Signer};
pub use starting::StartError;
pub use taken_back::TakenBack;

use crate::costs::Costs;
use crate::id::ProjectId;
use crate::log::Log;
use crate::payload::Genesis;
use crate::replay::Replay;

/// What one participant holds of a project, what is decided of it, and the state that follows.
///
/// It is `Send` and knows no clock, file, thread or random source: time is an argument, bytes come in and go out. No
/// input and no order of calls makes it panic. Two replicas that hold the same ops answer alike, whatever the order in
/// which they took them in.
///
/// ```
/// use ecac_core::payload::SetField;
/// use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
///
/// let key = SigningKey::from([1; 32]);
/// let genesis = Genesis {
///     name: Name::new("shop")?,
///     nonce: [0; 16],
///     roots: [public_key(&key)].into(),
///     schema: [].into(),
///     features: [].into(),
/// };
/// let now_ms = 1_767_225_600_000;
/// let mut office = Replica::create(genesis, &key, now_ms)?;
/// let (object, field) = (Name::new("order/1")?, Name::new("status")?);
/// let value = Value::Text("repaired".into());
/// office.author(SetField { object, field, value: value.clone() }, &key, now_ms + 1)?;
///
/// let mut workshop = Replica::join(office.project());
/// workshop.receive(&office.envelopes().collect::<Vec<_>>());
/// let status = workshop.get("order/1", "status").value;
/// assert_eq!(status.map(|it| it.value), Some(value));
/// assert_eq!(workshop.state_digest(), office.state_digest());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Replica {
    log: Log,
    replay: Replay,
    costs: Costs,
    options: Options,
}

/// What a builder settles beside the limits of the log.
#[derive(Debug, Clone, Copy)]
struct Options {
    threads: usize,
    drift_ms: u64,
    node: u32,
    behind_is_fine: bool,
    places: bool,
}

const fn is_send<T: Send>() {}
const _: () = is_send::<Replica>();

impl Replica {
    /// Founds a project: signs its genesis, and holds it. The signer need not be a root; without one who can be reached,
    /// nobody can do anything in the project.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// let key = SigningKey::from([1; 32]);
    /// let genesis = Genesis {
    ///     name: Name::new("shop")?,
    ///     nonce: [7; 16],
    ///     roots: [public_key(&key)].into(),
    ///     schema: [].into(),
    ///     features: [].into(),
    /// };
    /// let replica = Replica::create(genesis, &key, 1_767_225_600_000)?;
    /// assert_eq!(replica.heads(), [replica.project()]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AuthorError`] if the genesis breaks a limit, the clock shows more than [`crate::limits::INTEGER_MAX`], or there is
    /// no good signature.
    pub fn create(genesis: Genesis, signer: &dyn Signer, now_ms: u64) -> Result<Self, AuthorError> {
        Self::builder().create(genesis, signer, now_ms)
    }

    /// A replica of the project that holds nothing yet; what comes before the genesis is pending.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let project: OpId = "3f".repeat(32).parse()?;
    /// assert!(Replica::join(project).heads().is_empty());
    /// # Ok::<(), ecac_core::ParseIdError>(())
    /// ```
    #[must_use]
    pub fn join(project: ProjectId) -> Self {
        Self::builder().join(project)
    }

    /// Settings, with a default for each.
    pub fn builder() -> ReplicaBuilder {
        ReplicaBuilder::default()
    }

    /// The project: the op id of its genesis.
    #[must_use]
    pub const fn project(&self) -> ProjectId {
        self.log.project()
    }

    /// The work that receiving and authoring have taken so far. Questions and previews are not counted.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let mut replica = Replica::join(OpId::from_bytes([0; 32]));
    /// let before = replica.costs();
    /// replica.receive(&[b"no op"]);
    /// assert_eq!(replica.costs().since(&before).signatures_verified, 0);
    /// ```
    #[must_use]
    pub const fn costs(&self) -> Costs {
        self.costs
    }

    /// The ops that it holds.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// The decisions and the state, as of all that it holds.
    #[must_use]
    pub const fn replay(&self) -> &Replay {
        &self.replay
    }
}
