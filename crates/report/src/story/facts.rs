//! What is known of a run: its ops, and what became of each.

use std::collections::BTreeMap;

use ecac_artifact::Event;
use ecac_core::payload;
use ecac_core::{Body, OpId, Payload};

use crate::ops::Ops;

/// The op log and the timeline of a run, by op.
pub(super) struct Facts<'a> {
    pub(super) ops: &'a Ops,
    pub(super) events: &'a [Event<OpId>],
    /// The events of each op, in order.
    fates: BTreeMap<OpId, Vec<&'a Event<OpId>>>,
    /// The events that each op is the cause of.
    pub(super) effects: BTreeMap<OpId, Vec<&'a Event<OpId>>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(ops: &'a Ops, events: &'a [Event<OpId>]) -> Self {
        let mut fates: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut effects: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in events {
            if let Some(op) = event.op {
                fates.entry(op).or_default().push(event);
            }
            if let Some(by) = event.by {
                effects.entry(by).or_default().push(event);
            }
        }
        Self {
            ops,
            events,
            fates,
            effects,
        }
    }

    /// The last verdict on an op, and the one before where it changed.
    pub(super) fn fate(&self, op: &OpId) -> Option<&'a Event<OpId>> {
        self.fates.get(op)?.last().copied()
    }

    /// What an op that takes others back is called.
    pub(super) fn cause(&self, op: &OpId, body: &Body) -> String {
        let who = self.ops.author(op);
        match &body.payload {
            Payload::Revoke(payload::Revoke { subject, .. }) => {
                format!("{who}'s revocation of {}", self.ops.label(subject))
            }
            Payload::StatusList(_) => format!("{who}'s status list"),
            Payload::IssuerKeyRevoke(_) => format!("{who}'s revocation of an issuer key"),
            other => format!("{who}'s {}", other.kind()),
        }
    }
}
