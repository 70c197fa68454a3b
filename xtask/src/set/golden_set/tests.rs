//! Every fault in a golden set is named and placed.

use std::fs;
use std::path::Path;

use ecac_artifact::{ArtifactSet, Published};

use super::*;
use crate::host::error::exit_code;
use crate::set::example::example;

const COMMIT: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// A small set in good order.
fn published() -> Published {
    let mut manifest = example(COMMIT);
    manifest.scenarios.truncate(1);
    let commit: Commit = COMMIT.parse().unwrap();
    let expected = manifest.parameters().unwrap().expected(&commit).unwrap();
    let files = expected
        .summed()
        .map(|name| {
            let bytes = match name {
                "manifest.json" => manifest.to_bytes(),
                _ => format!("{{\"{name}\":1}}\n").into_bytes(),
            };
            (name.to_owned(), bytes)
        })
        .collect();
    ArtifactSet::new(expected, files)
        .unwrap()
        .publish()
        .unwrap()
}

fn listing(files: BTreeMap<String, Vec<u8>>) -> Listing {
    Listing {
        files,
        irregular: BTreeMap::new(),
    }
}

/// The findings after `change`, or the code and text of the error.
fn after(change: impl FnOnce(&mut Listing)) -> Result<Findings, (u8, String)> {
    let mut listing = listing(published().files);
    change(&mut listing);
    match GoldenSet::check(&listing) {
        Ok(set) => Ok(set.findings),
        Err(error) => Err((exit_code(&error), error.to_string())),
    }
}

fn check(change: impl FnOnce(&mut Listing), code: u8, file: &str) {
    match after(change) {
        Ok(findings) => {
            assert_eq!(findings.code(), code, "{}", findings.text());
            assert!(
                findings
                    .differences
                    .iter()
                    .any(|difference| difference.file() == file),
                "{file} in {}",
                findings.text()
            );
        }
        Err((found, text)) => {
            assert_eq!(found, code, "{text}");
            assert!(text.contains(file), "{file} in {text}");
        }
    }
}

fn tarball() -> String {
    format!("ecac-artifacts-{COMMIT}.tar.gz")
}

#[test]
fn a_set_in_order_has_no_findings_and_says_what_it_is() {
    let set = GoldenSet::check(&listing(published().files)).unwrap();
    assert!(set.findings.is_empty(), "{}", set.findings.text());
    assert_eq!(set.commit.hash(), COMMIT);
    assert_eq!(set.parameters.scenarios, ["hb-chain"]);
    assert_eq!((set.parameters.seed, set.parameters.ops), (42, 500));
}

#[test]
fn any_flipped_byte_of_any_file_is_found_named_and_placed() {
    let files = published().files;
    for (name, bytes) in &files {
        for position in 0..bytes.len() {
            let bit = [0x01, 0x20][position % 2];
            let mut files = files.clone();
            files.get_mut(name).unwrap()[position] ^= bit;
            let set = GoldenSet::check(&listing(files))
                .unwrap_or_else(|error| panic!("{name} at {position}: {error}"));
            let named: Vec<_> = set
                .findings
                .differences
                .iter()
                .map(Difference::file)
                .collect();
            assert_eq!(named, [name], "byte {position} of {name}");
            assert_eq!(set.findings.code(), exit::MISMATCH);
            let first = set.findings.first.unwrap().to_string();
            assert!(!first.is_empty(), "byte {position} of {name}");
        }
    }
}

#[test]
fn every_file_that_is_removed_renamed_truncated_or_emptied_is_named() {
    for name in published().files.keys() {
        check(|set| _ = set.files.remove(name), exit::MISSING, name);
        check(
            |set| {
                let bytes = set.files.remove(name).unwrap();
                set.files.insert(format!("{name}.orig"), bytes);
            },
            exit::MISSING,
            name,
        );
        check(
            |set| set.files.get_mut(name).unwrap().clear(),
            exit::MISMATCH,
            name,
        );
        check(
            |set| _ = set.files.get_mut(name).unwrap().pop(),
            exit::MISMATCH,
            name,
        );
        check(
            |set| set.files.get_mut(name).unwrap().push(b'\n'),
            exit::MISMATCH,
            name,
        );
        check(
            |set| {
                set.files.remove(name);
                set.irregular.insert(name.clone(), "a symbolic link");
            },
            exit::MISMATCH,
            name,
        );
    }
}

#[test]
fn what_does_not_belong_is_extra() {
    check(
        |set| _ = set.files.insert("notes.txt".to_owned(), vec![]),
        exit::EXTRA,
        "notes.txt",
    );
    check(
        |set| _ = set.irregular.insert("old".to_owned(), "a directory"),
        exit::EXTRA,
        "old",
    );
    let second = format!("ecac-artifacts-{}.tar.gz", "0".repeat(40));
    check(
        |set| _ = set.files.insert(second.clone(), vec![1]),
        exit::EXTRA,
        &second,
    );
}

#[test]
fn two_faults_are_both_named_also_when_the_archive_is_one_of_them() {
    let findings = after(|set| {
        set.files
            .insert("hb-chain-42.csv".to_owned(), b"forged".to_vec());
        set.files.get_mut(&tarball()).unwrap().pop();
    })
    .unwrap();
    let named: Vec<_> = findings.differences.iter().map(Difference::file).collect();
    assert_eq!(named, [&tarball(), "hb-chain-42.csv"]);
}

#[test]
fn an_archive_packed_in_another_way_is_a_mismatch() {
    // A stored deflate block around the same tar file: the contents are right, the bytes are not.
    let archive = published();
    let unpacked = archive::unpack(&archive.files[&tarball()], &Limits::default()).unwrap();
    let tar = unpacked.repack().unwrap().tar;
    let mut other = archive.files[&tarball()].clone();
    let trailer = other.split_off(other.len() - 8);
    other.truncate(10);
    for (index, chunk) in tar.chunks(0xffff).enumerate() {
        let last = (index + 1) * 0xffff >= tar.len();
        let length = u16::try_from(chunk.len()).unwrap();
        other.push(u8::from(last));
        other.extend(length.to_le_bytes());
        other.extend((!length).to_le_bytes());
        other.extend(chunk);
    }
    other.extend(trailer);
    check(
        |set| _ = set.files.insert(tarball(), other),
        exit::MISMATCH,
        &tarball(),
    );
}

#[test]
fn a_set_without_any_manifest_is_missing_one() {
    let (code, text) = after(|set| {
        set.files.remove("manifest.json");
        set.files.remove(&tarball());
    })
    .unwrap_err();
    assert_eq!(code, exit::MISSING);
    assert!(text.contains("manifest.json"), "{text}");
}

#[test]
fn links_in_a_directory_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let write = |path: &Path, bytes: &[u8]| fs::write(path, bytes).unwrap();
    for (name, bytes) in &published().files {
        write(&dir.path().join(name), bytes);
    }
    assert!(
        GoldenSet::check(&Listing::read(dir.path()).unwrap())
            .unwrap()
            .findings
            .is_empty()
    );

    #[cfg(unix)]
    {
        let elsewhere = tempfile::tempdir().unwrap();
        let (inside, outside) = (
            dir.path().join("audit.jsonl"),
            elsewhere.path().join("same"),
        );
        fs::rename(&inside, &outside).unwrap();
        std::os::unix::fs::symlink(&outside, &inside).unwrap();
        let set = GoldenSet::check(&Listing::read(dir.path()).unwrap()).unwrap();
        assert_eq!(
            set.findings.differences,
            [Difference::Irregular {
                file: "audit.jsonl".to_owned(),
                found: "a symbolic link"
            }]
        );
    }
}
