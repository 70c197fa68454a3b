//! Exports that somebody changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{World, node};
use crate::{
    AuditError, AuditLog, CheckpointError, CommitError, EntryError, Expect, LINE_BYTES_MAX,
    NoteError, Origin,
};

fn verify(bytes: &[u8]) -> Result<AuditLog, AuditError> {
    AuditLog::verify(bytes, &Expect::default())
}

fn join(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn an_honest_export_is_read_back_as_it_was() {
    let world = World::new();
    let audit = world.audit();
    let export = audit.export();
    let read = AuditLog::verify(
        export.as_bytes(),
        &Expect {
            project: Some(world.project()),
            node: Some(node(7).public()),
        },
    )
    .unwrap();
    assert_eq!(read.export(), export);
    assert_eq!(read.batches(), audit.batches());
    assert_eq!(
        world.audit().export(),
        export,
        "the same steps, the same bytes"
    );
}

#[test]
fn appended_batches_make_the_export() {
    let world = World::new();
    let mut audit = AuditLog::new(world.origin());
    let mut file = audit.header();
    for batch in world.batches() {
        file.push_str(&audit.commit_batch(batch, &node(7)).unwrap());
        assert_eq!(audit.export(), file);
    }
}

#[test]
fn every_flipped_byte_is_refused() {
    let world = World::new();
    let mut batches = world.batches();
    batches.truncate(2);
    let export = world.signed(batches).export().into_bytes();
    assert!(verify(&export).is_ok());
    for at in 0..export.len() {
        let flip = [0x01, 0x20, 0x80][at % 3];
        let mut bad = export.clone();
        bad[at] ^= flip;
        assert!(verify(&bad).is_err(), "byte {at} ^ {flip}");
    }
}

#[test]
fn every_removed_repeated_or_swapped_line_is_refused() {
    let export = World::new().audit().export();
    let lines: Vec<&str> = export.lines().collect();
    for at in 0..lines.len() {
        let mut bad = lines.clone();
        bad.remove(at);
        assert!(verify(join(&bad).as_bytes()).is_err(), "line {at} removed");
        for to in 0..=lines.len() {
            let mut bad = lines.clone();
            bad.insert(to, lines[at]);
            assert!(
                verify(join(&bad).as_bytes()).is_err(),
                "line {at} again at {to}"
            );
        }
        for other in at + 1..lines.len() {
            let mut bad = lines.clone();
            bad.swap(at, other);
            assert!(
                verify(join(&bad).as_bytes()).is_err(),
                "lines {at} and {other} swapped"
            );
        }
    }
}

#[test]
fn every_truncation_is_refused_or_betrayed_by_an_earlier_head() {
    let world = World::new();
    let audit = world.audit();
    let export = audit.export();
    let mut whole = 0;
    for end in 0..export.len() {
        if let Ok(shorter) = verify(&export.as_bytes()[..end]) {
            assert!(
                export[..end].ends_with("\"}\n"),
                "only at the end of a batch"
            );
            assert!(!shorter.holds(audit.checkpoint().unwrap()));
            assert!(audit.holds(shorter.checkpoint().unwrap()));
            whole += 1;
        }
    }
    assert_eq!(whole, audit.batches().len() - 1);
}

#[test]
fn each_fault_has_its_error() {
    let world = World::new();
    let export = world.audit().export();
    let lines: Vec<&str> = export.lines().collect();
    let heads: Vec<usize> = (0..lines.len())
        .filter(|at| lines[*at].starts_with("{\"head\""))
        .collect();
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        join(&lines)
    };
    let other_node = {
        let origin = Origin {
            node: node(8).public(),
            ..world.origin()
        };
        let mut audit = AuditLog::new(origin);
        audit
            .commit_batch(world.batches().remove(0), &node(8))
            .unwrap();
        audit.export()
    };
    let foreign_head = {
        let mut lines = lines.clone();
        lines[heads[0]] = other_node.lines().last().unwrap();
        join(&lines)
    };
    // The right text of the right log, signed by another key: under that key's id, and under the node's own.
    let [other_key, forged] = [false, true].map(|forge| {
        let honest = world.audit().batches()[0].checkpoint.note().to_owned();
        let (text, signature) = honest.split_once("\n\n").unwrap();
        let name = world.origin().to_string();
        let mut note = crate::note::sign(&format!("{text}\n"), &name, &node(8));
        if forge {
            let blob = |line: &str| STANDARD.decode(line.split(' ').nth(2).unwrap()).unwrap();
            let theirs = blob(note.lines().last().unwrap());
            let mixed = [&blob(signature.trim_end())[..4], &theirs[4..]].concat();
            note = note.replace(&STANDARD.encode(theirs), &STANDARD.encode(mixed));
        }
        let line = crate::entry::canonical(&serde_json::json!({ "head": note }));
        let mut lines = lines.clone();
        lines[heads[0]] = &line;
        join(&lines)
    });
    let other_entries = {
        let mut batches = world.batches();
        batches[0].swap(0, 1);
        let other = world.signed(batches).export();
        let mut lines = lines.clone();
        lines[heads[0]] = other.lines().nth(heads[0]).unwrap();
        join(&lines)
    };
    let first_head = heads[0] as u64 + 1;
    let last_batch = heads[1] as u64 + 2;
    let open_entries = (heads[2] - heads[1]) as u64 - 1;
    type Check = fn(&AuditError) -> bool;
    let table: Vec<(&str, String, u64, Check)> = vec![
        ("nothing", String::new(), 0, |e| {
            matches!(e, AuditError::Empty)
        }),
        ("header only", join(&lines[..1]), 0, |e| {
            matches!(e, AuditError::NoEntries)
        }),
        ("torn header", lines[0].to_owned(), 1, |e| {
            matches!(e, AuditError::Torn { .. })
        }),
        (
            "torn end",
            export.trim_end().to_owned(),
            lines.len() as u64,
            |e| matches!(e, AuditError::Torn { .. }),
        ),
        ("byte order mark", format!("\u{feff}{export}"), 0, |e| {
            matches!(e, AuditError::Header { .. })
        }),
        ("no header", without(0), 0, |e| {
            matches!(e, AuditError::Header { .. })
        }),
        (
            "header with a space",
            export.replacen(':', ": ", 1),
            0,
            |e| matches!(e, AuditError::Header { .. }),
        ),
        ("other version", export.replacen("-v1", "-v2", 1), 0, |e| {
            matches!(e, AuditError::Format { .. })
        }),
        (
            "other origin",
            export.replacen("ecac.dev", "ecac.org", 1),
            0,
            |e| matches!(e, AuditError::Origin { .. }),
        ),
        ("entry missing", without(1), 2, |e| {
            matches!(
                e,
                AuditError::Index {
                    expected: 0,
                    found: 1,
                    ..
                }
            )
        }),
        ("head missing", without(heads[0]), first_head, |e| {
            matches!(
                e,
                AuditError::Batch {
                    expected: 0,
                    found: 1,
                    ..
                }
            )
        }),
        ("last head missing", without(heads[2]), last_batch, |e| {
            matches!(e, AuditError::Unsigned { .. })
        }),
        (
            "head twice",
            export.replacen("{\"head\"", &format!("{}\n{{\"head\"", lines[heads[0]]), 1),
            first_head + 1,
            |e| matches!(e, AuditError::EmptyBatch { .. }),
        ),
        ("foreign head", foreign_head, first_head, |e| {
            matches!(
                e,
                AuditError::Head {
                    error: CheckpointError::Origin { .. },
                    ..
                }
            )
        }),
        ("other key", other_key, first_head, |e| {
            matches!(
                e,
                AuditError::Head {
                    error: CheckpointError::Key { .. },
                    ..
                }
            )
        }),
        ("forged", forged, first_head, |e| {
            matches!(
                e,
                AuditError::Head {
                    error: CheckpointError::Signature,
                    ..
                }
            )
        }),
        ("head of other entries", other_entries, first_head, |e| {
            matches!(e, AuditError::HeadRoot { .. })
        }),
        (
            "head without note",
            export.replacen("\\n\\n", "\\n", 1),
            first_head,
            |e| {
                matches!(
                    e,
                    AuditError::Head {
                        error: CheckpointError::Note(NoteError::NoSeparator),
                        ..
                    }
                )
            },
        ),
        (
            "head with a member",
            export.replacen("\"}\n{\"batch\":1", "\",\"x\":1}\n{\"batch\":1", 1),
            first_head,
            |e| matches!(e, AuditError::HeadLine { .. }),
        ),
        ("empty line", export.replacen("\n", "\n\n", 1), 2, |e| {
            matches!(
                e,
                AuditError::Entry {
                    error: EntryError::Malformed { .. },
                    ..
                }
            )
        }),
        (
            "carriage return",
            export.replacen(
                "}\n{\"batch\":0,\"entry\":\"skipped\"",
                "}\r\n{\"batch\":0,\"entry\":\"skipped\"",
                1,
            ),
            0,
            |e| {
                matches!(
                    e,
                    AuditError::Entry {
                        error: EntryError::NotCanonical,
                        ..
                    }
                )
            },
        ),
        (
            "long line",
            export.replacen("\n", &format!("\n{}\n", "x".repeat(LINE_BYTES_MAX + 1)), 1),
            2,
            |e| matches!(e, AuditError::LineTooLong { .. }),
        ),
        (
            "two logs",
            format!("{export}{}", world.audit().export()),
            lines.len() as u64 + 1,
            |e| matches!(e, AuditError::Entry { .. }),
        ),
    ];
    for (name, text, line, check) in table {
        let error = verify(text.as_bytes()).unwrap_err();
        assert!(check(&error), "{name}: {error:?}");
        let message = error.to_string();
        assert!(
            line == 0 || message.contains(&format!("line {line}")),
            "{name}: {message} names line {line}"
        );
    }
    assert_eq!(
        verify(without(heads[2]).as_bytes()).unwrap_err(),
        AuditError::Unsigned {
            line: last_batch,
            entries: open_entries
        }
    );
}

#[test]
fn a_head_that_skips_entries_is_refused() {
    let world = World::new();
    let mut batches = world.batches();
    let short = world.signed(vec![batches[0][..2].to_vec()]).export();
    let whole = world.signed(vec![batches.remove(0)]).export();
    let mut lines: Vec<&str> = whole.lines().collect();
    *lines.last_mut().unwrap() = short.lines().last().unwrap();
    assert!(matches!(
        verify(join(&lines).as_bytes()),
        Err(AuditError::HeadSize { found: 2, .. })
    ));
}

#[test]
fn another_project_or_node_than_expected_is_refused() {
    let world = World::new();
    let export = world.audit().export();
    let other = ecac_core::OpId::from_bytes([9; 32]);
    let expect = Expect {
        project: Some(other),
        node: None,
    };
    assert_eq!(
        AuditLog::verify(export.as_bytes(), &expect).unwrap_err(),
        AuditError::Project {
            expected: other,
            found: world.project()
        }
    );
    let expect = Expect {
        project: None,
        node: Some(node(8).public()),
    };
    assert_eq!(
        AuditLog::verify(export.as_bytes(), &expect).unwrap_err(),
        AuditError::Node {
            expected: node(8).public(),
            found: node(7).public()
        }
    );
}

#[test]
fn only_the_logs_own_node_commits_and_only_news() {
    let world = World::new();
    let mut audit = world.audit();
    let before = audit.export();
    assert_eq!(
        audit.commit_batch(world.batches().remove(0), &node(8)),
        Err(CommitError::ForeignKey {
            expected: node(7).public(),
            found: node(8).public()
        })
    );
    assert_eq!(
        audit.commit_batch(Vec::new(), &node(7)),
        Err(CommitError::EmptyBatch)
    );
    assert_eq!(audit.export(), before);
}

#[test]
fn the_longest_lines_fit_the_limit() {
    let world = World::new();
    let longest = world.audit().export().lines().map(str::len).max().unwrap();
    // Three more numbers of up to 20 digits than here.
    assert!(longest + 60 < LINE_BYTES_MAX, "{longest}");
}
