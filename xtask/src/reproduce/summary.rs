//! What a run prints at its end.

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::host::cpu::{self, Spent};
use crate::host::network::Network;
use crate::host::progress::StageTime;
use crate::reproduce::closed::TakenOver;
use crate::reproduce::compile::BinaryDigests;
use crate::reproduce::pipeline::{Outcome, TrustCheck};
use crate::reproduce::{nodes, twice};
use ecac_artifact::Run;

/// How many digits of a digest the table shows.
const SHORT_DIGITS: usize = 16;

/// How wide the text may be.
const COLUMNS: usize = 80;

/// Where the values begin.
const INDENT: usize = 15;

/// A finished run, as JSON for machines and as text for people.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    /// The commit that the artifacts cite.
    commit: &'a str,
    /// Where the artifacts are.
    directory: String,
    /// The runs.
    scenarios: &'a [Run],
    /// The programs that were built.
    binaries: &'a BinaryDigests,
    /// The tarball.
    bundle: Bundle,
    /// Digest of `trustview.json`.
    trust_sha256: &'a str,
    /// What the trust digest was compared with.
    trust_check: TrustCheck,
    /// What is known about the network while the tree was built and the programs ran.
    network: Network,
    /// What of this machine took part in the build.
    machine: &'a TakenOver,
    /// What stayed equal the second time, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    twice: Option<&'a twice::Repetition>,
    /// What real nodes came to, where they were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    nodes: Option<&'a nodes::Answer>,
    /// How long each stage took.
    stages: &'a [StageTime],
    /// Processor time, where the system tells.
    processor_time: Option<Spent>,
}

/// The tarball in both forms.
#[derive(Debug, Serialize)]
pub struct Bundle {
    /// Its name.
    pub file: String,
    /// Digest of the compressed file.
    pub gz_sha256: String,
    /// Digest of the tar file inside.
    pub tar_sha256: String,
}

impl Bundle {
    /// The tarball of an outcome.
    pub fn of(outcome: &Outcome) -> Self {
        Self {
            file: outcome.expected.tarball(),
            gz_sha256: outcome.digests.gz_sha256.to_string(),
            tar_sha256: outcome.digests.tar_sha256.to_string(),
        }
    }

    /// The lines of the text form.
    pub fn text(&self) -> String {
        format!(
            "bundle         {}\n  gz  sha256:{}\n  tar sha256:{}\n",
            self.file, self.gz_sha256, self.tar_sha256
        )
    }
}

impl<'a> Summary<'a> {
    /// The summary of `outcome`, whose files are in `directory`.
    pub fn new(
        outcome: &'a Outcome,
        directory: &Path,
        stages: &'a [StageTime],
        processor_time: Option<Spent>,
        twice: Option<&'a twice::Repetition>,
        nodes: Option<&'a nodes::Answer>,
    ) -> Self {
        Self {
            commit: &outcome.manifest.commit,
            directory: directory.display().to_string(),
            scenarios: &outcome.manifest.scenarios,
            binaries: &outcome.binaries,
            bundle: Bundle::of(outcome),
            trust_sha256: &outcome.manifest.trust_sha256,
            trust_check: outcome.trust,
            network: outcome.network,
            machine: &outcome.taken_over,
            twice,
            nodes,
            stages,
            processor_time,
        }
    }

    /// The text form.
    pub fn text(&self) -> String {
        let mut text = scenario_table(self.scenarios);
        let readme = match self.trust_check {
            TrustCheck::EqualsReadme => "as README.md prints it",
            TrustCheck::OtherParameters => "not compared; README.md has that of the default run",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\ncommit         {}", self.commit);
        let _ = writeln!(text, "trust digest   {readme}");
        let _ = writeln!(text, "  sha256:{}", self.trust_sha256);
        text.push_str(&self.bundle.text());
        let _ = writeln!(text, "binaries");
        let _ = writeln!(text, "  ecac  sha256:{}", self.binaries.ecac_sha256);
        let _ = writeln!(text, "  xtask sha256:{}", self.binaries.xtask_sha256);
        let _ = writeln!(text, "network        {}", self.network.describe());
        text.push_str(&self.machine.text());
        if let Some(report) = self.twice {
            text.push_str(&report.text());
        }
        if let Some(answer) = self.nodes {
            text.push_str(&answer.text());
        }
        let _ = writeln!(text, "stages         {}", stage_lines(self.stages));
        text.push_str(
            &self
                .processor_time
                .map_or_else(|| cpu::UNKNOWN.to_owned(), Spent::text),
        );
        let _ = writeln!(text, "artifacts      {}", self.directory);
        text
    }
}

fn scenario_table(runs: &[Run]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header([
        "scenario",
        "ops",
        "applied",
        "denied",
        "rolled back",
        "refused",
        "state digest",
    ]);
    for run in runs {
        let totals = &run.totals;
        let digest = totals
            .state_sha256
            .get(..SHORT_DIGITS)
            .unwrap_or(&totals.state_sha256);
        table.add_row([
            run.scenario.clone(),
            totals.ops.to_string(),
            totals.applied.to_string(),
            totals.denied.to_string(),
            totals.rolled_back.to_string(),
            totals.refused.to_string(),
            format!("{digest}…"),
        ]);
    }
    for column in 1..=5 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.strip_prefix(' ').unwrap_or(&line).trim_end());
        text.push('\n');
    }
    text
}

/// The stages and their sum, as many to a line as fit.
fn stage_lines(stages: &[StageTime]) -> String {
    let total = stages.iter().map(|time| time.duration_ms).sum();
    let times = stages
        .iter()
        .map(|time| (time.stage, time.duration_ms))
        .chain([("total", total)]);
    let mut lines = vec![String::new()];
    for (stage, duration_ms) in times {
        let part = format!("{stage} {}", seconds(duration_ms));
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&part),
            Some(line) if INDENT + line.len() + 2 + part.len() < COLUMNS => {
                line.push_str(", ");
                line.push_str(&part);
            }
            _ => lines.push(part),
        }
    }
    lines.join(&format!(",\n{:INDENT$}", ""))
}

fn seconds(duration_ms: u64) -> String {
    format!("{}.{} s", duration_ms / 1000, duration_ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ecac_artifact::Manifest;

    #[test]
    fn the_table_names_every_figure() {
        let manifest = crate::set::example::example(&"a".repeat(40));
        let text = scenario_table(&manifest.scenarios);
        let rows: Vec<Vec<_>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            rows[1],
            ["hb-chain", "500", "499", "1", "1", "0", "0000000000000000…"]
        );
        assert_eq!(rows.len(), 4);
    }

    /// What the golden set says is what a run prints: `verify-golden` holds the set to the run, and this test the README to
    /// the set.
    #[test]
    fn the_readme_prints_the_table_of_the_golden_set() {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let golden = std::fs::read(top.join("docs/eval/golden/manifest.json")).unwrap();
        let manifest: Manifest = serde_json::from_slice(&golden).unwrap();
        let readme = std::fs::read_to_string(top.join("README.md")).unwrap();
        let excerpt = format!("```\n{}```\n", scenario_table(&manifest.scenarios));
        assert!(readme.contains(&excerpt), "README.md lacks\n{excerpt}");
    }

    #[test]
    fn stages_add_up_and_fit_into_80_columns() {
        let times = |stages: &[(&'static str, u64)]| -> Vec<_> {
            let time = |&(stage, duration_ms)| StageTime { stage, duration_ms };
            stages.iter().map(time).collect()
        };
        assert_eq!(
            stage_lines(&times(&[("build", 61_950), ("bundle", 49)])),
            "build 61.9 s, bundle 0.0 s, total 61.9 s"
        );
        let many = stage_lines(&times(&[("cross-check", 1000); 9]));
        assert_eq!(many.lines().count(), 4);
        assert!(many.ends_with("total 9.0 s"), "{many}");
        let wide = |line: &str| line.chars().count() > COLUMNS;
        assert!(!many.lines().skip(1).any(wide), "{many}");
        let first = many.lines().next().unwrap();
        assert!(INDENT + first.len() <= COLUMNS, "{many}");
    }
}
