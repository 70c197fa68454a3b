//! The pages `docs/tutorial-theft.md` and `docs/tutorial-secrets.md`: every command runs, and prints what the page shows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::{TempDir, tempdir};

use super::MORNING_MS;
use crate::run::command;

/// With it, the test writes what is printed into the page.
const REWRITE: &str = "ECAC_BLESS";
/// Fewest digits of a hexadecimal id.
const DIGITS_MIN: usize = 12;

/// Everybody on the page, with directories side by side and one clock.
struct Stage {
    root: TempDir,
    now_ms: u64,
    /// The line that was printed last, and the first invitation.
    line: String,
    invitation: String,
    /// The op that a line began with last.
    op: String,
}

impl Stage {
    fn new() -> Self {
        let root = tempdir().expect("there is room for a directory");
        fs::create_dir(root.path().join("post")).expect("a directory");
        Self {
            root,
            now_ms: MORNING_MS,
            line: String::new(),
            invitation: String::new(),
            op: String::new(),
        }
    }

    /// What the program prints, on both streams.
    fn run(&mut self, who: &str, words: &[String]) -> String {
        self.now_ms += 1000;
        let folder = self.root.path().join(who);
        fs::create_dir_all(&folder).expect("a directory");
        let words: Vec<String> = words.iter().map(|it| self.meant(it)).collect();
        let output = command()
            .args(words)
            .current_dir(folder)
            .env("ECAC_HOME", self.root.path().join(format!("{who}-keys")))
            .env("ECAC_NOW_MS", self.now_ms.to_string())
            .env_remove("ECAC_DIR")
            .output()
            .expect("the program starts");
        let printed = [output.stderr, output.stdout].concat();
        let printed = String::from_utf8(printed).expect("text");
        for line in printed.lines() {
            if line.starts_with("ecac:") {
                line.clone_into(&mut self.line);
                if self.invitation.is_empty() {
                    line.clone_into(&mut self.invitation);
                }
            }
            let first = line.split(' ').next().unwrap_or_default();
            if is_id(first) {
                first.clone_into(&mut self.op);
            }
        }
        printed
    }

    /// What a word of the page stands for.
    fn meant(&self, word: &str) -> String {
        match word {
            "LINE" => self.line.clone(),
            "INVITATION" => self.invitation.clone(),
            "OP" => self.op.clone(),
            "ANN" => self.did("ann"),
            "BEN" => self.did("ben"),
            "CAT" => self.did("cat"),
            "TOM" => self.did("van"),
            "EVE" => self.did("desk"),
            _ => word.to_owned(),
        }
    }

    fn did(&self, who: &str) -> String {
        let key = self.root.path().join(format!("{who}-keys/keys/me.json"));
        let key = fs::read(key).expect("a key");
        let key: serde_json::Value = serde_json::from_slice(&key).expect("JSON");
        key["did"].as_str().expect("a did").to_owned()
    }
}

fn is_id(word: &str) -> bool {
    word.len() >= DIGITS_MIN
        && word
            .bytes()
            .all(|it| it.is_ascii_digit() || (b'a'..=b'f').contains(&it))
}

/// The text with ids, keys and times that are other ones each time under one name, and spaces of tables as one.
fn masked(text: &str) -> Vec<String> {
    let is_part = |it: char| it.is_alphanumeric() || it == '…' || it == ':';
    let line = |line: &str| -> String {
        let mut masked = String::new();
        let mut word = String::new();
        for it in line.chars().chain([' ']) {
            if is_part(it) {
                word.push(it);
                continue;
            }
            let is_key = word.contains("z6Mk");
            match word.as_str() {
                _ if is_id(&word) => masked.push_str("ID"),
                _ if is_key => masked.push_str("KEY"),
                _ => masked.push_str(&word),
            }
            word.clear();
            if it != ' ' || !masked.ends_with(' ') {
                masked.push(it);
            }
        }
        // Of two denials of one op, that with the least id is its witness: chance says whose.
        masked.trim_end().replace("tom (revoked)", "me (revoked)")
    };
    text.lines().map(line).collect()
}

/// The words of a command, where quotation marks keep a word together.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (number, part) in command.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Runs every command of the page, at least so many on so many laptops, and compares what is printed.
#[track_caller]
fn check(page: &str, commands_min: usize, laptops: usize) {
    let docs: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let path = docs.join(page);
    let page = fs::read_to_string(&path).expect("the page is there");
    let mut stage = Stage::new();
    let (mut written, mut faults) = (String::new(), String::new());
    let mut ran: BTreeMap<String, usize> = BTreeMap::new();
    let mut lines = page.lines().peekable();
    let mut in_block = false;
    while let Some(line) = lines.next() {
        let _ = writeln!(written, "{line}");
        if line.starts_with("```") {
            in_block = line == "```console";
            continue;
        }
        let Some((who, command)) = line.split_once("$ ecac ").filter(|_| in_block) else {
            continue;
        };
        let mut shown = String::new();
        while let Some(next) = lines.next_if(|it| !it.starts_with("```") && !it.contains("$ ecac "))
        {
            let _ = writeln!(shown, "{next}");
        }
        let printed = stage.run(who, &words(command));
        *ran.entry(who.to_owned()).or_default() += 1;
        written.push_str(&printed);
        if masked(&printed) != masked(&shown) {
            let _ = writeln!(
                faults,
                "{line}\nprints\n{printed}\nand the page shows\n{shown}"
            );
        }
    }
    assert!(
        ran.values().sum::<usize>() >= commands_min && ran.len() == laptops,
        "{ran:?}"
    );
    if std::env::var_os(REWRITE).is_some() {
        fs::write(&path, written).expect("the page is written");
        return;
    }
    assert!(
        faults.is_empty(),
        "`{REWRITE}=1` rewrites the page:\n{faults}"
    );
}

#[test]
fn the_page_on_theft_does_what_it_says() {
    check("tutorial-theft.md", 60, 5);
}

#[test]
fn the_page_on_secrets_does_what_it_says() {
    check("tutorial-secrets.md", 38, 3);
}
