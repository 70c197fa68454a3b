//! `manifest.json`: what was run, from which commit, and with what.

use anyhow::{Context as _, Result, anyhow, bail};
use ecac_artifact::{Commit, ExpectedSet, Version, escape};
use serde::{Deserialize, Serialize};

/// The version of this file's form.
const FORMAT: u32 = 1;

/// How much of what the reader of JSON says is told.
const TOLD_CHARS_MAX: usize = 300;

/// The contents of `manifest.json`. No path, host, user or time; the fields are sorted by name.
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
    /// The ops that were asked for.
    pub ops: u32,
    /// The name of the scenario.
    pub scenario: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The figures.
    pub summary: Summary,
}

/// The figures of one run; the fields are sorted by name, as they stand in `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Ops that count.
    pub applied: u64,
    /// Ops that were admitted and are denied.
    pub denied: u64,
    /// Every op.
    pub ops: u64,
    /// Ops that wait for parents.
    pub pending: u64,
    /// Ops that never entered the graph.
    pub refused: u64,
    /// Denied ops that had been applied before.
    pub rolled_back: u64,
    /// SHA-256 of the state.
    pub state_sha256: String,
}

impl From<&ecac_bench::Summary> for Summary {
    fn from(summary: &ecac_bench::Summary) -> Self {
        Self {
            applied: summary.applied,
            denied: summary.denied,
            ops: summary.ops,
            pending: summary.pending,
            refused: summary.refused,
            rolled_back: summary.rolled_back,
            state_sha256: summary.state_sha256.clone(),
        }
    }
}

/// The parameters that all runs of a set share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Parameters {
    /// The scenarios, in the order in which they run.
    pub scenarios: Vec<String>,
    /// The seed of everything random.
    pub seed: u64,
    /// How many ops each scenario makes.
    pub ops: u32,
}

impl Parameters {
    /// What was run, in words.
    pub fn describe(&self) -> String {
        let Self {
            scenarios,
            seed,
            ops,
        } = self;
        format!("{} with seed {seed} and {ops} ops", scenarios.join(", "))
    }

    /// The files that a run with these parameters must produce at `commit`.
    pub fn expected(&self, commit: &Commit) -> Result<ExpectedSet> {
        let scenarios: Vec<_> = self.scenarios.iter().map(String::as_str).collect();
        ExpectedSet::new(&scenarios, self.seed, commit).context("name the expected files")
    }
}

impl Manifest {
    /// A manifest of the present form.
    pub const fn format() -> u32 {
        FORMAT
    }

    /// Reads `manifest.json`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let malformed = |error: serde_json::Error| {
            // The reader repeats names from the document.
            let told: String = error.to_string().chars().take(TOLD_CHARS_MAX).collect();
            anyhow!("manifest.json is malformed: {}", escape(&told))
        };
        let manifest: Self = serde_json::from_slice(bytes).map_err(malformed)?;
        if manifest.format != FORMAT {
            bail!(
                "manifest.json has format {}, but {FORMAT} is known",
                manifest.format
            );
        }
        Ok(manifest)
    }

    /// The bytes of `manifest.json`: sorted keys, two spaces of indentation, a final newline.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self).context("encode manifest.json")?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The commit that the artifacts cite.
    pub fn commit(&self) -> Result<Commit> {
        self.commit.parse().with_context(|| {
            format!(
                "manifest.json cites the commit `{}`",
                self.commit.escape_debug()
            )
        })
    }

    /// The version that the artifacts are of.
    pub fn version(&self) -> Result<Version> {
        self.version.parse().with_context(|| {
            format!(
                "manifest.json is of the version `{}`",
                self.version.escape_debug()
            )
        })
    }

    /// The parameters that every run shares.
    pub fn parameters(&self) -> Result<Parameters> {
        let Some(first) = self.scenarios.first() else {
            bail!("manifest.json names no scenario");
        };
        let (seed, ops) = (first.seed, first.ops);
        if self
            .scenarios
            .iter()
            .any(|run| (run.seed, run.ops) != (seed, ops))
        {
            bail!("manifest.json gives its scenarios different seeds or op counts");
        }
        Ok(Parameters {
            scenarios: self
                .scenarios
                .iter()
                .map(|run| run.scenario.clone())
                .collect(),
            seed,
            ops,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example(commit: &str) -> Manifest {
        let run = |scenario: &str| Run {
            ops: 500,
            scenario: scenario.to_owned(),
            seed: 42,
            summary: Summary {
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
        let bytes = manifest.to_bytes().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert_sorted(text);
        assert!(text.ends_with("}\n"));
        assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
    }

    #[test]
    fn a_manifest_that_says_more_or_less_is_refused() {
        let manifest = example(&"ab".repeat(20));
        let text = String::from_utf8(manifest.to_bytes().unwrap()).unwrap();
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
