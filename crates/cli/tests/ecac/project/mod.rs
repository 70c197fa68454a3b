//! The program in project directories: people with their own homes, who meet by files.

#[cfg(unix)]
mod hostile;
mod law;
mod shop;
mod sync;

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use tempfile::{TempDir, tempdir};

use crate::run::{Ran, command, ran, text};

/// 2026-01-01T08:00:00Z.
const MORNING_MS: u64 = 1_767_254_400_000;

/// Somebody with a directory for the project and a home of their own.
struct Person {
    directory: TempDir,
    now_ms: Cell<u64>,
}

impl Person {
    fn new() -> Self {
        let directory = tempdir().expect("there is room for a directory");
        fs::create_dir(directory.path().join("work")).expect("a directory");
        Self {
            directory,
            now_ms: Cell::new(MORNING_MS),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn file(&self, name: &str) -> String {
        self.at(name).to_str().expect("a path of text").to_owned()
    }

    /// Runs the program a second later than the last time.
    fn run(&self, args: &[&str]) -> Ran {
        self.now_ms.set(self.now_ms.get() + 1000);
        self.again(args)
    }

    /// Runs the program at the time of the last run.
    fn again(&self, args: &[&str]) -> Ran {
        let output = command()
            .args(args)
            .current_dir(self.at("work"))
            .env("ECAC_HOME", self.at("home"))
            .env("ECAC_NOW_MS", self.now_ms.get().to_string())
            .env_remove("ECAC_DIR")
            .output();
        ran(output.expect("the program starts"))
    }

    /// What a run that succeeds prints.
    #[track_caller]
    fn says(&self, args: &[&str]) -> String {
        text(self.run(args).ok())
    }

    /// The document that a run prints.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Json {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let document: Json = serde_json::from_slice(&self.run(&args).ok()).expect("JSON");
        let format = document["format"].as_str().expect("a format");
        assert!(
            format.starts_with("ecac-") && format.ends_with("-v1"),
            "{format}"
        );
        document
    }

    /// Everything that is here goes to the other one.
    fn sends_to(&self, other: &Self) -> Json {
        let file = other.file("mail.cborseq");
        self.says(&["export", &file, "--force"]);
        other.json(&["import", &file])
    }
}

/// An office that founded a shop, and a technician who is an editor of `repair`.
fn shop() -> (Person, Person) {
    let (office, van) = (Person::new(), Person::new());
    office
        .run(&[
            "init",
            "motor shop",
            "--tag",
            "motor/*.*=repair",
            "--tag",
            "bill/*.*=office",
        ])
        .ok();
    let line = office.says(&["invite"]);
    let joined = van.json(&["join", line.trim(), "--call", "office"]);
    let did = joined["did"].as_str().expect("a did").to_owned();
    let added = [
        "add-member",
        &did,
        "--as",
        "tom",
        "--role",
        "editor",
        "--scope",
        "repair",
    ];
    office.says(&added);
    office.sends_to(&van);
    (office, van)
}
