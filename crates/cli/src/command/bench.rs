//! `ecac bench`: the seeded scenarios.

pub(crate) mod list;
pub(crate) mod observe;
pub(crate) mod run;

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use comfy_table::{CellAlignment, Table, presets};
use ecac_artifact::{Artifact, Commit, Part, exit};
use ecac_bench::{Scenario, ScenarioReport};

use crate::failure::Failure;
use crate::{output, text};

/// Run the seeded scenarios
///
/// A scenario makes people sign ops and meet. Its op log and everything that follows from it are a pure function of
/// scenario, seed and number of ops.
#[derive(Debug, clap::Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  ecac bench list
  ecac bench run --scenario offline-revoke --seed 42 --commit $(git rev-parse HEAD) --out out
  ecac bench observe out/offline-revoke-42-ops.cborseq --scenario offline-revoke --seed 42 \\
      --commit $(git rev-parse HEAD) --out again"
)]
pub(crate) enum Command {
    Run(run::Args),
    Observe(observe::Args),
    /// List the scenarios
    #[command(after_help = "Examples:
  ecac bench list")]
    List,
}

/// What the artifacts of a run are called and stamped with, and where they go.
#[derive(Debug, clap::Args)]
pub(crate) struct Stamp {
    /// Scenario
    #[arg(long, value_name = "S", value_parser = scenario_parser())]
    scenario: Scenario,
    /// Seed of the one random stream
    #[arg(long, value_name = "N")]
    seed: u64,
    /// Commit that the artifacts cite: 40 hexadecimal digits, such as `git rev-parse HEAD` prints
    #[arg(long, value_name = "C")]
    commit: Commit,
    /// Directory for the artifacts; made if it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace artifacts that exist
    #[arg(long)]
    force: bool,
}

fn scenario_parser() -> impl TypedValueParser<Value = Scenario> {
    PossibleValuesParser::new(Scenario::ALL.iter().map(|scenario| scenario.name()))
        .try_map(|name| name.parse::<Scenario>())
}

impl Stamp {
    /// Writes these parts of the report, all or none, and prints what came out.
    fn publish(&self, report: &ScenarioReport, parts: &[Part]) -> Result<(), Failure> {
        make_directory(&self.out)?;
        let files = parts.iter().map(|&part| {
            let artifact = Artifact::Run {
                scenario: self.scenario.name().to_owned(),
                part,
            };
            let path = self.out.join(artifact.file_name(self.seed, &self.commit));
            (path, bytes(report, part))
        });
        let files: Vec<(PathBuf, &[u8])> = files.collect();
        let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
        output::write_files(files, self.force)?;
        output::print(table(report, &paths).as_bytes())
    }
}

fn bytes(report: &ScenarioReport, part: Part) -> &[u8] {
    match part {
        Part::Csv => &report.csv,
        Part::Timeline => &report.timeline,
        Part::State => &report.state,
        Part::Ops => &report.ops,
    }
}

fn make_directory(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| {
        Failure::new(
            exit::ENVIRONMENT,
            format!("make the directory {}", text::path(path)),
            error,
            "name a directory that you may write",
        )
    })
}

fn table(report: &ScenarioReport, paths: &[PathBuf]) -> String {
    let summary = &report.summary;
    let counts = [
        ("seed", report.params.seed),
        ("ops", summary.ops),
        ("applied", summary.applied),
        ("denied", summary.denied),
        ("refused", summary.refused),
        ("pending", summary.pending),
        ("rolled back", summary.rolled_back),
    ];
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = counts.iter().map(|(name, _)| *name);
    table.set_header(["scenario"].into_iter().chain(names));
    let numbers = counts.iter().map(|(_, number)| number.to_string());
    table.add_row(std::iter::once(report.params.scenario.to_string()).chain(numbers));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut text = format!(
        "{}\n\nstate sha256 {}\n",
        table.trim_fmt(),
        summary.state_sha256
    );
    for path in paths {
        text.push_str(&format!("wrote {}\n", text::path(path)));
    }
    text
}
