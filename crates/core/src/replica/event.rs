//! Events: what became of what a replica took in, and what that changed.

use std::collections::BTreeSet;

use super::place::{Place, Shown};
use crate::id::{OpId, PublicKey};
use crate::log::Arrival;
use crate::op::Body;
use crate::reason::{DenialReason, Refusal};

/// What one batch did to a replica: a function of what the replica held and of the batch.
///
/// Two replicas that take the same ops in in other orders report other events, and end with the same decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// First what did not enter the DAG, in the order of the batch, where a pending op that an op released follows it;
    /// then what is decided of the ops that did, parents before children; then the older ops whose decisions turned,
    /// parents before children.
    pub events: Vec<Event>,
    /// The places that show something else after the batch than before it, in their order; empty if the replica was
    /// built not to look.
    pub changes: Vec<PlaceChange>,
    /// Parents of pending ops of this batch that are not here: what to ask others for.
    pub missing: BTreeSet<OpId>,
    /// What the log made of each op as it came, in the order of the batch: what an audit log records. Items that are no op
    /// are in the events alone.
    pub arrivals: Vec<Arrived>,
    /// Ops that were not taken in, because they came before a parent; none where such ops may wait. Nothing else tells of them.
    pub orphans: usize,
}

/// An op of a batch as it came, or a pending one that it released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Arrived {
    /// The op and what the log made of it at once.
    pub arrival: Arrival,
    /// Whether it had been pending, and the last op before it that had not been released it.
    pub released: bool,
}

/// What became of an item of a batch, or what it made of an op that came earlier.
///
/// Whoever shows events has to think of each, so that one more breaks their build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The bytes are no op of anybody's; nothing is kept of them.
    Rejected {
        /// Which of the batch, from 0.
        position: usize,
        /// `non_canonical` or `bad_signature`.
        reason: Refusal,
        /// The id that the bytes claim, if they are canonical.
        claimed: Option<OpId>,
    },
    /// The op was here already; nothing changed.
    Duplicate {
        /// The op.
        op: OpId,
    },
    /// The op never enters the DAG, here or elsewhere.
    Refused {
        /// The op.
        op: Mention,
        /// Why: the first reason that holds.
        reason: Refusal,
        /// The denial or the grant that shows it, where there is one.
        witness: Option<OpId>,
    },
    /// The op waits for ancestors.
    Pending {
        /// The op.
        op: Mention,
        /// Its parents that are not here; none, if they are pending themselves. [`super::Replica::decision`] names the
        /// ancestors behind those.
        missing: BTreeSet<OpId>,
    },
    /// The op cannot be judged by this program: upgrade it.
    Unsupported {
        /// The op.
        op: Mention,
    },
    /// The op would wait, or cannot be judged, and there was no room for it; it can come again.
    Dropped {
        /// The op.
        op: Mention,
    },
    /// The op counts.
    Applied {
        /// The op.
        op: Mention,
        /// What allows it.
        grant: OpId,
    },
    /// The op was admitted and does not count, because of what others did concurrently.
    Denied {
        /// The op.
        op: Mention,
        /// Why: the first reason that holds.
        reason: DenialReason,
        /// The denial.
        denial: OpId,
    },
    /// The op counted, and does no longer.
    RolledBack {
        /// The op.
        op: Mention,
        /// Why: the first reason that holds.
        reason: DenialReason,
        /// The denial: the witness of the decision.
        denial: OpId,
        /// The op of this batch with which the decision turned.
        cause: OpId,
    },
    /// The op did not count, and does now.
    Reinstated {
        /// The op.
        op: Mention,
        /// What allows it.
        grant: OpId,
        /// The op of this batch with which the decision turned.
        cause: OpId,
    },
}

/// An op, as events speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mention {
    /// The op.
    pub id: OpId,
    /// The key that signed it; absent for a pending op that is refused once its parents are here, of which nothing else
    /// is kept.
    pub author: Option<PublicKey>,
    /// Kind of payload, likewise.
    pub kind: Option<&'static str>,
    /// The place that it touches, if it is data; likewise, and absent if the replica was built not to look.
    pub place: Option<Place>,
}

/// A place that shows something else than before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlaceChange {
    /// The place.
    pub place: Place,
    /// What it showed; `None` if there was nothing.
    pub before: Option<Shown>,
    /// What it shows; `None` if there is nothing.
    pub after: Option<Shown>,
    /// The events of the ops there that were applied, rolled back or reinstated: positions in [`Received::events`],
    /// ascending.
    pub because: Vec<usize>,
}

impl Event {
    /// The op that it is about; `None` for bytes that are no op.
    #[must_use]
    pub const fn op(&self) -> Option<OpId> {
        match self {
            Self::Rejected { .. } => None,
            Self::Duplicate { op } => Some(*op),
            Self::Refused { op, .. }
            | Self::Pending { op, .. }
            | Self::Unsupported { op }
            | Self::Dropped { op }
            | Self::Applied { op, .. }
            | Self::Denied { op, .. }
            | Self::RolledBack { op, .. }
            | Self::Reinstated { op, .. } => Some(op.id),
        }
    }

    /// The op with its author, kind and place, unless it is a duplicate.
    #[must_use]
    pub const fn mention(&self) -> Option<&Mention> {
        match self {
            Self::Rejected { .. } | Self::Duplicate { .. } => None,
            Self::Refused { op, .. }
            | Self::Pending { op, .. }
            | Self::Unsupported { op }
            | Self::Dropped { op }
            | Self::Applied { op, .. }
            | Self::Denied { op, .. }
            | Self::RolledBack { op, .. }
            | Self::Reinstated { op, .. } => Some(op),
        }
    }

    /// `rejected`, `duplicate`, `refused`, `pending`, `unsupported`, `dropped`, `applied`, `denied`, `rolled_back` or
    /// `reinstated`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Rejected { .. } => "rejected",
            Self::Duplicate { .. } => "duplicate",
            Self::Refused { .. } => "refused",
            Self::Pending { .. } => "pending",
            Self::Unsupported { .. } => "unsupported",
            Self::Dropped { .. } => "dropped",
            Self::Applied { .. } => "applied",
            Self::Denied { .. } => "denied",
            Self::RolledBack { .. } => "rolled_back",
            Self::Reinstated { .. } => "reinstated",
        }
    }

    /// The name of the reason and what it means, for what does not count.
    #[must_use]
    pub fn reason(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Rejected { reason, .. } | Self::Refused { reason, .. } => {
                Some((reason.name(), reason.meaning()))
            }
            Self::Denied { reason, .. } | Self::RolledBack { reason, .. } => {
                Some((reason.name(), reason.meaning()))
            }
            Self::Duplicate { .. }
            | Self::Pending { .. }
            | Self::Unsupported { .. }
            | Self::Dropped { .. }
            | Self::Applied { .. }
            | Self::Reinstated { .. } => None,
        }
    }
}

impl Received {
    /// The last event about the op, if there is one.
    #[must_use]
    pub fn of(&self, op: &OpId) -> Option<&Event> {
        self.events.iter().rev().find(|it| it.op() == Some(*op))
    }

    /// The ops that counted and do no longer, parents before children.
    pub fn rolled_back(&self) -> impl Iterator<Item = OpId> {
        let is_it = |event: &&Event| matches!(event, Event::RolledBack { .. });
        self.events.iter().filter(is_it).filter_map(Event::op)
    }

    /// The ops that did not count and do now, parents before children.
    pub fn reinstated(&self) -> impl Iterator<Item = OpId> {
        let is_it = |event: &&Event| matches!(event, Event::Reinstated { .. });
        self.events.iter().filter(is_it).filter_map(Event::op)
    }

    /// The events that made a place show something else.
    pub fn why<'a>(&'a self, change: &'a PlaceChange) -> impl Iterator<Item = &'a Event> {
        let positions = change.because.iter();
        positions.filter_map(|&at| self.events.get(at))
    }
}

impl Mention {
    /// The op; its place where `looks` says so.
    pub(super) fn of(id: OpId, body: &Body, looks: bool) -> Self {
        Self {
            id,
            author: Some(body.author),
            kind: Some(body.payload.kind()),
            place: looks.then(|| Place::of(&body.payload)).flatten(),
        }
    }

    /// An op of which nothing but the id is here.
    pub(super) const fn unknown(id: OpId) -> Self {
        Self {
            id,
            author: None,
            kind: None,
            place: None,
        }
    }
}
