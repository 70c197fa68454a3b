//! The scenarios through the program: the same bytes as through the library.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ecac_artifact::exit;
use ecac_bench::{Params, RunRecord, Scenario};
use sha2::{Digest, Sha256};
use tempfile::tempdir;

use crate::run::{Ran, ecac_in, text};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const SEED: u64 = 7;
const OPS: u32 = 120;

fn record(scenario: Scenario) -> RunRecord {
    let params = Params {
        scenario,
        seed: SEED,
        ops: OPS,
    };
    ecac_bench::run(&params, COMMIT).expect("the scenario runs")
}

fn run(directory: &Path, scenario: &str, more: &[&str]) -> Ran {
    let args = [
        "bench",
        "run",
        "--scenario",
        scenario,
        "--seed",
        "7",
        "--ops",
        "120",
    ];
    let stamp = ["--commit", COMMIT, "--out", "out"];
    ecac_in(directory, args.iter().chain(&stamp).chain(more))
}

#[test]
fn a_run_writes_the_bytes_of_the_library_and_they_are_recomputed_from_the_ops() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    for &scenario in Scenario::ALL {
        let want = record(scenario);
        let name = scenario.name();
        let printed = text(run(at, name, &[]).quietly());
        assert!(printed.contains(&want.totals.state_sha256), "{printed}");
        let counts = [
            want.totals.ops,
            want.totals.applied,
            want.totals.denied,
            want.totals.refused,
            want.totals.pending,
            want.totals.rolled_back,
        ];
        let row = printed.lines().nth(1).unwrap();
        let cells: Vec<String> = row.split_whitespace().map(str::to_owned).collect();
        assert_eq!(cells[..2], [name.to_owned(), SEED.to_string()]);
        assert_eq!(cells[2..], counts.map(|count| count.to_string()));

        let read = |suffix: &str| fs::read(at.join(format!("out/{name}-7{suffix}"))).unwrap();
        assert_eq!(read(".csv"), want.csv);
        assert_eq!(read("-timeline.jsonl"), want.timeline);
        assert_eq!(read("-state.json"), want.state);
        assert_eq!(read("-ops.cborseq"), want.ops);

        let ops = format!("out/{name}-7-ops.cborseq");
        assert_eq!(ecac_in(at, ["dump-state-json", &ops]).quietly(), want.state);
        assert_eq!(ecac_in(at, ["trust-dump", &ops]).quietly(), want.trust);
        let audit = ecac_in(at, ["audit-export", &ops, "--seed", "7"]).quietly();
        assert_eq!(audit, want.audit, "{name}");
        assert_eq!(
            hex::encode(Sha256::digest(read("-state.json"))),
            want.totals.state_sha256
        );

        let args = ["bench", "observe", &ops, "--scenario", name, "--seed", "7"];
        let stamp = ["--commit", COMMIT, "--out", "again"];
        ecac_in(at, args.iter().chain(&stamp)).quietly();
        for suffix in [".csv", "-timeline.jsonl", "-state.json"] {
            let again = fs::read(at.join(format!("again/{name}-7{suffix}"))).unwrap();
            assert_eq!(again, read(suffix), "{name}{suffix}");
        }
    }
    let count = |path: &str| fs::read_dir(at.join(path)).unwrap().count();
    let scenarios = Scenario::ALL.len();
    assert_eq!(
        (count("out"), count("again")),
        (4 * scenarios, 3 * scenarios),
        "nothing more"
    );
}

#[test]
fn artifacts_are_replaced_all_or_none_and_only_by_force() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    fs::create_dir(at.join("out")).unwrap();
    let last = at.join("out/hb-chain-7-ops.cborseq");
    fs::write(&last, "old").unwrap();
    run(at, "hb-chain", &[]).fails(exit::ENVIRONMENT, &["hb-chain-7-ops.cborseq", "--force"]);
    assert_eq!(fs::read(&last).unwrap(), b"old");
    assert_eq!(fs::read_dir(at.join("out")).unwrap().count(), 1);
    run(at, "hb-chain", &["--force"]).quietly();
    assert_eq!(fs::read(&last).unwrap(), record(Scenario::HbChain).ops);
    assert_eq!(fs::read_dir(at.join("out")).unwrap().count(), 4);
    fs::write(at.join("file"), "").unwrap();
    let args = ["bench", "run", "--scenario", "hb-chain", "--seed", "7"];
    let stamp = ["--commit", COMMIT, "--out", "file/out"];
    ecac_in(at, args.iter().chain(&stamp)).fails(exit::ENVIRONMENT, &["file/out"]);
}

#[test]
fn scenario_and_seed_are_enough_and_the_defaults_are_printed() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let args = ["bench", "run", "--scenario", "hb-chain", "--seed", "42"];
    let help = text(ecac_in(at, ["bench", "run", "--help"]).quietly());
    let printed = text(ecac_in(at, args).quietly());
    let commit = "0".repeat(40);
    for default in ["500", "out", &commit] {
        assert!(help.contains(&format!("[default: {default}]")), "{help}");
    }
    let row = printed.lines().nth(1).unwrap();
    let cells: Vec<&str> = row.split_whitespace().take(3).collect();
    assert_eq!(cells, ["hb-chain", "42", "500"]);
    let said =
        format!("\ncommit {commit} (none; name one with --commit)\nmade \"out\"\nwrote \"out/");
    assert!(printed.contains(&said), "{printed}");
    let table = fs::read_to_string(at.join("out/hb-chain-42.csv")).unwrap();
    assert!(table.lines().next().unwrap().contains(&commit), "{table}");

    // A second run would replace the first; into a directory that exists nothing is made.
    ecac_in(at, args).fails(exit::ENVIRONMENT, &["out/hb-chain-42", "--force"]);
    let again = ecac_in(at, args.iter().chain(&["--force", "--commit", COMMIT])).quietly();
    let again = text(again);
    assert!(
        again.contains(&format!("\ncommit {COMMIT}\nwrote ")),
        "{again}"
    );
}

#[test]
fn a_place_without_its_folder_is_an_error_before_any_work_is_done() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("file"), "").unwrap();
    // So many ops take minutes; a wrong number of them would be a usage error.
    let run = |ops: &str, out: &str| {
        let args = [
            "bench",
            "run",
            "--scenario",
            "hb-chain",
            "--seed",
            "1",
            "--ops",
            ops,
            "--out",
            out,
        ];
        ecac_in(at, args)
    };
    let start = Instant::now();
    for ops in ["1000000", "1"] {
        run(ops, "no/out").fails(
            exit::ENVIRONMENT,
            &["\"no/out\"", "\"no\" does not exist", "mkdir -p \"no\""],
        );
        run(ops, "no/such/out").fails(exit::ENVIRONMENT, &["mkdir -p \"no/such\""]);
        run(ops, "file/out").fails(exit::ENVIRONMENT, &["\"file\" is not a folder"]);
        run(ops, "file/a/out").fails(exit::ENVIRONMENT, &["within a plain file"]);
        run(ops, "file").fails(exit::ENVIRONMENT, &["\"file\": it is not a directory"]);
    }
    assert!(start.elapsed() < Duration::from_secs(20));
    // Neither is an op log read, nor a key.
    for command in [
        &["decisions", "gone"][..],
        &["trust-dump", "gone"],
        &["dump-state-json", "gone"],
        &["audit-export", "gone", "--seed", "1"],
        &[
            "bench",
            "observe",
            "gone",
            "--scenario",
            "hb-chain",
            "--seed",
            "1",
        ],
    ] {
        let args = command.iter().chain(&["--out", "no/out"]);
        let ran = ecac_in(at, args);
        ran.fails(exit::ENVIRONMENT, &["mkdir -p \"no\""]);
        assert!(!ran.stderr.contains("gone"), "{}", ran.stderr);
    }
    assert_eq!(fs::read_dir(at).unwrap().count(), 1, "nothing is made");
}

#[test]
fn a_commit_is_whole() {
    let directory = tempdir().unwrap();
    let args = [
        "bench",
        "run",
        "--scenario",
        "hb-chain",
        "--seed",
        "7",
        "--commit",
    ];
    for commit in ["unknown", "", "0123456", &COMMIT.to_uppercase()] {
        let ran = ecac_in(directory.path(), args.iter().chain(&[commit]));
        assert_eq!(ran.code, Some(exit::USAGE.into()), "{commit:?}");
        assert!(ran.stderr.contains("--commit"), "{}", ran.stderr);
    }
    assert!(!directory.path().join("out").exists());
}

#[test]
fn unknown_scenarios_and_too_few_ops_are_usage_errors() {
    let directory = tempdir().unwrap();
    let at = directory.path();
    let unknown = run(at, "hb-chains", &[]);
    assert_eq!(unknown.code, Some(exit::USAGE.into()));
    for &scenario in Scenario::ALL {
        assert!(
            unknown.stderr.contains(scenario.name()),
            "{}",
            unknown.stderr
        );
        let args = ["bench", "run", "--scenario", scenario.name(), "--seed", "7"];
        let stamp = ["--ops", "1", "--commit", COMMIT, "--out", "out"];
        ecac_in(at, args.iter().chain(&stamp))
            .fails(exit::USAGE, &[scenario.name(), "not 1", "--ops"]);
    }
    assert!(!at.join("out").exists());
}

#[test]
fn the_list_has_every_scenario() {
    let list = text(ecac_in(Path::new("."), ["bench", "list"]).quietly());
    for scenario in Scenario::ALL {
        assert!(list.contains(scenario.name()) && list.contains(scenario.about()));
    }
}

/// Whoever presses Ctrl-C amid a run finds neither artifacts nor stores.
#[cfg(unix)]
#[test]
fn a_signal_leaves_nothing_behind() {
    use rustix::process::{Pid, Signal, kill_process};

    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let (directory, temporary) = (tempdir().unwrap(), tempdir().unwrap());
        let is_empty = |path: &Path| fs::read_dir(path).unwrap().next().is_none();
        let child = crate::run::command()
            .args(["bench", "run", "--scenario", "offline-revoke"])
            .args(["--seed", "7", "--ops", "1000000"])
            .current_dir(directory.path())
            .env("TMPDIR", temporary.path())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let since = Instant::now();
        while is_empty(temporary.path()) {
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "no store is made"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ran = crate::run::ran(child.wait_with_output().unwrap());
        assert_eq!(ran.code, Some(exit::INTERRUPTED.into()), "{}", ran.stderr);
        assert!(ran.stderr.contains("interrupted; nothing was written"));
        assert!(is_empty(temporary.path()) && is_empty(directory.path()));
    }
}

/// Without a place for its stores, a run says where one is looked for.
#[cfg(unix)]
#[test]
fn no_place_for_stores_is_told() {
    let directory = tempdir().unwrap();
    let absent = directory.path().join("absent");
    let output = crate::run::command()
        .args(["bench", "run", "--scenario", "hb-chain", "--seed", "7"])
        .current_dir(directory.path())
        .env("TMPDIR", &absent)
        .output();
    let ran = crate::run::ran(output.unwrap());
    assert_eq!(ran.code, Some(exit::ENVIRONMENT.into()), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: make room, or set TMPDIR"));
    assert!(ran.stderr.contains("absent"), "{}", ran.stderr);
}
