//! The exact set of files that a reproduction consists of.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::{Artifact, Commit, Part, Single, check_name};

/// Longest scenario name, in bytes; leaves room for a seed of 20 digits and the longest suffix in a file name.
const SCENARIO_BYTES_MAX: usize = 60;

/// The files of one artifact set by name: no more, no fewer.
///
/// Names come out sorted by their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedSet {
    files: BTreeMap<String, Artifact>,
    commit: Commit,
}

/// Why a list of scenarios describes no artifact set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScenarioError {
    /// The list is empty.
    #[error("no scenario is named")]
    None,
    /// A name that cannot be part of a file name.
    #[error("`{}` is not a scenario name (1 to 60 of a-z, 0-9 and -)", .0.escape_debug())]
    BadName(String),
    /// A name that stands twice in the list.
    #[error("scenario `{0}` is named twice")]
    Duplicate(String),
}

impl ExpectedSet {
    /// The set that running `scenarios` with `seed` at `commit` must produce. The order of `scenarios` does not
    /// matter.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] if the list is empty, holds a name twice, or one that is not 1 to 60 characters of
    /// `a-z`, `0-9` and `-`.
    pub fn new(scenarios: &[&str], seed: u64, commit: &Commit) -> Result<Self, ScenarioError> {
        if scenarios.is_empty() {
            return Err(ScenarioError::None);
        }
        let mut seen = BTreeSet::new();
        let mut artifacts = vec![Artifact::Sums, Artifact::Tarball];
        artifacts.extend(Single::ALL.iter().copied().map(Artifact::Single));
        for scenario in scenarios {
            check_scenario(scenario)?;
            if !seen.insert(*scenario) {
                return Err(ScenarioError::Duplicate((*scenario).to_owned()));
            }
            artifacts.extend(Part::ALL.iter().map(|&part| Artifact::Run {
                scenario: (*scenario).to_owned(),
                part,
            }));
        }
        let count = artifacts.len();
        let files: BTreeMap<_, _> = artifacts
            .into_iter()
            .map(|artifact| (artifact.file_name(seed, commit), artifact))
            .collect();
        assert_eq!(files.len(), count, "two artifacts share a file name");
        assert!(files.keys().all(|name| check_name(name).is_ok()));
        Ok(Self {
            files,
            commit: commit.clone(),
        })
    }

    /// The commit that the set cites.
    #[must_use]
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// Every file, sorted by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Artifact)> {
        self.files
            .iter()
            .map(|(name, artifact)| (name.as_str(), artifact))
    }

    /// Every file name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files().map(|(name, _)| name)
    }

    /// The names that `SHA256SUMS` lists, sorted: all but `SHA256SUMS` and the tarball.
    pub fn summed(&self) -> impl Iterator<Item = &str> {
        self.files()
            .filter(|(_, artifact)| artifact.is_summed())
            .map(|(name, _)| name)
    }

    /// The names that the tarball contains, sorted: all but the tarball.
    pub fn packed(&self) -> impl Iterator<Item = &str> {
        self.files()
            .filter(|(_, artifact)| artifact.is_packed())
            .map(|(name, _)| name)
    }

    /// The name of the tarball.
    #[must_use]
    pub fn tarball(&self) -> String {
        Artifact::Tarball.file_name(0, &self.commit)
    }

    /// Which artifact the file `name` is, if the set has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Artifact> {
        self.files.get(name)
    }

    /// How the names found in a directory differ from the whole set.
    pub fn compare<N: AsRef<str>>(&self, actual: impl IntoIterator<Item = N>) -> SetDifference {
        SetDifference::between(self.names(), actual)
    }
}

fn check_scenario(name: &str) -> Result<(), ScenarioError> {
    let is_plain = name
        .bytes()
        .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if name.is_empty() || name.len() > SCENARIO_BYTES_MAX || !is_plain {
        return Err(ScenarioError::BadName(name.to_owned()));
    }
    Ok(())
}

/// How a set of names differs from the expected one. Both lists are sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Error)]
#[error("the files are not the expected set{}{}", list("missing", .missing), list("extra", .extra))]
pub struct SetDifference {
    /// Names that are expected and absent.
    pub missing: Vec<String>,
    /// Names that are present and not expected.
    pub extra: Vec<String>,
}

impl SetDifference {
    /// The difference between two collections of names, in any order.
    pub fn between<E: AsRef<str>, A: AsRef<str>>(
        expected: impl IntoIterator<Item = E>,
        actual: impl IntoIterator<Item = A>,
    ) -> Self {
        let owned = |name: &str| name.to_owned();
        let expected: BTreeSet<_> = expected.into_iter().map(|n| owned(n.as_ref())).collect();
        let actual: BTreeSet<_> = actual.into_iter().map(|n| owned(n.as_ref())).collect();
        Self {
            missing: expected.difference(&actual).cloned().collect(),
            extra: actual.difference(&expected).cloned().collect(),
        }
    }

    /// Whether the two sets are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.extra.is_empty()
    }
}

fn list(label: &str, names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    let names: Vec<_> = names
        .iter()
        .map(|name| name.escape_debug().to_string())
        .collect();
    format!("; {label}: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn set(scenarios: &[&str]) -> ExpectedSet {
        ExpectedSet::new(scenarios, 42, &HASH.parse().unwrap()).unwrap()
    }

    #[test]
    fn names_of_the_four_scenarios() {
        let set = set(&["partition-3", "hb-chain", "offline-revoke", "concurrent"]);
        let names: Vec<_> = set.names().collect();
        // The layout that the pipeline's specification fixes, in byte order.
        let expected = "SHA256SUMS audit.jsonl audit.verify.txt \
            concurrent-42-ops.cborseq concurrent-42-state.json concurrent-42-timeline.jsonl concurrent-42.csv \
            ecac-artifacts-0123456789abcdef0123456789abcdef01234567.tar.gz \
            fig-replay-cost.png fig-rollbacks.png fig-winners.png \
            hb-chain-42-ops.cborseq hb-chain-42-state.json hb-chain-42-timeline.jsonl hb-chain-42.csv \
            manifest.json \
            offline-revoke-42-ops.cborseq offline-revoke-42-state.json offline-revoke-42-timeline.jsonl \
            offline-revoke-42.csv \
            partition-3-42-ops.cborseq partition-3-42-state.json partition-3-42-timeline.jsonl partition-3-42.csv \
            report.html sbom.json trustview.json";
        assert_eq!(names, expected.split_ascii_whitespace().collect::<Vec<_>>());
        assert!(names.is_sorted());
    }

    #[test]
    fn sums_and_tarball_leave_out_what_cannot_contain_itself() {
        let set = set(&["hb-chain"]);
        let without = |excluded: &[&str]| {
            set.names()
                .filter(|name| !excluded.contains(name))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let tarball = set.tarball();
        assert_eq!(
            set.summed().collect::<Vec<_>>(),
            without(&["SHA256SUMS", &tarball])
        );
        assert_eq!(set.packed().collect::<Vec<_>>(), without(&[&tarball]));
        assert_eq!(set.get(&tarball), Some(&Artifact::Tarball));
        assert_eq!(set.get("nothing"), None);
    }

    #[test]
    fn a_dirty_commit_and_the_longest_names_fit() {
        let commit: Commit = format!("{HASH}-dirty").parse().unwrap();
        let longest = "s".repeat(SCENARIO_BYTES_MAX);
        let set = ExpectedSet::new(&[&longest], u64::MAX, &commit).unwrap();
        assert_eq!(set.tarball(), format!("ecac-artifacts-{HASH}-dirty.tar.gz"));
    }

    #[test]
    fn scenario_lists_that_describe_no_set() {
        let bad = |name: &str| ScenarioError::BadName(name.to_owned());
        let long = "s".repeat(SCENARIO_BYTES_MAX + 1);
        for (scenarios, error) in [
            (&[][..], ScenarioError::None),
            (&[""], bad("")),
            (&["../x"], bad("../x")),
            (&["A"], bad("A")),
            (&["a\n"], bad("a\n")),
            (&[&long], bad(&long)),
            (&["a", "b", "a"], ScenarioError::Duplicate("a".to_owned())),
        ] {
            assert_eq!(
                ExpectedSet::new(scenarios, 42, &HASH.parse().unwrap()),
                Err(error)
            );
        }
    }

    #[test]
    fn one_missing_or_one_extra_is_seen() {
        let set = set(&["hb-chain"]);
        assert!(set.compare(set.names()).is_empty());
        for name in set.names() {
            let difference = set.compare(set.names().filter(|other| *other != name));
            assert_eq!(
                (difference.missing, difference.extra),
                (vec![name.to_owned()], vec![])
            );
        }
        let difference = set.compare(set.names().chain(["x\n.csv"]));
        assert_eq!(
            difference.to_string(),
            "the files are not the expected set; extra: x\\n.csv"
        );
    }
}
