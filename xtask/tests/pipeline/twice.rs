//! `repro --twice`, with a build that takes no time.

use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_fixture::workspace::Workspace;

fn out(workspace: &Workspace) -> PathBuf {
    workspace.beside("out")
}

fn args(workspace: &Workspace, more: &[&str]) -> Vec<String> {
    let out = format!("--out={}", out(workspace).display());
    let args = ["repro", "--twice", "--scenario=hb-chain", "--ops=40", &out];
    args.iter().chain(more).map(|&arg| arg.to_owned()).collect()
}

#[test]
fn what_stayed_equal_is_told_variation_by_variation() {
    let workspace = Workspace::new();
    if !workspace.builds("") {
        return;
    }
    let (stdout, _) = workspace.check(&args(&workspace, &[]), exit::SUCCESS, "second time");
    for line in [
        "binary ecac     same",
        "binary xtask    same",
        "15 artifacts   same",
    ] {
        assert!(stdout.contains(line), "{line} in {stdout}");
    }
    for name in [
        "directory",
        "home",
        "cargo home",
        "time zone",
        "locale",
        "umask",
    ] {
        let row = stdout
            .lines()
            .find(|line| line.starts_with(&format!("  {name} ")))
            .unwrap();
        assert!(row.ends_with(" same"), "{row}");
    }
    assert!(
        stdout.lines().all(|line| line.chars().count() <= 80),
        "{stdout}"
    );
    assert!(out(&workspace).exists());

    let (json, _) = workspace.check(&args(&workspace, &["--format=json"]), exit::SUCCESS, "");
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    let twice = &report["twice"];
    assert_eq!(twice["binaries"][0], report["binaries"]);
    assert_eq!(twice["binaries"][0], twice["binaries"][1]);
    assert!(twice["variations"].as_array().unwrap().len() > 8);
}

#[test]
fn a_build_that_depends_on_its_directory_is_caught_and_not_published() {
    let workspace = Workspace::new();
    if !workspace.builds("pwd | cksum >> target/release/xtask") {
        return;
    }
    let (stdout, _) = workspace.check(
        &args(&workspace, &[]),
        exit::MISMATCH,
        "nothing was published",
    );
    assert!(
        stdout.contains("binary xtask    DIFFERENT\n    first  "),
        "{stdout}"
    );
    assert!(stdout.contains("binary ecac     same"), "{stdout}");
    assert!(!out(&workspace).exists());
}

#[test]
fn a_program_that_asks_who_runs_it_is_caught_by_that_variation_alone() {
    let workspace = Workspace::new();
    // The manifest gains a space for that user.
    let script = "mv target/release/xtask target/release/real
        cat > target/release/xtask <<'END'
#!/bin/sh
here=${0%/*}
\"$here/real\" \"$@\"
if [ \"$USER\" = mallory ]; then printf ' ' >> \"$3/manifest.json\"; fi
END
        chmod 755 target/release/xtask";
    if !workspace.builds(script) {
        return;
    }
    let (stdout, _) = workspace.check(&args(&workspace, &[]), exit::MISMATCH, "");
    let different: Vec<_> = stdout
        .lines()
        .filter(|line| line.ends_with("DIFFERENT"))
        .collect();
    assert_eq!(different.len(), 1, "{stdout}");
    assert!(different[0].starts_with("  user name "), "{stdout}");
}
