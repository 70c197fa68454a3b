//! The commands of the reviewer's pages, run as they stand there.

use std::fs;
use std::path::Path;

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
    assert_eq!(ran.len(), 4);
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
