//! Verification against replay: whether what a node signed is what the ops say.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Costs, Op, OpId, Refusal, VerifiedOp};
use thiserror::Error;

use crate::chain::Batch;
use crate::digest::Digest;
use crate::entry::{Entry, Subject};
use crate::log::AuditLog;
use crate::recorder::Recorder;

/// Where the audit log and the op log contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Contradiction {
    /// An entry is not the one that replay gives.
    #[error("line {line}: entry {index} is {}, but replay gives {}", shown(recorded.as_deref()), shown(expected.as_deref()))]
    Entry {
        /// Line of the export.
        line: u64,
        /// Index of the entry.
        index: u64,
        /// The entry in the audit log; `None` where the batch has no more.
        recorded: Option<Box<Entry>>,
        /// The entry of the replay; `None` where there should be no more.
        expected: Option<Box<Entry>>,
    },
    /// An op was ingested that the op log does not have.
    #[error("line {line}: entry {index} ingests op {op}, which the op log does not have")]
    UnknownOp {
        /// Line of the export.
        line: u64,
        /// Index of the entry.
        index: u64,
        /// The op.
        op: OpId,
    },
    /// The audit log ingests something a second time.
    #[error("line {line}: entry {index} ingests {subject} a second time")]
    IngestedTwice {
        /// Line of the export.
        line: u64,
        /// Index of the entry.
        index: u64,
        /// What it is about.
        subject: Subject,
    },
    /// The op log has something that the audit log never ingests.
    #[error("the audit log never ingests {subject}, which the op log has")]
    NotIngested {
        /// What it is about; the first such by kind and id.
        subject: Subject,
    },
}

fn shown(entry: Option<&Entry>) -> String {
    entry.map_or_else(|| "absent".to_owned(), crate::entry::canonical)
}

/// An audit log that replay bears out.
#[derive(Debug)]
pub struct Confirmed {
    /// Distinct ops of the op log, all of which were ingested.
    pub ops: u64,
    /// Envelopes that the audit log calls no op of anybody's and that the op log does not have: nobody can check that.
    pub envelopes_absent: u64,
    /// The replica after the last batch, ready to go on.
    pub recorder: Recorder,
}

/// Replays `op_log`, a set of envelopes in any order, in the order and the batches that `audit` records, and compares
/// every entry.
///
/// All of `audit` is recomputed but three things, which rest on the node's word: the order of arrivals, who viewed
/// what, and with whom it synced. Bytes that were no op at all need not be in the op log; where they are, they are
/// judged again.
///
/// # Errors
///
/// The first [`Contradiction`].
pub fn verify_against<'a>(
    audit: &AuditLog,
    op_log: impl IntoIterator<Item = &'a [u8]>,
    costs: &mut Costs,
) -> Result<Confirmed, Contradiction> {
    let held = Held::new(op_log, costs);
    let mut run = Run {
        held: &held,
        recorder: Recorder::new(audit.origin().project),
        seen: BTreeSet::new(),
        envelopes_absent: 0,
    };
    let (mut line, mut index) = (2, 0);
    for batch in audit.batches() {
        let expected = run.batch(batch, line, index, costs)?;
        compare(&batch.entries, &expected, line, index)?;
        let length = batch.entries.len() as u64;
        (line, index) = (line + length + 1, index + length);
    }
    if let Some(subject) = held.subjects().find(|subject| !run.seen.contains(subject)) {
        return Err(Contradiction::NotIngested { subject });
    }
    Ok(Confirmed {
        ops: held.ops.len() as u64,
        envelopes_absent: run.envelopes_absent,
        recorder: run.recorder,
    })
}

/// The op log, by what each envelope is.
struct Held {
    ops: BTreeMap<OpId, VerifiedOp>,
    envelopes: BTreeMap<Digest, Result<OpId, Refusal>>,
}

impl Held {
    fn new<'a>(op_log: impl IntoIterator<Item = &'a [u8]>, costs: &mut Costs) -> Self {
        let mut held = Self {
            ops: BTreeMap::new(),
            envelopes: BTreeMap::new(),
        };
        for envelope in op_log {
            let judged = Op::decode(envelope, costs)
                .map_err(|_| Refusal::NonCanonical)
                .and_then(|op| VerifiedOp::verify(op, costs).map_err(|_| Refusal::BadSignature));
            let what = judged.map(|op| {
                let id = op.id();
                held.ops.entry(id).or_insert(op);
                id
            });
            held.envelopes.insert(Digest::of(envelope), what);
        }
        held
    }

    fn subjects(&self) -> impl Iterator<Item = Subject> {
        let rejected = self.envelopes.iter().filter(|(_, what)| what.is_err());
        let ops = self.ops.keys().map(|id| Subject::Op(*id));
        ops.chain(rejected.map(|(digest, _)| Subject::Envelope(*digest)))
    }
}

struct Run<'a> {
    held: &'a Held,
    recorder: Recorder,
    seen: BTreeSet<Subject>,
    envelopes_absent: u64,
}

impl Run<'_> {
    /// The entries that a batch should have whose arrivals, views and syncs are those of `batch`.
    fn batch(
        &mut self,
        batch: &Batch,
        line: u64,
        index: u64,
        costs: &mut Costs,
    ) -> Result<Vec<Entry>, Contradiction> {
        let mut checkpoint = false;
        for (at, entry) in (0..).zip(&batch.entries) {
            match entry {
                Entry::Ingested { subject } => {
                    let (line, index, subject) = (line + at, index + at, *subject);
                    if !self.seen.insert(subject) {
                        return Err(Contradiction::IngestedTwice {
                            line,
                            index,
                            subject,
                        });
                    }
                    match subject {
                        Subject::Op(op) => {
                            let held = self.held.ops.get(&op);
                            let held = held.ok_or(Contradiction::UnknownOp { line, index, op })?;
                            self.recorder.ingest(held.clone(), costs);
                        }
                        Subject::Envelope(digest) => {
                            let next = usize::try_from(at + 1).ok();
                            let next = next.and_then(|next| batch.entries.get(next));
                            self.envelope(digest, next, costs);
                        }
                    }
                }
                Entry::Viewed { object, viewer } => self.recorder.viewed(*object, *viewer),
                Entry::Synced { peer, .. } => self.recorder.synced(*peer),
                Entry::Checkpoint { .. } => checkpoint = true,
                Entry::Applied { .. } | Entry::Skipped { .. } | Entry::RolledBack { .. } => {}
            }
        }
        Ok(if checkpoint {
            self.recorder.seal_with_checkpoint(costs)
        } else {
            self.recorder.seal(costs)
        })
    }

    /// Where the envelope turns out to be an op, the replay ingests that op, and the entries differ. Where nobody has
    /// the envelope, the reason that the next entry gives is taken, if it is one that bytes alone can have.
    fn envelope(&mut self, digest: Digest, next: Option<&Entry>, costs: &mut Costs) {
        match self.held.envelopes.get(&digest) {
            Some(Ok(op)) => {
                self.recorder.ingest(self.held.ops[op].clone(), costs);
            }
            Some(Err(reason)) => self.recorder.reject(digest, *reason),
            None => {
                self.envelopes_absent += 1;
                let reason = match next {
                    Some(Entry::Skipped {
                        reason: Refusal::BadSignature,
                        ..
                    }) => Refusal::BadSignature,
                    _ => Refusal::NonCanonical,
                };
                self.recorder.reject(digest, reason);
            }
        }
    }
}

fn compare(
    recorded: &[Entry],
    expected: &[Entry],
    line: u64,
    index: u64,
) -> Result<(), Contradiction> {
    let length = recorded.len().max(expected.len());
    for (at, offset) in (0..length).zip(0..) {
        let (recorded, expected) = (recorded.get(at), expected.get(at));
        if recorded != expected {
            return Err(Contradiction::Entry {
                line: line + offset,
                index: index + offset,
                recorded: recorded.cloned().map(Box::new),
                expected: expected.cloned().map(Box::new),
            });
        }
    }
    Ok(())
}
