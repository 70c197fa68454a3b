//! `cargo xtask bench`: what it prints, what it draws, what it refuses.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::process::{Command, Output};
#[cfg(unix)]
use std::{
    thread,
    time::{Duration, Instant},
};

use ecac_artifact::exit;
use ecac_perf::case::CASES;
use serde_json::Value as Json;

fn bench(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecac-perf"));
    command.arg("bench").args(args).output().unwrap()
}

/// Runs to the end; standard output.
fn said(args: &[&str]) -> String {
    let output = bench(args);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn json_has_the_cases_that_were_asked_for_and_null_for_what_is_absent() {
    let args = ["--case", "tip-chain", "replay-chain", "reopen", "--quick"];
    let said = said(&[&args[..], &["--scale", "1000", "--format", "json"]].concat());
    let answer: Json = serde_json::from_str(&said).unwrap();
    let cases = answer["cases"].as_array().unwrap();
    let names: Vec<_> = cases.iter().map(|case| &case["name"]).collect();
    assert_eq!(names, ["replay-chain", "tip-chain", "reopen"]);
    let replay = &cases[0];
    assert_eq!(replay["ops"], 1_000);
    let number = |member: &str| replay[member].as_f64().unwrap();
    let ratio = number("us_per_op") / number("floor_us_per_op");
    assert!((ratio - number("ratio")).abs() < ratio / 50.0, "{replay}");
    assert!(replay["bytes_per_op"].is_null() && replay["met"].is_null());
    assert!(answer["machine"]["cores"].as_u64().unwrap() > 0, "{answer}");
}

#[test]
fn text_has_a_row_for_each_case_with_its_bar() {
    let said = said(&["--case", "forks", "deep-62", "--quick", "--scale", "1000"]);
    assert!(said.contains("1.50 of the floor"), "{said}");
    assert!(said.contains("2 cases: 0 bars met"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_within_a_second() {
    for case in ["replay-policy", "ingest-64", "forks", "late-race64"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ecac-perf"));
        let mut child = command.args(["bench", "--case", case]).spawn().unwrap();
        thread::sleep(Duration::from_millis(300));
        let pid = child.id().to_string();
        let sent = Instant::now();
        let kill = Command::new("kill").args(["-INT", &pid]).status();
        assert!(kill.unwrap().success());
        let code = child.wait().unwrap().code();
        assert!(sent.elapsed() < Duration::from_secs(1), "{case}");
        assert_eq!(code, Some(i32::from(exit::INTERRUPTED)), "{case}");
    }
}

#[test]
fn curves_are_drawn_where_they_are_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("curves");
    let path = path.to_str().unwrap();
    said(&[
        "--case",
        "replay-chain",
        "--quick",
        "--scale",
        "1000",
        "--svg",
        path,
    ]);
    let drawn = std::fs::read_to_string(format!("{path}/replay.svg")).unwrap();
    assert!(drawn.contains(">chain</text>"), "{drawn}");
    assert!(!std::fs::exists(format!("{path}/tip.svg")).unwrap());
}

#[test]
fn what_is_no_case_is_refused_and_the_help_names_those_that_are() {
    let output = bench(&["--case", "replay"]);
    assert_eq!(output.status.code(), Some(exit::USAGE.into()));
    let help = said(&["--help"]);
    assert!(help.contains("Examples:") && help.contains("Exit codes:"));
    for case in CASES {
        assert!(help.contains(case.name), "{}", case.name);
    }
}
