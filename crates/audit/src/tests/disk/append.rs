//! Appending: the bytes are those of the log in memory, and what is kept of them does not grow.

use std::io::Read as _;

use ecac_core::{Costs, OpId};
use proptest::prelude::*;

use super::*;
use crate::{Digest, Folder, FrontierSource, Recorder, Sink as _};

fn entry() -> impl Strategy<Value = Entry> {
    let op = || any::<[u8; 32]>().prop_map(OpId::from_bytes);
    prop_oneof![
        op().prop_map(|op| Entry::Held { op }),
        (op(), op()).prop_map(|(op, grant)| Entry::Applied { op, grant }),
        any::<[u8; 32]>().prop_map(|bytes| Entry::Viewed {
            object: Digest::from_bytes(bytes),
            viewer: node(bytes[0]).public(),
        }),
        (1..1000_u64).prop_map(|count| Entry::Rejected {
            reason: ecac_core::Refusal::BadSignature,
            count,
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_segments_are_the_export_of_the_log_in_memory(
        batches in prop::collection::vec(prop::collection::vec(entry(), 1..6), 1..14),
        segment_bytes in 1..6000_u64,
        reopen in any::<u16>(),
    ) {
        let world = World::new();
        let mut memory = AuditLog::new(world.origin());
        let log = DiskLog::create(Breaking::default(), world.project(), &node(7)).unwrap();
        let mut log = log.with_segment_bytes(segment_bytes);
        for (number, batch) in batches.iter().enumerate() {
            let head = memory.commit(batch.clone(), &node(7)).unwrap();
            prop_assert_eq!(&log.commit(batch.clone(), &node(7)).unwrap(), &head);
            prop_assert_eq!(log.frontier().hashes().len(), memory.size().count_ones() as usize);
            if reopen >> (number % 16) & 1 == 1 {
                let directory = log.directory().clone().released();
                let opened = open(&world, directory, Some(head.head())).unwrap();
                prop_assert_eq!(opened.repaired, None);
                let several = opened.log.segment() > 0;
                let want = if several { FrontierSource::File } else { FrontierSource::OneSegment };
                prop_assert_eq!(opened.frontier, want);
                log = opened.log.with_segment_bytes(segment_bytes);
            }
        }
        prop_assert_eq!(concatenated(log.directory()), memory.export().into_bytes());
        let read = surveyed(log.directory()).unwrap();
        prop_assert_eq!(read.checkpoint(), memory.checkpoint());
        prop_assert_eq!(read.batches(), batches.len() as u64);
        prop_assert_eq!(read.tail, None);
    }
}

#[test]
fn what_is_kept_of_many_entries_is_a_frontier() {
    let world = World::new();
    let log = DiskLog::create(Breaking::default(), world.project(), &node(7)).unwrap();
    let mut log = log.with_segment_bytes(100_000);
    let op = world.project();
    for batch in 1..=40_u64 {
        log.commit_batch(&vec![Entry::Held { op }; 100], &node(7))
            .unwrap();
        assert_eq!(log.frontier().size(), batch * 100);
        assert_eq!(
            log.frontier().hashes().len(),
            (batch * 100).count_ones() as usize
        );
    }
    assert!(log.segment() > 3);
    // The whole value, its directory aside, is some hundred bytes and at most 53 hashes.
    assert!(size_of::<DiskLog<()>>() < 512);
}

#[test]
fn a_recorder_writes_the_same_bytes_into_memory_and_onto_disk() {
    let world = World::new();
    let items = world.op_log();
    let memory = AuditLog::of_op_log(world.project(), &items, 2, &node(7));
    let log = DiskLog::create(Breaking::default(), world.project(), &node(7)).unwrap();
    let mut log = log.with_segment_bytes(SMALL);
    let mut recorder = Recorder::new(world.project());
    recorder
        .record_op_log(&items, 2, &mut log, &node(7), &mut Costs::default())
        .unwrap();
    assert_eq!(concatenated(log.directory()), memory.export().into_bytes());
    assert!(log.segment() > 0);
}

#[test]
fn a_folder_holds_a_log_for_one_writer_at_a_time() {
    let here = tempfile::tempdir().unwrap();
    let path = here.path().join("audit");
    let world = World::new();
    let batches = batches(&world);
    let memory = world.signed(batches.clone());
    let folder = || Folder::open(&path).unwrap();
    assert!(Folder::open(&path).is_err());
    let log = DiskLog::create(Folder::create(&path).unwrap(), world.project(), &node(7)).unwrap();
    let mut log = log.with_segment_bytes(SMALL);
    let (first, rest) = batches.split_first().unwrap();
    log.commit_batch(first, &node(7)).unwrap();
    let second = || DiskLog::open_for_append(folder(), world.project(), &node(7), None);
    assert!(matches!(second(), Err(DiskError::Locked)));
    // Whoever reads needs no lock.
    assert_eq!(surveyed(&folder()).unwrap().batches(), 1);
    drop(log);
    let mut log = second().unwrap().log.with_segment_bytes(SMALL);
    for batch in rest {
        log.commit_batch(batch, &node(7)).unwrap();
    }
    let segments = log.segment() + 1;
    drop(log);
    let opened = second().unwrap();
    assert_eq!(opened.frontier, FrontierSource::File);
    assert_eq!(opened.log.checkpoint(), memory.checkpoint());
    let mut export = Vec::new();
    for segment in 0..segments {
        let name = format!("{segment:06}.jsonl");
        folder()
            .read(&name)
            .unwrap()
            .read_to_end(&mut export)
            .unwrap();
    }
    assert_eq!(export, memory.export().into_bytes());
    let again = DiskLog::create(folder(), world.project(), &node(7));
    assert!(matches!(again, Err(DiskError::Locked)));
    drop(opened);
    let again = DiskLog::create(folder(), world.project(), &node(7));
    assert!(matches!(again, Err(DiskError::LogExists)));
}

#[test]
fn a_batch_that_is_refused_changes_nothing() {
    let world = World::new();
    let batches = batches(&world);
    let directory = written(&world, &batches);
    let mut log = open(&world, directory, None).unwrap().log;
    let before = log.directory().content();
    assert!(matches!(
        log.commit_batch(&batches[0], &node(8)),
        Err(DiskError::ForeignKey { .. })
    ));
    assert!(matches!(
        log.commit_batch(&[], &node(7)),
        Err(DiskError::EmptyBatch)
    ));
    assert_eq!(log.directory().content(), before);
    log.commit_batch(&batches[0], &node(7)).unwrap();
}
