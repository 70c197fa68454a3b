//! Crates are pure: clippy lets them use no clock, file, environment, thread or container of random order.

use super::toml_file::{TomlFile, member_directories};
use super::{Breach, Files, check, keeps};

/// The crates that are not pure, and why.
const IMPURE: [(&str, &str); 15] = [
    (
        "crates/bench-disk",
        "the storage of a run: makes and removes files",
    ),
    ("crates/cli", "a program: reads and writes files"),
    (
        "crates/fixture",
        "what tests share: makes directories and processes",
    ),
    ("crates/fuzz", "a program: keeps a corpus of files"),
    (
        "crates/mailbox",
        "a bucket that syncs: reads and writes files, or asks object storage",
    ),
    (
        "crates/net",
        "a program: talks to other nodes, and waits for them",
    ),
    ("crates/peers", "a program: starts nodes and waits for them"),
    ("crates/perf", "a program: measures time and memory"),
    (
        "crates/project",
        "a project directory: reads and writes files",
    ),
    (
        "crates/release",
        "a program: builds, signs and reads what others made",
    ),
    (
        "crates/soak",
        "a program: uses every core and tells how fast it is",
    ),
    ("crates/store", "the durable store: reads and writes files"),
    (
        "crates/supply",
        "a program: runs those that know advisories",
    ),
    ("crates/tidy", "tests: they read the repository"),
    ("xtask", "a program: runs the others"),
];

/// What a pure crate bans.
const BANNED: [(&str, &[&str]); 2] = [
    (
        "disallowed-types",
        &[
            "std::collections::HashMap",
            "std::collections::HashSet",
            "std::fs::File",
            "std::time::Instant",
            "std::time::SystemTime",
        ],
    ),
    (
        "disallowed-methods",
        &[
            "std::env::args",
            "std::env::var",
            "std::fs::read",
            "std::fs::write",
            "std::thread::spawn",
        ],
    ),
];

fn purity(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for directory in member_directories(files) {
        let is_impure = IMPURE.iter().any(|(impure, _)| *impure == directory);
        let Some(toml) = files.get(&format!("{directory}/Cargo.toml")) else {
            continue;
        };
        if is_impure {
            continue;
        }
        let Some(clippy) = TomlFile::at(files, &format!("{directory}/clippy.toml")) else {
            let what = "no clippy.toml; copy that of crates/core, or add the crate to IMPURE in \
                crates/tidy/src/purity.rs with the reason";
            breaches.push(Breach::new(toml, 1, what));
            continue;
        };
        for (list, paths) in BANNED {
            let value = clippy.get(&[list]);
            let line = value.map_or(1, |value| clippy.line(value));
            let bans = value.and_then(|value| value.get_ref().as_array());
            let bans = bans.into_iter().flat_map(|bans| bans.iter());
            let banned: Vec<_> = bans
                .filter_map(|ban| ban.get_ref().get("path")?.get_ref().as_str())
                .collect();
            for path in paths.iter().filter(|path| !banned.contains(path)) {
                let what = format!("`{list}` leaves out `{path}`; copy it from crates/core");
                breaches.push(Breach::new(clippy.file, line, what));
            }
        }
    }
    breaches
}

#[test]
fn the_repository_keeps_it() {
    keeps(purity);
}

#[test]
fn breaches_are_found() {
    let all: Vec<_> = BANNED
        .iter()
        .map(|(list, paths)| {
            let entries = paths.iter().map(|path| format!("{{ path = \"{path}\" }}"));
            let entries: Vec<_> = entries.collect();
            format!("{list} = [{}]\n", entries.join(", "))
        })
        .collect();
    let good = all.concat();
    let bad = good.replace("std::env::var", "std::env::vars");
    check(
        purity,
        &[
            (
                "Cargo.toml",
                "[workspace]\nmembers = [\"bad\", \"bare\", \"crates/cli\", \"half\", \"good\"]\n",
            ),
            ("bad/Cargo.toml", ""),
            ("bad/clippy.toml", &bad),
            ("bare/Cargo.toml", ""),
            ("crates/cli/Cargo.toml", ""),
            ("good/Cargo.toml", ""),
            ("good/clippy.toml", &good),
        ],
        &[
            "bad/clippy.toml:2: `disallowed-methods` leaves out `std::env::var`",
            "bare/Cargo.toml:1: no clippy.toml",
        ],
    );
}
