//! The audit log of an ECAC node: what it did with each op, in an order that it cannot rewrite.
//!
//! Entries are the leaves of a Merkle tree (RFC 9162); each durable batch ends in a tree head that the node signs
//! (c2sp.org/tlog-checkpoint). The export is JSON Lines in which each entry's line is its leaf. Reading an export
//! verifies structure, hashes and signatures; replaying the op log then shows whether what was signed is true.
//!
//! The crate is pure: bytes and keys come in, bytes and verdicts go out. It knows no file, clock or randomness.
#![forbid(unsafe_code)]

mod chain;
mod checkpoint;
mod comparison;
mod digest;
mod digests;
mod entry;
mod evidence;
mod log;
mod merkle;
mod node_key;
mod note;
mod proof;
mod reason;
mod recorder;
#[cfg(test)]
mod tests;
mod verification;
mod verify;

pub use chain::{AuditError, Batch, Expect, FORMAT, LINE_BYTES_MAX};
pub use checkpoint::{Checkpoint, CheckpointError, Origin};
pub use comparison::{Comparison, Contradiction, Halt, Obstacle, Verdict};
pub use digest::{Digest, ParseDigestError};
pub use entry::{Entry, EntryError, EntryKind, Subject};
pub use log::{AuditLog, CommitError, Reopened};
pub use merkle::{ProofError, TreeHead, verify_consistency, verify_inclusion};
pub use node_key::NodeKey;
pub use note::NoteError;
pub use proof::{EntryProof, ExtensionProof, ParseProofError, VerifyProofError};
pub use reason::RollBackReason;
pub use recorder::Recorder;
pub use verification::verification;
pub use verify::verify_against;
