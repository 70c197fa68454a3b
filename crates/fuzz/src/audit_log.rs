//! An audit log: an export as it is, the same with its places, heads and signatures mended, or the log of a node
//! that takes in a history that bytes spell.
//!
//! - An export that verifies is what the log exports again, and each entry can be proved.
//! - No byte of it can be changed or cut off without notice, and cut anywhere it reopens up to a signed head.
//! - A node that records what it did is confirmed by replay; neither what else is in the op log nor what is missing
//!   there speaks against it.
//!
//! The input is an export if it begins with `{`.

use std::collections::{BTreeMap, BTreeSet};

use ecac_audit::{
    AuditLog, Comparison, Digest, Entry, Expect, NodeKey, Origin, Subject, Verdict, verification,
    verify_against,
};
use ecac_core::limits::INTEGER_MAX;
use ecac_core::{Costs, OpId, VerifiedOp};

use crate::history;
use crate::reading::Reading;

/// Most lines that are mended.
const LINES_MAX: usize = 64;
/// Longest script: some 20 ops, whose signatures are verified many times.
const SCRIPT_BYTES_MAX: usize = 128;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    if data.starts_with(b"{") {
        let at = offset(data);
        let raw = AuditLog::verify(data, &Expect::default());
        if let Ok(audit) = &raw {
            check(audit, data, at);
        }
        let mended = mend(data);
        if let Some(audit) = &mended {
            check(audit, audit.export().as_bytes(), at);
        }
        return Reading::of(raw.is_ok() || mended.is_some());
    }
    let Some(([batch_ops, at], script)) = data.split_first_chunk() else {
        return Reading::Refused;
    };
    record(script, usize::from(*batch_ops % 8) + 1, usize::from(*at));
    Reading::Accepted
}

/// Some offset that depends on every byte of the input.
fn offset(data: &[u8]) -> usize {
    let hash = data.iter().fold(0xcbf2_9ce4_u32, |hash, byte| {
        (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    });
    hash as usize
}

fn node() -> NodeKey {
    NodeKey::from_seed([0x4e; 32])
}

/// A log of the entries in `data`, signed at each head and at the end.
fn mend(data: &[u8]) -> Option<AuditLog> {
    let key = node();
    let mut audit = AuditLog::new(Origin {
        project: OpId::from_bytes([7; 32]),
        node: key.public(),
    });
    let mut entries = Vec::new();
    let commit = |audit: &mut AuditLog, entries: &mut Vec<Entry>| {
        if !entries.is_empty() {
            let before = audit.export().len();
            let appended = audit
                .commit_batch(std::mem::take(entries), &key)
                .expect("the node signs its own log");
            assert!(audit.export()[before..] == appended);
        }
    };
    for line in data.split(|byte| *byte == b'\n').take(LINES_MAX) {
        if line.starts_with(b"{\"head\":") {
            commit(&mut audit, &mut entries);
        } else if let Ok(entry) = serde_json::from_slice::<Entry>(line) {
            // No node can count further.
            let counted = match entry {
                Entry::Checkpoint { ops, .. } => ops,
                Entry::Rejected { count, .. } => count,
                Entry::Ingested { .. }
                | Entry::Applied { .. }
                | Entry::Skipped { .. }
                | Entry::RolledBack { .. }
                | Entry::Reinstated { .. }
                | Entry::Effect { .. }
                | Entry::Held { .. }
                | Entry::Viewed { .. }
                | Entry::Synced { .. } => 0,
            };
            entries.extend((counted <= INTEGER_MAX).then_some(entry));
        }
    }
    commit(&mut audit, &mut entries);
    (audit.size() > 0).then_some(audit)
}

/// Records a history, and lets replay confirm the record and deny a changed one.
fn record(script: &[u8], batch_ops: usize, at: usize) {
    let ops = history::of(&script[..script.len().min(SCRIPT_BYTES_MAX)]);
    let mut items: Vec<&[u8]> = ops.iter().map(VerifiedOp::envelope).collect();
    let mut broken = items[items.len() / 2].to_vec();
    *broken.last_mut().expect("envelopes are not empty") ^= 1;
    items.insert(at % items.len(), &broken);
    let audit = AuditLog::of_op_log(ops[0].id(), &items, batch_ops, &node());
    let export = audit.export();
    check(&audit, export.as_bytes(), at * export.len() / 256);

    let ids: BTreeSet<OpId> = ops.iter().map(VerifiedOp::id).collect();
    let compared = compare(&audit, items.iter().copied());
    assert_eq!(compared.verdict(), Verdict::Confirmed);
    assert_eq!(compared.ops, ids.len() as u64);
    assert_eq!((compared.items_no_op, compared.entries_unjudged), (1, 0));
    let _ = verification(&audit, Some(&compared));
    check_decisions(&audit, &compared);
    items.reverse();
    items.push(b"\xd2\x80");
    let compared = compare(&audit, items.iter().copied());
    assert_eq!(
        compared.verdict(),
        Verdict::Confirmed,
        "the op log is a set"
    );
    assert_eq!(compared.items_no_op, 2);

    let one = ops[at % ops.len()].envelope();
    let without = items.iter().copied().filter(|item| *item != one);
    let compared = compare(&audit, without);
    assert_eq!(compared.verdict(), Verdict::Incomplete);
    assert_eq!(compared.absent.len(), 1);
    let _ = verification(&audit, Some(&compared));
    let mut cut = AuditLog::new(audit.origin());
    for batch in &audit.batches()[..at % audit.batches().len()] {
        cut.commit_batch(batch.entries.clone(), &node())
            .expect("the node signs its own log");
    }
    let compared = compare(&cut, items.iter().copied());
    assert_eq!(
        compared.ops + compared.silent.len() as u64,
        ids.len() as u64
    );
    assert!(compared.verdict().is_confirmed());
    let mut lied = audit.batches().to_vec();
    let batch = &mut lied[at % audit.batches().len()];
    batch.entries.push(Entry::Checkpoint {
        ops: INTEGER_MAX,
        state: Digest::of(b""),
    });
    let mut liar = AuditLog::new(audit.origin());
    for batch in lied {
        liar.commit_batch(batch.entries, &node())
            .expect("a node can sign a lie");
    }
    assert!(verify_against(&liar, items.iter().copied(), &mut Costs::default()).is_err());
}

/// Compares the log of an honest node.
fn compare<'a>(audit: &AuditLog, op_log: impl Iterator<Item = &'a [u8]>) -> Comparison {
    verify_against(audit, op_log, &mut Costs::default()).expect("a node that records what it did")
}

/// The last entry of each op says what replay decides.
fn check_decisions(audit: &AuditLog, compared: &Comparison) {
    let mut last = BTreeMap::new();
    for entry in audit.batches().iter().flat_map(|batch| &batch.entries) {
        match entry {
            Entry::Applied { op, .. } | Entry::Reinstated { op, .. } => last.insert(*op, "applied"),
            Entry::RolledBack { op, .. } => last.insert(*op, "denied"),
            Entry::Skipped {
                subject: Subject::Op(op),
                ..
            } => last.insert(*op, "refused"),
            Entry::Ingested {
                subject: Subject::Op(op),
            } => Some(*last.entry(*op).or_insert("pending")),
            _ => None,
        };
    }
    let (log, replay) = (compared.recorder.log(), compared.recorder.replay());
    let decided = replay.decisions(log);
    let decided: BTreeMap<_, _> = decided
        .iter()
        .map(|(id, decision)| (*id, decision.verdict()))
        .collect();
    assert_eq!(last, decided);
}

/// What is promised of a log whose export is `export`; `at` picks the places that are tried.
fn check(audit: &AuditLog, export: &[u8], at: usize) {
    assert!(
        audit.export().as_bytes() == export,
        "an export is canonical"
    );
    let expect = Expect {
        project: Some(audit.origin().project),
        node: Some(audit.origin().node),
    };
    let again = AuditLog::verify(export, &expect).expect("an export verifies");
    assert_eq!(again.batches(), audit.batches());
    let _ = verification(audit, None);

    let at = at % export.len();
    let mut changed = export.to_vec();
    changed[at] ^= 1 << (at % 7);
    assert!(
        AuditLog::verify(&changed, &expect).is_err(),
        "byte {at} can be changed"
    );
    let reopened = AuditLog::reopen(&changed, audit.origin());
    assert!(
        reopened.is_err(),
        "byte {at} can be changed in what is reopened"
    );
    let colon = export[at..].iter().position(|byte| *byte == b':');
    for offset in [at, colon.map_or(at, |length| at + length)] {
        let spaced = [&export[..offset], b" ", &export[offset..]].concat();
        assert!(
            AuditLog::verify(&spaced, &expect).is_err(),
            "there is one way to write a log"
        );
    }
    let cut = AuditLog::reopen(&export[..at], audit.origin()).expect("a crash is no damage");
    assert_eq!(cut.kept_bytes + cut.cut_bytes, at);
    if cut.kept_bytes > 0 {
        assert!(cut.log.export().as_bytes() == &export[..cut.kept_bytes]);
    }
    check_proofs(audit, at as u64 % audit.size());
}

fn check_proofs(audit: &AuditLog, index: u64) {
    let entries = audit.batches().iter().enumerate();
    let mut entries =
        entries.flat_map(|(batch, it)| it.entries.iter().map(move |entry| (batch as u64, entry)));
    let (batch, entry) = usize::try_from(index)
        .ok()
        .and_then(|index| entries.nth(index))
        .expect("the index is below the size");
    let line = entry.to_line(batch, index);
    let proof = audit.prove_entry(index).expect("every entry is covered");
    let head = proof.verify(&audit.origin(), line.as_bytes());
    assert_eq!(head.as_ref().ok(), audit.checkpoint());
    let other = format!("{line} ");
    assert!(proof.verify(&audit.origin(), other.as_bytes()).is_err());
}
