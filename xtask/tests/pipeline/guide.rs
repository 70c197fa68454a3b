//! What `cargo xtask` says to somebody who does not know its commands.

use std::process::Command;

use ecac_artifact::exit;

use ecac_fixture::workspace::{Workspace, check};

fn xtask(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(args);
    command
}

#[test]
fn without_arguments_it_says_where_to_begin() {
    let (stdout, stderr) = check(&mut xtask(&[]), 0, "");
    assert!(stdout.starts_with("Start here:\n"), "{stdout}");
    for command in [
        "repro",
        "verify-golden",
        "bundle",
        "audit",
        "sbom",
        "Exit codes:",
    ] {
        assert!(stdout.contains(command), "{command} in {stdout}");
    }
    assert_eq!(stderr, "");
}

#[test]
fn a_word_that_is_no_command_gets_the_one_that_was_meant() {
    let (stdout, _) = check(
        &mut xtask(&["reproduce"]),
        exit::USAGE,
        "hint: cargo xtask repro\n",
    );
    assert_eq!(stdout, "");
    check(
        &mut xtask(&["sign"]),
        exit::USAGE,
        "hint: cargo xtask bundle --sign\n",
    );
    check(
        &mut xtask(&["verify-gloden"]),
        exit::USAGE,
        "'verify-golden'",
    );
    check(&mut xtask(&["repro", "--hepl"]), exit::USAGE, "--help");
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [&["--help"][..], &["--version"], &["repro", "--help"]] {
        let (stdout, stderr) = check(&mut xtask(args), 0, "");
        assert!(stdout.contains("xtask"), "{stdout}");
        assert_eq!(stderr, "");
    }
}

/// A command that is a program of its own: what cargo is asked for, and that its exit code is the program's.
#[test]
fn what_is_a_program_of_its_own_is_run_by_cargo_and_told_everything() {
    let workspace = Workspace::new();
    workspace.program("stand-in", "echo \"$@\"; exit 7");
    let manifest = workspace.root().join("Cargo.toml");
    for (args, package, profile) in [
        (&["bundle", "verify", "--help"][..], "ecac-release", "dev"),
        (&["key", "new"], "ecac-release", "dev"),
        (&["audit", "--today", "2026-01-01"], "ecac-supply", "dev"),
        (&["audit", "--offline", "--help"], "ecac-supply", "dev"),
        (&["soak", "--seed", "7"], "ecac-soak", "release"),
        (&["bench", "--quick"], "ecac-perf", "release"),
    ] {
        let mut command = workspace.xtask_itself(args);
        command.env("CARGO", workspace.beside("bin/stand-in"));
        let (stdout, _) = check(&mut command, 7, "");
        let expected = format!(
            "run --locked --profile {profile} --package {package} --manifest-path {} -- {}\n",
            manifest.display(),
            args.join(" ")
        );
        assert_eq!(stdout, expected);
    }
}

#[test]
fn an_audit_that_lacks_its_tools_says_so_before_anything_is_compiled() {
    let workspace = Workspace::new();
    workspace.program("stand-in", "echo compiled");
    let mut command = workspace.xtask_itself(&["audit", "--offline", "--advisory-db", "x"]);
    command.env("CARGO", workspace.beside("bin/stand-in"));
    let says = "not installed in target/tools, and --offline installs nothing: cargo-audit";
    let (stdout, stderr) = check(&mut command, exit::ENVIRONMENT, says);
    assert_eq!(stdout, "");
    assert!(
        stderr.contains("hint: cargo xtask audit --install"),
        "{stderr}"
    );
}
