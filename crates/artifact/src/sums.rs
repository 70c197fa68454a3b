//! `SHA256SUMS`: the digests of a set of files.
//!
//! One line per file, sorted by the bytes of the name, as `sha256sum` writes and checks them:
//!
//! ```text
//! ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  audit.jsonl
//! ```
//!
//! There is exactly one way to write given sums: [`Sums::parse`] refuses every other.

use core::fmt;
use std::collections::BTreeMap;

use thiserror::Error;

use crate::{Digest, NameFault, check_name};

/// What stands between digest and name: the text mode of `sha256sum`.
const SEPARATOR: &str = "  ";

/// The digests of a set of files by name; at least one, and every name passes [`check_name`].
///
/// Displayed as the contents of `SHA256SUMS`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sums(BTreeMap<String, Digest>);

/// Where and why a text is not the contents of a `SHA256SUMS` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("line {line}: {kind}")]
pub struct SumsError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub kind: SumsErrorKind,
}

/// What is wrong with a line of a `SHA256SUMS` file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SumsErrorKind {
    /// The file has no lines, so it vouches for nothing.
    #[error("the file is empty")]
    Empty,
    /// The last line does not end with a line feed.
    #[error("the final newline is missing")]
    MissingFinalNewline,
    /// The line does not begin with 64 lower-case hexadecimal digits.
    #[error("the line does not begin with 64 lower-case hexadecimal digits")]
    BadDigest,
    /// The digest is not followed by two spaces.
    #[error("two spaces must stand between digest and name")]
    BadSeparator,
    /// The name is not a plain file name.
    #[error("{0}")]
    BadName(NameFault),
    /// The name sorts before that of the line above.
    #[error("the names are not sorted by their bytes")]
    Unsorted,
    /// The name is that of the line above.
    #[error("the name stands twice")]
    Duplicate,
}

/// How a set of files departs from its sums.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum SumsFault {
    /// A listed file is absent.
    #[error("{name} is missing")]
    Missing {
        /// The file's name.
        name: String,
        /// The digest that the sums give.
        expected: Digest,
    },
    /// A file is present that the sums do not list.
    #[error("{} is not listed", .name.escape_debug())]
    Extra {
        /// The file's name, which can be any text.
        name: String,
        /// The digest of the file.
        actual: Digest,
    },
    /// A file's contents are not those that the sums were made from.
    #[error("{name} has digest {actual}, expected {expected}")]
    Differs {
        /// The file's name.
        name: String,
        /// The digest that the sums give.
        expected: Digest,
        /// The digest of the file.
        actual: Digest,
    },
}

impl SumsFault {
    /// The name of the file.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Missing { name, .. } | Self::Extra { name, .. } | Self::Differs { name, .. } => {
                name
            }
        }
    }
}

impl Sums {
    /// The digest of each of `files`, as [`Self::verify`] takes them. The names are not checked.
    #[must_use]
    pub fn digests(files: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Digest> {
        files
            .iter()
            .map(|(name, bytes)| (name.clone(), Digest::of(bytes)))
            .collect()
    }

    /// The sums of files whose names come from an [`crate::ExpectedSet`], which are plain.
    pub(crate) fn of_expected(files: &BTreeMap<String, Vec<u8>>) -> Self {
        Self(Self::digests(files))
    }

    /// Reads the contents of a `SHA256SUMS` file.
    ///
    /// # Errors
    ///
    /// [`SumsError`] with the first line that is not `<64 lower-case hex>  <name>\n` with a name that passes
    /// [`check_name`] and is greater than the one above.
    pub fn parse(bytes: &[u8]) -> Result<Self, SumsError> {
        let mut sums = BTreeMap::new();
        for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let fault = |kind| SumsError {
                line: index + 1,
                kind,
            };
            let (name, digest) = parse_line(line).map_err(fault)?;
            match sums.last_key_value().map(|(last, _)| name.cmp(last)) {
                Some(core::cmp::Ordering::Less) => return Err(fault(SumsErrorKind::Unsorted)),
                Some(core::cmp::Ordering::Equal) => return Err(fault(SumsErrorKind::Duplicate)),
                Some(core::cmp::Ordering::Greater) | None => {}
            }
            sums.insert(name, digest);
        }
        if sums.is_empty() {
            return Err(SumsError {
                line: 1,
                kind: SumsErrorKind::Empty,
            });
        }
        Ok(Self(sums))
    }

    /// The listed names and digests, sorted by name.
    #[must_use]
    pub fn entries(&self) -> &BTreeMap<String, Digest> {
        &self.0
    }

    /// How files with the digests `actual` depart from these sums, sorted by name; empty if they do not.
    #[must_use]
    pub fn verify(&self, actual: &BTreeMap<String, Digest>) -> Vec<SumsFault> {
        let mut faults = Vec::new();
        for (name, &expected) in &self.0 {
            let name = name.clone();
            match actual.get(&name) {
                None => faults.push(SumsFault::Missing { name, expected }),
                Some(&actual) if actual != expected => faults.push(SumsFault::Differs {
                    name,
                    expected,
                    actual,
                }),
                Some(_) => {}
            }
        }
        for (name, &actual) in actual {
            if !self.0.contains_key(name) {
                let name = name.clone();
                faults.push(SumsFault::Extra { name, actual });
            }
        }
        faults.sort_by(|a, b| a.name().cmp(b.name()));
        faults
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, digest) in &self.0 {
            writeln!(f, "{digest}{SEPARATOR}{name}")?;
        }
        Ok(())
    }
}

fn parse_line(line: &[u8]) -> Result<(String, Digest), SumsErrorKind> {
    let line = line
        .strip_suffix(b"\n")
        .ok_or(SumsErrorKind::MissingFinalNewline)?;
    let (digest, rest) = line
        .split_first_chunk::<64>()
        .ok_or(SumsErrorKind::BadDigest)?;
    let digest = core::str::from_utf8(digest)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(SumsErrorKind::BadDigest)?;
    let name = rest
        .strip_prefix(SEPARATOR.as_bytes())
        .ok_or(SumsErrorKind::BadSeparator)?;
    let name =
        core::str::from_utf8(name).map_err(|_| SumsErrorKind::BadName(NameFault::Character))?;
    check_name(name).map_err(SumsErrorKind::BadName)?;
    Ok((name.to_owned(), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[&str]) -> BTreeMap<String, Vec<u8>> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), name.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn text_is_what_sha256sum_writes() {
        // Output of `printf a > a; printf b > b; LC_ALL=C sha256sum a b` (GNU coreutils 9.1).
        let text = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb  a\n\
                    3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d  b\n";
        let sums = Sums::of_expected(&files(&["b", "a"]));
        assert_eq!(sums.to_string(), text);
        assert_eq!(Sums::parse(text.as_bytes()), Ok(sums));
    }

    #[test]
    fn every_other_way_to_write_them_is_refused() {
        use SumsErrorKind::*;
        let digest = "0123456789abcdef".repeat(4);
        let upper = digest.to_uppercase();
        let long = "n".repeat(101);
        for (text, line, kind) in [
            (String::new(), 1, Empty),
            ("\n".to_owned(), 1, BadDigest),
            (format!("{digest}  a"), 1, MissingFinalNewline),
            (format!("{digest}  a\n{digest}  b"), 2, MissingFinalNewline),
            (format!("{digest}  a\n\n"), 2, BadDigest),
            (format!("# sums\n{digest}  a\n"), 1, BadDigest),
            (format!("{upper}  a\n"), 1, BadDigest),
            (format!("{}  a\n", &digest[1..]), 1, BadDigest),
            (format!("\\{digest}  a\n"), 1, BadDigest),
            (format!("\u{feff}{digest}  a\n"), 1, BadDigest),
            (format!("{digest}0  a\n"), 1, BadSeparator),
            (format!("{digest} a\n"), 1, BadSeparator),
            (format!("{digest} *a\n"), 1, BadSeparator),
            (format!("{digest}\n"), 1, BadSeparator),
            (format!("{digest}  \n"), 1, BadName(NameFault::Empty)),
            (format!("{digest}   a\n"), 1, BadName(NameFault::Character)),
            (format!("{digest}  a\r\n"), 1, BadName(NameFault::Character)),
            (format!("{digest}  ä\n"), 1, BadName(NameFault::Character)),
            (format!("{digest}  ..\n"), 1, BadName(NameFault::Dots)),
            (
                format!("{digest}  ../a\n"),
                1,
                BadName(NameFault::Separator),
            ),
            (format!("{digest}  ./a\n"), 1, BadName(NameFault::Separator)),
            (
                format!("{digest}  a\\b\n"),
                1,
                BadName(NameFault::Separator),
            ),
            (
                format!("{digest}  {long}\n"),
                1,
                BadName(NameFault::TooLong),
            ),
            (format!("{digest}  b\n{digest}  a\n"), 2, Unsorted),
            (format!("{digest}  a\n{digest}  B\n"), 2, Unsorted),
            (format!("{digest}  a\n{digest}  a\n"), 2, Duplicate),
        ] {
            assert_eq!(
                Sums::parse(text.as_bytes()),
                Err(SumsError { line, kind }),
                "{text:?}"
            );
        }
        let mut not_utf8 = format!("{digest}  a").into_bytes();
        not_utf8.extend(b"\xff\n");
        let error = Sums::parse(&not_utf8).unwrap_err();
        assert_eq!(error.kind, BadName(NameFault::Character));
    }

    #[test]
    fn every_byte_flip_is_refused_or_changes_the_sums() {
        let sums = Sums::of_expected(&files(&["a.csv", "b-1.json", "c"]));
        let bytes = sums.to_string().into_bytes();
        for position in 0..bytes.len() {
            for mask in 1..=u8::MAX {
                let mut flipped = bytes.clone();
                flipped[position] ^= mask;
                assert_ne!(
                    Sums::parse(&flipped).as_ref(),
                    Ok(&sums),
                    "{position} {mask}"
                );
            }
        }
    }

    #[test]
    fn faults_name_the_file_and_both_digests() {
        let sums = Sums::of_expected(&files(&["a", "b", "c"]));
        let mut actual = files(&["b", "c", "d\n"]);
        actual.insert("c".to_owned(), b"changed".to_vec());
        let actual = Sums::digests(&actual);
        let faults = sums.verify(&actual);
        assert_eq!(
            faults,
            [
                SumsFault::Missing {
                    name: "a".to_owned(),
                    expected: Digest::of(b"a")
                },
                SumsFault::Differs {
                    name: "c".to_owned(),
                    expected: Digest::of(b"c"),
                    actual: Digest::of(b"changed")
                },
                SumsFault::Extra {
                    name: "d\n".to_owned(),
                    actual: Digest::of(b"d\n")
                },
            ]
        );
        assert_eq!(faults[2].to_string(), "d\\n is not listed");
        assert_eq!(sums.verify(&Sums::digests(&files(&["a", "b", "c"]))), []);
    }
}
