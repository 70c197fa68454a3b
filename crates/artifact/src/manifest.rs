//! `manifest.json`: what was run, from which commit, and with what.

use serde::{Deserialize, Serialize};

use crate::commit::{Commit, ParseCommitError};
use crate::escape::escape;
use crate::meetings::Meetings;
use crate::parameters::Parameters;
use crate::totals::Totals;
use crate::version::{ParseVersionError, Version};

/// The version of this file's form.
const FORMAT: u32 = 1;

/// How much of what the reader of JSON says is told.
const TOLD_CHARS_MAX: usize = 300;

/// The contents of `manifest.json`. No path, host, user or time; the members are sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The tree head of the audit log.
    pub audit_head: String,
    /// SHA-256 of the cited commit's `Cargo.lock`.
    pub cargo_lock_sha256: String,
    /// The commit that the artifacts cite.
    pub commit: String,
    /// When that was made, in seconds since 1970.
    pub commit_time: u64,
    /// The version of this file's form.
    pub format: u32,
    /// The runs, in the order in which they were made.
    pub scenarios: Vec<Run>,
    /// SHA-256 of `docs/protocol.cddl`.
    pub schema_sha256: String,
    /// The compiler release that the cited commit pins.
    pub toolchain: String,
    /// SHA-256 of `trustview.json`.
    pub trust_sha256: String,
    /// The cited commit's version of the workspace.
    pub version: String,
}

/// One scenario run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// What its sessions came to, where its replicas sync over a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meetings: Option<Meetings>,
    /// The ops that were asked for.
    pub ops: u32,
    /// The name of the scenario.
    pub scenario: String,
    /// The seed of everything random.
    pub seed: u64,
    /// What came out.
    #[serde(rename = "summary")]
    pub totals: Totals,
}

/// Why a manifest does not say what was run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Not the JSON document that it should be.
    #[error("manifest.json is malformed: {problem}")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What the reader of JSON says, escaped, as far as it is told.
        problem: String,
    },
    /// A form that nobody here knows.
    #[error("manifest.json has format {found}, but {FORMAT} is known")]
    Format {
        /// What it says of itself.
        found: u32,
    },
    /// What it cites is no commit.
    #[error("manifest.json cites the commit `{}`: {error}", .commit.escape_debug())]
    Commit {
        /// What it cites.
        commit: String,
        /// Why that is none.
        error: ParseCommitError,
    },
    /// What it is of is no version.
    #[error("manifest.json is of the version `{}`: {error}", .version.escape_debug())]
    Version {
        /// What it is of.
        version: String,
        /// Why that is none.
        error: ParseVersionError,
    },
    /// It names no scenario.
    #[error("manifest.json names no scenario")]
    NoScenario,
    /// The runs do not share their parameters.
    #[error("manifest.json gives its scenarios different seeds or op counts")]
    Mixed,
}

impl Manifest {
    /// The form that is written.
    #[must_use]
    pub const fn format() -> u32 {
        FORMAT
    }

    /// Reads `manifest.json`.
    ///
    /// # Errors
    /// [`ManifestError::Malformed`] and [`ManifestError::Format`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| {
            // The reader repeats names from the document.
            let told: String = error.to_string().chars().take(TOLD_CHARS_MAX).collect();
            ManifestError::Malformed {
                line: error.line().max(1),
                problem: escape(&told),
            }
        })?;
        if manifest.format == FORMAT {
            Ok(manifest)
        } else {
            Err(ManifestError::Format {
                found: manifest.format,
            })
        }
    }

    /// The bytes of `manifest.json`: sorted keys, two spaces of indentation, a final newline.
    ///
    /// # Panics
    /// Never: the members are strings, whole numbers, arrays and objects.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes =
            serde_json::to_vec_pretty(self).expect("a manifest in memory is written to memory");
        bytes.push(b'\n');
        bytes
    }

    /// The commit that the artifacts cite.
    ///
    /// # Errors
    /// [`ManifestError::Commit`].
    pub fn commit(&self) -> Result<Commit, ManifestError> {
        let commit = self.commit.clone();
        self.commit
            .parse()
            .map_err(|error| ManifestError::Commit { commit, error })
    }

    /// The version that the artifacts are of.
    ///
    /// # Errors
    /// [`ManifestError::Version`].
    pub fn version(&self) -> Result<Version, ManifestError> {
        let version = self.version.clone();
        self.version
            .parse()
            .map_err(|error| ManifestError::Version { version, error })
    }

    /// The parameters that every run shares.
    ///
    /// # Errors
    /// [`ManifestError::NoScenario`] and [`ManifestError::Mixed`].
    pub fn parameters(&self) -> Result<Parameters, ManifestError> {
        let first = self.scenarios.first().ok_or(ManifestError::NoScenario)?;
        let shared = |run: &Run| (run.seed, run.ops) == (first.seed, first.ops);
        if !self.scenarios.iter().all(shared) {
            return Err(ManifestError::Mixed);
        }
        let scenarios = self.scenarios.iter().map(|run| run.scenario.clone());
        Ok(Parameters {
            scenarios: scenarios.collect(),
            seed: first.seed,
            ops: first.ops,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(commit: &str) -> Manifest {
        let run = |scenario: &str| Run {
            meetings: (scenario == "concurrent").then(Meetings::default),
            ops: 500,
            scenario: scenario.to_owned(),
            seed: 42,
            totals: Totals {
                applied: 499,
                denied: 1,
                ops: 500,
                pending: 0,
                refused: 0,
                rolled_back: 1,
                state_sha256: "00".repeat(32),
            },
        };
        Manifest {
            audit_head: "head".to_owned(),
            cargo_lock_sha256: "11".repeat(32),
            commit_time: 1_790_000_000,
            commit: commit.to_owned(),
            format: FORMAT,
            scenarios: ["hb-chain", "concurrent", "offline-revoke"]
                .map(run)
                .to_vec(),
            schema_sha256: "22".repeat(32),
            toolchain: "1.95.0".to_owned(),
            trust_sha256: "33".repeat(32),
            version: "0.1.0".to_owned(),
        }
    }

    /// Every object's keys in the order of the text.
    fn assert_sorted(text: &str) {
        let mut last: Vec<Option<String>> = Vec::new();
        for line in text.lines() {
            let line = line.trim();
            if let Some(key) = line
                .strip_prefix('"')
                .and_then(|rest| rest.split_once("\": "))
            {
                let slot = last.last_mut().unwrap();
                assert!(slot.as_deref() < Some(key.0), "{} after {slot:?}", key.0);
                *slot = Some(key.0.to_owned());
            }
            if line.ends_with(['{', '[']) {
                last.push(None);
            }
            if line.starts_with(['}', ']']) {
                last.pop();
            }
        }
    }

    #[test]
    fn bytes_are_sorted_end_with_a_newline_and_read_back() {
        let manifest = example(&"ab".repeat(20));
        let bytes = manifest.to_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert_sorted(text);
        assert!(text.ends_with("}\n"));
        assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
    }

    #[test]
    fn a_manifest_that_says_more_or_less_is_refused() {
        let manifest = example(&"ab".repeat(20));
        let text = String::from_utf8(manifest.to_bytes()).unwrap();
        for bad in [
            text.replace("\"version\"", "\"verzion\""),
            text.replace("\"format\": 1", "\"format\": 2"),
            text.replace(
                "\"version\": \"0.1.0\"",
                "\"version\": \"0.1.0\", \"zeal\": 1",
            ),
            String::new(),
        ] {
            assert!(Manifest::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let mut mixed = manifest;
        mixed.scenarios[1].seed = 43;
        assert!(mixed.parameters().is_err());
    }
}
