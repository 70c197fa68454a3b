//! Crashes and failures at every write and every sync.

use super::breaking::Dice;
use super::*;
use crate::Repaired;

/// Ways in which each crash turns out.
const OUTCOMES: u64 = 12;

/// Writes the batches until the directory fails: what it holds then, and how many batches were acknowledged.
fn write_until_broken(
    world: &World,
    mut directory: Breaking,
    batches: &[Vec<Entry>],
) -> (Breaking, usize) {
    let log = DiskLog::create(&mut directory, world.project(), &node(7)).unwrap();
    let mut log = log.with_segment_bytes(SMALL);
    let acknowledged = batches
        .iter()
        .take_while(|batch| log.commit_batch(batch, &node(7)).is_ok())
        .count();
    // A log of which a write failed takes nothing more.
    let before = log.directory().content();
    let again = log.commit_batch(&batches[0], &node(7));
    assert!(matches!(again, Err(DiskError::Broken)));
    assert_eq!(log.directory().content(), before);
    (directory, acknowledged)
}

#[test]
fn whatever_a_crash_leaves_what_was_acknowledged_is_there_and_the_log_goes_on() {
    let world = World::new();
    let batches = batches(&world);
    let whole = world.signed(batches.clone());
    let (heads, export) = (heads(&whole), whole.export().into_bytes());
    let operations = written(&world, &batches).operations;
    assert!(operations > 30, "{operations}");
    let (mut repaired, mut ahead) = (0, 0);
    for fail_at in 5..=operations {
        let directory = Breaking::failing_at(fail_at);
        let (directory, acknowledged) = write_until_broken(&world, directory, &batches);
        let expected = acknowledged.checked_sub(1).map(|last| heads[last]);
        for outcome in 0..OUTCOMES {
            let mut dice = Dice::new(fail_at * 1000 + outcome);
            let found = directory.clone().crashed(&mut dice);
            let case = format!("operation {fail_at}, outcome {outcome}");
            let before = found.content();
            // Whoever reads changes nothing and does not panic.
            let _ = surveyed(&found);
            let expected = expected.or(Some(crate::Frontier::default().head()));
            let opened = open(&world, found, expected);
            let opened = opened.unwrap_or_else(|error| panic!("{case}: {error}"));
            let at = usize::try_from(opened.log.batches()).unwrap();
            assert!(
                (acknowledged..=acknowledged + 1).contains(&at),
                "{case}: {at}"
            );
            ahead += usize::from(at > acknowledged);
            let now = opened.log.directory().content();
            let bytes = |content: &std::collections::BTreeMap<String, Vec<u8>>| -> u64 {
                let segments = content.iter().filter(|(name, _)| name.contains(".jsonl"));
                segments.map(|(_, bytes)| bytes.len() as u64).sum()
            };
            let cut = opened.repaired.map_or(0, |it| it.bytes);
            assert_eq!(bytes(&before) - cut, bytes(&now), "{case}");
            repaired += usize::from(cut > 0);
            let mut log = opened.log.with_segment_bytes(SMALL);
            for batch in &batches[at..] {
                log.commit_batch(batch, &node(7)).unwrap();
            }
            assert_eq!(concatenated(log.directory()), export, "{case}");
            assert!(
                log.directory()
                    .names()
                    .unwrap()
                    .iter()
                    .all(|it| !it.ends_with(".new"))
            );
            let directory = log.directory().clone().released();
            let again = open(&world, directory, Some(*heads.last().unwrap())).unwrap();
            assert_eq!(again.repaired, None, "{case}");
        }
    }
    assert!(repaired > 20 && ahead > 20, "{repaired} {ahead}");
}

#[test]
fn a_log_whose_making_was_interrupted_is_made_again() {
    let world = World::new();
    for fail_at in 1..=4 {
        for outcome in 0..OUTCOMES {
            let mut directory = Breaking::failing_at(fail_at);
            let made = DiskLog::create(&mut directory, world.project(), &node(7));
            assert!(made.is_err());
            let found = directory.crashed(&mut Dice::new(outcome));
            let has_log = found.names().unwrap().contains(&"000000.jsonl".to_owned());
            let opened = open(&world, found.clone(), None);
            match opened {
                Ok(opened) => assert!(has_log && opened.log.checkpoint().is_none()),
                Err(DiskError::NoLog) => {
                    assert!(!has_log);
                    DiskLog::create(found, world.project(), &node(7)).unwrap();
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_torn_last_batch_is_cut_by_its_owner_and_by_nobody_else() {
    tear_last_batches(7);
}

#[test]
#[ignore = "takes a minute"]
fn every_torn_last_batch_is_cut_by_its_owner_and_by_nobody_else() {
    tear_last_batches(1);
}

/// Tears the last batch after each byte, or after each so-many-th.
fn tear_last_batches(step: usize) {
    let world = World::new();
    let all = batches(&world);
    for count in [1, 3, all.len()] {
        let (last, before) = all[..count].split_last().unwrap();
        let directory = written(&world, before);
        let mut log = open(&world, directory.clone(), None).unwrap().log;
        log.commit_batch(last, &node(7)).unwrap();
        let file = format!("{:06}.jsonl", log.segment());
        let whole = log.directory().bytes(&file).to_vec();
        let kept = directory.bytes(&file).len();
        for end in (kept..whole.len()).step_by(step) {
            let mut torn = log.directory().clone().released();
            torn.bytes_mut(&file).truncate(end);
            let content = torn.content();
            let tail = surveyed(&torn).unwrap().tail;
            let lines = whole[kept..end]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count() as u64;
            let want = (end > kept).then_some(((end - kept) as u64, lines));
            let found = tail.as_ref().map(|it| (it.bytes, it.entries));
            assert_eq!(found, want, "{end}");
            if let Some(tail) = tail {
                assert_eq!(
                    (tail.place.file, tail.place.offset),
                    (file.clone(), kept as u64)
                );
            }
            assert_eq!(torn.content(), content);
            let opened = open(&world, torn, None).unwrap();
            let repaired = want.map(|(bytes, entries)| Repaired { bytes, entries });
            assert_eq!(opened.repaired, repaired, "{end}");
            let mut log = opened.log;
            assert_eq!(log.directory().bytes(&file), &whole[..kept]);
            log.commit_batch(last, &node(7)).unwrap();
            assert_eq!(log.directory().bytes(&file), whole);
        }
    }
}
