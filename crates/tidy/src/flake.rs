//! `flake.lock` is what nix would write for `flake.nix`, `docs/nix.md` says what it pins, and the compiler is named in
//! one place, which rustup and the flake both read.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::toml_file::TomlFile;
use super::{Breach, File, Files, keeps, listing, numbered};

/// How the flake takes its compiler.
const READS: &str = "fromRustupToolchainFile ./rust-toolchain.toml";

/// The page that says which revisions are locked.
const PAGE: &str = "docs/nix.md";

fn flake(files: &Files) -> Vec<Breach> {
    let (Some(flake), Some(lock)) = (files.get("flake.nix"), files.get("flake.lock")) else {
        return Vec::new();
    };
    let mut breaches = compiler(files, flake);
    let page = files.get(PAGE).map(File::text).unwrap_or_default();
    let inputs = inputs(flake);
    for what in disagreements(&inputs, lock.text(), page) {
        breaches.push(Breach::new(lock, 1, what));
    }
    breaches
}

/// Where the compiler is not that of `rust-toolchain.toml`, or a version stands in a second place.
fn compiler(files: &Files, flake: &File) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if !flake.text().contains(READS) {
        let what = format!("does not say `{READS}`; take the compiler from that file");
        breaches.push(Breach::new(flake, 1, what));
    }
    let version = |path, keys: &[&str]| {
        let toml = TomlFile::at(files, path)?;
        toml.text(keys).map(str::to_owned)
    };
    let channel = version("rust-toolchain.toml", &["toolchain", "channel"]);
    let mut repeated: Vec<_> = ["version", "rust-version"]
        .iter()
        .filter_map(|key| version("Cargo.toml", &["workspace", "package", key]))
        .chain(channel)
        .collect();
    repeated.sort_by_key(|version| std::cmp::Reverse(version.len()));
    for (number, line) in numbered(flake.text()) {
        if let Some(version) = repeated.iter().find(|it| line.contains(*it)) {
            let what = format!("repeats the version {version}; read it from its file");
            breaches.push(Breach::new(flake, number, what));
        }
    }
    breaches
}

/// An input as the flake names it.
#[derive(Debug, Default)]
struct Input {
    /// What its URL says, as nix notes it.
    original: Value,
    /// Its own inputs that are taken from others of this flake.
    follows: BTreeMap<String, String>,
}

/// The inputs of the flake, each attribute of which stands on a line of its own.
fn inputs(flake: &File) -> BTreeMap<String, Input> {
    let mut inputs: BTreeMap<String, Input> = BTreeMap::new();
    let attributes = flake
        .text()
        .lines()
        .filter_map(|line| line.trim().strip_suffix("\";")?.split_once(" = \""));
    for (key, value) in attributes {
        match key.split('.').collect::<Vec<_>>()[..] {
            [name, "url"] => inputs.entry(name.to_owned()).or_default().original = github(value),
            [name, "inputs", inner, "follows"] => {
                let follows = &mut inputs.entry(name.to_owned()).or_default().follows;
                follows.insert(inner.to_owned(), value.to_owned());
            }
            _ => {}
        }
    }
    inputs
}

/// `github:OWNER/REPO/REF`, the last part of which may be missing.
fn github(url: &str) -> Value {
    let parts = url.strip_prefix("github:").unwrap_or(url).splitn(3, '/');
    let mut original = Map::new();
    for (key, part) in std::iter::zip(["owner", "repo", "ref"], parts) {
        original.insert(key.to_owned(), part.into());
    }
    original.insert("type".to_owned(), "github".into());
    original.into()
}

/// What nix would write otherwise, and what the page does not say.
fn disagreements(inputs: &BTreeMap<String, Input>, text: &str, page: &str) -> Vec<String> {
    let Ok(lock) = serde_json::from_str::<Value>(text) else {
        return vec!["no JSON; let `nix flake lock` write it".to_owned()];
    };
    let mut nodes = Map::new();
    let mut faults = Vec::new();
    for (name, Input { original, follows }) in inputs {
        let locked = &lock["nodes"][name]["locked"];
        let rev = locked["rev"].as_str().unwrap_or_default();
        let hash = locked["narHash"].as_str().unwrap_or_default();
        let is_hex = |text: &str| text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
        if rev.len() != 40 || !is_hex(rev) {
            faults.push(format!("the revision of `{name}` is `{rev}`, no commit"));
        } else if !page.contains(rev) {
            faults.push(format!("{PAGE} does not say that `{name}` is at {rev}"));
        }
        if hash.len() != 51 || !hash.starts_with("sha256-") {
            faults.push(format!("the narHash of `{name}` is `{hash}`, no SHA-256"));
        }
        let mut node = json!({
            "locked": {
                "lastModified": locked["lastModified"].as_u64(),
                "narHash": hash,
                "owner": original["owner"],
                "repo": original["repo"],
                "rev": rev,
                "type": "github",
            },
            "original": original,
        });
        if !follows.is_empty() {
            let inner = follows.iter();
            let inner: Map<_, _> = inner
                .map(|(key, path)| (key.clone(), json!([path])))
                .collect();
            node["inputs"] = inner.into();
        }
        nodes.insert(name.clone(), node);
    }
    let names: Map<_, _> = inputs
        .keys()
        .map(|name| (name.clone(), name.as_str().into()))
        .collect();
    nodes.insert("root".to_owned(), json!({ "inputs": names }));
    let expected = json!({ "nodes": nodes, "root": "root", "version": 7 });
    if format!("{expected:#}\n") != text {
        let line = std::iter::zip(format!("{expected:#}").lines(), text.lines())
            .position(|(expected, found)| expected != found);
        let line = line.map_or_else(|| "the end".to_owned(), |at| format!("line {}", at + 1));
        faults.push(format!(
            "not what nix writes for the inputs of flake.nix, from {line} on; run `nix flake lock`"
        ));
    }
    faults
}

#[test]
fn the_repository_keeps_it() {
    keeps(flake);
    let files = Files::of_repository();
    for path in ["flake.nix", "flake.lock", PAGE] {
        assert!(files.get(path).is_some(), "{path}");
    }
}

/// What the rule finds in the files of the repository when one of them is changed: parts of its lines.
#[track_caller]
fn changed(path: &str, from: &str, to: &str, expected: &[&str]) {
    let files = Files::of_repository();
    let paths = [
        "Cargo.toml",
        "docs/nix.md",
        "flake.lock",
        "flake.nix",
        "rust-toolchain.toml",
    ];
    let tree = paths.map(|it| {
        let text = files.get(it).map(File::text).unwrap_or_default();
        let text = if it == path {
            assert!(text.contains(from), "`{from}` in {path}");
            text.replacen(from, to, 1)
        } else {
            text.to_owned()
        };
        (it, text)
    });
    let report = listing(flake, &Files::of_tree(&tree));
    let agrees = report.lines().count() == expected.len()
        && std::iter::zip(report.lines(), expected).all(|(line, part)| line.contains(part));
    assert!(agrees, "expected {expected:#?}\nfound\n{report}");
}

#[test]
fn breaches_of_the_lock_are_found() {
    let lock = |from: &str, to: &str, expected: &[&str]| changed("flake.lock", from, to, expected);
    let differs = "flake.lock:1: not what nix writes";
    lock("02e0", "12e0", &["flake.lock:1: docs/nix.md does not say"]);
    lock("02e0", "main", &["flake.lock:1: the revision of `nixpkgs`"]);
    lock("sha256-Q", "Q", &["flake.lock:1: the narHash of `nixpkgs`"]);
    lock("nixos-26.05", "nixos-25.11", &[differs]);
    lock("\"version\": 7", "\"version\": 6", &[differs]);
    lock("1786711500", "\"a\"", &[differs]);
    lock("\"nixpkgs\"\n        ]", "\"root\"\n        ]", &[differs]);
    lock("  \"nodes\"", "   \"nodes\"", &[differs]);
    lock("{", "", &["flake.lock:1: no JSON"]);
}

#[test]
fn breaches_of_the_flake_are_found() {
    let nix = |from: &str, to: &str, expected: &[&str]| changed("flake.nix", from, to, expected);
    let differs = "flake.lock:1: not what nix writes";
    nix("nixos-26.05", "nixos-unstable", &[differs]);
    nix("rust-overlay.inputs.nixpkgs.follows", "a", &[differs]);
    nix("oxalica/", "oxalica/b-", &[differs]);
    nix(
        "fromRustupToolchainFile ./rust-toolchain.toml",
        "stable.\"1.95.0\".minimal",
        &["flake.nix:1: does not say", "repeats the version 1.95.0"],
    );
    nix("\"ecac\"", "\"ecac-0.1.0\"", &["repeats the version 0.1.0"]);
}
