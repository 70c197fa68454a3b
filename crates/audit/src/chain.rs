//! Reading an export line by line: structure, indices, hashes and signatures.

use ecac_core::{ProjectId, PublicKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError, Origin};
use crate::digest::Digest;
use crate::entry::{Entry, EntryError, canonical, from_line};
use crate::merkle::MerkleLog;

/// The value of `format` in the first line of an export.
pub const FORMAT: &str = "ecac-audit-v1";

/// Longest line of an export in bytes, without its newline.
pub const LINE_BYTES_MAX: usize = 1024;

/// What a line of a head begins with; no entry begins so.
const HEAD_PREFIX: &[u8] = b"{\"head\":";

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    node: PublicKey,
    origin: String,
    project: ProjectId,
}

#[derive(Serialize, Deserialize)]
struct Head {
    head: String,
}

/// What the reader of an export insists on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expect {
    /// The project; `None` takes the one in the first line.
    pub project: Option<ProjectId>,
    /// The node; `None` takes the one in the first line, and then anybody can have made the whole log.
    pub node: Option<PublicKey>,
}

/// Why an export is not a whole, signed audit log. Lines are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AuditError {
    /// No bytes at all.
    #[error("the audit log is empty")]
    Empty,
    /// A header and nothing else: a log that vouches for nothing.
    #[error("the audit log has no entries")]
    NoEntries,
    /// The last line does not end in a newline.
    #[error("line {line} is torn: it has no newline")]
    Torn {
        /// The line.
        line: u64,
    },
    /// A line longer than [`LINE_BYTES_MAX`].
    #[error("line {line} is longer than {LINE_BYTES_MAX} bytes")]
    LineTooLong {
        /// The line.
        line: u64,
    },
    /// The first line is not a header in canonical form.
    #[error("line 1 is not the header of an audit log: {detail}")]
    Header {
        /// What is wrong with it.
        detail: String,
    },
    /// Another format, or another version of it.
    #[error("line 1 names the format {found:?}, not {FORMAT:?}")]
    Format {
        /// The format that was found.
        found: String,
    },
    /// The header's origin is not the one of its project and node.
    #[error("line 1 names the origin {found:?}, but its project and node make {expected:?}")]
    Origin {
        /// The origin that project and node make.
        expected: String,
        /// The origin that was found.
        found: String,
    },
    /// The log of another project.
    #[error("the audit log is of project {found}, not {expected}")]
    Project {
        /// The project that was asked for.
        expected: ProjectId,
        /// The project of the header.
        found: ProjectId,
    },
    /// The log of another node.
    #[error("the audit log is of node {found}, not {expected}")]
    Node {
        /// The node that was asked for.
        expected: PublicKey,
        /// The node of the header.
        found: PublicKey,
    },
    /// A line is no entry in canonical form.
    #[error("line {line}: {error}")]
    Entry {
        /// The line.
        line: u64,
        /// What is wrong with it.
        error: EntryError,
    },
    /// An entry is missing, repeated or out of order.
    #[error(
        "line {line} has index {found}, not {expected}: an entry is missing, repeated or moved"
    )]
    Index {
        /// The line.
        line: u64,
        /// Number of entries before it.
        expected: u64,
        /// The index that was found.
        found: u64,
    },
    /// An entry is of another batch: a head before it is missing.
    #[error("line {line} is of batch {found}, not {expected}: a head is missing or moved")]
    Batch {
        /// The line.
        line: u64,
        /// Number of heads before it.
        expected: u64,
        /// The batch that was found.
        found: u64,
    },
    /// A line is no signed head of this log.
    #[error("line {line}: {error}")]
    Head {
        /// The line.
        line: u64,
        /// What is wrong with it.
        error: CheckpointError,
    },
    /// A head's line is not canonical JSON with the one member `head`.
    #[error("line {line} is not a head in canonical form")]
    HeadLine {
        /// The line.
        line: u64,
    },
    /// A head follows a head, with no entry between them.
    #[error("line {line} is a head without entries of its own")]
    EmptyBatch {
        /// The line.
        line: u64,
    },
    /// A head covers another number of entries than stand before it.
    #[error("line {line} signs {found} entries, but {expected} stand before it")]
    HeadSize {
        /// The line.
        line: u64,
        /// Entries before the head.
        expected: u64,
        /// Entries that the head claims.
        found: u64,
    },
    /// A head signs other entries than stand before it.
    #[error("line {line} signs the root {found}, but the entries before it have {expected}")]
    HeadRoot {
        /// The line.
        line: u64,
        /// Root of the entries before the head.
        expected: Digest,
        /// Root that the head claims.
        found: Digest,
    },
    /// The log does not end in a head.
    #[error("{entries} entries from line {line} on are not covered by a signed head")]
    Unsigned {
        /// The first line that no head covers.
        line: u64,
        /// Entries that no head covers.
        entries: u64,
    },
}

/// Entries that one head covers first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The signed head after them.
    pub checkpoint: Checkpoint,
}

/// The first line of the export of the log `origin`, with its newline.
pub(crate) fn header_line(origin: &Origin) -> String {
    let mut line = canonical(&Header {
        format: FORMAT.to_owned(),
        node: origin.node,
        origin: origin.to_string(),
        project: origin.project,
    });
    line.push('\n');
    line
}

/// The line of a head, with its newline.
pub(crate) fn head_line(checkpoint: &Checkpoint) -> String {
    let mut line = canonical(&Head {
        head: checkpoint.note().to_owned(),
    });
    line.push('\n');
    line
}

/// The log that whole lines have built so far.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) origin: Origin,
    pub(crate) merkle: MerkleLog,
    pub(crate) batches: Vec<Batch>,
    /// Entries since the last head, with their lines.
    open: Vec<(Entry, String)>,
    /// Number of the last line read.
    line: u64,
}

impl Chain {
    /// Reads the header; `line` has no newline.
    pub(crate) fn start(line: &[u8], expect: &Expect) -> Result<Self, AuditError> {
        check_length(1, line)?;
        let header: Header = serde_json::from_slice(line).map_err(|error| AuditError::Header {
            detail: error.to_string(),
        })?;
        if header.format != FORMAT {
            return Err(AuditError::Format {
                found: header.format,
            });
        }
        let origin = Origin {
            project: header.project,
            node: header.node,
        };
        if header.origin != origin.to_string() {
            return Err(AuditError::Origin {
                expected: origin.to_string(),
                found: header.origin,
            });
        }
        if canonical(&header).as_bytes() != line {
            return Err(AuditError::Header {
                detail: "not in canonical form".to_owned(),
            });
        }
        let found = header.project;
        if let Some(expected) = expect.project.filter(|expected| *expected != found) {
            return Err(AuditError::Project { expected, found });
        }
        let found = header.node;
        if let Some(expected) = expect.node.filter(|expected| *expected != found) {
            return Err(AuditError::Node { expected, found });
        }
        Ok(Self {
            origin,
            merkle: MerkleLog::default(),
            batches: Vec::new(),
            open: Vec::new(),
            line: 1,
        })
    }

    /// Reads the next line, which has no newline; true when it is a head, which seals all entries before it.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<bool, AuditError> {
        self.line += 1;
        check_length(self.line, bytes)?;
        if bytes.starts_with(HEAD_PREFIX) {
            self.read_head(bytes)?;
            Ok(true)
        } else {
            self.read_entry(bytes)?;
            Ok(false)
        }
    }

    /// The first line that no head covers, and the number of entries from there on.
    pub(crate) fn unsigned(&self) -> Option<(u64, u64)> {
        let entries = self.open.len() as u64;
        (entries > 0).then(|| (self.line + 1 - entries, entries))
    }

    /// Number of the last line read.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    fn read_entry(&mut self, bytes: &[u8]) -> Result<(), AuditError> {
        let line = self.line;
        let placed = from_line(bytes).map_err(|error| AuditError::Entry { line, error })?;
        let (expected, found) = (self.merkle.size() + self.open.len() as u64, placed.index);
        if found != expected {
            return Err(AuditError::Index {
                line,
                expected,
                found,
            });
        }
        let (expected, found) = (self.batches.len() as u64, placed.batch);
        if found != expected {
            return Err(AuditError::Batch {
                line,
                expected,
                found,
            });
        }
        let text = placed.entry.to_line(placed.batch, placed.index);
        self.open.push((placed.entry, text));
        Ok(())
    }

    fn read_head(&mut self, bytes: &[u8]) -> Result<(), AuditError> {
        let line = self.line;
        let head: Head = serde_json::from_slice(bytes)
            .ok()
            .filter(|head| canonical(head).as_bytes() == bytes)
            .ok_or(AuditError::HeadLine { line })?;
        let checkpoint = Checkpoint::open(&head.head, &self.origin)
            .map_err(|error| AuditError::Head { line, error })?;
        if self.open.is_empty() {
            return Err(AuditError::EmptyBatch { line });
        }
        let mut entries = Vec::with_capacity(self.open.len());
        for (entry, text) in self.open.drain(..) {
            self.merkle.push(text);
            entries.push(entry);
        }
        let (expected, found) = (self.merkle.head(), checkpoint.head());
        if expected.size != found.size {
            return Err(AuditError::HeadSize {
                line,
                expected: expected.size,
                found: found.size,
            });
        }
        if expected.root != found.root {
            return Err(AuditError::HeadRoot {
                line,
                expected: expected.root,
                found: found.root,
            });
        }
        self.batches.push(Batch {
            entries,
            checkpoint,
        });
        Ok(())
    }
}

fn check_length(line: u64, bytes: &[u8]) -> Result<(), AuditError> {
    if bytes.len() > LINE_BYTES_MAX {
        Err(AuditError::LineTooLong { line })
    } else {
        Ok(())
    }
}
