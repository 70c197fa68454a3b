//! Reading an export line by line: structure, indices, hashes and signatures.

use ecac_core::{ProjectId, PublicKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::checkpoint::{Checkpoint, CheckpointError, Origin};
use crate::digest::Digest;
use crate::entry::{Entry, EntryError, canonical, from_line};
use crate::frontier::Frontier;
use crate::node_key::NodeKey;

/// The value of `format` in the first line of an export.
pub const FORMAT: &str = "ecac-audit-v1";

/// Longest line of an export in bytes, without its newline.
pub const LINE_BYTES_MAX: usize = 1024;

/// What a line of a head begins with; no entry begins so.
pub(crate) const HEAD_PREFIX: &[u8] = b"{\"head\":";

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
    cosigned_line(checkpoint.note())
}

/// The line of a head with any number of signatures, with its newline; within a log a head has one.
pub(crate) fn cosigned_line(note: &str) -> String {
    let mut line = canonical(&Head {
        head: note.to_owned(),
    });
    line.push('\n');
    line
}

/// The note in the line of a head, without its newline; `None` where it is none in canonical form.
pub(crate) fn note_of_line(line: &[u8]) -> Option<String> {
    let head: Head = serde_json::from_slice(line).ok()?;
    (canonical(&head).as_bytes() == line).then_some(head.head)
}

/// The lines of a batch of `entries` after a log of `batches` heads whose entries `frontier` covers, the signed head at
/// its end, and nothing else of it; `frontier` then covers the entries too.
pub(crate) fn batch_lines(
    origin: &Origin,
    batches: u64,
    frontier: &mut Frontier,
    entries: &[Entry],
    key: &NodeKey,
) -> (String, Checkpoint) {
    let mut lines = String::new();
    for entry in entries {
        let line = entry.to_line(batches, frontier.size());
        frontier.push(line.as_bytes());
        lines.push_str(&line);
        lines.push('\n');
    }
    let checkpoint = Checkpoint::sign(origin, frontier.head(), key);
    lines.push_str(&head_line(&checkpoint));
    (lines, checkpoint)
}

/// What a line is.
#[derive(Debug)]
pub(crate) enum Read {
    /// An entry, which no head covers yet.
    Entry(Entry),
    /// A head, which seals all entries before it.
    Head(Checkpoint),
}

/// What reading has to know of the lines before, which does not grow with them.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) origin: Origin,
    /// What the last head covers.
    sealed: Frontier,
    /// The last head.
    checkpoint: Option<Checkpoint>,
    /// Number of heads.
    batches: u64,
    /// All entries, those that no head covers too.
    open: Frontier,
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
        Ok(Self::resume(origin, Frontier::default(), None, 0))
    }

    /// The log of which only this is known: what its last head covers, that head, and the number of heads.
    pub(crate) fn resume(
        origin: Origin,
        sealed: Frontier,
        checkpoint: Option<Checkpoint>,
        batches: u64,
    ) -> Self {
        Self {
            origin,
            open: sealed.clone(),
            line: 1 + sealed.size() + batches,
            sealed,
            checkpoint,
            batches,
        }
    }

    /// Reads the next line, which has no newline. After an error the chain is of no use.
    pub(crate) fn read(&mut self, bytes: &[u8]) -> Result<Read, AuditError> {
        self.line += 1;
        check_length(self.line, bytes)?;
        if bytes.starts_with(HEAD_PREFIX) {
            self.read_head(bytes).map(Read::Head)
        } else {
            self.read_entry(bytes).map(Read::Entry)
        }
    }

    /// The first line that no head covers, and the number of entries from there on.
    pub(crate) fn unsigned(&self) -> Option<(u64, u64)> {
        let entries = self.open.size() - self.sealed.size();
        (entries > 0).then(|| (self.line + 1 - entries, entries))
    }

    /// What the last head covers.
    pub(crate) const fn sealed(&self) -> &Frontier {
        &self.sealed
    }

    /// All entries, those that no head covers too.
    pub(crate) const fn open(&self) -> &Frontier {
        &self.open
    }

    /// The last head.
    pub(crate) const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// Number of heads.
    pub(crate) const fn batches(&self) -> u64 {
        self.batches
    }

    /// Number of the last line read.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    fn read_entry(&mut self, bytes: &[u8]) -> Result<Entry, AuditError> {
        let line = self.line;
        let placed = from_line(bytes).map_err(|error| AuditError::Entry { line, error })?;
        let (expected, found) = (self.open.size(), placed.index);
        if found != expected {
            return Err(AuditError::Index {
                line,
                expected,
                found,
            });
        }
        let (expected, found) = (self.batches, placed.batch);
        if found != expected {
            return Err(AuditError::Batch {
                line,
                expected,
                found,
            });
        }
        self.open.push(bytes);
        Ok(placed.entry)
    }

    fn read_head(&mut self, bytes: &[u8]) -> Result<Checkpoint, AuditError> {
        let line = self.line;
        let checkpoint = self.head_of(bytes)?;
        if self.open == self.sealed {
            return Err(AuditError::EmptyBatch { line });
        }
        let (expected, found) = (self.open.head(), checkpoint.head());
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
        self.sealed = self.open.clone();
        self.checkpoint = Some(checkpoint.clone());
        self.batches += 1;
        Ok(checkpoint)
    }

    /// The head in a line, under the node's signature, whatever it covers.
    pub(crate) fn head_of(&self, bytes: &[u8]) -> Result<Checkpoint, AuditError> {
        let line = self.line;
        let note = note_of_line(bytes).ok_or(AuditError::HeadLine { line })?;
        Checkpoint::open(&note, &self.origin).map_err(|error| AuditError::Head { line, error })
    }
}

fn check_length(line: u64, bytes: &[u8]) -> Result<(), AuditError> {
    if bytes.len() > LINE_BYTES_MAX {
        Err(AuditError::LineTooLong { line })
    } else {
        Ok(())
    }
}
