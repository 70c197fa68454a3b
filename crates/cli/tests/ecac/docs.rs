//! The commands of the reviewer's pages, run as they stand there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use ecac_artifact::exit;
use serde_json::Value as Json;

use crate::run::{ecac_in, text};

/// Where the pages take the program from.
const PROGRAM: &str = "target/release/ecac ";

/// The commands of a page up to the first pipe, and what each prints when run at the top of the repository.
fn run_page(root: &Path, page: &str) -> Vec<(String, String)> {
    let markdown = fs::read_to_string(root.join(page)).expect("the page is there");
    let commands = markdown.split(PROGRAM).skip(1).map(|rest| {
        let end = rest.find(['`', '|', '\n']).unwrap_or(rest.len());
        let command = rest[..end].trim();
        let printed = text(ecac_in(root, command.split_whitespace()).ok());
        assert!(!printed.is_empty(), "{page}: {command}");
        (command.to_owned(), printed)
    });
    commands.collect()
}

#[test]
fn the_pages_run_and_the_readme_shows_what_is_printed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ran = run_page(&root, "README.md");
    assert_eq!(ran.len(), 5);
    assert_eq!(run_page(&root, "docs/eval/README.md").len(), 1);

    let explained = ran.iter().find(|(it, _)| it.starts_with("explain "));
    let (_, printed) = explained.expect("the README explains an op");
    let (verdict, _) = printed.split_once("\n\n").expect("paragraphs");
    let readme = fs::read_to_string(root.join("README.md")).expect("the page is there");
    assert!(
        readme.contains(&format!("\n```\n{verdict}\n```\n")),
        "{verdict}"
    );
}

#[test]
fn the_readme_says_by_what_the_denied_ops_are_denied() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let golden = "docs/eval/golden/offline-revoke-42-ops.cborseq";
    let lines = text(ecac_in(&root, ["decisions", golden]).quietly());
    let mut denied = BTreeMap::new();
    for line in lines.lines() {
        let decision: Json = serde_json::from_str(line).expect("a line of JSON");
        if decision["verdict"] == "denied" {
            let reason = decision["reason"].as_str().expect("a reason");
            *denied.entry(reason.to_owned()).or_insert(0_usize) += 1;
        }
    }
    let reasons: Vec<&str> = denied.keys().map(String::as_str).collect();
    assert_eq!(reasons, ["revoked", "status_revoked"]);
    let [revoked, listed] = ["revoked", "status_revoked"].map(|reason| denied[reason]);
    let readme = fs::read_to_string(root.join("README.md")).expect("the page is there");
    let words: Vec<&str> = readme.split_whitespace().collect();
    let readme = words.join(" ");
    let sentence = format!(
        "Of the {} denied ops of `offline-revoke`, {revoked} are denied by a revocation (`revoked`) \
         and {listed} by a status list (`status_revoked`)",
        revoked + listed
    );
    assert!(readme.contains(&sentence), "{sentence}");
    // The number stands in the table: scenario, ops, applied, denied.
    let row = readme.split(" offline-revoke ").nth(1).expect("a row");
    let denied = row.split(' ').nth(2).expect("a number");
    assert_eq!(denied, (revoked + listed).to_string());
}

#[test]
fn the_python_oracle_says_what_to_install_where_nothing_is() {
    let oracle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vectors/oracle/oracle.py");
    // Without the site module Python finds no package but its own.
    let python = Command::new("python3")
        .args(["-S", "-E", "-s"])
        .arg(oracle)
        .output();
    let Ok(output) = python else {
        // Past the harness, which shows only the output of failed tests.
        let _ = writeln!(io::stderr(), "SKIPPED: there is no python3");
        return;
    };
    let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert_eq!(
        output.status.code(),
        Some(exit::ENVIRONMENT.into()),
        "{stderr}"
    );
    assert_eq!(output.stdout, b"");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(
        stderr.starts_with("failed to start: the Python package `"),
        "{stderr}"
    );
    assert!(
        stderr.contains("-m pip install -r ") && stderr.trim_end().ends_with("requirements.txt")
    );
}
