//! Proofs from a log that is read twice: once for what it says, once for the hashes.

use ecac_core::OpId;

use crate::chain::Expect;
use crate::digest::Digest;
use crate::disk::{DiskError, Source, Survey, survey};
use crate::entry::{Entry, EntryKind, Subject};
use crate::proof::{EntryProof, ExtensionProof};
use crate::prover::Prover;

/// An entry, and the proof that the last signed head covers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenEntry {
    /// What it is.
    pub kind: EntryKind,
    /// The proof, with the entry's line.
    pub proof: EntryProof,
}

/// The proofs of all entries about an op, in their order, against the last signed head of the log; empty where there
/// are none. What follows that head is not looked at.
///
/// The log is read and verified twice. Memory is that of the entries about the op and some hundred hashes for each.
///
/// # Errors
///
/// [`DiskError`] with the first fault of the log.
pub fn prove_entries(
    source: &impl Source,
    expect: &Expect,
    op: OpId,
) -> Result<(Survey, Vec<ProvenEntry>), DiskError> {
    let mut found: Vec<(u64, EntryKind, Vec<u8>)> = Vec::new();
    let survey = survey(source, expect, &mut |index, entry, line| {
        if subject(entry) == Some(op) {
            found.push((index, entry.kind(), line.to_vec()));
        }
    })?;
    let size = survey.frontier().size();
    let provers = found
        .iter()
        .map(|(index, ..)| Prover::of_inclusion(*index, size));
    let provers = provers.flatten().collect();
    let paths = paths(source, expect, size, provers)?;
    let note = survey.checkpoint().map(|it| it.note().to_owned());
    let proven = found.into_iter().zip(paths).zip(core::iter::repeat(note));
    let proven = proven.filter_map(|(((index, kind, line), path), checkpoint)| {
        let proof = EntryProof {
            line: Some(line),
            index,
            path,
            checkpoint: checkpoint?,
        };
        Some(ProvenEntry { kind, proof })
    });
    Ok((survey, proven.collect()))
}

/// The proof that the last signed head of a log extends the tree of its first `old_size` entries; `None` where the log
/// is shorter or has no head.
///
/// The log is read and verified twice, in the memory of some hundred hashes.
///
/// # Errors
///
/// [`DiskError`] with the first fault of the log.
pub fn prove_extension(
    source: &impl Source,
    expect: &Expect,
    old_size: u64,
) -> Result<(Survey, Option<ExtensionProof>), DiskError> {
    let survey = survey(source, expect, &mut |_, _, _| {})?;
    let size = survey.frontier().size();
    let prover = Prover::of_extension(old_size, size);
    let mut paths = paths(source, expect, size, prover.into_iter().collect())?;
    let proof = paths.pop().zip(survey.checkpoint());
    let proof = proof.map(|(path, checkpoint)| ExtensionProof {
        old_size,
        path,
        checkpoint: checkpoint.note().to_owned(),
    });
    Ok((survey, proof))
}

/// Shows the first `size` entries to the provers.
fn paths(
    source: &impl Source,
    expect: &Expect,
    size: u64,
    mut provers: Vec<Prover>,
) -> Result<Vec<Vec<Digest>>, DiskError> {
    if provers.is_empty() {
        return Ok(Vec::new());
    }
    survey(source, expect, &mut |index, _, line| {
        if index < size {
            for prover in &mut provers {
                prover.push(line);
            }
        }
    })?;
    Ok(provers.into_iter().filter_map(Prover::finish).collect())
}

/// The op that an entry is about; `None` where it is about none, or about more.
const fn subject(entry: &Entry) -> Option<OpId> {
    match entry {
        Entry::Ingested {
            subject: Subject::Op(op),
        }
        | Entry::Skipped {
            subject: Subject::Op(op),
            ..
        }
        | Entry::Applied { op, .. }
        | Entry::RolledBack { op, .. }
        | Entry::Reinstated { op, .. }
        | Entry::Effect { op, .. }
        | Entry::Held { op } => Some(*op),
        Entry::Ingested {
            subject: Subject::Envelope(_),
        }
        | Entry::Skipped {
            subject: Subject::Envelope(_),
            ..
        }
        | Entry::Rejected { .. }
        | Entry::Viewed { .. }
        | Entry::Checkpoint { .. }
        | Entry::Synced { .. } => None,
    }
}
