//! Opening a log again: where it ends, and whether that is where it should.

use std::io::Read as _;

use ecac_core::ProjectId;

use crate::chain::Expect;
use crate::checkpoint::Origin;
use crate::digest::Digest;
use crate::disk::log::{lock, put_frontier, remove_unfinished};
use crate::disk::segment;
use crate::disk::sidecar;
use crate::disk::survey::{Reading, Start, Survey, Tail};
use crate::disk::{Directory, DiskError, DiskLog, Segments};
use crate::merkle::TreeHead;
use crate::node_key::NodeKey;

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
    /// The segments themselves, which were read, and the file was written anew: it was absent or wrong, or what was expected
    /// lies before the last segment, and then all were read; or it told of an earlier segment, and then those from there on.
    Recomputed,
}

impl<D: Directory> DiskLog<D> {
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
        Ok(Opened {
            log: Self::resume(directory, &survey.chain, &last, bytes),
            repaired: (repaired.bytes > 0).then_some(repaired),
            frontier,
        })
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
        if reaches && bytes_before(directory, start.segment)? == start.bytes {
            let read = reading(Some(start)).run(&mut |_, _, _| {});
            if let Ok(survey) = read {
                let source = if is_last {
                    FrontierSource::File
                } else {
                    FrontierSource::Recomputed
                };
                return Ok((survey, source));
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

/// Length of all segments before `segment`.
fn bytes_before(directory: &impl Directory, segment: u64) -> Result<u64, DiskError> {
    let mut bytes = 0;
    for number in 0..segment {
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
