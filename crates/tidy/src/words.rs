//! Comments and pages describe what is there: no marks of unfinished work, no history.

use super::{Breach, File, Files, check, keeps, numbered};

/// Marks of unfinished work.
const UNFINISHED: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// What tells history, which is in git; and the names of milestones.
const HISTORY: [&str; 12] = [
    "legacy",
    "formerly",
    "work in progress",
    "M1",
    "M2",
    "M3",
    "M4",
    "M5",
    "M6",
    "M7",
    "M8",
    "M9",
];

fn words(files: &Files) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for file in files.iter() {
        for (number, line) in numbered(file.text()) {
            let Some(prose) = prose(file, line) else {
                continue;
            };
            for word in UNFINISHED.iter().filter(|word| uses(prose, word)) {
                let what = format!("`{word}`; do it, or write an issue");
                breaches.push(Breach::new(file, number, what));
            }
            let is_changelog = file.path == "CHANGELOG.md";
            for word in HISTORY
                .iter()
                .filter(|word| uses(prose, word) && !is_changelog)
            {
                let what = format!("`{word}`; describe what is there, history is in git");
                breaches.push(Breach::new(file, number, what));
            }
        }
    }
    breaches
}

/// The part of a line that is written for people.
fn prose<'a>(file: &File, line: &'a str) -> Option<&'a str> {
    match file.extension() {
        "md" => Some(line),
        "rs" => line.trim_start().strip_prefix("//"),
        "py" | "toml" | "yml" | "yaml" | "nix" => Some(line.split_once('#')?.1),
        _ => None,
    }
}

/// Whether a whole word stands in a text, capital or small as it is or at the start of a sentence. A word that
/// follows a quote or a backtick is mentioned and not used.
fn uses(text: &str, word: &str) -> bool {
    let (first, rest) = word.split_at(1);
    let spellings = [word.to_owned(), first.to_uppercase() + rest];
    spellings.iter().any(|word| {
        text.match_indices(word).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let after = text[at + word.len()..].chars().next();
            let is_inner = |letter: char| letter.is_alphanumeric() || letter == '_';
            !before.is_some_and(|letter| is_inner(letter) || "\"`“".contains(letter))
                && !after.is_some_and(is_inner)
        })
    })
}

#[test]
fn the_repository_keeps_it() {
    keeps(words);
}

#[test]
fn breaches_are_found() {
    check(
        words,
        &[
            ("CHANGELOG.md", "The legacy codec went.\nTODO\n"),
            (
                "a.rs",
                "//! Legacy code of M4.\nlet a = 1; let b = \"TODO\";\n    // FIXME\n// Not \"legacy\", `TODO` or M45.\n",
            ),
            ("b.md", "Work in progress.\n"),
            ("c.toml", "a = \"XXX\"\nb = 1 # XXX\n"),
            ("d.json", "\"TODO\"\n"),
        ],
        &[
            "CHANGELOG.md:2: `TODO`",
            "a.rs:1: `M4`",
            "a.rs:1: `legacy`",
            "a.rs:3: `FIXME`",
            "b.md:1: `work in progress`",
            "c.toml:2: `XXX`",
        ],
    );
}
