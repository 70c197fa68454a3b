//! Every target over its corpus, its crashers, and mutations of both: fuzzing as far as it fits into the
//! ordinary tests.
#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod meeting;
mod mutation;
mod scripts;
mod seeds;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use ecac_core::{Body, Kind};
use ecac_fuzz::{Reading, Run, TARGETS};

use crate::mutation::Mutator;

/// Mutations of each target.
const MUTATIONS: usize = 200;
/// Largest size of all corpora together, in bytes.
const CORPUS_BYTES_MAX: usize = 500_000;

/// Where the inputs of a kind are, `corpus` or `crashers`.
fn directory(kind: &str, target: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join(kind).join(target)
}

/// The files of a directory by name, sorted; none if it is not there.
fn inputs(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(directory) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn all_inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let mut all = inputs(&directory("corpus", target));
    assert!(!all.is_empty(), "the corpus of {target} is empty");
    all.extend(inputs(&directory("crashers", target)));
    all
}

/// Runs a target; where it panics, says on what.
fn run(target: &str, run: Run, name: &str, data: &[u8]) -> Reading {
    catch_unwind(AssertUnwindSafe(|| run(data))).unwrap_or_else(|_| {
        let hex = hex::encode(data);
        panic!(
            "{target} breaks on {name}; to keep it as a test:\n\
             echo {hex} | xxd -r -p > crates/fuzz/crashers/{target}/NAME"
        )
    })
}

fn find(target: &str) -> Run {
    let found = TARGETS.iter().find(|(name, _)| *name == target);
    found.expect("every target is in the table").1
}

/// Runs the corpus, in which there has to be what is accepted and what is refused; then the mutations.
fn check(target: &str) {
    let inputs = all_inputs(target);
    let function = find(target);
    let mut readings: Vec<_> = inputs
        .iter()
        .map(|(name, data)| run(target, function, name, data))
        .collect();
    readings.sort_unstable();
    readings.dedup();
    assert_eq!(readings, [Reading::Accepted, Reading::Refused], "{target}");
    let mut mutator = Mutator::new(target);
    for number in 0..MUTATIONS {
        let (name, data) = mutator.next(&inputs);
        let name = format!("mutation {number}, of {name}");
        run(target, function, &name, &data);
    }
}

macro_rules! targets {
    ($($test:ident $target:literal)*) => {
        $(
            #[test]
            fn $test() {
                check($target);
            }
        )*

        #[test]
        fn every_target_has_its_test_its_binary_and_its_corpus() {
            let tested = [$($target),*];
            let names: Vec<_> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, tested);
            let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            for directory in ["fuzz_targets", "corpus"] {
                let entries = fs::read_dir(root.join(directory)).unwrap();
                let mut found: Vec<_> =
                    entries.map(|entry| stem(&entry.unwrap().path())).collect();
                found.sort();
                let mut names = names.clone();
                names.sort_unstable();
                assert_eq!(found, names, "{directory}");
            }
        }
    };
}

targets! {
    op_decode "op-decode"
    credential "credential"
    status_list "status-list"
    op_log "op-log"
    audit_log "audit-log"
    sha256sums "sha256sums"
    tar "tar"
    csv_differ "csv-differ"
    json_differ "json-differ"
    sync "sync"
    mailbox "mailbox"
    carried "carried"
}

#[test]
fn the_corpora_stay_small() {
    let corpora = TARGETS.iter().flat_map(|(name, _)| all_inputs(name));
    let bytes: usize = corpora.map(|(_, data)| data.len()).sum();
    assert!(bytes <= CORPUS_BYTES_MAX, "{bytes} bytes");
}

/// A kind of payload that no seed has is one that mutations hardly come to.
#[test]
fn every_kind_of_payload_has_its_seed() {
    let seeds = directory("corpus", "op-decode");
    for kind in Kind::ALL {
        let seed = seeds.join(format!("seed-body-{}", kind.name()));
        let data = fs::read(&seed).expect("a body of each kind");
        let body = Body::decode(&data).expect("a body");
        assert_eq!(body.payload.known_kind(), Some(*kind));
    }
}

/// Writes the seeds anew, and leaves what fuzzing has added.
#[test]
#[ignore = "writes crates/fuzz/corpus"]
fn write_seeds() {
    for (target, _) in TARGETS {
        let directory = directory("corpus", target);
        fs::create_dir_all(&directory).unwrap();
        for (path, _) in inputs(&directory) {
            let is_seed = |name: &std::ffi::OsStr| name.to_str().unwrap().starts_with("seed-");
            if Path::new(&path).file_name().is_some_and(is_seed) {
                fs::remove_file(path).unwrap();
            }
        }
        let seeds = match *target {
            "sync" => meeting::sync(),
            "mailbox" => meeting::mailbox(),
            other => seeds::of(other),
        };
        for (name, data) in seeds {
            fs::write(directory.join(format!("seed-{name}")), data).unwrap();
        }
    }
}
