//! The committed golden set, damaged in every way that a byte can be damaged.

use std::path::Path;

use ecac_differ::explain;

use super::*;
use crate::host::output;

/// The committed set; nothing, and a word about it, in a tree without one.
fn golden() -> Option<Listing> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/eval/golden");
    if !dir.exists() {
        output::note("SKIPPED: there is no docs/eval/golden in this tree\n");
        return None;
    }
    Some(Listing::read(&dir).unwrap())
}

/// Flips bits of one byte and puts it back afterwards.
fn flipped<T>(
    listing: &mut Listing,
    name: &str,
    position: usize,
    bits: u8,
    look: impl FnOnce(&Listing) -> T,
) -> T {
    let flip = |listing: &mut Listing| listing.files.get_mut(name).unwrap()[position] ^= bits;
    flip(listing);
    let seen = look(listing);
    flip(listing);
    seen
}

/// Where a file begins, where its second part begins, its middle, where its trailer begins, its last bytes, and its
/// first, a middle and the last newline.
fn classes(bytes: &[u8]) -> Vec<usize> {
    let length = bytes.len();
    let newlines: Vec<_> = (0..length).filter(|&at| bytes[at] == b'\n').collect();
    let mut classes = vec![0, 1, 4, 8, 10, length / 2];
    classes.extend([8, 4, 2, 1].map(|from_end| length.saturating_sub(from_end)));
    if let (Some(first), Some(last)) = (newlines.first(), newlines.last()) {
        classes.extend([*first, newlines[newlines.len() / 2], *last]);
        classes.extend(newlines.iter().take(1).map(|at| at + 1));
    }
    classes.retain(|&at| at < length);
    classes.sort_unstable();
    classes.dedup();
    classes
}

#[test]
fn a_flip_in_any_part_of_any_file_is_caught_and_placed() {
    let Some(mut golden) = golden() else { return };
    let archive = intact_archive(&golden).unwrap();
    let whole = golden.files.clone();
    let mut flips = 0;
    for (name, bytes) in &whole {
        for position in classes(bytes) {
            let set = flipped(&mut golden, name, position, 0x01, |listing| {
                match name.ends_with(".tar.gz") {
                    true => GoldenSet::check(listing).unwrap(),
                    false => GoldenSet::against(listing, Ok(&archive)).unwrap(),
                }
            });
            let named: Vec<_> = set
                .findings
                .differences
                .iter()
                .map(Difference::file)
                .collect();
            assert_eq!(named, [name], "byte {position}");
            assert_eq!(set.findings.code(), exit::MISMATCH);
            let Some(FirstDifference::Explained(first)) = &set.findings.first else {
                // What follows on a broken header of the archive has no bytes to compare.
                panic!("byte {position} of {name} has no first difference");
            };
            assert_eq!(first.offset(), Some(position), "{name}: {first}");
            flips += 1;
        }
    }
    assert!(flips > whole.len() * 9, "{flips} flips");
}

#[test]
fn a_flip_of_any_byte_of_the_tables_is_caught_with_line_and_column() {
    let Some(mut golden) = golden() else { return };
    let archive = intact_archive(&golden).unwrap();
    let whole = golden.files.clone();
    let tables = whole.iter().filter(|(name, _)| name.ends_with(".csv"));
    let mut flips = 0;
    for (name, bytes) in tables {
        let mut line = 1;
        for (position, &byte) in bytes.iter().enumerate() {
            let at = line;
            line += usize::from(byte == b'\n');
            // Of each line other bytes, and the last of each.
            if (position + at) % 5 > 0 && byte != b'\n' {
                continue;
            }
            let set = flipped(&mut golden, name, position, 0x01, |listing| {
                GoldenSet::against(listing, Ok(&archive)).unwrap()
            });
            let named: Vec<_> = set
                .findings
                .differences
                .iter()
                .map(Difference::file)
                .collect();
            assert_eq!(named, [name], "byte {position}");
            let first = set.findings.first.unwrap().to_string();
            let [says_line, says_byte] = [format!("line {at}"), format!("byte      {position}\n")];
            assert!(first.contains(&says_line), "line {at}: {first}");
            assert!(first.contains(&says_byte), "byte {position}: {first}");
            assert!(at < 3 || first.contains("column"), "{first}");
            flips += 1;
        }
    }
    assert!(flips > 1_000, "{flips} flips");
}

#[test]
fn lists_of_sums_that_repeat_a_line_or_are_not_sorted_are_caught() {
    let Some(mut golden) = golden() else { return };
    let name = Artifact::SUMS_NAME;
    let text = String::from_utf8(golden.files[name].clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    let mut repeated = lines.clone();
    repeated.insert(3, lines[3]);
    let mut unsorted = lines.clone();
    unsorted.swap(4, 5);
    for (lines, first_difference, fault) in [(repeated, 5, 5), (unsorted, 5, 6)] {
        let bytes = (lines.join("\n") + "\n").into_bytes();
        let first = explain(name, text.as_bytes(), &bytes).to_string();
        golden.files.insert(name.to_owned(), bytes);
        let findings = GoldenSet::check(&golden).unwrap().findings;
        assert_eq!(findings.code(), exit::MISMATCH);
        assert_eq!(findings.differences.len(), 1);
        assert_eq!(findings.first.unwrap().to_string(), first);
        assert!(
            first.contains(&format!("line {first_difference}")),
            "{first}"
        );
        // Without the archive nobody says what the list should be, but it still is no list.
        let mut alone = Listing {
            files: golden.files.clone(),
            irregular: BTreeMap::new(),
        };
        alone.files.retain(|name, _| !name.ends_with(".tar.gz"));
        let findings = GoldenSet::check(&alone).unwrap().findings;
        assert_eq!(findings.code(), exit::MISSING);
        let named: Vec<_> = findings.differences.iter().map(Difference::file).collect();
        assert!(named.contains(&name), "{named:?}");
        let first = findings.first.unwrap().to_string();
        assert!(first.contains(&format!("line {fault}")), "{first}");
    }
}
