//! Fixtures: a JWT under lines that state its verdict.

use std::fs::{read_dir, read_to_string};

use ecac_core::PublicKey;
use serde_json::Value;

/// Where a test binary of this crate finds them: it runs in the folder of its manifest.
const FOLDER: &str = "tests/foreign/fixtures";

/// Which reader a fixture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Credential,
    StatusList,
}

/// One file of the folder.
#[derive(Debug)]
pub(crate) struct Fixture {
    /// The file's name without `.jwt`.
    pub(crate) name: String,
    /// `accepted`, `forged` (read, but not signed by `key`) or `refused` and the error.
    pub(crate) expect: String,
    /// Whether the W3C's specifications allow it.
    pub(crate) w3c_valid: bool,
    pub(crate) kind: Kind,
    /// The issuer's key.
    pub(crate) key: PublicKey,
    /// What is in it, unless it is refused.
    pub(crate) reads: Option<Value>,
    pub(crate) jwt: String,
}

impl Fixture {
    fn parse(name: &str, text: &str) -> Self {
        let (head, jwt) = text.split_once("\n\n").expect("an empty line");
        let line = |label: &str| {
            let mut lines = head.lines();
            lines.find_map(|line| line.strip_prefix(label)?.strip_prefix(": "))
        };
        let needed = |label: &str| line(label).unwrap_or_else(|| panic!("{name}: no `{label}`"));
        assert!(head.starts_with("expect: "), "{name}: the verdict is first");
        assert!(!needed("by").is_empty(), "{name}");
        Self {
            name: name.to_owned(),
            expect: needed("expect").to_owned(),
            w3c_valid: match needed("w3c").split(',').next() {
                Some("valid") => true,
                Some("invalid") => false,
                _ => panic!("{name}: `w3c` is `valid` or `invalid`"),
            },
            kind: match needed("kind") {
                "credential" => Kind::Credential,
                "status list" => Kind::StatusList,
                other => panic!("{name}: no reader for a {other}"),
            },
            key: needed("key").parse().expect("a did:key"),
            reads: line("reads").map(|json| serde_json::from_str(json).expect("JSON")),
            jwt: jwt.strip_suffix('\n').expect("a last line").to_owned(),
        }
    }

    /// The fixture of this name.
    pub(crate) fn named(name: &str) -> Self {
        let path = format!("{FOLDER}/{name}.jwt");
        let text = read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self::parse(name, &text)
    }
}

/// Every fixture, by name.
pub(crate) fn all() -> Vec<Fixture> {
    let mut names: Vec<String> = read_dir(FOLDER)
        .expect("the folder of fixtures")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|file| file.into_string().expect("a name in UTF-8"))
        .collect();
    names.sort();
    let stem = |file: &String| {
        let name = file.strip_suffix(".jwt").expect("a fixture");
        Fixture::named(name)
    };
    names.iter().map(stem).collect()
}
