//! What `audit` refuses: of the tools and the data on any machine, of the dependencies where the tools are installed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ecac_artifact::exit;

use ecac_fixture::workspace::check;

mod fixture;

use fixture::{CLEAN_AUDIT, CLEAN_DENY, Fixture, TODAY, pinned, with_hex};

#[test]
fn a_clean_workspace_passes_and_says_what_it_was_held_against() {
    let fixture = Fixture::new("other");
    with_hex(&fixture);
    let Some(mut audit) = fixture.audit() else {
        return;
    };
    let (stdout, _) = check(&mut audit, exit::SUCCESS, "");
    for says in [
        "1 advisories",
        "commit           unknown",
        "2026-08-20, 12 day(s) ago (of its newest advisory",
        "no fault found",
        "not proven",
        "exceptions         0",
    ] {
        assert!(stdout.contains(says), "`{says}` in {stdout}");
    }
}

#[test]
fn a_vulnerable_crate_is_named_by_both_tools() {
    let fixture = Fixture::new("hex");
    with_hex(&fixture);
    let Some(mut audit) = fixture.audit() else {
        return;
    };
    let says = "hex 0.4.3: vulnerability: RUSTSEC-2026-9001: A made-up hole (cargo-audit)";
    let (_, stderr) = check(&mut audit, exit::VERIFICATION, says);
    assert!(
        stderr.contains("(RUSTSEC-2026-9001) (cargo-deny)"),
        "{stderr}"
    );

    fixture.ignore("# until 2026-12-31: the hole is made up");
    let (stdout, _) = check(&mut audit, exit::SUCCESS, "");
    let says = "RUSTSEC-2026-9001, until 2026-12-31: the hole is made up";
    assert!(stdout.contains(says), "{stdout}");
}

#[test]
fn an_exception_that_nothing_needs_is_a_fault() {
    let fixture = Fixture::new("other");
    fixture.ignore("# until 2026-12-31: the hole is made up");
    let Some(mut audit) = fixture.audit() else {
        return;
    };
    check(&mut audit, exit::VERIFICATION, "RUSTSEC-2026-9001");
}

#[test]
fn a_licence_outside_of_the_family_is_refused_with_its_crate() {
    let fixture = Fixture::new("other");
    let gplish = "[package]\nname = \"gplish\"\nversion = \"1.0.0\"\nedition = \"2024\"\nlicense = \"GPL-3.0-only\"\n";
    fixture.write("gplish/Cargo.toml", gplish);
    fixture.write("gplish/src/lib.rs", "");
    fixture.write(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"app\", \"gplish\"]\n",
    );
    fixture.package(
        "MIT",
        "\n[dependencies]\ngplish = { path = \"../gplish\" }\n",
    );
    let lock = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\ndependencies = [\n \"gplish\",\n]\n\n\
        [[package]]\nname = \"gplish\"\nversion = \"1.0.0\"\n";
    fixture.write("Cargo.lock", lock);
    let Some(mut audit) = fixture.audit() else {
        return;
    };
    check(&mut audit, exit::VERIFICATION, "gplish 1.0.0: rejected");
}

#[test]
fn a_source_elsewhere_is_refused_with_its_crate_before_anything_is_fetched() {
    let fixture = Fixture::new("other");
    for source in [
        "git+https://example.org/fromgit?rev=1#0123456789abcdef0123456789abcdef01234567",
        "registry+https://example.org/index",
    ] {
        let lock = format!(
            "version = 4\n\n[[package]]\nname = \"elsewhere\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n"
        );
        fixture.write("Cargo.lock", &lock);
        let says = format!("elsewhere 1.0.0: comes from {source}");
        let (_, stderr) = fixture.check(&[], exit::VERIFICATION, &says);
        assert!(!stderr.contains("$ "), "{stderr}");
    }
    fixture.write("Cargo.lock", "package = 1");
    fixture.check(&[], exit::BAD_INPUT, "Cargo.lock cannot be read");
}

/// Makes a repository with one commit.
fn commit(dir: &Path, date: &str) {
    for args in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &[
            "-c",
            "user.name=Test",
            "-c",
            "user.email=test@example.org",
            "commit",
            "--quiet",
            "--message",
            "state",
        ],
    ] {
        let status = Command::new("git")
            .args(args)
            .current_dir(dir)
            .env("GIT_COMMITTER_DATE", date)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .status();
        assert!(status.unwrap().success());
    }
}

#[test]
fn an_exception_ends() {
    let fixture = Fixture::new("other");
    fixture.fake_tools(
        &format!("echo '{CLEAN_AUDIT}'"),
        &format!("echo '{CLEAN_DENY}' >&2"),
    );
    fixture.ignore("# until 2026-09-01: for a while");
    let (stdout, _) = fixture.check(&[], exit::SUCCESS, "");
    assert!(
        stdout.contains("RUSTSEC-2026-9001, until 2026-09-01: for a while"),
        "{stdout}"
    );
    fixture.ignore("# until 2026-08-31: for a while");
    let says = "RUSTSEC-2026-9001: until 2026-08-31: for a while";
    fixture.check(&[], exit::VERIFICATION, says);
    fixture.ignore("");
    fixture.check(
        &[],
        exit::BAD_INPUT,
        "RUSTSEC-2026-9001 has no reason and no end",
    );
    fs::remove_file(fixture.root().join("deny.toml")).unwrap();
    fixture.check(&[], exit::ENVIRONMENT, "deny.toml");
}

#[test]
fn an_old_database_is_refused_unless_it_may_be_that_old() {
    let fixture = Fixture::new("other");
    fixture.fake_tools(
        &format!("echo '{CLEAN_AUDIT}'"),
        &format!("echo '{CLEAN_DENY}' >&2"),
    );
    let says = "of 2026-08-20, 12 days ago, which is more than 11 days";
    fixture.check(&["--max-age", "11"], exit::ENVIRONMENT, says);
    fixture.check(&["--max-age", "12"], exit::SUCCESS, "");
    // Whoever knows when it was taken says so, and which state it is.
    let commit = "bf5c0d245a92671908518d7e765914d437954ed6";
    let known = [
        "--max-age",
        "11",
        "--advisory-db-date",
        "2026-08-21",
        "--advisory-db-commit",
        commit,
    ];
    let (stdout, _) = fixture.check(&known, exit::SUCCESS, "");
    assert!(
        stdout.contains(commit) && stdout.contains("2026-08-21, 11 day(s) ago (as given)"),
        "{stdout}"
    );
    fixture.check(
        &["--advisory-db-date", "2026-09-03"],
        exit::ENVIRONMENT,
        "yet to come",
    );
    fixture.check(&["--advisory-db-date", "soon"], exit::USAGE, "is no day");
    fixture.check(
        &["--advisory-db-commit", "main"],
        exit::USAGE,
        "hexadecimal",
    );
    fixture
        .workspace
        .check(&["audit", "--offline"], exit::USAGE, "--advisory-db");
}

#[test]
fn a_clone_knows_its_state_and_may_not_be_changed() {
    let fixture = Fixture::new("other");
    fixture.fake_tools(
        &format!("echo '{CLEAN_AUDIT}'"),
        &format!("echo '{CLEAN_DENY}' >&2"),
    );
    commit(&fixture.database(), "2026-08-25T12:00:00Z");
    let (stdout, _) = fixture.check(&[], exit::SUCCESS, "");
    assert!(
        stdout.contains("2026-08-25, 7 day(s) ago (of its commit)"),
        "{stdout}"
    );
    fixture.check(
        &["--advisory-db-date", "2026-08-26"],
        exit::USAGE,
        "but the database is of 2026-08-25",
    );
    let other = "ab".repeat(20);
    fixture.check(
        &["--advisory-db-commit", &other],
        exit::USAGE,
        "but the database is of",
    );
    fs::write(fixture.database().join("crates/other/new.md"), "").unwrap();
    fixture.check(&[], exit::BAD_INPUT, "is changed");
}

#[test]
fn the_published_database_is_fetched_and_kept() {
    let fixture = Fixture::new("other");
    fixture.fake_tools(
        &format!("echo '{CLEAN_AUDIT}'"),
        &format!("echo '{CLEAN_DENY}' >&2"),
    );
    fixture.workspace.program(
        "cargo",
        "[ \"$*\" = 'fetch --locked' ] || [ \"$*\" = 'update --dry-run' ]",
    );
    commit(&fixture.database(), "2026-08-25T12:00:00Z");
    let upstream = fixture.database();
    let config = format!(
        "[url \"file://{}\"]\n\tinsteadOf = https://github.com/RustSec/advisory-db\n",
        upstream.display()
    );
    fs::write(fixture.workspace.beside("home").join(".gitconfig"), config).unwrap();
    let args = ["audit", "--today", TODAY];
    for _ in 0..2 {
        let (stdout, _) = fixture.workspace.check(&args, exit::SUCCESS, "");
        assert!(
            stdout.contains("2026-08-25, 7 day(s) ago (of its commit)"),
            "{stdout}"
        );
        assert!(stdout.contains("yanked crates      asked"), "{stdout}");
    }
    // The index of the registry is needed to tell what is yanked.
    let unknown = r#"{"type":"diagnostic","fields":{"severity":"warning","code":"index-failure","message":"m","graphs":[{"Krate":{"name":"a","version":"1.0.0"}}]}}"#;
    fixture.fake_tools(
        &format!("echo '{CLEAN_AUDIT}'"),
        &format!("echo '{unknown}' >&2; echo '{CLEAN_DENY}' >&2"),
    );
    let says = "whether these crates are yanked: a";
    fixture.workspace.check(&args, exit::ENVIRONMENT, says);
    fixture.check(&[], exit::SUCCESS, "");
    fixture.workspace.program("cargo", "[ \"$1\" = fetch ]");
    fixture
        .workspace
        .check(&args, exit::ENVIRONMENT, "cargo update --dry-run");
    fs::remove_dir_all(upstream).unwrap();
    let (_, stderr) = fixture.workspace.check(&args, exit::ENVIRONMENT, "git");
    assert!(stderr.contains("hint: pass --advisory-db PATH"), "{stderr}");
}

#[test]
fn an_archive_is_read_and_anything_else_refused() {
    let fixture = Fixture::new("other");
    fixture.fake_tools(
        &format!("echo '{CLEAN_AUDIT}'"),
        &format!("echo '{CLEAN_DENY}' >&2"),
    );
    let archive = fixture.workspace.beside("db.tar.gz");
    let status = Command::new("tar")
        .arg("-czf")
        .arg(&archive)
        .arg("-C")
        .arg(fixture.database())
        .arg(".")
        .status();
    assert!(status.unwrap().success());
    let with = |path: &Path| {
        let mut args = fixture.args();
        *args.last_mut().unwrap() = path.into();
        args
    };
    let (stdout, _) = fixture.workspace.check(&with(&archive), exit::SUCCESS, "");
    assert!(stdout.contains("1 advisories"), "{stdout}");

    let bytes = fs::read(&archive).unwrap();
    fs::write(&archive, &bytes[..bytes.len() / 2]).unwrap();
    fixture
        .workspace
        .check(&with(&archive), exit::BAD_INPUT, "the archive is refused");
    fs::write(&archive, "no archive").unwrap();
    fixture
        .workspace
        .check(&with(&archive), exit::BAD_INPUT, "the archive is refused");
    let nowhere = fixture.workspace.beside("nowhere");
    fixture
        .workspace
        .check(&with(&nowhere), exit::ENVIRONMENT, "nowhere");
    fs::create_dir(&nowhere).unwrap();
    fixture
        .workspace
        .check(&with(&nowhere), exit::BAD_INPUT, "holds no advisory");
}

#[test]
fn no_failure_of_a_tool_is_swallowed() {
    let fixture = Fixture::new("other");
    let clean_audit = format!("echo '{CLEAN_AUDIT}'");
    let clean_deny = format!("echo '{CLEAN_DENY}' >&2");
    let check = |audit: &str, deny: &str, code, says: &str| {
        fixture.fake_tools(audit, deny);
        let (stdout, _) = fixture.check(&[], code, says);
        assert_eq!(stdout, "");
    };
    check(
        "exit 0",
        &clean_deny,
        exit::ENVIRONMENT,
        "cargo-audit printed no report",
    );
    check(
        "echo 'error: no index' >&2; exit 1",
        &clean_deny,
        exit::ENVIRONMENT,
        "no index",
    );
    check(
        &format!("{clean_audit}; exit 1"),
        &clean_deny,
        exit::ENVIRONMENT,
        "cargo-audit",
    );
    let other = CLEAN_AUDIT.replace("count\":1", "count\":0");
    check(
        &format!("echo '{other}'"),
        &clean_deny,
        exit::ENVIRONMENT,
        "loaded 0 of 1 advisories",
    );
    check(
        &clean_audit,
        "exit 0",
        exit::ENVIRONMENT,
        "cargo-deny ended without a summary",
    );
    check(
        &clean_audit,
        "echo gone >&2; exit 101",
        exit::ENVIRONMENT,
        "cargo-deny printed what is no report",
    );
    check(
        &clean_audit,
        &format!("{clean_deny}; exit 1"),
        exit::ENVIRONMENT,
        "which do not agree",
    );
    check("kill -9 $$", &clean_deny, exit::ENVIRONMENT, "signal");
    // What one tool found is told even where the other cannot run.
    let found = CLEAN_AUDIT.replace(
        "false,\"list\":[]",
        "true,\"list\":[{\"package\":{\"name\":\"a\",\"version\":\"1.0.0\"},\"advisory\":{\"id\":\"X\",\"title\":\"T\"}}]",
    );
    fixture.fake_tools(&format!("echo '{found}'; exit 1"), "exit 1");
    let (_, stderr) = fixture.check(&[], exit::VERIFICATION, "a 1.0.0: vulnerability: X: T");
    assert!(
        stderr.contains("cargo-deny ended without a summary"),
        "{stderr}"
    );
    let left: Vec<_> = fs::read_dir(fixture.workspace.temporary())
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn tools_are_installed_at_their_versions_or_not_used() {
    let fixture = Fixture::new("other");
    let log = fixture.workspace.beside("log");
    let script = format!("echo \"$@\" >> '{}'; [ \"$1\" != install ]", log.display());
    fixture.workspace.program("cargo", &script);
    let version = pinned("cargo-audit");

    // Without a network it says so before any program is started.
    let missing = format!("cargo-audit {version}, cargo-deny {}", pinned("cargo-deny"));
    let (_, stderr) = fixture.check(&[], exit::ENVIRONMENT, &missing);
    assert!(
        stderr.contains("hint: cargo xtask audit --install"),
        "{stderr}"
    );
    assert!(!stderr.contains("$ ") && !log.exists(), "{stderr}");
    fixture.fake_tools("", "");
    let deny = format!("target/tools/cargo-deny-{}", pinned("cargo-deny"));
    fs::remove_dir_all(fixture.root().join(deny)).unwrap();
    let (_, stderr) = fixture.check(&[], exit::ENVIRONMENT, "installs nothing: cargo-deny ");
    assert!(!stderr.contains("$ ") && !log.exists(), "{stderr}");
    fs::remove_dir_all(fixture.root().join("target/tools")).unwrap();

    fixture
        .workspace
        .check(&["audit", "--install"], exit::BUILD, "cargo install");
    let asked = fs::read_to_string(log).unwrap();
    let says = format!("install cargo-audit --version ={version} --locked --debug --root ");
    let install = asked.lines().last().unwrap();
    assert!(install.starts_with(&says), "{asked}");

    fixture.fake_tools("", "");
    let program = format!("target/tools/cargo-audit-{version}/bin/cargo-audit");
    let mut file = fs::File::create(fixture.root().join(program)).unwrap();
    file.write_all(b"#!/bin/sh\necho cargo-audit 0.1.0\n")
        .unwrap();
    drop(file);
    fixture.check(
        &[],
        exit::ENVIRONMENT,
        "says that it is `cargo-audit 0.1.0`",
    );
}

#[test]
fn a_signal_ends_it_whatever_its_tools_do() {
    let fixture = Fixture::new("other");
    let ready = fixture.workspace.beside("ready");
    let deaf = format!(
        "trap '' TERM INT HUP; : > '{}'; while :; do sleep 1; done",
        ready.display()
    );
    for (audit, deny) in [
        (deaf.clone(), String::new()),
        (format!("echo '{CLEAN_AUDIT}'"), deaf),
    ] {
        fixture.fake_tools(&audit, &deny);
        let _ = fs::remove_file(&ready);
        let mut run = fixture.workspace.xtask(&fixture.args());
        let mut run = run.stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while !ready.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no tool ran");
            thread::sleep(Duration::from_millis(10));
        }
        let sent = Instant::now();
        let mut kill = Command::new("kill");
        kill.arg("-INT").arg(run.id().to_string());
        assert!(kill.status().unwrap().success());
        let status = run.wait().unwrap();
        let took = sent.elapsed();
        assert!(took < Duration::from_millis(2_500), "{took:?}");
        assert_eq!(status.code(), Some(i32::from(exit::INTERRUPTED)));
    }
}
