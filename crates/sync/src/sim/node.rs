//! A node of the simulation: its home, its clock, its sessions.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Costs, Op, OpId, Received, Regained, Replica, SigningKey, VerifiedOp};

use super::home::Home;
use crate::defect::Defect;
use crate::frame::SessionId;
use crate::keeper::{KeepError, Keeper, RegainFault};
use crate::session::Session;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: SigningKey,
    /// What its clock shows beside the true time, in milliseconds.
    pub(super) clock_ms: i64,
    pub(super) lies: bool,
    pub(super) is_up: bool,
    pub(super) kept: Kept,
    /// With whom, and until when they are kept after they have ended.
    pub(super) sessions: BTreeMap<SessionId, (usize, Session, Option<u64>)>,
    /// What it has written and was told to be on the disk.
    pub(super) written: Vec<OpId>,
}

impl Node {
    /// Power has failed.
    pub(super) fn goes_down(&mut self) {
        self.is_up = false;
        self.sessions.clear();
    }
}

/// The keeper of a node, which watches what it is given.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) home: Box<dyn Home>,
    /// The first op that was taken in before its parents.
    pub(super) early: Option<OpId>,
    /// Whether power has failed.
    pub(super) has_failed: bool,
    defect: Option<Defect>,
}

impl Kept {
    pub(super) fn new(home: Box<dyn Home>, defect: Option<Defect>) -> Self {
        Self {
            home,
            early: None,
            has_failed: false,
            defect,
        }
    }

    /// Whether the op is here, judged or not.
    pub(super) fn has(&self, op: &OpId) -> bool {
        let replica = self.home.replica();
        replica.log().position(op).is_some() || replica.envelope(op).is_some()
    }

    /// All that is here, in the order of ids.
    pub(super) fn ids(&self) -> Vec<OpId> {
        let replica = self.home.replica();
        let unjudged = replica.unsupported_ops().into_iter();
        let mut ids: Vec<OpId> = replica.log().ids_since(0).collect();
        ids.extend(unjudged.map(|it| it.1.op));
        ids.sort_unstable();
        ids
    }
}

impl Keeper for Kept {
    fn replica(&self) -> &Replica {
        self.home.replica()
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        let (mut fresh, mut orphans) = (BTreeSet::new(), BTreeSet::new());
        for envelope in envelopes {
            if let Ok(op) = Op::decode(envelope, &mut Costs::default()) {
                let log = self.home.replica().log();
                let mut parents = op.body().parents.iter();
                if parents.all(|it| fresh.contains(it) || log.holds(it)) || log.holds(&op.id()) {
                    fresh.insert(op.id());
                    orphans.remove(&op.id());
                } else if VerifiedOp::read(envelope, &mut Costs::default()).is_err() {
                    // It has come, and what builds on it waits for a good copy, whatever that lacks.
                    fresh.insert(op.id());
                } else {
                    orphans.insert(op.id());
                }
            }
        }
        let received = if self.defect == Some(Defect::ChecksNoParents) {
            self.home.receive(envelopes)
        } else {
            self.home.receive_in_order(envelopes)
        };
        let log = self.home.replica().log();
        let early = orphans.into_iter().find(|it| log.holds(it));
        self.early = self.early.or(early);
        self.has_failed |= received.is_err();
        received
    }

    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault> {
        let regained = self.home.regain(envelopes);
        self.has_failed |= matches!(regained, Err(RegainFault::Keep(_)));
        regained
    }
}
