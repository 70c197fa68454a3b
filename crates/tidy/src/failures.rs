//! No script and no workflow hides a failure.

use super::{Breach, Files, check, keeps, numbered};

/// How a failure is hidden.
const HIDES: [&str; 5] = [
    "|| true",
    "|| :",
    "|| exit 0",
    "set +e",
    "continue-on-error: true",
];

/// The extensions of files with commands in them.
const EXTENSIONS: [&str; 5] = ["nix", "sh", "toml", "yaml", "yml"];

fn failures(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    let with_commands = files
        .iter()
        .filter(|file| file.path.starts_with(".ci/") || EXTENSIONS.contains(&file.extension()));
    for file in with_commands {
        for (number, line) in numbered(file.text()) {
            let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
            for hides in HIDES.iter().filter(|hides| line.contains(*hides)) {
                let what = format!("`{hides}` hides a failure; let it fail, or test what may fail");
                breaches.push(Breach::new(file, number, what));
            }
        }
    }
    breaches
}

#[test]
fn the_repository_keeps_it() {
    keeps(failures);
}

#[test]
fn breaches_are_found() {
    check(
        failures,
        &[
            (".ci/run", "set -e\ncargo audit || true\na ||  :\nset +e\n"),
            (
                ".github/workflows/a.yml",
                "a:\n  continue-on-error:  true\n",
            ),
            ("README.md", "Never `|| true`.\n"),
        ],
        &[
            ".ci/run:2: `|| true`",
            ".ci/run:3: `|| :`",
            ".ci/run:4: `set +e`",
            ".github/workflows/a.yml:2: `continue-on-error: true`",
        ],
    );
}
