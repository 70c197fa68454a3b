//! `cargo xtask soak`: what it reports, what it writes, what it refuses.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use ecac_artifact::exit;
use ecac_oracle::soak::Secrets;
use ecac_soak::{Defect as Planted, Opened, StoreHome, check_secrets};
use ecac_sync::sim::{Defect, Schedule, run_on};
use serde_json::Value as Json;

fn soak(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ecac-soak"));
    command.arg("soak").args(args).output().unwrap()
}

/// Runs to the end; the result without how long it took, and in how many threads.
fn report(args: &[&str]) -> Json {
    let output = soak(&[args, &["--format", "json"]].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let mut report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let members = report.as_object_mut().unwrap();
    for member in ["duration_ms", "histories_per_second", "jobs"] {
        assert!(members.remove(member).unwrap().is_u64(), "{member}");
    }
    report
}

#[test]
fn what_is_seen_depends_on_the_seed_and_not_on_the_threads() {
    let one = report(&["--histories", "40", "--seed", "3", "--jobs", "1"]);
    assert_eq!(
        one,
        report(&["--histories", "40", "--seed", "3", "--jobs", "3"])
    );
    assert_ne!(one, report(&["--histories", "40", "--seed", "4"]));
    assert_eq!(one["histories"], 40);
    assert!(one["ops"].as_u64().unwrap() > 400, "{one}");
    assert!(one["met"]["applied"].as_u64().unwrap() > 100, "{one}");
    assert!(one["effects"]["grants"].as_u64().unwrap() > 40, "{one}");
    let parts = [("0", "15"), ("15", "25")].map(|(first, histories)| {
        let args = ["--seed", "3", "--first", first, "--histories", histories];
        report(&args)["ops"].as_u64().unwrap()
    });
    assert_eq!(one["ops"], parts.iter().sum::<u64>());
}

#[test]
fn the_text_names_the_seed_and_the_numbers() {
    let output = soak(&["--histories", "20", "--seed", "9", "--first", "100"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("(seed 9, numbers 100 to 119)"), "{text}");
    assert!(text.contains(" histories a second in "), "{text}");
    assert!(text.ends_with("every law holds\n"), "{text}");
    let progress = String::from_utf8(output.stderr).unwrap();
    assert!(progress.ends_with("20 of 20 histories\n"), "{progress}");
}

/// Starts, and sends the signal of Ctrl-C with the first line of progress.
#[cfg(unix)]
fn interrupted(args: &[&str]) -> (String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ecac-soak"))
        .arg("soak")
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    assert!(line.ends_with(" histories\n"), "{line}");
    let pid = child.id().to_string();
    let kill = Command::new("kill").args(["-INT", &pid]).status();
    assert!(kill.unwrap().success());
    let start = Instant::now();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    progress.read_to_string(&mut stderr).unwrap();
    let code = child.wait().unwrap().code();
    assert!(
        start.elapsed() < Duration::from_secs(3),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(code, Some(i32::from(exit::INTERRUPTED)), "{stderr}");
    (stdout, stderr)
}

#[cfg(unix)]
#[test]
fn an_interrupted_search_says_what_it_saw_and_how_to_go_on() {
    let all = ["--seed", "3", "--jobs", "1", "--histories"];
    let (stdout, stderr) = interrupted(&[&all[..], &["90", "--format", "json"]].concat());
    let seen: Json = serde_json::from_str(&stdout).unwrap();
    let [histories, next] = ["histories", "next"].map(|member| seen[member].as_u64().unwrap());
    assert_eq!(histories, next);
    assert!((9..90).contains(&next), "{seen}");
    assert!(seen["histories_per_second"].is_u64(), "{seen}");
    let hint = format!(
        "error: interrupted before history {next}\n\
         hint: go on: cargo xtask soak --seed 3 --first {next} --histories {}\n",
        90 - next
    );
    assert!(stderr.ends_with(&hint), "{stderr}");
    let done = report(&[&all[..], &[&next.to_string()]].concat());
    for member in ["ops", "met", "effects"] {
        assert_eq!(seen[member], done[member], "{member}");
    }

    let (stdout, _) = interrupted(&["--histories", "90", "--first", "7"]);
    assert!(stdout.contains(" (seed 0, numbers 7 on, "), "{stdout}");
    assert!(stdout.contains(" is the first that is left), "), "{stdout}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_export_says_how_to_go_on() {
    let beside = tempfile::tempdir().unwrap();
    let directory = beside.path().join("histories");
    let path = directory.to_str().unwrap();
    let (stdout, stderr) = interrupted(&["--histories", "2000", "--export", path]);
    assert_eq!(stdout, "");
    let next = files(&directory).len() / 6;
    let hint = format!(
        "error: interrupted before history {next}\n\
         hint: go on: cargo xtask soak --seed 0 --first {next} --histories {} --export OTHER\n",
        2000 - next
    );
    assert!(stderr.ends_with(&hint), "{stderr}");
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(path).unwrap())
    });
    entries.collect()
}

#[test]
fn an_export_is_the_same_every_time_and_overwrites_nothing() {
    let beside = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| {
        let directory = beside.path().join(name);
        let path = directory.to_str().unwrap().to_owned();
        let output = soak(&["--histories", "3", "--seed", "8", "--export", &path]);
        assert_eq!(output.status.code(), Some(0));
        files(&directory)
    });
    assert_eq!(one, other);
    assert_eq!(one.len(), 18);
    let items = ecac_core::split_op_log(&one["000000.cborseq"]).unwrap();
    assert!(items.len() > 10);
    let path = beside.path().join("one");
    let output = soak(&["--export", path.to_str().unwrap()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(exit::ENVIRONMENT)));
    assert!(stderr.contains("\nhint: name a directory"), "{stderr}");
    assert_eq!(files(&path), one);
}

#[test]
fn numbers_that_make_no_sense_are_usage_errors() {
    let most = u64::MAX.to_string();
    for args in [
        ["--histories", "0", "--seed", "1"],
        ["--histories", "2", "--first", &most],
        ["--jobs", "0", "--seed", "1"],
        ["--jobs", "1", "--export", "target/never"],
    ] {
        let code = soak(&args).status.code();
        assert_eq!(code, Some(i32::from(exit::USAGE)), "{args:?}");
    }
}

/// Plays schedules of sync; the result without how long it took, and in how many threads.
fn played(args: &[&str]) -> Json {
    let output = soak(&[args, &["--format", "json"]].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let mut report: Json = serde_json::from_slice(&output.stdout).unwrap();
    let members = report.as_object_mut().unwrap();
    for member in ["duration_ms", "jobs"] {
        assert!(members.remove(member).unwrap().is_u64(), "{member}");
    }
    report
}

#[test]
fn schedules_of_sync_hold_the_laws_in_memory_and_on_stores() {
    let one = played(&["--sync", "10", "--seed", "3", "--jobs", "1"]);
    assert_eq!(one, played(&["--sync", "10", "--seed", "3", "--jobs", "2"]));
    assert_eq!(
        (&one["schedules"], &one["on_stores"]),
        (&10.into(), &5.into())
    );
    assert!(one["written"].as_u64().unwrap() > 50, "{one}");
    assert!(one["restarts"].as_u64().unwrap() > 2, "{one}");
    for member in ["with_seals", "final_seals", "envelopes_dropped"] {
        assert!(one[member].as_u64().unwrap() > 0, "{member}: {one}");
    }
    let code = soak(&["--sync", "1", "--histories", "2"]).status.code();
    assert_eq!(code, Some(i32::from(exit::USAGE)));
}

/// Defects of a session that are found in memory are found on the store, too.
#[test]
fn defects_are_found_on_stores() {
    for defect in [
        Defect::ChecksNoParents,
        Defect::TrustsHeads,
        Defect::ForgetsTheLast,
        Defect::SendsBeyondGone,
        Defect::NamesTheFuture,
    ] {
        let play = |seed: u64, defect: Option<Defect>| {
            let schedule = Schedule {
                quiet_ms: 120_000,
                ..Schedule::of_seed(seed, 5)
            };
            run_on(&schedule, defect, &mut |project, builder| {
                Ok(Box::new(StoreHome::new(project, builder)?))
            })
        };
        let found = (0..60).find(|seed| play(*seed, Some(defect)).is_err());
        let seed = found.unwrap_or_else(|| panic!("{defect:?} is not found"));
        play(seed, None).unwrap();
    }
}

/// Everybody opens what they should in some histories; with each defect somebody in one of them does not, or opens more.
#[test]
fn secrets_are_tried_and_each_defect_is_found() {
    let secrets = Secrets::new(21);
    let histories: Vec<_> = (0..16).map(|number| secrets.get(number)).collect();
    let mut all = Opened::default();
    for history in &histories {
        let opened = check_secrets(history, None).unwrap();
        all.values += opened.values;
        all.opened += opened.opened;
        all.kept_out += opened.kept_out;
        all.stale += opened.stale;
    }
    assert!(
        all.values > 5 && all.opened > 5 && all.kept_out > 5 && all.stale > 5,
        "{all:?}"
    );
    for (defect, says) in [
        (Planted::OneKey, "and should not"),
        (Planted::OneRecipient, "does not open"),
        (Planted::OtherPlace, "does not open"),
        (Planted::StaleAdmitted, "may not read where"),
    ] {
        let faults = histories.iter().filter_map(|history| {
            let fault = check_secrets(history, Some(defect)).err()?;
            fault.contains(says).then_some(fault)
        });
        assert!(faults.take(1).count() == 1, "{defect:?} is not found");
    }
}
