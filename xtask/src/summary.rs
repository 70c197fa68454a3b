//! What a run prints at its end.

use std::fmt::Write as _;
use std::path::Path;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::compile::Network;
use crate::manifest::Run;
use crate::pipeline::{Outcome, TrustCheck};
use crate::progress::StageTime;

/// How many digits of a digest the table shows.
const SHORT_DIGITS: usize = 16;

/// A finished run, as JSON for machines and as text for people.
#[derive(Debug, Serialize)]
pub(crate) struct Summary<'a> {
    /// The commit that the artifacts cite.
    commit: &'a str,
    /// Where the artifacts are.
    directory: String,
    /// The runs.
    scenarios: &'a [Run],
    /// The tarball.
    bundle: Bundle,
    /// Digest of `trustview.json`.
    trust_sha256: &'a str,
    /// What the trust digest was compared with.
    trust_check: TrustCheck,
    /// What is known about the network during the build.
    network: Network,
    /// How long each stage took.
    stages: &'a [StageTime],
}

/// The tarball in both forms.
#[derive(Debug, Serialize)]
pub(crate) struct Bundle {
    /// Its name.
    pub(crate) file: String,
    /// Digest of the compressed file.
    pub(crate) gz_sha256: String,
    /// Digest of the tar file inside.
    pub(crate) tar_sha256: String,
}

impl Bundle {
    /// The tarball of an outcome.
    pub(crate) fn of(outcome: &Outcome) -> Self {
        Self {
            file: outcome.expected.tarball(),
            gz_sha256: outcome.digests.gz_sha256.to_string(),
            tar_sha256: outcome.digests.tar_sha256.to_string(),
        }
    }

    /// The lines of the text form.
    pub(crate) fn text(&self) -> String {
        format!(
            "bundle         {}\n  gz  sha256:{}\n  tar sha256:{}\n",
            self.file, self.gz_sha256, self.tar_sha256
        )
    }
}

impl<'a> Summary<'a> {
    /// The summary of `outcome`, whose files are in `directory`.
    pub(crate) fn new(outcome: &'a Outcome, directory: &Path, stages: &'a [StageTime]) -> Self {
        Self {
            commit: &outcome.manifest.commit,
            directory: directory.display().to_string(),
            scenarios: &outcome.manifest.scenarios,
            bundle: Bundle::of(outcome),
            trust_sha256: &outcome.manifest.trust_sha256,
            trust_check: outcome.trust,
            network: outcome.network,
            stages,
        }
    }

    /// The text form.
    pub(crate) fn text(&self) -> String {
        let mut text = scenario_table(self.scenarios);
        let readme = match self.trust_check {
            TrustCheck::EqualsReadme => "as README.md prints it",
            TrustCheck::OtherParameters => {
                "not compared: README.md speaks of the default parameters"
            }
        };
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\ncommit         {}", self.commit);
        let _ = writeln!(
            text,
            "trust digest   sha256:{} ({readme})",
            self.trust_sha256
        );
        text.push_str(&self.bundle.text());
        let _ = writeln!(text, "network        {}", self.network.describe());
        let _ = writeln!(text, "stages         {}", stage_line(self.stages));
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
        let summary = &run.summary;
        let digest = summary
            .state_sha256
            .get(..SHORT_DIGITS)
            .unwrap_or(&summary.state_sha256);
        table.add_row([
            run.scenario.clone(),
            summary.ops.to_string(),
            summary.applied.to_string(),
            summary.denied.to_string(),
            summary.rolled_back.to_string(),
            summary.refused.to_string(),
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

fn stage_line(stages: &[StageTime]) -> String {
    let mut parts: Vec<_> = stages
        .iter()
        .map(|time| format!("{} {}", time.stage, seconds(time.duration_ms)))
        .collect();
    let total: u64 = stages.iter().map(|time| time.duration_ms).sum();
    parts.push(format!("total {}", seconds(total)));
    parts.join(", ")
}

fn seconds(duration_ms: u64) -> String {
    format!("{}.{} s", duration_ms / 1000, duration_ms % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_every_figure() {
        let manifest = crate::manifest::tests::example(&"a".repeat(40));
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

    #[test]
    fn stages_add_up() {
        let stages = [("build", 61_950), ("bundle", 49)]
            .map(|(stage, duration_ms)| StageTime { stage, duration_ms });
        assert_eq!(
            stage_line(&stages),
            "build 61.9 s, bundle 0.0 s, total 61.9 s"
        );
    }
}
