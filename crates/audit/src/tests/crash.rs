//! Reopening after a crash.

use super::{World, node};
use crate::{AuditError, AuditLog, Expect};

#[test]
fn a_torn_append_is_cut_back_to_the_last_head() {
    tear(5);
}

#[test]
#[ignore = "takes a minute"]
fn every_torn_append_is_cut_back_to_the_last_head() {
    tear(1);
}

/// Tears the log after each byte, or after each so-many-th.
fn tear(step: usize) {
    let world = World::new();
    let batches = world.batches();
    let export = world.signed(batches.clone()).export();
    let sealed: Vec<usize> = (0..=batches.len())
        .map(|count| world.signed(batches[..count].to_vec()).export().len())
        .collect();
    for end in (0..=export.len()).step_by(step) {
        let reopened = AuditLog::reopen(&export.as_bytes()[..end], world.origin()).unwrap();
        let heads = sealed.iter().filter(|at| **at <= end).count();
        let kept = sealed[..heads].last().copied().unwrap_or(0);
        assert_eq!(reopened.kept_bytes, kept, "{end}");
        assert_eq!(reopened.cut_bytes, end - kept, "{end}");
        let torn = &export.as_bytes()[kept..end];
        let torn = torn.iter().filter(|byte| **byte == b'\n').count() as u64;
        assert_eq!(reopened.cut_entries, torn, "{end}");
        let mut log = reopened.log;
        for batch in &batches[heads.saturating_sub(1)..] {
            log.commit_batch(batch.clone(), &node(7)).unwrap();
        }
        assert_eq!(log.export(), export, "{end}");
    }
}

#[test]
fn a_tail_of_zeroes_is_cut() {
    let world = World::new();
    let export = world.audit().export();
    let mut file = export.clone().into_bytes();
    file.extend_from_slice(&[0; 4096]);
    let reopened = AuditLog::reopen(&file, world.origin()).unwrap();
    assert_eq!(reopened.kept_bytes, export.len());
    assert_eq!((reopened.cut_bytes, reopened.cut_entries), (4096, 0));
}

#[test]
fn damage_never_shortens_the_log() {
    let world = World::new();
    let mut batches = world.batches();
    batches.truncate(1);
    let export = world.signed(batches).export().into_bytes();
    for at in 0..export.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bad = export.clone();
            bad[at] ^= flip;
            assert!(
                AuditLog::reopen(&bad, world.origin()).is_err(),
                "byte {at} ^ {flip}"
            );
        }
    }
}

#[test]
fn another_nodes_log_is_not_reopened() {
    let world = World::new();
    let export = world.audit().export();
    let mut origin = world.origin();
    origin.node = node(8).public();
    assert!(matches!(
        AuditLog::reopen(export.as_bytes(), origin),
        Err(AuditError::Node { .. })
    ));
    assert_eq!(
        AuditLog::reopen(b"{\"other", origin).unwrap_err(),
        AuditError::Torn { line: 1 }
    );
    let empty = AuditLog::reopen(b"", origin).unwrap().log;
    assert_eq!(
        AuditLog::verify(empty.export().as_bytes(), &Expect::default()).unwrap_err(),
        AuditError::NoEntries
    );
}
