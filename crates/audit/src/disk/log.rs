//! The log of a running node on disk: appending durable batches, opening again after a stop.

use std::io::Read as _;

use ecac_core::ProjectId;

use crate::chain::{Expect, batch_lines, header_line};
use crate::checkpoint::{Checkpoint, Origin};
use crate::digest::Digest;
use crate::disk::segment::{self, UNFINISHED};
use crate::disk::sidecar;
use crate::disk::survey::{Reading, Start, Survey, Tail};
use crate::disk::{Directory, DiskError, Segments};
use crate::entry::Entry;
use crate::frontier::Frontier;
use crate::merkle::TreeHead;
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

/// A log that was opened for appending.
#[derive(Debug)]
pub struct Opened<D> {
    /// The log, which ends in its last signed head.
    pub log: DiskLog<D>,
    /// What a crash had left behind that head, and was cut off.
    pub repaired: Option<Repaired>,
    /// Where what is before the last segment was taken from.
    pub frontier: FrontierSource,
}

/// What was cut off the end of a log: never durable, and never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaired {
    /// Bytes.
    pub bytes: u64,
    /// Whole entries in them.
    pub entries: u64,
}

/// Where a log's frontier before its last segment was taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrontierSource {
    /// There is one segment, which was read.
    OneSegment,
    /// The file `frontier`, which fits the signed head in it.
    File,
    /// That file was absent, wrong, or told of an earlier segment, or what was expected lies before the last one: all
    /// segments, which were read, and the file was written anew.
    Recomputed,
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
        let nothing = Start::default();
        Ok(Self::resume(
            directory,
            origin,
            nothing,
            header.len() as u64,
        ))
    }

    /// Opens a log for its writer, and cuts off what a crash left behind its last signed head.
    ///
    /// Only the last segment is read, from where the file `frontier` says, unless that file is absent or wrong.
    /// `expected` is the last head that was acknowledged, where its owner keeps one: batches that were cut off whole
    /// can be missed in no other way. The log may have one batch more, which became durable just before the crash.
    ///
    /// # Errors
    ///
    /// [`DiskError`], and then nothing has been changed.
    pub fn open_for_append(
        mut directory: D,
        project: ProjectId,
        key: &NodeKey,
        expected: Option<TreeHead>,
    ) -> Result<Opened<D>, DiskError> {
        // Before there is a lock file: a directory without a log stays as it is.
        segment::count(&directory)?;
        lock(&mut directory)?;
        let node = key.public();
        let origin = Origin { project, node };
        let (survey, frontier) = read(&directory, &origin, expected)?;
        check_expected(&survey, expected)?;

        let (unfinished_bytes, unfinished_entries) = remove_unfinished(&mut directory)?;
        let (last, bytes) = (survey.last.clone(), survey.last_bytes);
        let file = segment::name(last.segment);
        if survey.tail.is_some() {
            let cut = directory.truncate(&file, bytes);
            cut.map_err(DiskError::io("cut", &file))?;
        }
        // What was read may not have been durable.
        let synced = directory.sync(&file).and_then(|()| directory.sync_names());
        synced.map_err(DiskError::io("sync", &file))?;
        if frontier == FrontierSource::Recomputed {
            put_frontier(&mut directory, &last)?;
        }
        let (tail_bytes, tail_entries) = survey
            .tail
            .map_or((0, 0), |Tail { bytes, entries, .. }| (bytes, entries));
        let repaired = Repaired {
            bytes: tail_bytes + unfinished_bytes,
            entries: tail_entries + unfinished_entries,
        };
        let mut log = Self::resume(directory, origin, last, bytes);
        log.frontier = survey.chain.sealed().clone();
        log.checkpoint = survey.chain.checkpoint().cloned();
        log.batches = survey.chain.batches();
        Ok(Opened {
            log,
            repaired: (repaired.bytes > 0).then_some(repaired),
            frontier,
        })
    }

    fn resume(directory: D, origin: Origin, start: Start, bytes: u64) -> Self {
        Self {
            directory,
            origin,
            frontier: start.frontier,
            checkpoint: start.checkpoint,
            batches: start.batches,
            segment: start.segment,
            bytes,
            bytes_before: start.bytes,
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

fn lock(directory: &mut impl Directory) -> Result<(), DiskError> {
    let locked = directory.lock();
    if locked.map_err(DiskError::io("lock", "the directory"))? {
        Ok(())
    } else {
        Err(DiskError::Locked)
    }
}

/// Reads the log from where the file `frontier` says; from its beginning where that does not lead to a sound log that
/// goes as far back as `expected`.
fn read(
    directory: &impl Directory,
    origin: &Origin,
    expected: Option<TreeHead>,
) -> Result<(Survey, FrontierSource), DiskError> {
    let segments = segment::count(directory)?;
    let expect = Expect {
        project: Some(origin.project),
        node: Some(origin.node),
    };
    let source = Segments(directory);
    let reading = |start| Reading {
        source: &source,
        expect: &expect,
        start,
        watch: expected.map(|head| head.size),
        acknowledged: expected,
    };
    let start = read_frontier(directory, origin);
    if let Some(start) = start {
        if start.segment >= segments {
            let file = segment::name(start.segment);
            return Err(DiskError::MissingSegment { file });
        }
        let reaches = expected.is_none_or(|head| head.size >= start.frontier.size());
        let is_last = start.segment + 1 == segments;
        if reaches && is_last && bytes_before(directory, segments)? == start.bytes {
            let read = reading(Some(start)).run(&mut |_, _, _| {});
            if let Ok(survey) = read {
                return Ok((survey, FrontierSource::File));
            }
        }
    }
    let survey = reading(None).run(&mut |_, _, _| {})?;
    let source = if segments == 1 {
        FrontierSource::OneSegment
    } else {
        FrontierSource::Recomputed
    };
    Ok((survey, source))
}

/// Length of all segments but the last.
fn bytes_before(directory: &impl Directory, segments: u64) -> Result<u64, DiskError> {
    let mut bytes = 0;
    for number in 0..segments - 1 {
        let file = segment::name(number);
        let length = directory.length(&file);
        bytes += length.map_err(DiskError::io("measure", &file))?;
    }
    Ok(bytes)
}

/// Requires that no segment is absent of which the file `frontier` of a directory tells, which proves what it says.
///
/// # Errors
///
/// [`DiskError::MissingSegment`], and what the storage says.
pub fn check_last_segment(directory: &impl Directory, origin: &Origin) -> Result<(), DiskError> {
    let segments = segment::count(directory)?;
    match read_frontier(directory, origin) {
        Some(start) if start.segment >= segments => Err(DiskError::MissingSegment {
            file: segment::name(start.segment),
        }),
        Some(_) | None => Ok(()),
    }
}

/// What the file `frontier` says; `None` where it is absent, unreadable or wrong.
fn read_frontier(directory: &impl Directory, origin: &Origin) -> Option<Start> {
    let mut text = String::new();
    let file = directory.read(sidecar::FILE).ok()?;
    file.take(sidecar::BYTES_MAX)
        .read_to_string(&mut text)
        .ok()?;
    sidecar::read(&text, origin)
}

fn check_expected(survey: &Survey, expected: Option<TreeHead>) -> Result<(), DiskError> {
    let Some(expected) = expected else {
        return Ok(());
    };
    let found = survey.frontier().size();
    if expected.size > found {
        let expected = expected.size;
        return Err(DiskError::Behind { expected, found });
    }
    let size = expected.size;
    let root = if size == 0 {
        Some(Digest::of(b""))
    } else {
        survey.watched
    };
    match root {
        Some(found) if found != expected.root => Err(DiskError::Forked {
            size,
            expected: expected.root,
            found,
        }),
        Some(_) => Ok(()),
        None => Err(DiskError::Behind {
            expected: size,
            found,
        }),
    }
}

/// Removes what was being written when the writer stopped: its bytes, and the whole lines in it.
fn remove_unfinished(directory: &mut impl Directory) -> Result<(u64, u64), DiskError> {
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

fn put_frontier(directory: &mut impl Directory, start: &Start) -> Result<(), DiskError> {
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
