//! Audit logs: signing them, and catching those that lie.

use std::fs;
use std::path::Path;

use ecac_artifact::exit;
use tempfile::TempDir;

use crate::fixture::{Author, Small, genesis, sequence};
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
    // 9 ops and 2 envelopes that are no op; the duplicate is not ingested again.
    assert!(report.contains("\ningested: 11\n"), "{report}");
    assert!(report.contains("\nskipped: 3\n"), "{report}");

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

    // The log is whole and signed, and says what the ops do not.
    let without = sequence([&small.genesis, &small.issuer_key, &small.credential]);
    check(
        "ops that nobody has",
        good.as_bytes(),
        &without,
        &node,
        refused,
    );
    let mut root = Author::new(6);
    let other = sequence([&root.sign(0, &[], genesis("other", &root))]);
    check("another project", good.as_bytes(), &other, &node, refused);
    let more = [&ops[..], small.forged.envelope()].concat();
    check("an op kept quiet", good.as_bytes(), &more, &node, refused);
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
