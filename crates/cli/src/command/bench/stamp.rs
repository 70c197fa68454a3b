//! What the artifacts of a run are called and stamped with.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};
use comfy_table::{CellAlignment, Table, presets};
use ecac_artifact::{Artifact, Commit, Part, exit};
use ecac_bench::{RunRecord, Scenario};

use crate::failure::Failure;
use crate::{output, text};

/// What the artifacts of a run are called and stamped with, and where they go.
#[derive(Debug, clap::Args)]
pub(super) struct Stamp {
    /// Scenario
    #[arg(long, value_name = "S", value_parser = scenario_parser())]
    pub(super) scenario: Scenario,
    /// Seed of the one random stream
    #[arg(long, value_name = "N")]
    pub(super) seed: u64,
    /// Commit that the artifacts cite: 40 hexadecimal digits, such as `git rev-parse HEAD` prints; zeros cite none
    #[arg(long, value_name = "C", default_value = NO_COMMIT)]
    pub(super) commit: Commit,
    /// Directory for the artifacts; it is made if it does not exist, but not the folder around it
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// Replace artifacts that exist
    #[arg(long)]
    force: bool,
}

/// The null object id of git, which names no commit.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";

/// Where the artifacts go, as far as can be seen before they are there.
#[derive(Debug)]
pub(super) struct Claimed<'a> {
    stamp: &'a Stamp,
    paths: Vec<(Part, PathBuf)>,
}

fn scenario_parser() -> impl TypedValueParser<Value = Scenario> {
    PossibleValuesParser::new(Scenario::ALL.iter().map(|scenario| scenario.name()))
        .try_map(|name| name.parse::<Scenario>())
}

impl Stamp {
    /// Looks whether these parts can be written, before any work is done.
    pub(super) fn claim(&self, parts: &[Part]) -> Result<Claimed<'_>, Failure> {
        let paths: Vec<(Part, PathBuf)> = parts
            .iter()
            .map(|&part| {
                let artifact = Artifact::Run {
                    scenario: self.scenario.name().to_owned(),
                    part,
                };
                let path = self.out.join(artifact.file_name(self.seed, &self.commit));
                (part, path)
            })
            .collect();
        if self.out.is_dir() {
            for (_, path) in &paths {
                output::check_vacant(path, self.force)?;
            }
        } else if fs::symlink_metadata(&self.out).is_ok() {
            return Err(Failure::new(
                exit::ENVIRONMENT,
                format!("write into {}", text::path(&self.out)),
                "it is not a directory",
                "name a directory with --out",
            ));
        } else {
            output::check_folder(&self.out)?;
        }
        Ok(Claimed { stamp: self, paths })
    }
}

impl Claimed<'_> {
    /// Writes the parts of the record, all or none, and prints what came out.
    pub(super) fn publish(&self, record: &RunRecord) -> Result<(), Failure> {
        let Stamp { out, force, .. } = self.stamp;
        let is_made = !out.is_dir();
        if is_made {
            make_directory(out)?;
        }
        let files = self.paths.iter();
        let files = files.map(|(part, path)| (path.clone(), bytes(record, *part)));
        output::write_files(files.collect(), *force)?;
        output::print(self.text(record, is_made).as_bytes())
    }

    fn text(&self, record: &RunRecord, is_made: bool) -> String {
        let commit = self.stamp.commit.to_string();
        let none = if commit == NO_COMMIT {
            " (none; name one with --commit)"
        } else {
            ""
        };
        let mut text = format!(
            "{}\n\nstate sha256 {}\ncommit {commit}{none}\n",
            table(record),
            record.totals.state_sha256
        );
        if is_made {
            text.push_str(&format!("made {}\n", text::path(&self.stamp.out)));
        }
        for (_, path) in &self.paths {
            text.push_str(&format!("wrote {}\n", text::path(path)));
        }
        text
    }
}

fn bytes(record: &RunRecord, part: Part) -> &[u8] {
    match part {
        Part::Csv => &record.csv,
        Part::Timeline => &record.timeline,
        Part::State => &record.state,
        Part::Ops => &record.ops,
    }
}

fn make_directory(path: &Path) -> Result<(), Failure> {
    fs::create_dir(path).map_err(|error| {
        Failure::new(
            exit::ENVIRONMENT,
            format!("make the directory {}", text::path(path)),
            error,
            "name a directory that you may write",
        )
    })
}

fn table(record: &RunRecord) -> String {
    let totals = &record.totals;
    let counts = [
        ("seed", record.params.seed),
        ("ops", totals.ops),
        ("applied", totals.applied),
        ("denied", totals.denied),
        ("refused", totals.refused),
        ("pending", totals.pending),
        ("rolled back", totals.rolled_back),
    ];
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let names = counts.iter().map(|(name, _)| *name);
    table.set_header(["scenario"].into_iter().chain(names));
    let numbers = counts.iter().map(|(_, number)| number.to_string());
    table.add_row(std::iter::once(record.params.scenario.to_string()).chain(numbers));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}
