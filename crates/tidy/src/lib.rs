//! The repository's own rules, as tests over the files that git tracks.
//!
//! A rule is a pure function from files to breaches. Of each rule one test runs it over the repository and fails with
//! every breach as `file:line: what; how to mend it`, and another requires that it finds the breaches of a small tree.
//! What clippy, rustfmt and cargo can say is left to them.
#![cfg(test)]
#![forbid(unsafe_code)]

mod cff;
mod commands;
mod contents;
mod dependencies;
mod failures;
mod files;
mod flake;
mod layout;
mod links;
mod markdown;
mod members;
mod purity;
mod secrets;
mod shared;
mod sources;
mod toml_file;
mod words;

use files::{File, Files};

/// A place where the repository does not keep one of its rules.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    file: String,
    line: usize,
    what: String,
}

impl Breach {
    fn new(file: &File, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.path.clone(),
            line,
            what: what.into(),
        }
    }
}

/// What is asked of the files.
type Rule = fn(&Files) -> Vec<Breach>;

/// The breaches that a rule finds, one on a line, in the order of files and lines.
fn listing(rule: Rule, files: &Files) -> String {
    let mut breaches = rule(files);
    breaches.sort();
    let lines = breaches
        .iter()
        .map(|Breach { file, line, what }| format!("{file}:{line}: {what}\n"));
    lines.collect()
}

/// Fails with every breach of a rule in the repository.
#[track_caller]
fn keeps(rule: Rule) {
    let breaches = listing(rule, Files::of_repository());
    assert!(
        breaches.is_empty(),
        "the repository breaks its rule\n{breaches}"
    );
}

/// Compares where a rule finds breaches in a small tree with where they are: `file:line`, a colon, and how the rest of
/// the line begins.
#[track_caller]
fn check<T: AsRef<[u8]>>(rule: Rule, tree: &[(&str, T)], expected: &[&str]) {
    let found = listing(rule, &Files::of_tree(tree));
    let agrees = found.lines().count() == expected.len()
        && std::iter::zip(found.lines(), expected).all(|(line, start)| line.starts_with(start));
    assert!(agrees, "expected {expected:#?}\nfound\n{found}");
}

/// The line, from 1, in which the byte at `offset` is.
fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// The lines of a text with their numbers, from 1.
fn numbered(text: &str) -> impl Iterator<Item = (usize, &str)> {
    std::iter::zip(1.., text.lines())
}

#[test]
fn lines_are_counted_from_one() {
    let text = "a\nb\n";
    assert_eq!([0, 1, 2].map(|at| line_of(text, at)), [1, 1, 2]);
    assert_eq!(numbered(text).collect::<Vec<_>>(), [(1, "a"), (2, "b")]);
}
