//! Tests of the log on disk.

mod append;
mod breaking;
mod cosigned;
mod crash;
mod damage;
mod key_file;
mod proofs;

use super::{World, node};
use crate::{
    AuditLog, Directory, DiskError, DiskLog, Entry, Expect, Opened, Segments, Survey, TreeHead,
    survey,
};
use breaking::Breaking;

/// A segment length at which the small log of these tests has several segments.
const SMALL: u64 = 1500;

/// Some more batches than [`World`] has.
fn batches(world: &World) -> Vec<Vec<Entry>> {
    let mut batches = world.batches();
    let more = (0..6_u64).map(|number| {
        let object = crate::Digest::of(&number.to_be_bytes());
        let viewer = node(9).public();
        let entry = Entry::Viewed { object, viewer };
        vec![entry; usize::try_from(number % 3).unwrap() + 1]
    });
    batches.extend(more);
    batches
}

/// The log of these batches on disk, in segments of [`SMALL`].
fn written(world: &World, batches: &[Vec<Entry>]) -> Breaking {
    let log = DiskLog::create(Breaking::default(), world.project(), &node(7)).unwrap();
    let mut log = log.with_segment_bytes(SMALL);
    for batch in batches {
        log.commit_batch(batch, &node(7)).unwrap();
    }
    log.directory().clone().released()
}

fn open(
    world: &World,
    directory: Breaking,
    expected: Option<TreeHead>,
) -> Result<Opened<Breaking>, DiskError> {
    DiskLog::open_for_append(directory, world.project(), &node(7), expected)
}

fn surveyed(directory: &impl Directory) -> Result<Survey, DiskError> {
    survey(&Segments(directory), &Expect::default(), &mut |_, _, _| {})
}

/// All segments, one after the other.
fn concatenated(directory: &Breaking) -> Vec<u8> {
    let mut names = directory.names().unwrap();
    names.retain(|name| name.ends_with(".jsonl"));
    names.sort();
    let bytes = names.iter().map(|name| directory.bytes(name).to_vec());
    bytes.flatten().collect()
}

fn heads(audit: &AuditLog) -> Vec<TreeHead> {
    let batches = audit.batches().iter();
    batches.map(|batch| batch.checkpoint.head()).collect()
}
