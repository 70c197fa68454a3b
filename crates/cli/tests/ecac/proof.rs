//! Audit logs in directories of segments, and proofs from them.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ecac_artifact::exit;
use ecac_audit::{AuditLog, CosignedCheckpoint, DiskLog, Folder, NodeKey, Recorder, WitnessKey};
use ecac_core::{Costs, SigningKey, public_key};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::fixture::Small;
use crate::run::{directory_with, ecac_in, text};

/// Op log, the export of its audit log, and the same in segments.
struct Prepared {
    directory: TempDir,
    small: Small,
    memory: AuditLog,
}

fn key() -> NodeKey {
    ecac_bench::node_key(42)
}

fn prepared() -> Prepared {
    let small = Small::new();
    let directory = directory_with("ops", &small.mixed());
    let (project, key) = (small.genesis.id(), key());
    let items: Vec<Vec<u8>> = small
        .good()
        .iter()
        .map(|op| op.envelope().to_vec())
        .collect();
    let items: Vec<&[u8]> = items.iter().map(Vec::as_slice).collect();
    let memory = AuditLog::of_op_log(project, &items, 2, &key);
    let at = directory.path();
    fs::write(at.join("audit"), memory.export()).expect("the export is written");
    let folder = Folder::create(&at.join("segments")).expect("a directory");
    let log = DiskLog::create(folder, project, &key).expect("a log");
    let mut log = log.with_segment_bytes(1500);
    let costs = &mut Costs::default();
    Recorder::new(project)
        .record_op_log(&items, 2, &mut log, &key, costs)
        .expect("the log is written");
    assert!(log.segment() > 1);
    Prepared {
        directory,
        small,
        memory,
    }
}

fn segment(at: &Path, number: u64) -> std::path::PathBuf {
    at.join(format!("segments/{number:06}.jsonl"))
}

#[test]
fn a_directory_of_segments_is_read_like_its_export() {
    let prepared = prepared();
    let at = prepared.directory.path();
    let export = fs::read(at.join("audit")).unwrap();
    assert_eq!(
        ecac_in(at, ["audit", "export", "segments"]).quietly(),
        export
    );
    assert_eq!(ecac_in(at, ["audit", "export", "audit"]).quietly(), export);
    let node = key().public().to_string();
    let verify = |audit: &str, json: &[&str]| {
        let args = ["audit-verify", audit, "--log", "ops", "--node", &node];
        ecac_in(at, args.iter().chain(json)).quietly()
    };
    let report = text(verify("segments", &[]));
    assert!(report.ends_with("\nverdict: OK\n"), "{report}");
    assert_eq!(text(verify("audit", &[])), report);
    let json: Json = serde_json::from_slice(&verify("segments", &["--json"])).unwrap();
    assert_eq!(json["format"], "ecac-audit-verify-v1");
    assert_eq!(json["verdict"], "OK");
    assert_eq!(json["tree_size"], prepared.memory.size());
    assert_eq!(json["node"], node.as_str());
}

#[test]
fn what_is_wrong_with_a_directory_is_told_with_its_place_and_stays() {
    let prepared = prepared();
    let at = prepared.directory.path();
    let check = |what: &str, path: &Path, bytes: Option<Vec<u8>>, code: u8, words: &[&str]| {
        let good = fs::read(path).unwrap();
        match &bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        for args in [
            &["audit-verify", "segments", "--log", "ops"][..],
            &["audit", "export", "segments"],
        ] {
            let ran = ecac_in(at, args);
            ran.fails(code, words);
            assert_eq!(fs::read(path).ok(), bytes, "{what}: repaired");
        }
        fs::write(path, good).unwrap();
    };
    let refused = exit::VERIFICATION;
    let numbers = (0..).take_while(|number| segment(at, *number).exists());
    let last = numbers.last().unwrap();
    let name = format!("{last:06}.jsonl");
    let path = segment(at, last);
    let good = fs::read(&path).unwrap();
    let mut flipped = good.clone();
    flipped[20] ^= 1;
    check(
        "flipped",
        &path,
        Some(flipped),
        refused,
        &[&name, "line 1", "byte 0"],
    );
    let torn = [&good[..], b"{\"batch\":"].concat();
    let offset = format!("(byte {})", good.len());
    check(
        "torn",
        &path,
        Some(torn),
        refused,
        &[&name, &offset, "no signed head"],
    );
    check(
        "emptied",
        &path,
        Some(Vec::new()),
        refused,
        &[&name, "empty"],
    );
    check("last one removed", &path, None, refused, &[&name, "absent"]);
    check(
        "middle one removed",
        &segment(at, 1),
        None,
        refused,
        &["000001.jsonl", "absent"],
    );
    check(
        "first one removed",
        &segment(at, 0),
        None,
        refused,
        &["000000.jsonl", "absent"],
    );
    fs::create_dir(at.join("nothing")).unwrap();
    ecac_in(at, ["audit-verify", "nothing", "--log", "ops"])
        .fails(exit::BAD_INPUT, &["nothing", "000000.jsonl"]);
    assert_eq!(fs::read_dir(at.join("nothing")).unwrap().count(), 0);
}

#[test]
fn what_a_node_recorded_of_an_op_is_proven_and_checked_without_its_log() {
    let prepared = prepared();
    let at = prepared.directory.path();
    let late = prepared.small.late.id().to_string();
    let prove = |audit: &str| ecac_in(at, ["audit", "prove", &late, "--audit", audit]).quietly();
    let all = prove("segments");
    assert_eq!(prove("audit"), all);
    fs::write(at.join("all"), &all).unwrap();
    let node = key().public().to_string();
    let report = text(ecac_in(at, ["audit", "check-proof", "all", "--node", &node]).quietly());
    let count = text(all).matches("c2sp.org/tlog-proof@v1\n").count();
    assert_eq!(count, 2);
    assert_eq!(report.matches("\nverdict: PROVEN\n").count(), count);

    let args = [
        "audit",
        "prove",
        &late,
        "--audit",
        "segments",
        "--entry",
        "rolled_back",
    ];
    ecac_in(at, args.iter().chain(&["--out", "one"])).quietly();
    let one = fs::read_to_string(at.join("one")).unwrap();
    assert_eq!(one.matches("c2sp.org/tlog-proof@v1\n").count(), 1);
    let json = ecac_in(at, args.iter().chain(&["--json"])).quietly();
    let json: Json = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["proofs"][0]["proof"], one.as_str());
    assert_eq!(json["proofs"][0]["entry"], "rolled_back");
    let checked = ecac_in(
        at,
        ["audit", "check-proof", "one", "--json", "--node", &node],
    );
    let checked: Json = serde_json::from_slice(&checked.quietly()).unwrap();
    assert_eq!(checked["verdict"], "PROVEN");
    assert_eq!(checked["proofs"][0]["entry"], "rolled_back");
    let unnamed = ecac_in(at, ["audit", "check-proof", "one"]);
    assert!(unnamed.stderr.contains("warning: without --node"));
    unnamed.ok();

    let stranger = NodeKey::from_seed([9; 32]).public().to_string();
    ecac_in(at, ["audit", "check-proof", "one", "--node", &stranger])
        .fails(exit::VERIFICATION, &["one", &stranger]);
    ecac_in(at, ["audit", "check-proof", "one", "--project", &late])
        .fails(exit::VERIFICATION, &["one", &late]);
    let lines: Vec<&str> = one.lines().collect();
    let line = String::from_utf8(STANDARD.decode(&lines[1][6..]).unwrap()).unwrap();
    let lie = line
        .replace("rolled_back", "applied")
        .replace("\"denial\"", "\"grant\"");
    let lie = lie.replace(",\"reason\":\"revoked\"", "");
    let reordered: Json = serde_json::from_str(&lie).unwrap();
    let lie = STANDARD.encode(reordered.to_string());
    for (bad, code) in [
        (
            one.replace(lines[1], &format!("extra {lie}")),
            exit::VERIFICATION,
        ),
        (one.replace(lines[3], lines[4]), exit::VERIFICATION),
        (one.replace(&format!("{}\n", lines[1]), ""), exit::BAD_INPUT),
        (
            one.replacen(&format!("\n{}\n", prepared.memory.size()), "\n99\n", 1),
            exit::BAD_SIGNATURE,
        ),
        (
            one.replace("tlog-proof@v1", "tlog-proof@v2"),
            exit::BAD_INPUT,
        ),
        (String::new(), exit::BAD_INPUT),
        (one.repeat(2000), exit::BAD_INPUT),
    ] {
        fs::write(at.join("bad"), &bad).unwrap();
        ecac_in(at, ["audit", "check-proof", "bad"]).fails(code, &["bad"]);
    }

    let nobody = "ee".repeat(32);
    ecac_in(at, ["audit", "prove", &nobody, "--audit", "segments"])
        .fails(exit::NOT_FOUND, &[&nobody]);
    let args = [
        "audit", "prove", &late, "--audit", "segments", "--entry", "skipped",
    ];
    ecac_in(at, args).fails(exit::NOT_FOUND, &["skipped"]);
    ecac_in(at, ["audit", "prove", &late, "--audit", "none"]).fails(exit::ENVIRONMENT, &["none"]);
    ecac_in(at, ["audit", "prove", &late, "--audit", "ops"]).fails(exit::BAD_INPUT, &["ops"]);
}

/// The note with the cosignature of a witness, made by the words of c2sp.org/tlog-cosignature.
fn cosigned(note: &str, witness: &WitnessKey, key: &SigningKey, time_s: u64) -> String {
    let end = note.rfind("\n\n").expect("a note") + 1;
    let name = witness.name();
    let id = [name.as_bytes(), b"\n\x04", witness.key().as_bytes()].concat();
    let message = format!("cosignature/v1\ntime {time_s}\n{}", &note[..end]);
    let signature: [u8; 64] = key.sign(message.as_bytes()).into();
    let blob = [&Sha256::digest(id)[..4], &time_s.to_be_bytes(), &signature].concat();
    format!("{note}— {name} {}\n", STANDARD.encode(blob))
}

#[test]
fn witnesses_that_signed_the_head_are_shown_and_others_are_missed() {
    let prepared = prepared();
    let at = prepared.directory.path();
    let secret = SigningKey::from([3; 32]);
    let witness = WitnessKey::new("witness.example/w1", public_key(&secret)).unwrap();
    let note = prepared.memory.checkpoint().unwrap().note();
    let text_of = cosigned(note, &witness, &secret, 1_767_225_600);
    let head = CosignedCheckpoint::open(&text_of, &prepared.memory.origin()).unwrap();
    let folder = Folder::open(&at.join("segments")).unwrap();
    let project = prepared.small.genesis.id();
    let opened = DiskLog::open_for_append(folder, project, &key(), Some(head.checkpoint().head()));
    opened.unwrap().log.keep_cosigned(&head).unwrap();

    let edit = prepared.small.edit.id().to_string();
    let args = [
        "audit", "prove", &edit, "--audit", "segments", "--entry", "applied",
    ];
    ecac_in(at, args.iter().chain(&["--out", "proof"])).quietly();
    let node = key().public().to_string();
    let check = |witness: &str| {
        let args = [
            "audit",
            "check-proof",
            "proof",
            "--node",
            &node,
            "--witness",
            witness,
        ];
        ecac_in(at, args)
    };
    let report = text(check(&witness.to_string()).quietly());
    assert!(
        report.contains(
            "\nwitness: \"witness.example/w1\" at 2026-01-01T00:00:00Z\nverdict: PROVEN\n"
        ),
        "{report}"
    );
    let other = WitnessKey::new("witness.example/w2", public_key(&secret)).unwrap();
    let ran = check(&other.to_string());
    assert_eq!(ran.code, Some(exit::UNDECIDED.into()), "{}", ran.stderr);
    assert!(ran.stderr.contains("witness.example/w2"), "{}", ran.stderr);
    assert!(text(ran.stdout).ends_with("\nverdict: NOT WITNESSED\n"));
    let ran = check("witness.example/w1+00000000+AAAA");
    assert_eq!(ran.code, Some(exit::USAGE.into()));
    // Another head under the witness's name.
    let forged = fs::read_to_string(at.join("proof")).unwrap();
    let signed = cosigned("another text\n\n", &witness, &secret, 5);
    let own = text_of.lines().last().unwrap();
    let forged = forged.replace(own, signed.lines().last().unwrap());
    fs::write(at.join("proof"), forged).unwrap();
    check(&witness.to_string()).fails(exit::BAD_SIGNATURE, &["witness.example/w1"]);
}
