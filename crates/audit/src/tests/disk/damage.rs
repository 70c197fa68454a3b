//! Logs on disk that somebody or something changed: found, told with the place, and never repaired.

use proptest::prelude::*;

use super::*;
use crate::{AuditError, FrontierSource, check_last_segment};

/// Opens the directory, which must be refused and stay as it is.
#[track_caller]
fn refused(world: &World, directory: &Breaking, expected: Option<TreeHead>) -> DiskError {
    let mut opened = directory.clone();
    let result = DiskLog::open_for_append(&mut opened, world.project(), &node(7), expected);
    let error = result.map(|opened| opened.repaired).unwrap_err();
    assert_eq!(opened.content(), directory.content());
    error
}

#[test]
fn a_flipped_byte_is_told_with_its_place() {
    flip_bytes(5);
}

#[test]
#[ignore = "takes a minute"]
fn every_flipped_byte_is_told_with_its_place() {
    flip_bytes(1);
}

/// Flips each byte, or each so-many-th: every place of a line and of a head comes up in some line.
fn flip_bytes(step: usize) {
    let world = World::new();
    let batches = batches(&world);
    let directory = written(&world, &batches[..5]);
    let last = surveyed(&directory).unwrap().segments - 1;
    assert!(last > 1);
    let expected = Some(surveyed(&directory).unwrap().frontier().head());
    for segment in 0..=last {
        let file = format!("{segment:06}.jsonl");
        for at in (0..directory.bytes(&file).len()).step_by(step) {
            // One bit, or all that are set.
            let flip = match at % 2 {
                0 => 1 << (at / 2 % 8),
                _ => directory.bytes(&file)[at],
            };
            let mut bad = directory.clone();
            bad.bytes_mut(&file)[at] ^= flip;
            let case = format!("{file} byte {at} ^ {flip:#x}");
            match surveyed(&bad).map(|survey| survey.tail) {
                Err(DiskError::Damaged { place, .. }) => {
                    // In that line, or in the head of that segment that no longer fits.
                    assert_eq!(place.file, file, "{case}");
                    let line = &directory.bytes(&file)[usize::try_from(place.offset).unwrap()..];
                    assert!(
                        place.offset <= at as u64 || line.starts_with(b"{\"head\""),
                        "{case}"
                    );
                }
                // The last newline as a byte that was never written is what a crash leaves.
                Ok(Some(_)) if file.starts_with(&format!("{last:06}")) && flip == b'\n' => {}
                other => panic!("{case}: {other:?}"),
            }
            // The writer reads the last segment and the header.
            let opened = open(&world, bad.clone(), expected);
            match opened {
                Err(_) if !(at / step).is_multiple_of(16) => {}
                Err(_) => drop(refused(&world, &bad, expected)),
                Ok(opened) => {
                    assert!(segment < last, "{case}");
                    assert_eq!(opened.log.directory().content(), bad.content(), "{case}");
                }
            }
        }
    }
}

#[test]
fn a_wrong_frontier_file_has_no_effect_but_is_told() {
    let world = World::new();
    let batches = batches(&world);
    let directory = written(&world, &batches);
    let good = directory.content();
    let frontier = directory.bytes("frontier").to_vec();
    let check = |bad: Breaking, what: &str| {
        let opened = open(&world, bad, None).unwrap();
        assert_eq!(opened.frontier, FrontierSource::Recomputed, "{what}");
        assert_eq!(opened.repaired, None, "{what}");
        assert_eq!(opened.log.directory().content(), good, "{what}");
        let mut log = opened.log;
        log.commit_batch(&batches[0], &node(7)).unwrap();
        surveyed(log.directory()).unwrap();
    };
    for at in (0..frontier.len()).step_by(3) {
        let mut bad = directory.clone();
        bad.bytes_mut("frontier")[at] ^= 0x01;
        check(bad, &format!("byte {at}"));
    }
    let text = String::from_utf8(frontier).unwrap();
    for (from, to) in [
        ("\nbatches ", "\nbatches 1"),
        ("\nbytes ", "\nbytes 1"),
        ("v1", "v2"),
    ] {
        let mut bad = directory.clone();
        *bad.bytes_mut("frontier") = text.replacen(from, to, 1).into_bytes();
        check(bad, to);
    }
    for length in [0, text.len() / 2, text.len() - 1] {
        let mut bad = directory.clone();
        bad.bytes_mut("frontier").truncate(length);
        check(bad, "cut");
    }
    let mut bad = directory.clone();
    bad.drop_file("frontier");
    check(bad, "absent");
    // The file of another log, and an earlier one of the same.
    for count in [4, 5] {
        let mut bad = directory.clone();
        let other = written(&world, &batches[..count]);
        *bad.bytes_mut("frontier") = other.bytes("frontier").to_vec();
        check(bad, "an earlier one");
    }
}

#[test]
fn what_was_removed_or_emptied_is_told() {
    let world = World::new();
    let directory = written(&world, &batches(&world));
    let last = surveyed(&directory).unwrap().segments - 1;
    let name = |segment: u64| format!("{segment:06}.jsonl");
    for segment in 0..=last {
        let mut bad = directory.clone();
        bad.drop_file(&name(segment));
        match refused(&world, &bad, None) {
            DiskError::MissingSegment { file } => assert_eq!(file, name(segment)),
            error => panic!("{error}"),
        }
        let mut bad = directory.clone();
        bad.bytes_mut(&name(segment)).clear();
        match refused(&world, &bad, None) {
            DiskError::EmptySegment { file } => assert_eq!(file, name(segment)),
            error => panic!("{error}"),
        }
        // Cut at its last head: whole batches are missing from its end.
        let bytes = directory.bytes(&name(segment));
        let heads = bytes
            .windows(8)
            .rposition(|it| it == b"{\"head\":")
            .unwrap();
        let cut = bytes[..heads]
            .windows(8)
            .rposition(|it| it == b"{\"head\":");
        if let Some(cut) = cut.filter(|_| segment < last) {
            let end = cut + bytes[cut..].iter().position(|it| *it == b'\n').unwrap() + 1;
            let mut bad = directory.clone();
            bad.bytes_mut(&name(segment)).truncate(end);
            assert!(matches!(
                refused(&world, &bad, None),
                DiskError::Damaged { .. }
            ));
        }
    }
    // A reader is told by the file `frontier` alone that the last segment is absent.
    let mut bad = directory.clone();
    bad.drop_file(&name(last));
    assert!(surveyed(&bad).is_ok());
    let missing = check_last_segment(&bad, &world.origin());
    assert!(matches!(missing, Err(DiskError::MissingSegment { .. })));
    check_last_segment(&directory, &world.origin()).unwrap();

    let mut bad = directory.clone();
    for segment in 0..=last {
        bad.drop_file(&name(segment));
    }
    assert!(matches!(refused(&world, &bad, None), DiskError::NoLog));
    assert!(matches!(
        refused(&world, &Breaking::default(), None),
        DiskError::NoLog
    ));
    let mut bad = directory;
    bad.append("7.jsonl", b"").unwrap();
    assert!(matches!(
        refused(&world, &bad, None),
        DiskError::SegmentName { .. }
    ));
}

#[test]
fn batches_that_were_cut_off_whole_are_missed_by_the_head_that_was_kept() {
    let world = World::new();
    let batches = batches(&world);
    let whole = world.signed(batches.clone());
    let heads = heads(&whole);
    let last = *heads.last().unwrap();
    let directory = written(&world, &batches);
    for head in &heads {
        let opened = open(&world, directory.clone(), Some(*head)).unwrap();
        assert_eq!(opened.log.frontier().head(), last);
        let forked = TreeHead {
            root: crate::Digest::of(b"other"),
            ..*head
        };
        assert!(matches!(
            refused(&world, &directory, Some(forked)),
            DiskError::Forked { .. }
        ));
    }
    for count in 0..batches.len() {
        let shorter = written(&world, &batches[..count]);
        let known = count.checked_sub(1).map(|at| heads[at]);
        open(&world, shorter.clone(), known).unwrap();
        match refused(&world, &shorter, Some(last)) {
            DiskError::Behind { expected, found } => {
                assert_eq!(expected, last.size);
                assert_eq!(found, known.map_or(0, |it| it.size));
            }
            error => panic!("{error}"),
        }
    }
}

#[test]
fn the_log_of_another_node_or_project_is_not_opened() {
    let world = World::new();
    let directory = written(&world, &batches(&world));
    let open = |project, seed| {
        let mut opened = directory.clone();
        let result = DiskLog::open_for_append(&mut opened, project, &node(seed), None);
        let error = result.map(|opened| opened.repaired).unwrap_err();
        assert_eq!(opened.content(), directory.content());
        match error {
            DiskError::ForeignLog { error } => error,
            error => panic!("{error}"),
        }
    };
    assert!(matches!(open(world.project(), 8), AuditError::Node { .. }));
    assert!(matches!(
        open(world.first.id(), 7),
        AuditError::Project { .. }
    ));
}

#[test]
fn a_hole_before_a_signed_head_is_cut_only_where_the_batch_was_not_acknowledged() {
    let world = World::new();
    let batches = batches(&world);
    let before = written(&world, &batches[..1]);
    let mut log = open(&world, before.clone(), None).unwrap().log;
    log.commit_batch(&batches[1], &node(7)).unwrap();
    let mut bad = log.directory().clone().released();
    let file = "000000.jsonl";
    let kept = before.bytes(file).len();
    let known = surveyed(&before).unwrap().frontier().head();
    let last = surveyed(&bad).unwrap().frontier().head();
    bad.bytes_mut(file)[kept + 40..kept + 60].fill(0);
    for expected in [None, Some(last)] {
        assert!(matches!(
            refused(&world, &bad, expected),
            DiskError::Damaged { .. }
        ));
    }
    assert!(surveyed(&bad).is_err());
    let whole = bad.bytes(file).len();
    let opened = open(&world, bad.clone(), Some(known)).unwrap();
    assert_eq!(opened.repaired.unwrap().bytes, (whole - kept) as u64);
    assert_eq!(opened.log.directory().bytes(file), before.bytes(file));
    // Without the head nothing speaks for its having been durable.
    let end = bad.bytes(file).len() - 10;
    bad.bytes_mut(file).truncate(end);
    assert!(surveyed(&bad).unwrap().tail.is_some());
    open(&world, bad, None).unwrap();
}

/// One change of one file.
#[derive(Debug, Clone)]
enum Change {
    Overwrite(Vec<u8>),
    Remove(usize),
    Insert(Vec<u8>),
    Zero(usize),
    Truncate,
    Copy(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        bytes().prop_map(Change::Overwrite),
        bytes().prop_map(Change::Insert),
        (1..600_usize).prop_map(Change::Remove),
        (1..600_usize).prop_map(Change::Zero),
        Just(Change::Truncate),
        any::<usize>().prop_map(Change::Copy),
    ]
}

fn apply(directory: &mut Breaking, file: usize, at: usize, change: &Change) {
    let names = directory.names().unwrap();
    let other = match change {
        Change::Copy(from) => directory.bytes(&names[from % names.len()]).to_vec(),
        _ => Vec::new(),
    };
    let bytes = directory.bytes_mut(&names[file % names.len()]);
    let at = at % (bytes.len() + 1);
    let end = |length: usize| bytes.len().min(at + length);
    match change {
        Change::Overwrite(with) => {
            let end = end(with.len());
            bytes[at..end].copy_from_slice(&with[..end - at]);
        }
        Change::Remove(length) => drop(bytes.drain(at..end(*length))),
        Change::Insert(with) => drop(bytes.splice(at..at, with.iter().copied())),
        Change::Zero(length) => {
            let end = end(*length);
            bytes[at..end].fill(0);
        }
        Change::Truncate => bytes.truncate(at),
        Change::Copy(_) => *bytes = other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// With the last head that was acknowledged, no change of the files passes for the log.
    #[test]
    fn no_change_is_taken_for_the_log(
        changes in prop::collection::vec((any::<usize>(), any::<usize>(), change()), 1..4),
    ) {
        let world = World::new();
        let batches = batches(&world);
        let whole = world.signed(batches.clone());
        let export = whole.export().into_bytes();
        let mut bad = written(&world, &batches);
        for (file, at, change) in &changes {
            apply(&mut bad, *file, *at, change);
        }
        let before = bad.content();
        let _ = surveyed(&bad);
        let opened = DiskLog::open_for_append(
            &mut bad,
            world.project(),
            &node(7),
            heads(&whole).last().copied(),
        );
        match opened.map(|opened| opened.repaired) {
            Err(_) => prop_assert_eq!(bad.content(), before),
            // Nobody reads the segments before the last one to append.
            Ok(_) => match surveyed(&bad) {
                Err(_) => {}
                Ok(survey) => {
                    prop_assert_eq!(survey.tail, None);
                    prop_assert_eq!(concatenated(&bad), export);
                }
            },
        }
    }
}
