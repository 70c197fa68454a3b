//! Rust files begin by saying what they are, and are no longer than one subject needs.

use super::{Breach, Files, check, keeps};

/// A file far beyond 500 lines has usually become two.
const LINES_MAX: usize = 1000;

fn sources(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files.with_extension("rs") {
        if !file.text().starts_with("//! ") {
            let what = "no module docs; begin with `//!` and what the module is";
            breaches.push(Breach::new(file, 1, what));
        }
        let lines = file.text().lines().count();
        if lines > LINES_MAX {
            let what = format!("{lines} lines, more than {LINES_MAX}; make two files of it");
            breaches.push(Breach::new(file, LINES_MAX + 1, what));
        }
    }
    breaches
}

#[test]
fn the_repository_keeps_it() {
    keeps(sources);
}

#[test]
fn breaches_are_found() {
    let long = format!("//! Long.\n{}", "\n".repeat(LINES_MAX));
    check(
        sources,
        &[
            ("a.rs", long.as_str()),
            ("b.rs", "//! Short.\n"),
            ("c.rs", "use std::fs;\n\n//! Late.\n"),
        ],
        &["a.rs:1001: 1001 lines", "c.rs:1: no module docs"],
    );
}
