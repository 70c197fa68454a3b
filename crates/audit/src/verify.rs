//! Verification against replay: whether what a node signed is what the ops say.

use std::collections::BTreeSet;

use ecac_core::{Costs, DenialReason, Log, OpId, Refusal, VerifiedOp};

use crate::chain::Batch;
use crate::comparison::{Comparison, Contradiction, Halt, Obstacle};
use crate::digest::Digest;
use crate::entry::{Entry, EntryKind, Subject};
use crate::evidence::Evidence;
use crate::log::AuditLog;
use crate::reason::RollBackReason;
use crate::recorder::Recorder;

/// Replays `op_log`, a set of envelopes in any order, in the order and the batches that `audit` records, and compares
/// every entry.
///
/// All of `audit` is recomputed but what rests on the node's word: the order of arrivals, how many of them were no op,
/// who viewed what, and with whom it synced. Bytes that were no op at all need not be in the op log; where it has some that
/// the audit log lists, they are judged again.
///
/// Only what the node signed speaks against it. What else is in the op log, and what is missing there, is told in the
/// [`Comparison`].
///
/// # Errors
///
/// The first [`Contradiction`].
pub fn verify_against<'a>(
    audit: &AuditLog,
    op_log: impl IntoIterator<Item = &'a [u8]>,
    costs: &mut Costs,
) -> Result<Comparison, Contradiction> {
    let evidence = Evidence::new(audit, op_log, costs);
    let mut run = Run {
        evidence: &evidence,
        recorder: Recorder::new(audit.origin().project),
        listed: BTreeSet::new(),
        ops: 0,
        entries: 0,
        effects: false,
        effects_unrecorded: 0,
        envelopes_absent: 0,
    };
    let mut halt = None;
    let mut position = Position { line: 2, index: 0 };
    for (number, batch) in audit.batches().iter().enumerate() {
        halt = run.batch(batch, position, evidence.ends_in(number), costs)?;
        if halt.is_some() {
            break;
        }
        position = position.after(batch.entries.len());
        position.line += 1;
    }
    let (recorder, ops, entries, envelopes_absent) =
        (run.recorder, run.ops, run.entries, run.envelopes_absent);
    Ok(Comparison {
        ops,
        entries,
        entries_unjudged: audit.size() - entries,
        effects_unrecorded: run.effects_unrecorded,
        halt,
        absent: evidence.absent,
        silent: evidence.silent,
        items_no_op: evidence.items_no_op,
        envelopes_absent,
        recorder,
    })
}

/// Where the first entry of a batch stands.
#[derive(Clone, Copy)]
struct Position {
    line: u64,
    index: u64,
}

impl Position {
    const fn after(self, entries: usize) -> Self {
        let entries = entries as u64;
        Self {
            line: self.line + entries,
            index: self.index + entries,
        }
    }

    const fn halt(self, obstacle: Obstacle) -> Halt {
        Halt {
            line: self.line,
            index: self.index,
            obstacle,
        }
    }
}

struct Run<'a> {
    evidence: &'a Evidence,
    recorder: Recorder,
    /// Envelopes that the audit log has listed as no op.
    listed: BTreeSet<Digest>,
    ops: u64,
    entries: u64,
    /// Whether the audit log has recorded an effect, up to and with the batch that is compared.
    effects: bool,
    effects_unrecorded: u64,
    envelopes_absent: u64,
}

impl Run<'_> {
    /// Compares a batch, up to the position `end` if there is one, with the entries that it should have, given its arrivals,
    /// views and syncs.
    fn batch(
        &mut self,
        batch: &Batch,
        position: Position,
        end: Option<usize>,
        costs: &mut Costs,
    ) -> Result<Option<Halt>, Contradiction> {
        let entries = &batch.entries[..end.unwrap_or(batch.entries.len())];
        let mut checkpoint = false;
        for (at, entry) in entries.iter().enumerate() {
            let next = entries.get(at + 1);
            self.step(entry, next, position.after(at), costs)?;
            checkpoint |= entry.kind() == EntryKind::Checkpoint;
        }
        let mut expected = match end {
            Some(_) => self.recorder.open_entries().to_vec(),
            None if checkpoint => self.recorder.seal_with_checkpoint(costs),
            None => self.recorder.seal(costs),
        };
        let is_effect = |entry: &Entry| entry.kind() == EntryKind::Effect;
        self.effects |= batch.entries.iter().any(is_effect);
        if !self.effects {
            let all = expected.len();
            expected.retain(|entry| !is_effect(entry));
            self.effects_unrecorded += (all - expected.len()) as u64;
        }
        let halt = self.compare(entries, &expected, position)?;
        let at_end = || end.map(|end| position.after(end).halt(Obstacle::AbsentOp));
        Ok(halt.or_else(at_end))
    }

    /// Lets the recorder do what the entry says that the node met with.
    fn step(
        &mut self,
        entry: &Entry,
        next: Option<&Entry>,
        Position { line, index }: Position,
        costs: &mut Costs,
    ) -> Result<(), Contradiction> {
        match *entry {
            Entry::Ingested { subject } => {
                let fresh = match subject {
                    Subject::Op(op) => self.op(op, costs),
                    Subject::Envelope(digest) => self.envelope(digest, next, costs),
                };
                if !fresh {
                    return Err(Contradiction::IngestedTwice {
                        line,
                        index,
                        subject,
                    });
                }
            }
            Entry::Rejected { reason, count } => {
                if count > 0 && of_bytes_alone(reason) {
                    self.recorder.count_rejected(reason, count);
                }
            }
            Entry::Viewed { object, viewer } => self.recorder.viewed(object, viewer),
            Entry::Synced { peer, .. } => self.recorder.synced(peer),
            Entry::Applied { .. }
            | Entry::Skipped { .. }
            | Entry::RolledBack { .. }
            | Entry::Reinstated { .. }
            | Entry::Effect { .. }
            | Entry::Held { .. }
            | Entry::Checkpoint { .. } => {}
        }
        Ok(())
    }

    /// Takes in an op; false if it is here already.
    ///
    /// What is absent, or rests on what is absent, cannot be judged. As long as the audit log has not admitted it, it
    /// changes nothing else.
    fn op(&mut self, id: OpId, costs: &mut Costs) -> bool {
        let Some(op) = self.evidence.founded(&id) else {
            self.recorder.ingest_absent(id);
            return true;
        };
        let fresh = !self.recorder.log().holds(&id);
        if fresh {
            self.recorder.ingest(op.clone(), costs);
            self.ops += 1;
        }
        fresh
    }

    /// Takes in what the audit log lists as no op; false if it did so before.
    ///
    /// Where the envelope turns out to be an op, the replay ingests that op, and the entries differ. Where nobody has
    /// the envelope, the reason that the next entry gives is taken, if it is one that bytes alone can have.
    fn envelope(&mut self, digest: Digest, next: Option<&Entry>, costs: &mut Costs) -> bool {
        if !self.listed.insert(digest) {
            return false;
        }
        match self.evidence.envelope(&digest) {
            Some(Ok(op)) => {
                self.op(op, costs);
            }
            Some(Err(reason)) => self.recorder.list_rejected(digest, reason),
            None => {
                self.envelopes_absent += 1;
                let given = match next {
                    Some(Entry::Skipped { reason, .. }) => Some(*reason),
                    _ => None,
                };
                let reason = given.filter(|reason| of_bytes_alone(*reason));
                let reason = reason.unwrap_or(Refusal::NonCanonical);
                self.recorder.list_rejected(digest, reason);
            }
        }
        true
    }

    fn compare(
        &mut self,
        entries: &[Entry],
        expected: &[Entry],
        position: Position,
    ) -> Result<Option<Halt>, Contradiction> {
        let on_word = |entry: &Entry| matches!(entry, Entry::Skipped { subject: Subject::Op(op), .. } if self.evidence.on_word(op));
        let recorded = entries.iter().enumerate();
        let mut recorded = recorded.filter(|(_, entry)| !on_word(entry));
        let mut expected = expected.iter();
        loop {
            let (found, wanted) = (recorded.next(), expected.next());
            let (at, found) = found.map_or((entries.len(), None), |(at, it)| (at, Some(it)));
            if found != wanted {
                let position = position.after(at);
                let log = self.recorder.log();
                return if found.is_some_and(|it| by_earlier_rules(it, log)) {
                    Ok(Some(position.halt(Obstacle::EarlierRules)))
                } else if by_another_program(found, wanted, log) {
                    Ok(Some(position.halt(Obstacle::OtherProgram)))
                } else {
                    Err(Contradiction::Entry {
                        line: position.line,
                        index: position.index,
                        recorded: found.cloned().map(Box::new),
                        expected: wanted.cloned().map(Box::new),
                    })
                };
            }
            if found.is_none() {
                return Ok(None);
            }
            self.entries += 1;
        }
    }
}

/// Whether bytes can be refused for this reason without being an op.
const fn of_bytes_alone(reason: Refusal) -> bool {
    matches!(reason, Refusal::NonCanonical | Refusal::BadSignature)
}

/// Whether earlier rules may give an entry that these rules do not: those by which two ops of one author with one
/// sequence number deny.
///
/// Such an entry names one of the two as what denies. Where there are no two, the entry is a lie by any rules.
fn by_earlier_rules(entry: &Entry, log: &Log) -> bool {
    let denial = match *entry {
        Entry::RolledBack { reason, denial, .. }
            if reason == RollBackReason::EQUIVOCATION
                || reason == DenialReason::GranterDenied.into() =>
        {
            denial
        }
        Entry::Skipped {
            reason: Refusal::Revoked,
            witness: Some(witness),
            ..
        } => witness,
        Entry::RolledBack { .. }
        | Entry::Skipped { .. }
        | Entry::Ingested { .. }
        | Entry::Applied { .. }
        | Entry::Reinstated { .. }
        | Entry::Effect { .. }
        | Entry::Held { .. }
        | Entry::Rejected { .. }
        | Entry::Viewed { .. }
        | Entry::Checkpoint { .. }
        | Entry::Synced { .. } => return false,
    };
    let Some(fork) = log.admitted().find(|op| op.id() == denial) else {
        return false;
    };
    let (author, seq) = (fork.body().author, fork.body().seq);
    let twin = |op: VerifiedOp| {
        let body = op.body();
        op.id() != denial && body.author == author && body.seq == seq
    };
    log.admitted().any(twin)
}

/// Whether one of the two programs holds an op that the other one judges. That can be only where the project uses
/// features; elsewhere the entry is a lie by any program.
fn by_another_program(recorded: Option<&Entry>, expected: Option<&Entry>, log: &Log) -> bool {
    let holds = |entry: Option<&Entry>| entry.is_some_and(|it| it.kind() == EntryKind::Held);
    let names_features = |op: VerifiedOp| op.body().payload.names_features();
    (holds(recorded) != holds(expected)) && log.admitted().any(names_features)
}
