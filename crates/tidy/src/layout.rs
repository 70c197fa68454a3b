//! The top of the repository holds what it is meant to hold, and xtask takes the place of scripts.

use super::{Breach, Files, check, keeps};

/// Everything that may stand at the top; a name with a `/` is a directory.
const TOP: [&str; 22] = [
    ".cargo/",
    ".ci/",
    ".gitattributes",
    ".github/",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "SECURITY.md",
    "crates/",
    "deny.toml",
    "docs/",
    "flake.lock",
    "flake.nix",
    "rust-toolchain.toml",
    "xtask/",
];

/// The one shell script: what CI runs.
const SCRIPT: &str = ".ci/run";

fn layout(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files.iter() {
        let end = file.path.find('/').map_or(file.path.len(), |at| at + 1);
        if !TOP.contains(&&file.path[..end]) {
            let what =
                "has no place at the top; move it, or add it to TOP in crates/tidy/src/layout.rs";
            breaches.push(Breach::new(file, 1, what));
        }
        let name = file.name().to_lowercase();
        let is_makefile = ["makefile", "gnumakefile", "justfile"].contains(&name.as_str());
        let is_shell = ["sh", "bash", "ps1", "bat", "cmd", "mk"].contains(&file.extension());
        let is_script = is_makefile || is_shell || is_given_to_a_shell(file.text());
        if is_script && file.path != SCRIPT {
            let what = "a script or makefile; write a subcommand of xtask";
            breaches.push(Breach::new(file, 1, what));
        }
    }
    breaches
}

/// Whether the first line names a shell.
fn is_given_to_a_shell(text: &str) -> bool {
    let line = text.lines().next().unwrap_or_default();
    let mut words = line.split(['/', ' ']);
    line.starts_with("#!") && words.any(|word| ["sh", "bash", "dash", "zsh"].contains(&word))
}

#[test]
fn the_repository_keeps_it() {
    keeps(layout);
}

#[test]
fn breaches_are_found() {
    check(
        layout,
        &[
            (".ci/run", "#!/usr/bin/env bash\n"),
            ("crates/a/Makefile", ""),
            ("crates/a/build.sh", ""),
            ("crates/a/lib.rs", "#![forbid(unsafe_code)]\n"),
            ("docs/check", "#!/bin/sh -e\n"),
            ("docs/oracle.py", "#!/usr/bin/env python3\n"),
            ("notes.md", ""),
            ("scripts/a.py", ""),
        ],
        &[
            "crates/a/Makefile:1: a script",
            "crates/a/build.sh:1: a script",
            "docs/check:1: a script",
            "notes.md:1: has no place",
            "scripts/a.py:1: has no place",
        ],
    );
}
