//! A node of the simulation: a replica, its disk, its clock, its sessions.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Costs, Op, OpId, ProjectId, Received, Replica, SigningKey};

use super::Defect;
use super::disk::Disk;
use crate::frame::SessionId;
use crate::keeper::{KeepError, Keeper};
use crate::session::Session;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) key: SigningKey,
    /// What its clock shows beside the true time, in milliseconds.
    pub(super) clock_ms: i64,
    pub(super) lies: bool,
    pub(super) is_up: bool,
    pub(super) keeper: SimKeeper,
    /// With whom, and until when they are kept after they have ended.
    pub(super) sessions: BTreeMap<SessionId, (usize, Session, Option<u64>)>,
    /// What it has written and synced.
    pub(super) written: Vec<OpId>,
}

#[derive(Debug)]
pub(super) struct SimKeeper {
    pub(super) replica: Replica,
    pub(super) disk: Box<dyn Disk>,
    pub(super) stored: usize,
    pub(super) kept: u64,
    pub(super) defect: Option<Defect>,
    /// The first op that was handed over before its parents.
    pub(super) early: Option<OpId>,
}

impl SimKeeper {
    pub(super) fn new(project: ProjectId, disk: Box<dyn Disk>, defect: Option<Defect>) -> Self {
        Self {
            replica: Replica::builder().threads(1).join(project),
            disk,
            stored: 0,
            kept: 0,
            defect,
            early: None,
        }
    }

    /// Writes what is new to the disk.
    pub(super) fn store(&mut self, sync: bool) {
        let ops: Vec<OpId> = self.replica.log().ids_since(self.stored).collect();
        for op in ops {
            if let Some(envelope) = self.replica.envelope(&op) {
                self.disk.append(&envelope);
            }
            self.stored += 1;
        }
        if sync {
            self.disk.sync();
        }
    }

    /// Power fails, and comes again: the replica is what the disk has.
    pub(super) fn restart(&mut self) {
        self.disk.crash();
        let project = self.replica.project();
        self.replica = Replica::builder().threads(1).join(project);
        self.replica.receive(&self.disk.envelopes());
        self.stored = self.replica.log().admitted_count();
    }
}

impl Keeper for SimKeeper {
    fn replica(&self) -> &Replica {
        &self.replica
    }

    fn keep(&mut self, envelopes: &[Vec<u8>]) -> Result<Received, KeepError> {
        let mut fresh: BTreeSet<OpId> = BTreeSet::new();
        for envelope in envelopes {
            if let Ok(op) = Op::decode(envelope, &mut Costs::default()) {
                let log = self.replica.log();
                let mut parents = op.body().parents.iter();
                if !parents.all(|it| fresh.contains(it) || log.holds(it)) {
                    self.early.get_or_insert(op.id());
                }
                fresh.insert(op.id());
            }
            if self.defect == Some(Defect::StoresUnverified) {
                self.disk.append(envelope);
            }
        }
        let received = self.replica.receive(envelopes);
        self.kept += 1;
        // A store that syncs now and then: a crash loses what has come since.
        let sync = self.kept.is_multiple_of(3);
        if self.defect == Some(Defect::StoresUnverified) {
            self.stored = self.replica.log().admitted_count();
            self.disk.sync();
        } else {
            self.store(sync);
        }
        Ok(received)
    }
}
