//! `cargo xtask doctor` says what a machine lacks, and how to mend it.

use std::fs;
use std::path::Path;
use std::process::Command;

use ecac_artifact::exit;
use serde_json::Value as Json;

use crate::failure::on_a_mount;
use ecac_fixture::workspace::{Workspace, check, snapshot};

/// The verdict, words and fix of a check.
fn finding(report: &str, name: &str) -> (String, String, String) {
    let report: Json = serde_json::from_str(report).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let finding = checks.iter().find(|it| it["check"] == name).unwrap();
    let text = |field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    (text("verdict"), text("says"), text("fix"))
}

#[test]
fn a_machine_that_built_this_test_is_ready() {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command
        .args(["doctor", "--format", "json"])
        .current_dir(xtask);
    let (stdout, _) = check(&mut command, 0, "");
    let report: Json = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["ready"], true, "{stdout}");
    let checks = report["checks"].as_array().unwrap().iter();
    let names: Vec<_> = checks.map(|it| it["check"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "compiler",
            "linker",
            "git",
            "tree",
            "tmpdir",
            "room",
            "output",
            "crates",
            "isolation",
            "cargo-audit",
            "cargo-deny",
            "cosign",
            "openssl",
            "python3",
            "node",
            "npm",
            "nix"
        ]
    );
}

#[test]
fn whatever_is_not_in_order_comes_with_a_fix_and_nothing_is_changed() {
    let workspace = Workspace::new();
    workspace.write("new.txt", "not committed\n");
    for tool in [
        "cosign", "openssl", "python3", "node", "npm", "nix", "unshare",
    ] {
        workspace.program(tool, "exit 1");
    }
    let before = snapshot(&workspace.root());
    let (stdout, _) = workspace.check(
        &["doctor", "--format", "json"],
        exit::ENVIRONMENT,
        "error: this machine lacks: linker\n",
    );
    assert_eq!(snapshot(&workspace.root()), before);
    assert_eq!(fs::read_dir(workspace.temporary()).unwrap().count(), 0);
    let report: Json = serde_json::from_str(&stdout).unwrap();
    assert_eq!(report["ready"], false);
    for check in report["checks"].as_array().unwrap() {
        assert_eq!(check["verdict"] == "ok", check["fix"].is_null(), "{check}");
    }
    let (verdict, _, fix) = finding(&stdout, "linker");
    assert_eq!(verdict, "missing");
    assert!(fix.contains("gcc"), "{fix}");
    for (name, mends) in [
        ("tree", "--allow-dirty"),
        ("crates", "cargo fetch --locked"),
        ("cargo-audit", "cargo xtask audit --install"),
        ("cosign", "install cosign"),
        ("python3", "python3-venv"),
        ("nix", "nix-bin"),
    ] {
        let (verdict, _, fix) = finding(&stdout, name);
        assert_eq!(verdict, "optional", "{name}");
        assert!(fix.contains(mends), "{mends} in {fix}");
    }
}

#[test]
fn another_compiler_is_named_with_the_pinned_one() {
    let workspace = Workspace::new();
    workspace.program("rustc", "echo 'rustc 1.94.0'; echo 'release: 1.94.0'");
    let (stdout, _) = workspace.check(
        &["doctor", "--format", "json"],
        exit::ENVIRONMENT,
        "lacks: compiler, linker\n",
    );
    let (_, says, fix) = finding(&stdout, "compiler");
    assert!(says.contains("1.94.0") && says.contains("1.95.0"), "{says}");
    assert!(fix.contains("rustup toolchain install 1.95.0"), "{fix}");
}

#[test]
fn without_git_it_goes_on() {
    let workspace = Workspace::new();
    let mut command = workspace.xtask(&["doctor"]);
    command.env("PATH", workspace.beside("bin"));
    let (stdout, _) = check(&mut command, exit::ENVIRONMENT, "lacks: linker, git\n");
    assert!(stdout.contains("\n  fix: install git\n"), "{stdout}");
    assert!(!stdout.contains("ready"), "{stdout}");
}

#[test]
fn a_disk_that_is_too_small_or_read_only_is_named() {
    for (dir, mount, lacks, fix) in [
        (
            "tmp",
            "mount -t tmpfs -o size=64m tmpfs \"$1\"",
            "lacks: linker, room\n",
            "\n  fix: make room, or set TMPDIR",
        ),
        (
            "root/docs/eval",
            "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"",
            "lacks: linker, output\n",
            "\n  fix: make the directory writable",
        ),
    ] {
        let workspace = Workspace::new();
        let (dir, after) = (workspace.beside(dir), workspace.beside("after"));
        let Some(mut run) = on_a_mount(&workspace, &dir, mount, &["doctor".to_owned()], &after)
        else {
            return;
        };
        let (stdout, _) = check(&mut run, exit::ENVIRONMENT, lacks);
        assert!(stdout.contains(fix), "{stdout}");
    }
}
