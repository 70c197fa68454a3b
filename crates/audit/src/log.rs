//! The log of a running node: appending signed batches, exporting, reopening after a crash, verifying.

use ecac_core::PublicKey;
use thiserror::Error;

use crate::chain::{AuditError, Batch, Chain, Expect, Read, batch_lines, head_line, header_line};
use crate::checkpoint::{Checkpoint, Origin};
use crate::entry::Entry;
use crate::frontier::Frontier;
use crate::merkle::MerkleLog;
use crate::node_key::NodeKey;
use crate::proof::{EntryProof, ExtensionProof};

/// One node's append-only audit log of one project.
///
/// Every value of this type is whole and signed: each batch carries the node's signed head, and reading one from bytes
/// verifies all of it.
#[derive(Debug, Clone)]
pub struct AuditLog {
    origin: Origin,
    frontier: Frontier,
    merkle: MerkleLog,
    batches: Vec<Batch>,
}

/// Why a batch is not appended; the log is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CommitError {
    /// The key is not the log's node's: two writers must not share a log.
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
}

/// A log that was read back after a stop that may have been a crash.
#[derive(Debug, Clone)]
pub struct Reopened {
    /// The log up to its last signed head.
    pub log: AuditLog,
    /// Bytes that belong to it; 0 when not even the header is whole, which must then be written anew.
    pub kept_bytes: usize,
    /// What follows them: the torn tail to report and to cut.
    pub cut_bytes: usize,
    /// Whole entries in the torn tail, which no head covers.
    pub cut_entries: u64,
}

impl AuditLog {
    /// An empty log.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            frontier: Frontier::default(),
            merkle: MerkleLog::default(),
            batches: Vec::new(),
        }
    }

    /// Which log it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The batches, in order.
    #[must_use]
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.merkle.size()
    }

    /// Whether `old` is a head of this log: one that was signed earlier must never be missing or different later.
    ///
    /// A copy of an earlier head, kept elsewhere, so reveals a log whose last batches were taken away. The head of the
    /// empty tree is one of every log.
    #[must_use]
    pub fn holds(&self, old: &Checkpoint) -> bool {
        let heads = &self.batches;
        let old_is_empty = old.head().size == 0;
        old_is_empty
            || heads
                .binary_search_by_key(&old.head().size, |batch| batch.checkpoint.head().size)
                .is_ok_and(|at| heads[at].checkpoint.head() == old.head())
    }

    /// The last signed head; `None` while the log is empty.
    #[must_use]
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.batches.last().map(|batch| &batch.checkpoint)
    }

    /// Appends `entries` and one signed head that covers them.
    ///
    /// Returns exactly the bytes by which the export grows. They are to be made durable as one unit; where that fails,
    /// this value is ahead of the disk and must be dropped and reopened.
    ///
    /// # Errors
    ///
    /// [`CommitError`] for another node's key or a batch without entries.
    pub fn commit_batch(
        &mut self,
        entries: Vec<Entry>,
        key: &NodeKey,
    ) -> Result<String, CommitError> {
        if key.public() != self.origin.node {
            return Err(CommitError::ForeignKey {
                expected: self.origin.node,
                found: key.public(),
            });
        }
        if entries.is_empty() {
            return Err(CommitError::EmptyBatch);
        }
        let batches = self.batches.len() as u64;
        let frontier = &mut self.frontier;
        let (appended, checkpoint) = batch_lines(&self.origin, batches, frontier, &entries, key);
        for line in appended.lines().take(entries.len()) {
            self.merkle.push(line.to_owned());
        }
        self.batches.push(Batch {
            entries,
            checkpoint,
        });
        Ok(appended)
    }

    /// The first line of the export, with its newline: what a new log's file begins with.
    #[must_use]
    pub fn header(&self) -> String {
        header_line(&self.origin)
    }

    /// The whole log as JSON Lines: the header, then for each batch its entries and its head.
    #[must_use]
    pub fn export(&self) -> String {
        let mut text = self.header();
        let mut leaves = self.merkle.leaves().iter();
        for batch in &self.batches {
            for line in leaves.by_ref().take(batch.entries.len()) {
                text.push_str(line);
                text.push('\n');
            }
            text.push_str(&head_line(&batch.checkpoint));
        }
        text
    }

    /// The proof that the last head covers entry `index`; `None` when it does not.
    #[must_use]
    pub fn prove_entry(&self, index: u64) -> Option<EntryProof> {
        Some(EntryProof {
            line: None,
            index,
            path: self.merkle.prove_inclusion(index)?,
            checkpoint: self.checkpoint()?.note().to_owned(),
        })
    }

    /// The proof that the last head extends the tree of the first `old_size` entries; `None` when the log is shorter
    /// or empty.
    #[must_use]
    pub fn prove_extension(&self, old_size: u64) -> Option<ExtensionProof> {
        Some(ExtensionProof {
            old_size,
            path: self.merkle.prove_consistency(old_size)?,
            checkpoint: self.checkpoint()?.note().to_owned(),
        })
    }

    /// Reads an export as a claim: it must be whole, and it must end in a signed head.
    ///
    /// # Errors
    ///
    /// [`AuditError`] with the first line at fault.
    pub fn verify(bytes: &[u8], expect: &Expect) -> Result<Self, AuditError> {
        if bytes.is_empty() {
            return Err(AuditError::Empty);
        }
        let mut lines = Lines { rest: bytes };
        let header = lines.next().ok_or(AuditError::Torn { line: 1 })?;
        let mut reading = Reading::start(header, expect)?;
        for line in lines.by_ref() {
            reading.read(line)?;
        }
        let chain = &reading.chain;
        if !lines.rest.is_empty() {
            return Err(AuditError::Torn {
                line: chain.line() + 1,
            });
        }
        if let Some((line, entries)) = chain.unsigned() {
            return Err(AuditError::Unsigned { line, entries });
        }
        if chain.batches() == 0 {
            return Err(AuditError::NoEntries);
        }
        Ok(reading.log())
    }

    /// Reads back the log of a node that may have crashed while appending.
    ///
    /// A crash leaves part of one append behind the last head: whole entries without a head, and a last line without
    /// its newline. Only that is cut. Any whole line at fault is damage, not a crash, and refused as in
    /// [`Self::verify`], and so is a last head whose newline has become another byte: a flipped bit never shortens
    /// the log.
    ///
    /// # Errors
    ///
    /// [`AuditError`] with the first line at fault.
    pub fn reopen(bytes: &[u8], origin: Origin) -> Result<Reopened, AuditError> {
        let expect = Expect {
            project: Some(origin.project),
            node: Some(origin.node),
        };
        let mut lines = Lines { rest: bytes };
        let Some(header) = lines.next() else {
            return if header_line(&origin).as_bytes().starts_with(bytes) {
                Ok(Reopened {
                    log: Self::new(origin),
                    kept_bytes: 0,
                    cut_bytes: bytes.len(),
                    cut_entries: 0,
                })
            } else {
                Err(AuditError::Torn { line: 1 })
            };
        };
        let mut reading = Reading::start(header, &expect)?;
        let mut cut_bytes = lines.rest.len();
        while let Some(line) = lines.next() {
            if reading.read(line)? {
                cut_bytes = lines.rest.len();
            }
        }
        let chain = &mut reading.chain;
        let cut_entries = chain.unsigned().map_or(0, |(_, entries)| entries);
        if let Some((_, line)) = lines.rest.split_last()
            && matches!(chain.read(line), Ok(Read::Head(_)))
        {
            return Err(AuditError::Torn { line: chain.line() });
        }
        Ok(Reopened {
            cut_entries,
            log: reading.log(),
            kept_bytes: bytes.len() - cut_bytes,
            cut_bytes,
        })
    }
}

/// A log that is read line by line, and what of it no head covers yet.
struct Reading {
    chain: Chain,
    merkle: MerkleLog,
    batches: Vec<Batch>,
    /// Entries since the last head, with their lines.
    open: Vec<(Entry, String)>,
}

impl Reading {
    fn start(header: &[u8], expect: &Expect) -> Result<Self, AuditError> {
        Ok(Self {
            chain: Chain::start(header, expect)?,
            merkle: MerkleLog::default(),
            batches: Vec::new(),
            open: Vec::new(),
        })
    }

    /// Reads the next line; true when it is a head.
    fn read(&mut self, line: &[u8]) -> Result<bool, AuditError> {
        match self.chain.read(line)? {
            Read::Entry(entry) => {
                let line = String::from_utf8_lossy(line).into_owned();
                self.open.push((entry, line));
                Ok(false)
            }
            Read::Head(checkpoint) => {
                let mut entries = Vec::with_capacity(self.open.len());
                for (entry, line) in self.open.drain(..) {
                    self.merkle.push(line);
                    entries.push(entry);
                }
                self.batches.push(Batch {
                    entries,
                    checkpoint,
                });
                Ok(true)
            }
        }
    }

    /// What the last head covers.
    fn log(self) -> AuditLog {
        AuditLog {
            origin: self.chain.origin,
            frontier: self.chain.sealed().clone(),
            merkle: self.merkle,
            batches: self.batches,
        }
    }
}

/// The lines that end in a newline, without it; what remains is a torn line or nothing.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let end = self.rest.iter().position(|byte| *byte == b'\n')?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        Some(line)
    }
}
