//! The document of this repository: whatever cargo says of it at the moment.

mod checks;

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use super::*;
use crate::host::network::Network;
use crate::host::workspace;
use crate::reproduce::closed;
use crate::set::citation::Citation;
use crate::set::sbom::check::check;
use crate::source::repository::Repository;
use crate::source::tree;

/// The target of the tests, so that they say the same on every machine.
const TARGET: &str = "x86_64-unknown-linux-gnu";

const EPOCH: u64 = 1_790_000_000;

/// A copy of the files of the repository, in a directory that `below` names, in which cargo can be asked.
struct Copy {
    dir: tempfile::TempDir,
    closed: Closed,
    citation: Citation,
}

impl Copy {
    fn new(below: &str) -> Self {
        let root = workspace::root().unwrap();
        let progress = Progress::new(0);
        let files = match Repository::at(&root, &progress).unwrap() {
            Some(repository) => repository.work_tree_files().unwrap(),
            None => tree::archive_files(&root).unwrap(),
        };
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().canonicalize().unwrap().join(below);
        fs::create_dir_all(&tree).unwrap();
        tree::copy_files(&root, &files, &tree).unwrap();
        let citation = Citation::of_tree(&tree, "ab".repeat(20).parse().unwrap(), 0).unwrap();
        // What the tests need is there once they are built, so that cargo needs no network.
        let request = closed::Request {
            tree: &tree,
            work: tree.parent().unwrap(),
            source_date_epoch: EPOCH,
            targets: &[TARGET],
            network: Network::ForbiddenToCargo,
        };
        let closed = Closed::prepare(&request, &progress).unwrap();
        Self {
            dir,
            closed,
            citation,
        }
    }
}

/// What the tests say of a tree.
fn subject(citation: &Citation) -> Subject<'_> {
    Subject {
        citation,
        target: TARGET,
        epoch: EPOCH,
    }
}

/// What cargo says of a copy, and the document.
struct Example {
    /// Where the copy was.
    path: PathBuf,
    citation: Citation,
    answers: Answers,
    /// The crates as cargo draws them.
    drawn: String,
    bytes: Vec<u8>,
}

impl Example {
    fn get() -> &'static Self {
        static EXAMPLE: OnceLock<Example> = OnceLock::new();
        EXAMPLE.get_or_init(|| {
            let Copy {
                dir,
                closed,
                citation,
            } = Copy::new("tree");
            let progress = Progress::new(0);
            let answers = ask(&closed, TARGET, &progress).unwrap();
            let target = format!("--target={TARGET}");
            let draw = [
                "tree",
                "--edges=normal",
                "--no-dedupe",
                "--charset=ascii",
                &target,
            ];
            let drawn = closed.read(&draw, &progress).unwrap();
            let bytes = document::render(&answers.inputs(&subject(&citation))).unwrap();
            Self {
                path: dir.path().to_owned(),
                citation,
                answers,
                drawn,
                bytes,
            }
        })
    }

    fn inputs(&self) -> Inputs<'_> {
        self.answers.inputs(&subject(&self.citation))
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap()
    }
}

fn components(bom: &Value) -> impl Iterator<Item = &Value> {
    let root = std::iter::once(&bom["metadata"]["component"]);
    root.chain(bom["components"].as_array().unwrap())
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap()
}

/// The name and version that a package URL states.
fn crate_of(purl: &str) -> String {
    let rest = purl.strip_prefix("pkg:cargo/").unwrap();
    let rest = rest.split(['?', '#']).next().unwrap();
    rest.replace('@', " v").replace("%2B", "+")
}

#[test]
fn the_components_are_the_crates_that_cargo_tree_draws() {
    let example = Example::get();
    // The drawing of one package ends at an empty line.
    let of_package = example
        .drawn
        .split("\n\n")
        .find(|drawing| drawing.starts_with("ecac-cli "))
        .unwrap();
    let drawn: BTreeSet<_> = of_package
        .lines()
        .map(|line| {
            let line = line.trim_start_matches(['|', '`', '-', ' ']);
            line.split(' ').take(2).collect::<Vec<_>>().join(" ")
        })
        .collect();

    let bom = example.json();
    let listed: Vec<_> = components(&bom)
        .map(|component| crate_of(text(component, "purl")))
        .collect();
    assert_eq!(listed.len(), drawn.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), drawn);
    for (name, is_in) in [
        ("ed25519-zebra ", true),
        ("xtask ", false),
        ("proptest ", false),
    ] {
        assert_eq!(
            drawn.iter().any(|entry| entry.starts_with(name)),
            is_in,
            "{name}"
        );
    }
}

#[test]
fn another_directory_gives_the_same_bytes_and_neither_is_in_them() {
    let example = Example::get();
    let other = Copy::new("a much deeper/directory with blanks/tree");
    let bytes = generate(&other.closed, &subject(&other.citation), &Progress::new(0)).unwrap();
    assert!(bytes == example.bytes);
    let text = String::from_utf8(bytes).unwrap();
    let paths = [other.dir.path(), &example.path, &workspace::root().unwrap()];
    let home = env::var_os("HOME").map(PathBuf::from);
    for path in paths.into_iter().chain(home.as_deref()) {
        // The home directory of some containers is `/`.
        let is_telling = path.components().count() > 1;
        let path: &Path = path;
        assert!(
            !is_telling || !text.contains(&format!("{}/", path.display())),
            "{path:?}"
        );
    }
}

#[test]
fn every_component_says_what_it_is_and_whence() {
    let bom = Example::get().json();
    for component in components(&bom) {
        let purl = text(component, "purl");
        assert_eq!(text(component, "bom-ref"), purl);
        for member in ["name", "version"] {
            assert!(!text(component, member).is_empty(), "{purl}");
        }
        assert!(!text(&component["supplier"], "name").is_empty(), "{purl}");
        let licenses = component["licenses"].as_array().unwrap();
        assert_eq!(licenses.len(), 1, "{purl}");
        let expression = licenses[0]["expression"].as_str();
        let license = expression
            .or(licenses[0]["license"]["id"].as_str())
            .unwrap();
        spdx::Expression::parse(license).unwrap();
        // The workspace's own crates have no archive; the commit in their purl stands for their bytes.
        match purl.contains("vcs_url=") {
            true => assert!(purl.contains(&"ab".repeat(20)), "{purl}"),
            false => assert_eq!(
                component["hashes"][0]["content"].as_str().unwrap().len(),
                64
            ),
        }
    }
    let scope = |name: &str| {
        let mut found = components(&bom).filter(|component| component["name"] == name);
        text(found.next().unwrap(), "scope").to_owned()
    };
    assert_eq!(
        ["ecac", "ecac-core", "serde_core"].map(scope),
        ["required"; 3]
    );
    assert_eq!(["serde_derive", "syn", "quote"].map(scope), ["excluded"; 3]);
}

#[test]
fn lists_are_sorted_and_relations_stay_inside() {
    let bom = Example::get().json();
    let names = |list: &Value, member: &str| -> Vec<String> {
        let entries = list.as_array().unwrap().iter();
        entries
            .map(|entry| text(entry, member).to_owned())
            .collect()
    };
    let components_listed = names(&bom["components"], "bom-ref");
    let described = names(&bom["dependencies"], "ref");
    assert!(components_listed.is_sorted_by(|a, b| a < b));
    assert!(described.is_sorted_by(|a, b| a < b));
    assert_eq!(described.len(), components_listed.len() + 1);
    let mut needed = BTreeSet::new();
    for dependency in bom["dependencies"].as_array().unwrap() {
        let depends_on: Vec<_> = dependency["dependsOn"]
            .as_array()
            .into_iter()
            .flatten()
            .collect();
        assert!(depends_on.is_sorted_by(|a, b| a.as_str() < b.as_str()));
        needed.extend(
            depends_on
                .into_iter()
                .map(|it| it.as_str().unwrap().to_owned()),
        );
    }
    // Everything but the program itself is there because something needs it.
    assert_eq!(needed.into_iter().collect::<Vec<_>>(), components_listed);
}

#[test]
fn time_commit_and_serial_number_are_those_of_the_inputs() {
    let example = Example::get();
    let bom = example.json();
    assert_eq!(text(&bom["metadata"], "timestamp"), "2026-09-21T14:13:20Z");
    let serial = |inputs: &Inputs<'_>| {
        let bytes = document::render(inputs).unwrap();
        let bom: Value = serde_json::from_slice(&bytes).unwrap();
        text(&bom, "serialNumber").to_owned()
    };
    let inputs = example.inputs();
    let ours = serial(&inputs);
    // RFC 9562, section 5.5: version 5, variant 10.
    assert_eq!(ours, text(&bom, "serialNumber"));
    assert!(
        ours.starts_with("urn:uuid:") && ours.as_bytes()[23] == b'5',
        "{ours}"
    );
    let mut dirty = example.citation.clone();
    dirty.commit = dirty.commit.into_dirty();
    let others = [
        Inputs {
            epoch: EPOCH + 1,
            ..inputs
        },
        Inputs {
            target: "riscv64gc-unknown-linux-gnu",
            ..inputs
        },
        Inputs {
            citation: &dirty,
            ..inputs
        },
    ];
    for other in others {
        assert_ne!(
            serial(&other),
            ours,
            "{} {}",
            other.target,
            other.citation.commit
        );
    }
}

#[test]
fn what_others_could_not_find_is_refused() {
    const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";
    const GIT: &str = "git+https://example.org/hex?rev=1#1";
    let example = Example::get();
    let check = |inputs: &Inputs<'_>, says: &str| {
        let error = format!("{:#}", document::render(inputs).unwrap_err());
        assert!(error.contains(says), "{error}");
    };
    let mut metadata: Value = serde_json::from_str(&example.answers.metadata).unwrap();
    let packages = metadata["packages"].as_array_mut().unwrap();
    let hex = packages.iter_mut().find(|it| it["name"] == "hex").unwrap();
    assert_eq!(hex["source"], CRATES_IO);
    let inputs = example.inputs();
    let mut with = |source: Value, says: &str| {
        let packages = metadata["packages"].as_array_mut().unwrap();
        let hex = packages.iter_mut().find(|it| it["name"] == "hex").unwrap();
        hex["source"] = source;
        let metadata = &metadata.to_string();
        check(&Inputs { metadata, ..inputs }, says);
    };
    with(GIT.into(), "hex 0.4.3 comes from git+https://example.org");
    with(
        "registry+https://example.org/index".into(),
        "hex 0.4.3 comes from registry+",
    );
    with(
        Value::Null,
        "hex 0.4.3 comes from a path outside of the workspace",
    );

    let lockfile = example
        .answers
        .lockfile
        .replace("name = \"hex\"", "name = \"hexes\"");
    let lockfile = &lockfile;
    check(&Inputs { lockfile, ..inputs }, "SHA-256 of hex 0.4.3");
    let drawings = example.answers.tree.split("\n\n");
    let ours = drawings.filter(|drawing| drawing.starts_with("0 ecac-cli "));
    let tree = &format!("{}\n1 ghost v1.0.0\n", ours.collect::<String>());
    check(&Inputs { tree, ..inputs }, "cargo tree names ghost 1.0.0");
    check(&Inputs { tree: "", ..inputs }, "ecac-cli");
    check(
        &Inputs {
            metadata: "{}",
            ..inputs
        },
        "cargo metadata",
    );
}
