//! Several op logs as one, and standard input as one of them.

use std::fs;
use std::path::Path;

use ecac_artifact::exit;
use serde_json::Value as Json;

use crate::fixture::{Author, Small, genesis, sequence};
use crate::run::{directory_with, ecac_fed, ecac_in, text};

/// Every command that recomputes something from op logs, without its logs.
const READERS: [&str; 5] = ["dump-state-json", "trust-dump", "decisions", "log", "check"];

/// Two logs that overlap, the second without its beginning.
fn halves(at: &Path, small: &Small) {
    let good = small.good();
    fs::write(at.join("early"), sequence(good[..6].iter().copied())).expect("written");
    fs::write(at.join("late"), sequence(good[3..].iter().copied())).expect("written");
}

#[test]
fn logs_are_merged_whatever_their_order() {
    let small = Small::new();
    let directory = directory_with("whole", &small.clean());
    let at = directory.path();
    halves(at, &small);
    for command in ["dump-state-json", "trust-dump", "decisions"] {
        let want = ecac_in(at, [command, "whole"]).quietly();
        for logs in [["early", "late"], ["late", "early"], ["whole", "late"]] {
            assert_eq!(ecac_in(at, [command, logs[0], logs[1]]).quietly(), want);
        }
        assert_eq!(
            ecac_in(at, [command, "whole", "whole", "whole"]).quietly(),
            want
        );
    }
    let late = small.late.id().to_string();
    let want = ecac_in(at, ["explain", "whole", &late]).quietly();
    assert_eq!(
        ecac_in(at, ["explain", "late", "early", &late[..9]]).quietly(),
        want
    );

    let listing = text(ecac_in(at, ["log", "late", "early"]).quietly());
    let counts = "9 of 9 shown\n12 items: 6 applied, 1 denied, 1 refused, 1 pending, 0 unsupported, 3 duplicate\n";
    assert!(listing.ends_with(counts), "{listing}");
    let shown = text(ecac_in(at, ["check", "late", "early"]).quietly());
    assert!(shown.contains("\n12 items, 9 ops; "), "{shown}");
}

#[test]
fn the_audit_log_of_merged_logs_is_confirmed_by_the_whole() {
    let small = Small::new();
    let directory = directory_with("whole", &small.clean());
    let at = directory.path();
    halves(at, &small);
    let args = [
        "audit-export",
        "early",
        "late",
        "--seed",
        "1",
        "--out",
        "audit",
    ];
    ecac_in(at, args).quietly();
    let verified = ecac_in(at, ["audit-verify", "audit", "--log", "whole"]).ok();
    assert!(text(verified).ends_with("\nverdict: OK\n"));
}

#[test]
fn a_run_is_observed_from_its_parts() {
    let directory = directory_with("whole", &Small::new().clean());
    let at = directory.path();
    let small = Small::new();
    let good = small.good();
    fs::write(at.join("a"), sequence(good[..4].iter().copied())).unwrap();
    fs::write(at.join("b"), sequence(good[4..].iter().copied())).unwrap();
    let stamp = ["--scenario", "hb-chain", "--seed", "1", "--out"];
    let observe = |logs: &[&str], out: &str| {
        let args = ["bench", "observe"].iter().chain(logs).chain(&stamp);
        ecac_in(at, args.chain(&[out])).quietly();
        let read = |suffix: &str| fs::read(at.join(format!("{out}/hb-chain-1{suffix}"))).unwrap();
        [".csv", "-timeline.jsonl", "-state.json"].map(read)
    };
    assert_eq!(observe(&["whole"], "one"), observe(&["a", "b"], "two"));
}

#[test]
fn where_an_item_stands_is_said_of_its_own_log() {
    let small = Small::new();
    let directory = directory_with("clean", &small.clean());
    let at = directory.path();
    fs::write(at.join("mixed"), small.mixed()).unwrap();
    let ran = ecac_in(at, ["log", "clean", "mixed"]);
    let warning = "of \"clean\", \"mixed\" are no signed ops and do not count; the first is item 9 of \"mixed\": ";
    assert!(ran.stderr.contains(warning), "{}", ran.stderr);
    assert!(text(ran.ok()).contains("  item 9 of \"mixed\"\n"));
    let stdout = ecac_in(at, ["log", "clean", "mixed", "--json"]).ok();
    let document: Json = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(document["logs"], serde_json::json!(["clean", "mixed"]));
    let ops = document["ops"].as_array().unwrap();
    assert_eq!((&ops[0]["log"], &ops[0]["item"]), (&0.into(), &0.into()));
    assert_eq!((&ops[10]["log"], &ops[10]["item"]), (&1.into(), &10.into()));
}

#[test]
fn logs_of_several_projects_are_an_error_that_names_them() {
    let small = Small::new();
    let directory = directory_with("one", &small.clean());
    let at = directory.path();
    let mut root = Author::new(4);
    let other = root.sign(0, &[], genesis("other", &root));
    fs::write(at.join("two"), sequence([&other])).unwrap();
    let (one, two) = (small.genesis.id().to_string(), other.id().to_string());
    for command in READERS {
        let lines = [
            format!("\n  \"one\": {one}\n"),
            format!("\n  \"two\": {two}\n"),
        ];
        ecac_in(at, [command, "one", "two"])
            .fails(exit::BAD_INPUT, &[&lines[0], &lines[1], "2 projects"]);
        ecac_in(at, [command, "one", "two", "--project", &one])
            .fails(exit::NOT_FOUND, &["in \"two\": no genesis", &two]);
    }
}

#[test]
fn a_bad_log_among_good_ones_is_named() {
    let directory = directory_with("good", &Small::new().clean());
    let at = directory.path();
    fs::write(at.join("prose"), "# ECAC\n").unwrap();
    for command in READERS {
        ecac_in(at, [command, "good", "prose"]).fails(exit::BAD_INPUT, &["log \"prose\": "]);
        ecac_in(at, [command, "good", "gone", "good"])
            .fails(exit::ENVIRONMENT, &["log \"gone\": "]);
    }
}

#[test]
fn a_dash_is_standard_input_once() {
    let small = Small::new();
    let directory = directory_with("whole", &small.clean());
    let at = directory.path();
    halves(at, &small);
    let late = fs::read(at.join("late")).unwrap();
    for command in READERS {
        let fed = |logs: &[&str], input: &[u8]| ecac_fed(at, [command].iter().chain(logs), input);
        let want = fed(&["whole"], b"").quietly();
        assert_eq!(fed(&["-"], &small.clean()).quietly(), want, "{command}");
        let merged = ecac_in(at, [command, "early", "late"]).quietly();
        assert_eq!(fed(&["early", "-"], &late).quietly(), merged, "{command}");
        fed(&["-", "early", "-"], &late).fails(exit::USAGE, &["standard input", "once"]);
        fed(&["-"], b"").fails(exit::BAD_INPUT, &["standard input", "empty"]);
        fed(&["-"], b"# ECAC").fails(exit::BAD_INPUT, &["standard input", "not an op"]);
    }
    // A file of that name has another path.
    fs::write(at.join("-"), small.clean()).unwrap();
    assert_eq!(
        ecac_fed(at, ["trust-dump", "./-"], b"").quietly(),
        ecac_in(at, ["trust-dump", "whole"]).quietly()
    );
}
