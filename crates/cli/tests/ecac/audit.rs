//! Audit logs: signing them, and catching those that lie.

use std::fs;
use std::path::Path;

use ecac_artifact::exit;
use ecac_audit::{AuditLog, Entry, Expect};
use ecac_core::{DenialReason, VerifiedOp};
use tempfile::TempDir;

use crate::fixture::{Author, NO_OP, Small, genesis, sequence};
use crate::run::{directory_with, ecac_in, text};

fn prepared() -> (TempDir, Small) {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let args = ["audit-export", "ops", "--seed", "42", "--out", "audit"];
    ecac_in(directory.path(), args).quietly();
    (directory, small)
}

fn node() -> String {
    ecac_bench::node_key(42).public().to_string()
}

#[test]
fn an_honest_log_is_confirmed() {
    let (directory, _) = prepared();
    let at = directory.path();
    let node = node();
    let args = ["audit-verify", "audit", "--log", "ops", "--node", &node];
    let report = text(ecac_in(at, args).quietly());
    assert!(report.ends_with("\nverdict: OK\n"), "{report}");
    assert!(report.contains(&node), "{report}");
    // The duplicate is not ingested again, and the two items that are no op are counted.
    for line in [
        "ingested: 9",
        "skipped: 1",
        "arrivals that were no op: 2",
        "items that are no op: 2",
    ] {
        assert!(report.contains(&format!("\n{line}\n")), "{line}: {report}");
    }

    let unnamed = ecac_in(at, ["audit-verify", "audit", "--log", "ops"]);
    assert!(unnamed.stderr.contains("warning: without --node"));
    assert_eq!(text(unnamed.ok()), report);
}

#[test]
fn every_way_to_lie_is_caught_and_nothing_is_repaired() {
    let (directory, small) = prepared();
    let at = directory.path();
    let good = text(fs::read(at.join("audit")).unwrap());
    let lines: Vec<&str> = good.split_inclusive('\n').collect();
    let last = lines.len() - 1;
    let applied = good.find("\"applied\"").unwrap();
    let mut flipped = good.clone().into_bytes();
    flipped[applied + 1] ^= 1;
    let stranger = Author::new(5).public().to_string();
    let node = node();
    let check = |what: &str, audit: &[u8], ops: &[u8], node: &str, code: u8| {
        let path = at.join("claim");
        fs::write(&path, audit).unwrap();
        fs::write(at.join("claim-ops"), ops).unwrap();
        let args = [
            "audit-verify",
            "claim",
            "--log",
            "claim-ops",
            "--node",
            node,
        ];
        let ran = ecac_in(at, args);
        assert_eq!(ran.code, Some(code.into()), "{what}: {}", ran.stderr);
        ran.fails(code, &["claim"]);
        assert_eq!(fs::read(&path).unwrap(), audit, "{what}: repaired");
    };
    let ops = small.mixed();
    let refused = exit::VERIFICATION;
    check("bit flipped", &flipped, &ops, &node, refused);
    check("emptied", b"", &ops, &node, refused);
    check("header only", lines[0].as_bytes(), &ops, &node, refused);
    check(
        "head cut off",
        lines[..last].concat().as_bytes(),
        &ops,
        &node,
        refused,
    );
    check(
        "torn",
        &good.as_bytes()[..good.len() - 1],
        &ops,
        &node,
        refused,
    );
    check("another node", good.as_bytes(), &ops, &stranger, refused);
    let entry = [&lines[..3], &lines[4..]].concat().concat();
    check("an entry left out", entry.as_bytes(), &ops, &node, refused);

    // The log is whole and signed by its node, and not what the ops say.
    let lie = lie(&good);
    check("a lie", lie.as_bytes(), &ops, &node, refused);
    let more = [&ops[..], small.forged.envelope()].concat();
    check("a lie and more ops", lie.as_bytes(), &more, &node, refused);
}

/// The audit log, with another reason why an op was denied, under the signature of its node.
fn lie(export: &str) -> String {
    let audit = AuditLog::verify(export.as_bytes(), &Expect::default()).expect("an audit log");
    let mut lie = AuditLog::new(audit.origin());
    let mut told = 0;
    for batch in audit.batches() {
        let mut entries = batch.entries.clone();
        for entry in &mut entries {
            if let Entry::RolledBack { reason, .. } = entry {
                *reason = DenialReason::StatusRevoked.into();
                told += 1;
            }
        }
        lie.commit_batch(entries, &ecac_bench::node_key(42))
            .expect("a node can sign a lie");
    }
    assert!(told > 0);
    lie.export()
}

/// What others put into an op log, or keep out of it, is told and never blamed on the node.
#[test]
fn an_honest_node_is_not_blamed_for_the_op_log() {
    let (directory, small) = prepared();
    let at = directory.path();
    let node = node();
    let good = small.good();
    let check = |what: &str, logs: &[&[u8]], code: u8, lines: &[&str], words: &[&str]| {
        let mut args = vec!["audit-verify".to_owned(), "audit".to_owned()];
        args.extend(["--node".to_owned(), node.clone()]);
        for (number, bytes) in logs.iter().enumerate() {
            let name = format!("log-{number}");
            fs::write(at.join(&name), bytes).unwrap();
            args.extend(["--log".to_owned(), name]);
        }
        let ran = ecac_in(at, args);
        assert_eq!(ran.code, Some(code.into()), "{what}: {}", ran.stderr);
        let report = text(ran.stdout);
        for line in lines {
            assert!(
                report.contains(&format!("\n{line}\n")),
                "{what}: {line}: {report}"
            );
        }
        for word in words {
            assert!(ran.stderr.contains(word), "{what}: {word}: {}", ran.stderr);
        }
        assert_eq!(
            ran.stderr.is_empty(),
            words.is_empty(),
            "{what}: {}",
            ran.stderr
        );
    };
    let ops = small.mixed();
    let junk = [&NO_OP[..], &ops, &NO_OP, &small.forged_envelope].concat();
    check(
        "junk",
        &[&junk],
        exit::SUCCESS,
        &["items that are no op: 5", "verdict: OK"],
        &[],
    );
    check(
        "twice",
        &[&ops, &ops],
        exit::SUCCESS,
        &["ops compared: 9", "verdict: OK"],
        &[],
    );
    let more = [&ops[..], small.forged.envelope()].concat();
    let silent = [
        "ops of which the audit log does not speak: 1",
        "verdict: OK SO FAR",
    ];
    let forged = small.forged.id().to_string();
    check(
        "a later op",
        &[&more],
        exit::SUCCESS,
        &silent,
        &["note: ", &forged, "--head"],
    );

    let [genesis, .., stranger, orphan] = good;
    let without = |absent: &[&VerifiedOp]| {
        let kept = good.iter().copied();
        sequence(kept.filter(|op| !absent.iter().any(|it| it.id() == op.id())))
    };
    let undecided = exit::UNDECIDED;
    let open = ["verdict: INCOMPLETE"];
    for (what, absent, more) in [
        ("a refused op", stranger, "entries not compared: 1"),
        ("a pending op", orphan, "ops compared: 8"),
        ("the genesis", genesis, "not compared from line: 2"),
    ] {
        let lines = [more, "ops not in the op log: 1", open[0]];
        let id = absent.id().to_string();
        let words = ["failed to verify the whole", &id, "hint: ", "--log"];
        check(what, &[&without(&[absent])], undecided, &lines, &words);
    }
    let (part, rest) = (without(&[stranger, genesis]), sequence([stranger, genesis]));
    check(
        "two logs",
        &[&part, &rest],
        exit::SUCCESS,
        &["verdict: OK"],
        &[],
    );
    let mut root = Author::new(6);
    let other = sequence([&root.sign(0, &[], self::genesis("other", &root))]);
    let lines = ["ops compared: 0", "ops not in the op log: 9", open[0]];
    check(
        "another project",
        &[&other],
        undecided,
        &lines,
        &["9 of the ops"],
    );
}

#[test]
fn a_head_that_was_kept_betrays_a_log_that_was_cut_off() {
    let (directory, small) = prepared();
    let at = directory.path();
    let node_key = ecac_bench::node_key(42);
    let ops = small.good();
    let items: Vec<&[u8]> = ops.iter().map(|op| op.envelope()).collect();
    let log = |count: usize| AuditLog::of_op_log(small.genesis.id(), &items[..count], 2, &node_key);
    let whole = log(8);
    fs::write(at.join("whole"), whole.export()).unwrap();
    let mut cut = AuditLog::new(whole.origin());
    for batch in &whole.batches()[..2] {
        cut.commit_batch(batch.entries.clone(), &node_key).unwrap();
    }
    fs::write(at.join("cut"), cut.export()).unwrap();
    let note = |log: &AuditLog| log.checkpoint().unwrap().note().to_owned();
    let (early, late) = (note(&cut), note(&whole));
    let other = note(&log(5));
    let named = |name: &str| late.replace(&whole.origin().to_string(), name);
    let check = |audit: &str, heads: &[&str], code: u8, words: &[&str]| {
        let mut args = vec!["audit-verify", audit, "--log", "ops"];
        let names = ["head-0", "head-1"];
        for (name, head) in names.iter().zip(heads) {
            fs::write(at.join(name), head).unwrap();
            args.extend(["--head", name]);
        }
        let node = node();
        args.extend(["--node", &node]);
        let ran = ecac_in(at, args);
        match code {
            exit::SUCCESS => drop(ran.ok()),
            code => ran.fails(code, words),
        }
    };
    let refused = exit::VERIFICATION;
    check("cut", &[], exit::SUCCESS, &[]);
    check("cut", &[&early], exit::SUCCESS, &[]);
    check("whole", &[&early, &late], exit::SUCCESS, &[]);
    check("cut", &[&late], refused, &["cut off"]);
    check("cut", &[&early, &late], refused, &["head-1", "cut off"]);
    check("whole", &[&other], refused, &["different logs"]);
    check(
        "whole",
        &[&named("ecac.dev/audit/x")],
        exit::BAD_INPUT,
        &["head-0"],
    );
    check("whole", &["", &late], exit::BAD_INPUT, &["head-0", "jq"]);
    check("whole", &[&late.repeat(20)], exit::BAD_INPUT, &["head-0"]);
    let size = format!("\n{}\n", whole.size());
    let larger = late.replace(&size, "\n1000\n");
    check("whole", &[&larger], exit::BAD_SIGNATURE, &["head-0"]);
    let empty = late.replace(&size, "\n0\n");
    check("whole", &[&empty], exit::BAD_INPUT, &["size 0"]);
}

#[test]
fn a_node_key_signs_and_stays_secret() {
    let (directory, _) = prepared();
    let at = directory.path();
    let seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    for ending in ["", "\n", "\r\n"] {
        write_private(&at.join("key"), &format!("{seed}{ending}"));
        let audit = ecac_in(at, ["audit-export", "ops", "--node-key", "key"]).quietly();
        fs::write(at.join("signed"), audit).unwrap();
        // RFC 8032 section 7.1, TEST 2: the public key of that seed.
        let node = ecac_core::PublicKey::from_bytes(
            hex::decode("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
                .unwrap()
                .try_into()
                .unwrap(),
        );
        let node = node.to_string();
        let args = ["audit-verify", "signed", "--log", "ops", "--node", &node];
        ecac_in(at, args).quietly();
    }
    for bad in [
        "",
        "abc",
        &seed[1..],
        &format!("{seed}00"),
        &seed.replace('4', "x"),
    ] {
        write_private(&at.join("key"), bad);
        let ran = ecac_in(at, ["audit-export", "ops", "--node-key", "key"]);
        ran.fails(exit::BAD_INPUT, &["key", "64 hexadecimal digits"]);
        assert!(!ran.stderr.contains("089b28ff"), "{}", ran.stderr);
    }
    ecac_in(at, ["audit-export", "ops", "--node-key", "none"]).fails(exit::ENVIRONMENT, &["none"]);
    ecac_in(at, ["audit-export", "ops", "--node-key", "."]).fails(exit::BAD_INPUT, &["directory"]);
}

#[cfg(unix)]
#[test]
fn a_node_key_that_others_can_read_is_refused() {
    let (directory, _) = prepared();
    let at = directory.path();
    write_private(&at.join("key"), &"4c".repeat(32));
    for (mode, code) in [
        (0o640, exit::ENVIRONMENT),
        (0o604, exit::ENVIRONMENT),
        (0o620, exit::ENVIRONMENT),
        (0o644, exit::ENVIRONMENT),
    ] {
        set_mode(&at.join("key"), mode);
        let ran = ecac_in(at, ["audit-export", "ops", "--node-key", "key"]);
        ran.fails(code, &["key", "chmod 600", &format!("{mode:o}")]);
        assert!(!ran.stderr.contains("4c4c"));
    }
    for mode in [0o600, 0o400] {
        set_mode(&at.join("key"), mode);
        ecac_in(at, ["audit-export", "ops", "--node-key", "key"]).quietly();
    }
}

fn write_private(path: &Path, text: &str) {
    fs::write(path, text).expect("the key is written");
    #[cfg(unix)]
    set_mode(path, 0o600);
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("the mode is set");
}
