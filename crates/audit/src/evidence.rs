//! The op log as evidence: what it has of that of which an audit log speaks.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Costs, Op, OpId, Refusal, VerifiedOp};

use crate::digest::Digest;
use crate::entry::{Entry, Subject};
use crate::log::AuditLog;

/// What an op log says to an audit log.
///
/// Of what the audit log does not speak of, no bytes are kept: an op log may hold any amount of that.
#[derive(Debug)]
pub(crate) struct Evidence {
    /// Ops that the audit log ingests, and those whose bytes it calls no op.
    ops: BTreeMap<OpId, VerifiedOp>,
    /// What the envelopes are that the audit log lists as no op.
    envelopes: BTreeMap<Digest, Result<OpId, Refusal>>,
    /// Ops that the audit log ingests, and the op log does not have.
    pub(crate) absent: BTreeSet<OpId>,
    /// Ops of which the audit log does not speak.
    pub(crate) silent: BTreeSet<OpId>,
    /// Items that are no op and of which the audit log does not speak.
    pub(crate) items_no_op: u64,
    /// Ops that are here, and that rest on absent ones, at whatever remove.
    unfounded: BTreeSet<OpId>,
    /// The first entry, as batch and place in it, that needs an absent op which entered the DAG.
    end: Option<(usize, usize)>,
}

impl Evidence {
    pub(crate) fn new<'a>(
        audit: &AuditLog,
        op_log: impl IntoIterator<Item = &'a [u8]>,
        costs: &mut Costs,
    ) -> Self {
        let entries = || audit.batches().iter().flat_map(|batch| &batch.entries);
        let arrived: BTreeSet<OpId> = entries().filter_map(ingested).collect();
        let listed: BTreeSet<Digest> = entries().filter_map(listed).collect();
        let mut evidence = Self {
            ops: BTreeMap::new(),
            envelopes: BTreeMap::new(),
            absent: BTreeSet::new(),
            silent: BTreeSet::new(),
            items_no_op: 0,
            unfounded: BTreeSet::new(),
            end: None,
        };
        for envelope in op_log {
            let digest = (!listed.is_empty()).then(|| Digest::of(envelope));
            let digest = digest.filter(|digest| listed.contains(digest));
            evidence.take(envelope, digest, &arrived, costs);
        }
        let absent = |op: &OpId| !evidence.ops.contains_key(op);
        evidence.absent = arrived.into_iter().filter(absent).collect();
        evidence.weigh_absent(audit);
        evidence
    }

    fn take(
        &mut self,
        envelope: &[u8],
        listed: Option<Digest>,
        arrived: &BTreeSet<OpId>,
        costs: &mut Costs,
    ) {
        let judged = Op::decode(envelope, costs)
            .map_err(|_| Refusal::NonCanonical)
            .and_then(|op| VerifiedOp::verify(op, costs).map_err(|_| Refusal::BadSignature));
        let what = judged.map(|op| {
            let id = op.id();
            if listed.is_some() || arrived.contains(&id) {
                self.ops.entry(id).or_insert(op);
            } else {
                self.silent.insert(id);
            }
            id
        });
        match listed {
            Some(digest) => {
                self.envelopes.insert(digest, what);
            }
            None => self.items_no_op += u64::from(what.is_err()),
        }
    }

    /// Finds what rests on absent ops, and where the first of them is said to have entered the DAG.
    fn weigh_absent(&mut self, audit: &AuditLog) {
        if self.absent.is_empty() {
            return;
        }
        let mut children: BTreeMap<OpId, Vec<OpId>> = BTreeMap::new();
        for (id, op) in &self.ops {
            for parent in &op.body().parents {
                children.entry(*parent).or_default().push(*id);
            }
        }
        let mut open: Vec<OpId> = self.absent.iter().copied().collect();
        while let Some(id) = open.pop() {
            let children = children.get(&id).into_iter().flatten();
            open.extend(children.filter(|child| self.unfounded.insert(**child)));
        }
        let mut batches = audit.batches().iter().enumerate();
        self.end = batches.find_map(|(number, batch)| Some((number, self.end_in(&batch.entries)?)));
    }

    /// The place in a batch up to which it can be computed; `None` where it admits no absent op.
    ///
    /// An absent op that arrived in an earlier batch was released by any of the arrivals in this one.
    fn end_in(&self, entries: &[Entry]) -> Option<usize> {
        let absent = |op: &OpId| self.absent.contains(op);
        let mut arrivals: BTreeMap<OpId, usize> = BTreeMap::new();
        for (at, op) in entries.iter().map(ingested).enumerate() {
            if let Some(op) = op.filter(absent) {
                arrivals.entry(op).or_insert(at);
            }
        }
        let admitted = entries.iter().filter_map(decided).filter(absent);
        admitted
            .map(|op| arrivals.get(&op).copied().unwrap_or(0))
            .min()
    }

    /// The op, of which the audit log speaks; `None` where it, or something that it rests on, is absent.
    pub(crate) fn founded(&self, id: &OpId) -> Option<&VerifiedOp> {
        self.ops.get(id).filter(|_| !self.unfounded.contains(id))
    }

    /// What an envelope is that the audit log lists as no op; `None` where the op log does not have it.
    pub(crate) fn envelope(&self, digest: &Digest) -> Option<Result<OpId, Refusal>> {
        self.envelopes.get(digest).copied()
    }

    /// Whether it is the node's word alone that the op was refused.
    pub(crate) fn on_word(&self, id: &OpId) -> bool {
        self.absent.contains(id) || self.unfounded.contains(id)
    }

    /// The place in the batch from which on nothing can be computed, if it is in this batch.
    pub(crate) fn ends_in(&self, batch: usize) -> Option<usize> {
        self.end.filter(|end| end.0 == batch).map(|end| end.1)
    }
}

/// The op that an entry ingests.
const fn ingested(entry: &Entry) -> Option<OpId> {
    match entry {
        Entry::Ingested {
            subject: Subject::Op(op),
        } => Some(*op),
        Entry::Ingested {
            subject: Subject::Envelope(_),
        }
        | Entry::Applied { .. }
        | Entry::Skipped { .. }
        | Entry::RolledBack { .. }
        | Entry::Reinstated { .. }
        | Entry::Effect { .. }
        | Entry::Held { .. }
        | Entry::Rejected { .. }
        | Entry::Viewed { .. }
        | Entry::Checkpoint { .. }
        | Entry::Synced { .. } => None,
    }
}

/// The envelope that an entry lists as no op.
const fn listed(entry: &Entry) -> Option<Digest> {
    match entry {
        Entry::Ingested {
            subject: Subject::Envelope(digest),
        } => Some(*digest),
        Entry::Ingested {
            subject: Subject::Op(_),
        }
        | Entry::Applied { .. }
        | Entry::Skipped { .. }
        | Entry::RolledBack { .. }
        | Entry::Reinstated { .. }
        | Entry::Effect { .. }
        | Entry::Held { .. }
        | Entry::Rejected { .. }
        | Entry::Viewed { .. }
        | Entry::Checkpoint { .. }
        | Entry::Synced { .. } => None,
    }
}

/// The op of the DAG on which an entry decides.
const fn decided(entry: &Entry) -> Option<OpId> {
    match entry {
        Entry::Applied { op, .. }
        | Entry::RolledBack { op, .. }
        | Entry::Reinstated { op, .. }
        | Entry::Effect { op, .. } => Some(*op),
        Entry::Ingested { .. }
        | Entry::Skipped { .. }
        | Entry::Held { .. }
        | Entry::Rejected { .. }
        | Entry::Viewed { .. }
        | Entry::Checkpoint { .. }
        | Entry::Synced { .. } => None,
    }
}
