//! Files that are not what they should be: each is a clear error of every command that reads it.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, Instant};

use ecac_artifact::exit;
use tempfile::tempdir;

use crate::fixture::Small;
use crate::run::ecac_in;

/// Every command that reads an op log, with `OPS` for its name.
const READERS: &[&str] = &[
    "log OPS",
    "log OPS --format json",
    "dump-state-json OPS",
    "trust-dump OPS",
    "decisions OPS",
    "explain OPS 00000000",
    "explain OPS 00000000 --format json",
    "check OPS",
    "check OPS --json",
    "audit-export OPS --seed 42",
    "audit-verify audit.jsonl --log OPS",
    "bench observe OPS --scenario hb-chain --seed 42 --commit 0123456789012345678901234567890123456789 --out out",
];

fn check(directory: &Path, ops: &str, code: u8, words: &[&str]) {
    let words: Vec<&str> = words.iter().copied().chain([ops]).collect();
    for reader in READERS {
        let args = reader.split(' ').map(|arg| arg.replace("OPS", ops));
        ecac_in(directory, args).fails(code, &words);
    }
}

/// A good audit log beside what is to be read.
fn prepare(directory: &Path, small: &Small) {
    fs::write(directory.join("good.cborseq"), small.clean()).expect("the op log is written");
    let args = [
        "audit-export",
        "good.cborseq",
        "--seed",
        "42",
        "--out",
        "audit.jsonl",
    ];
    ecac_in(directory, args).quietly();
}

fn sparse(path: &Path, head: &[u8], bytes: u64) {
    fs::write(path, head).expect("the head is written");
    let file = File::options().write(true).open(path);
    let grown = file.and_then(|file| file.set_len(bytes));
    grown.expect("the file system has sparse files");
}

#[test]
fn what_is_no_op_log_is_named_with_its_fault() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let small = Small::new();
    prepare(at, &small);
    let good = small.clean();
    let genesis = small.genesis.envelope().len();
    fs::create_dir(at.join("directory")).unwrap();
    let write = |name: &str, bytes: &[u8]| fs::write(at.join(name), bytes).unwrap();
    write("empty", b"");
    write("prose", b"# ECAC\n");
    write("cut", &good[..good.len() - 1]);
    write("one-byte", &good[..1]);
    write("tail", &[&good[..], b"\0"].concat());
    write(
        "damaged",
        &[&good[..genesis], b"\xd2\x1c", &good[genesis..]].concat(),
    );
    write(
        "endless",
        &[&b"\xd2\x5b"[..], &[0x7f; 8], &[0; 1 << 20]].concat(),
    );

    check(at, "missing", exit::ENVIRONMENT, &["hint: check the path"]);
    check(at, "directory", exit::BAD_INPUT, &["is a directory"]);
    check(at, "empty", exit::BAD_INPUT, &["the file is empty"]);
    check(
        at,
        "prose",
        exit::BAD_INPUT,
        &["item 0 at byte 0 is not an op"],
    );
    let end = format!("ends at byte {} within item 8", good.len() - 1);
    check(at, "cut", exit::BAD_INPUT, &[&end, "truncated"]);
    check(at, "one-byte", exit::BAD_INPUT, &["truncated"]);
    let tail = format!("item 9 at byte {} is not an op", good.len());
    check(at, "tail", exit::BAD_INPUT, &[&tail]);
    let damaged = format!("item 1 at byte {genesis} is not well-formed CBOR");
    check(at, "damaged", exit::BAD_INPUT, &[&damaged]);
    check(
        at,
        "endless",
        exit::BAD_INPUT,
        &["item 0 at byte 0 is longer than"],
    );

    assert!(
        !at.join("missing").exists(),
        "a missing file is not created"
    );
    assert!(!at.join("out").exists(), "a failed run leaves nothing");
}

#[test]
fn no_file_is_read_further_than_it_is_good() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let small = Small::new();
    prepare(at, &small);
    let good = small.clean();
    sparse(&at.join("zeros"), b"", 1 << 30);
    sparse(&at.join("good-start"), &good, 1 << 30);
    sparse(&at.join("audit-zeros"), b"", 1 << 30);
    let start = Instant::now();
    check(
        at,
        "zeros",
        exit::BAD_INPUT,
        &["item 0 at byte 0 is not an op"],
    );
    check(at, "good-start", exit::BAD_INPUT, &["item 9 at byte "]);
    ecac_in(at, ["audit-verify", "audit-zeros", "--log", "good.cborseq"])
        .fails(exit::BAD_INPUT, &["audit-zeros"]);
    ecac_in(at, ["audit-export", "good.cborseq", "--node-key", "zeros"]).fails(
        if cfg!(unix) {
            exit::ENVIRONMENT
        } else {
            exit::BAD_INPUT
        },
        &["zeros"],
    );
    let elapsed = start.elapsed();
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
}

#[test]
fn what_is_no_audit_log_is_named_with_its_fault() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    prepare(at, &Small::new());
    fs::create_dir(at.join("directory")).unwrap();
    fs::write(at.join("prose"), "# ECAC\n").unwrap();
    fs::write(at.join("empty"), "").unwrap();
    for (audit, code) in [
        ("missing", exit::ENVIRONMENT),
        ("directory", exit::BAD_INPUT),
        ("prose", exit::BAD_INPUT),
        ("good.cborseq", exit::BAD_INPUT),
        ("empty", exit::VERIFICATION),
    ] {
        ecac_in(at, ["audit-verify", audit, "--log", "good.cborseq"]).fails(code, &[audit]);
    }
    assert!(!at.join("missing").exists());
}
