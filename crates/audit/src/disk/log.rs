//! The log of a running node on disk: appending durable batches, opening again after a stop.

use std::io::Read as _;

use ecac_core::ProjectId;

use crate::chain::{Chain, batch_lines, header_line};
use crate::checkpoint::{Checkpoint, Origin};
use crate::disk::segment::{self, UNFINISHED};
use crate::disk::sidecar;
use crate::disk::survey::Start;
use crate::disk::{Directory, DiskError};
use crate::entry::Entry;
use crate::frontier::Frontier;
use crate::node_key::NodeKey;

/// Length in bytes from which on a segment gets no further batch: 8 MiB.
pub const SEGMENT_BYTES: u64 = 8 << 20;

/// One node's audit log of one project in a directory, open for its one writer.
///
/// The directory holds segments, `000000.jsonl` and so on, each of whole batches. One after the other they are the
/// export. In memory there is a frontier and the last head, however long the log is.
///
/// ```
/// use ecac_audit::{DiskLog, Entry, Folder, NodeKey, Segments, survey};
/// use ecac_core::OpId;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let here = tempfile::tempdir()?;
/// let path = here.path().join("audit");
/// let (key, project) = (NodeKey::from_seed([7; 32]), OpId::from_bytes([1; 32]));
/// let mut log = DiskLog::create(Folder::create(&path)?, project, &key)?;
/// let head = log.commit_batch(&[Entry::Held { op: project }], &key)?.head();
/// drop(log);
///
/// let opened = DiskLog::open_for_append(Folder::open(&path)?, project, &key, Some(head))?;
/// assert!(opened.repaired.is_none());
/// assert_eq!(opened.log.checkpoint().map(|it| it.head()), Some(head));
///
/// let folder = Folder::open(&path)?;
/// let read = survey(&Segments(&folder), &Default::default(), &mut |_, _, _| {})?;
/// assert_eq!(read.frontier().head(), head);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DiskLog<D> {
    pub(crate) directory: D,
    origin: Origin,
    frontier: Frontier,
    checkpoint: Option<Checkpoint>,
    batches: u64,
    segment: u64,
    /// Length of the last segment.
    bytes: u64,
    /// Length of the segments before it.
    bytes_before: u64,
    segment_bytes: u64,
    /// Whether a write has failed, or is under way.
    broken: bool,
}

impl<D: Directory> DiskLog<D> {
    /// Makes a log in a directory that has none.
    ///
    /// # Errors
    ///
    /// [`DiskError::LogExists`], [`DiskError::Locked`], and what the storage says.
    pub fn create(mut directory: D, project: ProjectId, key: &NodeKey) -> Result<Self, DiskError> {
        lock(&mut directory)?;
        match segment::count(&directory) {
            Err(DiskError::NoLog) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(DiskError::LogExists),
        }
        remove_unfinished(&mut directory)?;
        let origin = Origin {
            project,
            node: key.public(),
        };
        let header = header_line(&origin);
        put(&mut directory, &segment::name(0), header.as_bytes())?;
        let read = Chain::resume(origin, Frontier::default(), None, 0);
        let bytes = header.len() as u64;
        Ok(Self::resume(directory, &read, &Start::default(), bytes))
    }

    /// The log that was read, whose last segment has `bytes` bytes.
    pub(crate) fn resume(directory: D, read: &Chain, last: &Start, bytes: u64) -> Self {
        Self {
            directory,
            origin: read.origin,
            frontier: read.sealed().clone(),
            checkpoint: read.checkpoint().cloned(),
            batches: read.batches(),
            segment: last.segment,
            bytes,
            bytes_before: last.bytes,
            segment_bytes: SEGMENT_BYTES,
            broken: false,
        }
    }

    /// The same, with another length from which on a segment gets no further batch; [`SEGMENT_BYTES`] is the usual one.
    /// Readers do not depend on it.
    #[must_use]
    pub fn with_segment_bytes(self, segment_bytes: u64) -> Self {
        Self {
            segment_bytes,
            ..self
        }
    }

    /// Which log it is.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// The last signed head; `None` while the log is empty.
    #[must_use]
    pub const fn checkpoint(&self) -> Option<&Checkpoint> {
        self.checkpoint.as_ref()
    }

    /// What the last signed head covers: all that is kept of the entries.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Number of heads.
    #[must_use]
    pub const fn batches(&self) -> u64 {
        self.batches
    }

    /// Number of the last segment, from 0.
    #[must_use]
    pub const fn segment(&self) -> u64 {
        self.segment
    }

    /// The directory, for reading.
    #[must_use]
    pub const fn directory(&self) -> &D {
        &self.directory
    }

    /// Appends `entries` and one signed head that covers them, and returns when they are durable.
    ///
    /// The batch goes into the last segment, or, where that has its length, into a new one, which gets its name when
    /// the batch is durable.
    ///
    /// # Errors
    ///
    /// [`DiskError::ForeignKey`] and [`DiskError::EmptyBatch`] change nothing. After [`DiskError::Io`] the batch may be
    /// durable or not, and the log takes no other one until it is opened again: [`DiskError::Broken`].
    pub fn commit_batch(
        &mut self,
        entries: &[Entry],
        key: &NodeKey,
    ) -> Result<&Checkpoint, DiskError> {
        let (expected, found) = (self.origin.node, key.public());
        if found != expected {
            return Err(DiskError::ForeignKey { expected, found });
        }
        if entries.is_empty() {
            return Err(DiskError::EmptyBatch);
        }
        if core::mem::replace(&mut self.broken, true) {
            return Err(DiskError::Broken);
        }
        let mut frontier = self.frontier.clone();
        let (lines, checkpoint) =
            batch_lines(&self.origin, self.batches, &mut frontier, entries, key);
        let bytes = lines.len() as u64;
        if self.bytes >= self.segment_bytes && self.checkpoint.is_some() {
            let start = Start {
                segment: self.segment + 1,
                frontier: self.frontier.clone(),
                checkpoint: self.checkpoint.clone(),
                batches: self.batches,
                bytes: self.bytes_before + self.bytes,
            };
            let file = segment::name(start.segment);
            put(&mut self.directory, &file, lines.as_bytes())?;
            put_frontier(&mut self.directory, &start)?;
            self.segment = start.segment;
            self.bytes_before = start.bytes;
            self.bytes = bytes;
        } else {
            let file = segment::name(self.segment);
            let directory = &mut self.directory;
            let appended = directory.append(&file, lines.as_bytes());
            let durable = appended.and_then(|()| directory.sync(&file));
            durable.map_err(DiskError::io("append to", &file))?;
            self.bytes += bytes;
        }
        self.frontier = frontier;
        self.batches += 1;
        self.broken = false;
        Ok(self.checkpoint.insert(checkpoint))
    }
}

pub(crate) fn lock(directory: &mut impl Directory) -> Result<(), DiskError> {
    let locked = directory.lock();
    if locked.map_err(DiskError::io("lock", "the directory"))? {
        Ok(())
    } else {
        Err(DiskError::Locked)
    }
}

/// Removes what was being written when the writer stopped: its bytes, and the whole lines in it.
pub(crate) fn remove_unfinished(directory: &mut impl Directory) -> Result<(u64, u64), DiskError> {
    let names = directory.names();
    let names = names.map_err(DiskError::io("list", "the directory"))?;
    let (mut all_bytes, mut entries) = (0, 0);
    for file in names.iter().filter(|file| file.ends_with(UNFINISHED)) {
        if !file.starts_with(sidecar::FILE) {
            let mut bytes = Vec::new();
            let read = directory
                .read(file)
                .and_then(|mut it| it.read_to_end(&mut bytes));
            read.map_err(DiskError::io("read", file))?;
            all_bytes += bytes.len() as u64;
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            entries += lines
                .filter(|line| line.starts_with(b"{\"batch\":") && line.ends_with(b"\n"))
                .count() as u64;
        }
        directory
            .remove(file)
            .map_err(DiskError::io("remove", file))?;
    }
    Ok((all_bytes, entries))
}

pub(crate) fn put_frontier(directory: &mut impl Directory, start: &Start) -> Result<(), DiskError> {
    match sidecar::write(start) {
        Some(text) => put(directory, sidecar::FILE, text.as_bytes()),
        None => Ok(()),
    }
}

/// Writes a file that is there whole and durable, or not at all.
pub(crate) fn put(
    directory: &mut impl Directory,
    file: &str,
    bytes: &[u8],
) -> Result<(), DiskError> {
    let unfinished = format!("{file}{UNFINISHED}");
    let done = directory
        .append(&unfinished, bytes)
        .and_then(|()| directory.sync(&unfinished))
        .and_then(|()| directory.rename(&unfinished, file))
        .and_then(|()| directory.sync_names());
    done.map_err(DiskError::io("write", file))
}
