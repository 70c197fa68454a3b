//! The script of `nix run .#repro`, with another program in the place of cargo.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ecac_artifact::exit;

use crate::support::Flake;

/// Says what it is asked, and where.
const CARGO: &str = "#!/bin/sh\nprintf '%s: %s %s\\n' \"$(pwd -P)\" \"$#\" \"$*\"\nexit 7\n";

/// A flake whose script is in the store.
fn script() -> Option<(Flake, PathBuf)> {
    let flake = Flake::new()?;
    let program = flake.apply("apps.x86_64-linux.repro.program", "path: path");
    let script = flake.in_store(program.unwrap().as_str().unwrap());
    Some((flake, script))
}

/// Runs the script in `dir` as nixpkgs starts it.
fn run(script: &Path, dir: &Path, bin: &Path) -> Output {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(bin.to_owned()).chain(std::env::split_paths(&path)));
    Command::new("bash")
        .args(["-o", "errexit", "-o", "nounset", "-o", "pipefail"])
        .arg(script)
        .args(["--out", "two words"])
        .current_dir(dir)
        .env("PATH", path.unwrap())
        .output()
        .unwrap()
}

#[test]
fn it_runs_in_a_checkout_only_and_where_it_is_started() {
    let Some((_flake, script)) = script() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let (bin, below) = (root.join("bin"), root.join("checkout/docs/eval"));
    for path in [
        &bin,
        &below,
        &root.join("checkout/xtask"),
        &root.join("checkout/.cargo"),
    ] {
        fs::create_dir_all(path).unwrap();
    }
    fs::write(bin.join("cargo"), CARGO).unwrap();
    fs::set_permissions(bin.join("cargo"), fs::Permissions::from_mode(0o755)).unwrap();

    let outside = run(&script, &below, &bin);
    let says = String::from_utf8_lossy(&outside.stderr);
    assert_eq!(
        outside.status.code(),
        Some(exit::ENVIRONMENT.into()),
        "{says}"
    );
    let expected = format!(
        "error: {} is not in a checkout of ECAC\nhint: clone the repository, change into it, and run the command again\n",
        below.display()
    );
    assert_eq!(says, expected);
    assert!(outside.stdout.is_empty());

    for file in ["xtask/Cargo.toml", ".cargo/config.toml"] {
        fs::write(root.join("checkout").join(file), "").unwrap();
    }
    for dir in [&below, &root.join("checkout")] {
        let inside = run(&script, dir, &bin);
        let says = String::from_utf8_lossy(&inside.stdout);
        let expected = format!("{}: 4 xtask repro --out two words\n", dir.display());
        assert_eq!(says, expected);
        assert_eq!(inside.status.code(), Some(exit::BUILD.into()));
    }
}
