//! Why a log on disk is not read or not written.

use std::io;

use ecac_core::PublicKey;
use thiserror::Error;

use crate::chain::AuditError;
use crate::digest::Digest;

/// Where a line of a log on disk stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name of the file.
    pub file: String,
    /// Number of the line in the file, from 1.
    pub line: u64,
    /// Byte of the file at which the line begins, from 0.
    pub offset: u64,
}

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Self { file, line, offset } = self;
        write!(f, "{file} line {line} (byte {offset})")
    }
}

/// Why a log on disk is not read or not written. Nothing has been changed, but for what [`Self::Broken`] tells of.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DiskError {
    /// The storage failed.
    #[error("{doing}: {error}")]
    Io {
        /// What was done, with the name of the file.
        doing: String,
        /// What the storage says.
        error: io::Error,
    },
    /// There is no log in the directory.
    #[error("there is no audit log: the first segment, 000000.jsonl, is absent")]
    NoLog,
    /// A log is to be made where one is.
    #[error("there is an audit log already")]
    LogExists,
    /// A segment between others, or the last one, is absent.
    #[error("the segment {file} is absent: somebody removed it")]
    MissingSegment {
        /// Its name.
        file: String,
    },
    /// A segment without a byte; no crash leaves one.
    #[error("the segment {file} is empty: somebody emptied it")]
    EmptySegment {
        /// Its name.
        file: String,
    },
    /// A file that is named like a segment, and is none.
    #[error("the file {file:?} is named like a segment, but no segment has such a name")]
    SegmentName {
        /// Its name.
        file: String,
    },
    /// The log is of another node or project than the one that is asked for.
    #[error(transparent)]
    ForeignLog {
        /// [`AuditError::Node`] or [`AuditError::Project`].
        error: AuditError,
    },
    /// A line is not what the node signed. No crash leaves that.
    #[error("{place}: {error}")]
    Damaged {
        /// Where it stands on disk.
        place: Place,
        /// What is wrong; lines in it are counted over all segments.
        error: AuditError,
    },
    /// The log is shorter than a head that its node signed.
    #[error(
        "the audit log has {found} entries, but its node signed a head over {expected}: whole batches are missing"
    )]
    Behind {
        /// Entries of the head that is known.
        expected: u64,
        /// Entries of the log.
        found: u64,
    },
    /// The log is another one than that of a head that its node signed.
    #[error(
        "the first {size} entries have the root {found}, but the head that is known has {expected}: it is another log"
    )]
    Forked {
        /// Entries of the head that is known.
        size: u64,
        /// Root of the head that is known.
        expected: Digest,
        /// Root of as many entries of the log.
        found: Digest,
    },
    /// The log does not end in a signed head: it is being written, or its writer stopped.
    #[error("the audit log ends in {bytes} bytes that no signed head covers, at {place}")]
    Tail {
        /// Where they begin.
        place: Place,
        /// How many they are.
        bytes: u64,
    },
    /// Somebody else writes.
    #[error("another process writes to the audit log")]
    Locked,
    /// The key is not the log's node's.
    #[error("the key is {found}, but the audit log is of node {expected}")]
    ForeignKey {
        /// The log's node.
        expected: PublicKey,
        /// The key that was given.
        found: PublicKey,
    },
    /// A batch without entries would be a head without news.
    #[error("the batch has no entries")]
    EmptyBatch,
    /// An earlier batch could not be made durable, so nothing is known of the end of the log until it is opened again.
    #[error("an earlier batch could not be written; open the audit log again")]
    Broken,
    /// A head that is to be kept is not one of the log.
    #[error("the head is not one that the log's node signed")]
    ForeignHead,
}

impl DiskError {
    pub(crate) fn io(doing: &str, file: &str) -> impl FnOnce(io::Error) -> Self {
        let doing = format!("{doing} {file}");
        |error| Self::Io { doing, error }
    }
}
