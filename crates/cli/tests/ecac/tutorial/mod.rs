//! `docs/tutorial.md` and `docs/tutorial-laptops.md`: every command of their `console` blocks is run, in order, and prints what stands
//! there. The second page is played where the program `ecac-node` is built beside `ecac`.
//!
//! A line of a block that begins with `NAME$ ` is typed on the laptop of that name; what follows is its answer, as a terminal of
//! [`COLUMNS`] columns shows it. A block whose fence has a second word, ```` ```console merge ````, is also drawn, as
//! `docs/tutorial/merge.svg`. A command that ends with `&` goes on beside those that follow. Clocks and keys are given, so that the answers are the same on every machine; nothing else is.
//!
//! `ECAC_BLESS=1 cargo test -p ecac-cli --test ecac tutorial` writes answers and pictures anew.

mod laptop;
mod page;
mod picture;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use laptop::Laptops;
use page::Page;

/// How wide the terminals are.
const COLUMNS: u16 = 100;
/// The command that writes page and pictures anew.
const REWRITE: &str = "ECAC_BLESS=1 cargo test -p ecac-cli --test ecac tutorial";

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// The page with the answers that the commands give, and the pictures by their names.
fn played(page: &Page) -> (String, BTreeMap<String, String>) {
    let directory = tempdir().expect("there is room for a directory");
    let mut laptops = Laptops::new(directory.path());
    let mut pictures = BTreeMap::new();
    let text = page.answered(|block| {
        let mut shown = Vec::new();
        for (laptop, line) in &block.commands {
            shown.push((format!("{laptop}$ {line}"), laptops.run(laptop, line)));
        }
        if let Some(name) = &block.picture {
            let before = pictures.insert(name.clone(), picture::of(&shown));
            assert!(before.is_none(), "two blocks are drawn as {name}");
        }
        let plain = shown.into_iter().map(|(prompt, answer)| {
            let answer = picture::plain(&answer);
            format!("{prompt}\n{answer}")
        });
        plain.collect()
    });
    (text, pictures)
}

/// Requires that a page shows what its commands print, or writes it there; the pictures.
fn check(name: &str) -> BTreeMap<String, String> {
    let path = docs().join(name);
    let text = fs::read_to_string(&path).expect("the page is there");
    let (want, pictures) = played(&Page::of(&text));
    // Where ids are other ones than a command of the page has, the page is to be changed by hand.
    let failed = want
        .lines()
        .find(|it| it.starts_with("error: failed to find "));
    assert_eq!(failed, None, "docs/{name}");
    if std::env::var_os("ECAC_BLESS").is_some() {
        fs::write(&path, &want).expect("the page is written");
    }
    let text = fs::read_to_string(&path).expect("the page is there");
    for (number, (found, want)) in (1..).zip(text.lines().zip(want.lines())) {
        assert_eq!(found, want, "docs/{name}:{number}; {REWRITE}");
    }
    assert_eq!(text, want, "{REWRITE}");
    pictures
}

#[test]
fn the_tutorial_says_what_happens() {
    let pictures = check("tutorial.md");
    let folder = docs().join("tutorial");
    if std::env::var_os("ECAC_BLESS").is_some() {
        fs::create_dir_all(&folder).expect("a folder");
        for (name, svg) in &pictures {
            fs::write(folder.join(format!("{name}.svg")), svg).expect("a picture");
        }
    }
    let text = fs::read_to_string(docs().join("tutorial.md")).expect("the page is there");
    let entries = fs::read_dir(&folder).expect("the folder of the pictures");
    let found: BTreeSet<String> = entries
        .map(|it| {
            it.expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    let wanted: BTreeSet<String> = pictures.keys().map(|it| format!("{it}.svg")).collect();
    assert_eq!(found, wanted, "{REWRITE}");
    for (name, svg) in pictures {
        let found = fs::read_to_string(folder.join(format!("{name}.svg"))).expect("a picture");
        assert_eq!(found, svg, "{name}.svg; {REWRITE}");
        assert!(
            text.contains(&format!("(tutorial/{name}.svg)")),
            "{name}.svg is shown"
        );
    }
}

#[test]
fn two_laptops_meet_as_the_page_says() {
    let node = Path::new(env!("CARGO_BIN_EXE_ecac")).with_file_name("ecac-node");
    if !node.is_file() {
        // Past the harness, which shows only the output of failed tests.
        let _ = writeln!(
            io::stderr(),
            "SKIPPED: ecac-node is not built: cargo build --locked -p ecac-net --features quic"
        );
        return;
    }
    assert!(check("tutorial-laptops.md").is_empty(), "no pictures");
}

/// From the first command to the revocation: what a reader has to read and to type takes less than five minutes.
#[test]
fn the_first_revocation_is_near() {
    let text = fs::read_to_string(docs().join("tutorial.md")).expect("the page is there");
    let end = text.find("$ ecac revoke tom\n").expect("the revocation");
    let is_typed = |line: &&str| line.contains("$ ");
    let (typed, read): (Vec<&str>, Vec<&str>) = text[..end].lines().partition(is_typed);
    // What a command names of an earlier answer, such as a key, is pasted.
    let is_pasted = |word: &&str| word.contains("did:key:") || word.contains("ecac:join/");
    let typed: usize = typed
        .iter()
        .flat_map(|line| line.split_whitespace().filter(|it| !is_pasted(it)))
        .map(str::len)
        .sum();
    let is_picture = |line: &&&str| line.starts_with("![");
    let read = read.iter().filter(|it| !is_picture(it));
    let read: usize = read.map(|it| it.split_whitespace().count()).sum();
    // 200 characters a minute at the keyboard, 240 words a minute on the page.
    let seconds = typed * 60 / 200 + read * 60 / 240;
    assert!(
        seconds < 300,
        "{seconds} s: {typed} characters, {read} words"
    );
}
