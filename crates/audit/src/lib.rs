//! The audit log of an ECAC node: what it did with each op, in an order that it cannot rewrite.
//!
//! Entries are the leaves of a Merkle tree (RFC 9162); each durable batch ends in a tree head that the node signs
//! (c2sp.org/tlog-checkpoint). The export is JSON Lines in which each entry's line is its leaf. Reading an export
//! verifies structure, hashes and signatures; replaying the op log then shows whether what was signed is true.
//!
//! Two forms of one log: [`AuditLog`] keeps it in memory, [`DiskLog`] in the segments of a directory, of which it keeps
//! a frontier. The bytes are the same.
//!
//! Bytes and keys come in, bytes and verdicts go out; there is no clock and no randomness. What is on disk is behind the
//! trait [`Directory`]; [`Folder`] and the key file alone know files.
#![forbid(unsafe_code)]

mod chain;
mod checkpoint;
mod comparison;
mod digest;
mod digests;
mod disk;
mod entry;
mod evidence;
mod frontier;
mod log;
mod merkle;
mod node_key;
mod note;
mod proof;
mod prover;
mod reason;
mod recorder;
mod scribe;
mod sink;
#[cfg(test)]
mod tests;
mod verification;
mod verify;
mod witness;

pub use chain::{AuditError, Batch, Expect, FORMAT, LINE_BYTES_MAX};
pub use checkpoint::{Checkpoint, CheckpointError, Origin};
pub use comparison::{Comparison, Contradiction, Halt, Obstacle, Verdict};
pub use digest::{Digest, ParseDigestError};
pub use disk::{
    Directory, DiskError, DiskLog, Export, Folder, FrontierSource, KeyFileError, Opened, Place,
    ProvenEntry, Repaired, SEGMENT_BYTES, Segments, Source, Survey, Tail, check_last_segment,
    create_key_file, prove_entries, prove_extension, read_cosigned, read_cosigned_at,
    read_key_file, survey,
};
pub use entry::{Entry, EntryError, EntryKind, Subject};
pub use frontier::Frontier;
pub use log::{AuditLog, CommitError, Reopened};
pub use merkle::{ProofError, TreeHead, verify_consistency, verify_inclusion};
pub use node_key::NodeKey;
pub use note::NoteError;
pub use proof::{EntryProof, ExtensionProof, ParseProofError, VerifyProofError};
pub use reason::RollBackReason;
pub use recorder::Recorder;
pub use scribe::Scribe;
pub use sink::Sink;
pub use verification::verification;
pub use verify::verify_against;
pub use witness::{
    Cosignature, CosignatureError, CosignedCheckpoint, ParseWitnessKeyError, WitnessKey,
};
