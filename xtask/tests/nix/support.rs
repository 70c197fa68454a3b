//! A copy of the flake in a directory of its own, and nix with a store of its own.

use std::env;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// What the flake reads when it is evaluated.
const FILES: [&str; 5] = [
    "Cargo.lock",
    "Cargo.toml",
    "flake.lock",
    "flake.nix",
    "rust-toolchain.toml",
];

/// Says that a test is skipped, past the harness, which shows nothing that a test prints unless it fails.
fn skipped(why: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

/// The flake of this repository, to be changed.
pub(crate) struct Flake {
    dir: TempDir,
}

impl Flake {
    /// A copy; `None` where nix is not there.
    pub(crate) fn new() -> Option<Self> {
        if let Err(error) = Command::new("nix").arg("--version").output() {
            skipped(&format!("nix does not run: {error}"));
            return None;
        }
        let flake = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for dir in ["flake", "home"] {
            fs::create_dir(flake.dir.path().join(dir)).unwrap();
        }
        for file in FILES {
            fs::copy(repository().join(file), flake.path(file)).unwrap();
        }
        Some(flake)
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join("flake").join(file)
    }

    /// Where a path of the store lies.
    pub(crate) fn in_store(&self, path: &str) -> PathBuf {
        self.dir
            .path()
            .join("store")
            .join(path.trim_start_matches('/'))
    }

    /// Changes the first place in a file that says `from`.
    pub(crate) fn change(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(file)).unwrap();
        assert!(text.contains(from), "`{from}` in {file}");
        fs::write(self.path(file), text.replacen(from, to, 1)).unwrap();
    }

    /// Runs nix on the flake, without a network and without this machine's configuration.
    pub(crate) fn nix(&self, command: &[&str], fragment: &str, options: &[&str]) -> Output {
        let dir = self.dir.path();
        Command::new("nix")
            .args(["--extra-experimental-features", "nix-command flakes"])
            .arg("--store")
            .arg(dir.join("store"))
            .args(command)
            .arg(format!("path:{}{fragment}", dir.join("flake").display()))
            .arg("--offline")
            .args(options)
            .current_dir(dir)
            .env("HOME", dir.join("home"))
            .env("NIX_CONF_DIR", dir.join("home"))
            .env_remove("NIX_CONFIG")
            .env_remove("NIX_PATH")
            .env_remove("NIX_REMOTE")
            .env_remove("NIX_USER_CONF_FILES")
            .env_remove("XDG_CACHE_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .output()
            .unwrap()
    }

    /// The same with the stubs in the place of the inputs.
    pub(crate) fn with_stubs(&self, command: &[&str], fragment: &str, options: &[&str]) -> Output {
        let stub = |name| {
            let path = repository().join("xtask/tests/nix/stubs").join(name);
            format!("path:{}", path.display())
        };
        let (nixpkgs, overlay) = (stub("nixpkgs"), stub("rust-overlay"));
        let mut all = vec!["--no-write-lock-file"];
        all.extend(["--override-input", "nixpkgs", &nixpkgs]);
        all.extend(["--override-input", "rust-overlay", &overlay]);
        all.extend(options);
        self.nix(command, fragment, &all)
    }

    /// What a function of an output of the flake gives, with the stubs.
    pub(crate) fn apply(&self, output: &str, function: &str) -> Result<Value, String> {
        let options = ["--json", "--apply", function];
        let ran = self.with_stubs(&["eval"], &format!("#{output}"), &options);
        if ran.status.success() {
            Ok(serde_json::from_slice(&ran.stdout).unwrap())
        } else {
            Err(String::from_utf8_lossy(&ran.stderr).into_owned())
        }
    }
}

fn repository() -> PathBuf {
    let manifest_dir = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap());
    manifest_dir.parent().map(Path::to_owned).unwrap()
}
