//! Differences between a set of files and what it should be.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use ecac_artifact::{Artifact, Digest, Part, exit};
use ecac_differ::{Explanation, explain};
use serde::Serialize;

/// One file that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Difference {
    /// Other bytes.
    Mismatch {
        /// The name of the file.
        file: String,
        /// SHA-256 of what it should be, where that is known.
        expected_sha256: Option<String>,
        /// SHA-256 of what it is.
        actual_sha256: String,
    },
    /// Not a regular file.
    Irregular {
        /// The name of the entry.
        file: String,
        /// What it is instead.
        found: &'static str,
    },
    /// Absent.
    Missing {
        /// The name of the file.
        file: String,
        /// SHA-256 of what it should be, where that is known.
        expected_sha256: Option<String>,
    },
    /// Present, and not part of the set.
    Extra {
        /// The name of the file.
        file: String,
        /// SHA-256 of what it is, where it is a regular file.
        actual_sha256: Option<String>,
    },
}

impl Difference {
    /// A file with other bytes.
    pub fn mismatch(file: &str, expected: Option<Digest>, actual: &[u8]) -> Self {
        Self::Mismatch {
            file: file.to_owned(),
            expected_sha256: expected.map(|digest| digest.to_string()),
            actual_sha256: Digest::of(actual).to_string(),
        }
    }

    /// An absent file.
    pub fn missing(file: &str, expected: Option<Digest>) -> Self {
        Self::Missing {
            file: file.to_owned(),
            expected_sha256: expected.map(|digest| digest.to_string()),
        }
    }

    /// A file too many.
    pub fn extra(file: &str, actual: Option<&[u8]>) -> Self {
        Self::Extra {
            file: file.to_owned(),
            actual_sha256: actual.map(|bytes| Digest::of(bytes).to_string()),
        }
    }

    /// The name of the file.
    pub fn file(&self) -> &str {
        match self {
            Self::Mismatch { file, .. }
            | Self::Irregular { file, .. }
            | Self::Missing { file, .. }
            | Self::Extra { file, .. } => file,
        }
    }

    /// The exit code of this kind of difference.
    fn code(&self) -> u8 {
        match self {
            Self::Mismatch { .. } | Self::Irregular { .. } => exit::MISMATCH,
            Self::Missing { .. } => exit::MISSING,
            Self::Extra { .. } => exit::EXTRA,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unknown =
            |digest: &Option<String>| digest.clone().unwrap_or_else(|| "unknown".to_owned());
        match self {
            Self::Mismatch {
                file,
                expected_sha256,
                actual_sha256,
            } => {
                let expected = unknown(expected_sha256);
                write!(
                    f,
                    "mismatch  {file}\n  expected  {expected}\n  actual    {actual_sha256}"
                )
            }
            Self::Irregular { file, found } => {
                write!(
                    f,
                    "mismatch  {file}\n  expected  a regular file\n  actual    {found}"
                )
            }
            Self::Missing {
                file,
                expected_sha256,
            } => write!(
                f,
                "missing   {file}\n  expected  {}",
                unknown(expected_sha256)
            ),
            Self::Extra {
                file,
                actual_sha256,
            } => {
                let file = file.escape_debug();
                write!(
                    f,
                    "extra     {file}\n  actual    {}",
                    unknown(actual_sha256)
                )
            }
        }
    }
}

/// The first difference, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FirstDifference {
    /// In the file's own terms.
    Explained(Box<Explanation>),
    /// As a sentence, where the bytes that should be there are unknown.
    Told {
        /// The name of the file.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

impl FirstDifference {
    /// The first difference between two versions of a file.
    pub fn between(file: &str, expected: &[u8], actual: &[u8]) -> Self {
        Self::Explained(Box::new(explain(file, expected, actual)))
    }

    /// A sentence about a file.
    pub fn told(file: &str, problem: impl Into<String>) -> Self {
        Self::Told {
            name: file.to_owned(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for FirstDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explained(explanation) => explanation.fmt(f),
            Self::Told { name, problem } => write!(f, "{name}: {problem}"),
        }
    }
}

/// Every difference, and the first explained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Each file that is not as it should be.
    pub differences: Vec<Difference>,
    /// The difference that is nearest to the cause.
    pub first: Option<FirstDifference>,
}

impl Findings {
    /// True where everything is as it should be.
    pub fn is_empty(&self) -> bool {
        self.differences.is_empty()
    }

    /// The exit code: missing before extra before mismatch, since a file that is not there is the gravest.
    pub fn code(&self) -> u8 {
        let has = |code| {
            self.differences
                .iter()
                .any(|difference| difference.code() == code)
        };
        [exit::MISSING, exit::EXTRA, exit::MISMATCH]
            .into_iter()
            .find(|code| has(*code))
            .unwrap_or(exit::SUCCESS)
    }

    /// How many files are missing, extra and different.
    pub fn count(&self) -> String {
        let count = |code| {
            self.differences
                .iter()
                .filter(|difference| difference.code() == code)
                .count()
        };
        format!(
            "{} differing, {} missing, {} extra",
            count(exit::MISMATCH),
            count(exit::MISSING),
            count(exit::EXTRA)
        )
    }

    /// The text form: every difference, then the first, explained.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for difference in &self.differences {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{difference}");
        }
        if let Some(first) = &self.first {
            let _ = write!(text, "\nfirst difference\n{first}");
            if !text.ends_with('\n') {
                text.push('\n');
            }
        }
        text
    }

    /// Compares two sets of files by names and bytes.
    pub fn between(
        expected: &BTreeMap<String, Vec<u8>>,
        actual: &BTreeMap<String, Vec<u8>>,
    ) -> Self {
        let mut findings = Self::default();
        let mut differing = Vec::new();
        for (name, bytes) in expected {
            match actual.get(name) {
                None => findings
                    .differences
                    .push(Difference::missing(name, Some(Digest::of(bytes)))),
                Some(other) if other != bytes => {
                    let digest = Some(Digest::of(bytes));
                    findings
                        .differences
                        .push(Difference::mismatch(name, digest, other));
                    differing.push((name.as_str(), bytes.as_slice(), other.as_slice()));
                }
                Some(_) => {}
            }
        }
        for (name, bytes) in actual {
            if !expected.contains_key(name) {
                findings
                    .differences
                    .push(Difference::extra(name, Some(bytes)));
            }
        }
        findings.first = first_of(&differing);
        findings
    }
}

/// The difference nearest to the cause: files that follow from others come later.
pub fn first_of(differing: &[(&str, &[u8], &[u8])]) -> Option<FirstDifference> {
    differing
        .iter()
        .min_by_key(|(name, _, _)| (distance(name), *name))
        .map(|(name, expected, actual)| FirstDifference::between(name, expected, actual))
}

/// How far a file is from the cause of a difference: op logs decide everything, sums and archive follow from all.
fn distance(name: &str) -> usize {
    const AFTER_PARTS: usize = 16;
    let parts = [Part::Ops, Part::Csv, Part::Timeline, Part::State];
    if let Some(position) = parts.iter().position(|part| name.ends_with(part.suffix())) {
        return position;
    }
    match name {
        Artifact::SUMS_NAME => AFTER_PARTS + 1,
        _ if name.ends_with(".tar.gz") => AFTER_PARTS + 2,
        _ => AFTER_PARTS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(files: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
        files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect()
    }

    #[test]
    fn each_kind_of_difference_has_its_code_and_the_gravest_wins() {
        let expected = set(&[("a.json", "1"), ("b.csv", "x\n1\n")]);
        let check = |actual: &[(&str, &str)], code: u8| {
            let findings = Findings::between(&expected, &set(actual));
            assert_eq!(findings.code(), code, "{actual:?}: {}", findings.text());
            findings
        };
        check(&[("a.json", "1"), ("b.csv", "x\n1\n")], exit::SUCCESS);
        check(&[("a.json", "2"), ("b.csv", "x\n1\n")], exit::MISMATCH);
        check(&[("a.json", "1")], exit::MISSING);
        check(
            &[("a.json", "1"), ("b.csv", "x\n1\n"), ("c", "")],
            exit::EXTRA,
        );
        check(
            &[("a.json", "2"), ("b.csv", "x\n1\n"), ("c", "")],
            exit::EXTRA,
        );
        let renamed = check(&[("a.json", "2"), ("B.csv", "x\n1\n")], exit::MISSING);
        assert_eq!(renamed.count(), "1 differing, 1 missing, 1 extra");
    }

    #[test]
    fn the_first_difference_is_the_one_nearest_to_the_cause() {
        let names = [
            "SHA256SUMS",
            "manifest.json",
            "hb-chain-42.csv",
            "hb-chain-42-ops.cborseq",
            "x.tar.gz",
        ];
        let mut sorted = names;
        sorted.sort_by_key(|name| distance(name));
        assert_eq!(
            sorted,
            [
                "hb-chain-42-ops.cborseq",
                "hb-chain-42.csv",
                "manifest.json",
                "SHA256SUMS",
                "x.tar.gz"
            ]
        );
        let expected = set(&[("SHA256SUMS", "a"), ("a-1.csv", "head,two\n1,2\n")]);
        let actual = set(&[("SHA256SUMS", "b"), ("a-1.csv", "head,two\n1,3\n")]);
        let text = Findings::between(&expected, &actual).text();
        assert!(text.contains("two"), "{text}");
    }
}
