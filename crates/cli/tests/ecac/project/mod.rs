//! The program in project directories: people with their own homes, who meet by files.

mod behind;
#[cfg(unix)]
mod exposure;
#[cfg(unix)]
mod hostile;
mod law;
#[cfg(unix)]
mod node;
mod page;
mod prune;
#[cfg(unix)]
mod review;
#[cfg(unix)]
mod rights;
mod sealed;
#[cfg(unix)]
mod secrets;
mod shop;
mod sync;
mod theft;

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};

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

    /// What somebody has who copied all that this one has.
    fn stolen(&self) -> Self {
        let thief = Self::new();
        copy(self.directory.path(), thief.directory.path());
        thief.now_ms.set(self.now_ms.get());
        thief
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
        documented(&document, format);
        document
    }

    /// The user's did:key.
    #[track_caller]
    fn did(&self) -> String {
        let did = &self.json(&["whoami"])["did"];
        did.as_str().expect("a did").to_owned()
    }

    /// The op that a document of a run is about.
    #[track_caller]
    fn op(&self, args: &[&str]) -> String {
        let op = &self.json(args)["op"];
        op.as_str().expect("an op").to_owned()
    }

    /// What a field shows.
    #[track_caller]
    fn field(&self, object: &str, field: &str) -> Json {
        self.json(&["get", object, field])["fields"][field]["value"].clone()
    }

    /// Everything that is here goes to the other one.
    fn sends_to(&self, other: &Self) -> Json {
        let file = other.file("mail.cborseq");
        self.says(&["export", &file, "--force"]);
        other.json(&["import", &file])
    }
}

/// Requires that the page of the program names the members of the document, beside its form.
#[track_caller]
fn documented(document: &Json, format: &str) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/cli.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let cell = format!(" | `{format}` | ");
    let row = page.lines().find_map(|it| it.split_once(&cell));
    let (_, members) = row.unwrap_or_else(|| panic!("{format} has no row"));
    // A row may have the members of another command's, as the one of `sync` has those of `import`.
    let other = members
        .strip_prefix("as `")
        .and_then(|it| it.split('`').next());
    let other = other.and_then(|it| {
        page.lines()
            .find(|line| line.starts_with(&format!("| `{it}`")))
    });
    for member in document.as_object().expect("an object").keys() {
        let word = format!("`{member}`");
        let is_named = member == "format"
            || members.contains(&word)
            || other.is_some_and(|it| it.contains(&word));
        assert!(is_named, "{format}: {word} is not documented");
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

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory") {
        let (from, name) = {
            let entry = entry.expect("an entry");
            (entry.path(), entry.file_name())
        };
        let to = to.join(name);
        if from.is_dir() {
            if !to.is_dir() {
                fs::create_dir(&to).expect("a directory");
            }
            let rights = fs::metadata(&from).expect("a directory").permissions();
            fs::set_permissions(&to, rights).expect("rights");
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).expect("a file");
        }
    }
}

/// Three who founded a shop, of whom two sign together, and a technician who is an editor of `repair`.
struct Guild {
    ann: Person,
    ben: Person,
    cat: Person,
    van: Person,
}

impl Guild {
    fn found() -> Self {
        let [ann, ben, cat, van] = [(); 4].map(|()| Person::new());
        let dids = [&ben, &cat].map(|root| {
            let key = root.json(&["key", "new", "me"]);
            key["did"].as_str().expect("a did").to_owned()
        });
        let [ben_did, cat_did] = &dids;
        let founded = ann.json(&[
            "init",
            "guild",
            "--root",
            ben_did,
            "--root",
            cat_did,
            "--tag",
            "motor/*.*=repair",
            "--tag",
            "bill/*.*=office",
        ]);
        assert_eq!(founded["quorum"], 2);
        let line = ann.says(&["invite"]);
        for root in [&ben, &cat] {
            root.says(&["join", line.trim(), "--call", "ann"]);
        }
        let joined = van.json(&["join", line.trim(), "--call", "ann"]);
        let tom = joined["did"].as_str().expect("a did");
        let role = ["--as", "tom", "--role", "editor", "--scope", "repair"];
        ann.says(&[&["add-member", tom][..], &role].concat());
        let guild = Self { ann, ben, cat, van };
        guild.meet();
        guild
    }

    /// The van writes a field three times, and two roots seal that: the van may drop two of the writes.
    fn seals_three_writes(&self) {
        let Self { ann, ben, van, .. } = self;
        for status in ["open", "waits", "repaired"] {
            van.says(&["set", "motor/7", "status", status]);
        }
        van.sends_to(ann);
        let seal = ann.op(&["seal"]);
        ann.sends_to(ben);
        ben.says(&["cosign", &seal]);
        ben.sends_to(van);
    }

    /// Everybody gets what everybody has.
    fn meet(&self) {
        let Self { ann, ben, cat, van } = self;
        for other in [ben, cat, van] {
            let file = ann.file("mail.cborseq");
            if other.run(&["export", &file, "--force"]).code == Some(0) {
                ann.says(&["import", &file]);
            }
        }
        for other in [ben, cat, van] {
            ann.sends_to(other);
        }
    }
}
