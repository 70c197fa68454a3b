//! `repro --net`: the workload of `partition-3` once more, over real nodes on this machine.
//!
//! Nodes bring a network stack, so what goes the course is a program of its own, which is built here when it is asked for, from the
//! working directory. It is handed the op log that the freshly built programs agree on, and says what each node holds at the end.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use cargo_metadata::Message;
use comfy_table::{CellAlignment, Table, presets};
use ecac_artifact::{Artifact, Parameters, Part, exit};
use serde::{Deserialize, Serialize};
use xshell::Shell;

use crate::host::error::Failure;
use crate::host::process;
use crate::host::progress::Progress;
use crate::host::workdir::WorkDir;
use crate::host::workspace;
use crate::reproduce::compile::BuildArgs;
use crate::reproduce::pipeline::Outcome;

/// The scenario whose workload it is.
const SCENARIO: &str = "partition-3";
/// The program of a node, and the one that goes the course.
const NODE: &str = "ecac-node";
const PEERS: &str = "ecac-peers";
/// How many digits of a digest the table shows.
const SHORT_DIGITS: usize = 16;

/// What the nodes came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Sessions over QUIC, each between two nodes.
    pub sessions: u64,
    /// How often a node was killed because it was cut off.
    pub killed: u64,
    /// The simulation, then each node.
    pub rows: Vec<Row>,
    /// How nodes differ from the simulation, in sentences.
    pub differences: Vec<String>,
}

/// What a replica holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Row {
    /// Which replica.
    pub name: String,
    /// Ops that are decided.
    pub ops: u64,
    /// Of them those that count.
    pub applied: u64,
    /// And those that are denied.
    pub denied: u64,
    /// SHA-256 of all decisions, with their reasons.
    pub decisions_sha256: String,
    /// SHA-256 of the state export.
    pub state_sha256: String,
}

/// Requires that the scenario is among those that are run, before anything is built.
pub fn check(parameters: &Parameters) -> Result<()> {
    if parameters.scenarios.iter().any(|it| it == SCENARIO) {
        return Ok(());
    }
    Err(Failure::new(
        exit::USAGE,
        format!("--net goes the course of {SCENARIO}, which is not run"),
    )
    .hint(format!("add --scenario {SCENARIO}"))
    .into())
}

/// Builds the programs, and has them go the course of the run in `outcome`.
pub fn run(
    outcome: &Outcome,
    parameters: &Parameters,
    args: &BuildArgs,
    work: &WorkDir,
    progress: &Progress,
) -> Result<Answer> {
    let [node, peers] = build(args, progress)?;
    let artifact = Artifact::Run {
        scenario: SCENARIO.to_owned(),
        part: Part::Ops,
    };
    let name = artifact.file_name(parameters.seed, &outcome.manifest.commit()?);
    let log = outcome
        .files
        .get(&name)
        .with_context(|| format!("find {name}"))?;
    let (given, dir) = (
        work.create("nodes-given")?.join(name),
        work.create("nodes")?,
    );
    fs::write(&given, log).context("write the op log for the nodes")?;
    let shell = Shell::new().context("find the working directory")?;
    let command = shell.cmd(peers).arg("--node").arg(node);
    let command = command.arg("--log").arg(given).arg("--dir").arg(dir);
    let (seed, ops) = (parameters.seed.to_string(), parameters.ops.to_string());
    let command = command.args(["--seed", &seed, "--ops", &ops]);
    let said = process::run(progress, command)?.require(exit::VERIFICATION)?;
    serde_json::from_slice(&said).context("read what the nodes came to")
}

/// The program of a node, and the one that goes the course.
fn build(args: &BuildArgs, progress: &Progress) -> Result<[PathBuf; 2]> {
    let shell = Shell::new().context("find the working directory")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = shell
        .cmd(cargo)
        .args([
            "build",
            "--locked",
            "--release",
            "--message-format",
            "json-render-diagnostics",
        ])
        .args([
            "--package",
            "ecac-net",
            "--features",
            "ecac-net/quic",
            "--package",
            PEERS,
        ])
        .arg("--manifest-path")
        .arg(workspace::root()?.join("Cargo.toml"));
    if args.offline {
        command = command.arg("--offline");
    }
    if let Some(jobs) = args.jobs {
        command = command.args(["--jobs", &jobs.to_string()]);
    }
    let hint = Some("the network stack needs a C compiler; without --net nothing of it is built");
    let said = process::run(progress, command)?.require_or(exit::BUILD, hint)?;
    let [mut node, mut peers] = [None, None];
    for message in Message::parse_stream(Cursor::new(said)) {
        let Message::CompilerArtifact(artifact) = message.context("read what cargo says")? else {
            continue;
        };
        match artifact.target.name.as_str() {
            NODE => node = artifact.executable,
            PEERS => peers = artifact.executable,
            _ => {}
        }
    }
    let path = |found: Option<cargo_metadata::camino::Utf8PathBuf>, name: &str| {
        let found = found.map(|it| it.into_std_path_buf());
        found.with_context(|| format!("find the program {name} that cargo has built"))
    };
    Ok([path(node, NODE)?, path(peers, PEERS)?])
}

impl Answer {
    /// Whether every node holds what the simulation holds.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    /// That it does not.
    #[must_use]
    pub fn failure() -> Failure {
        let message =
            format!("real nodes come to something else than the simulation of {SCENARIO}");
        Failure::new(exit::VERIFICATION, message)
            .hint("the table above says where; nothing was published")
    }

    /// The text form: a row for the simulation and one for each node, then what differs.
    #[must_use]
    pub fn text(&self) -> String {
        let verdict = match self.is_same() {
            true => "the same on every node",
            false => "DIFFERENT",
        };
        let mut text = format!(
            "real nodes     {verdict}: {SCENARIO}, {} sessions, {} kills\n",
            self.sessions, self.killed
        );
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header([
            "",
            "replica",
            "ops",
            "applied",
            "denied",
            "state",
            "decisions",
        ]);
        let short = |digest: &String| format!("{}…", digest.get(..SHORT_DIGITS).unwrap_or(digest));
        for row in &self.rows {
            table.add_row([
                String::new(),
                row.name.clone(),
                row.ops.to_string(),
                row.applied.to_string(),
                row.denied.to_string(),
                short(&row.state_sha256),
                short(&row.decisions_sha256),
            ]);
        }
        for column in 2..=4 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for line in table.lines() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}", line.trim_end());
        }
        for difference in &self.differences {
            let _ = writeln!(text, "  {difference}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, digit: &str) -> Row {
        Row {
            name: name.to_owned(),
            ops: 500,
            applied: 466,
            denied: 34,
            decisions_sha256: digit.repeat(64),
            state_sha256: digit.repeat(64),
        }
    }

    #[test]
    fn the_table_has_a_row_for_each_and_names_what_differs() {
        let mut answer = Answer {
            sessions: 90,
            killed: 3,
            rows: vec![row("simulation", "a"), row("office", "a")],
            differences: Vec::new(),
        };
        let text = answer.text();
        assert!(
            text.starts_with("real nodes     the same on every node: partition-3, 90 sessions")
        );
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|it| it.split_whitespace().collect())
            .collect();
        assert_eq!(
            rows[3],
            [
                "office",
                "500",
                "466",
                "34",
                "aaaaaaaaaaaaaaaa…",
                "aaaaaaaaaaaaaaaa…"
            ]
        );
        assert!(text.lines().all(|it| it.chars().count() <= 80), "{text}");
        answer.differences.push("office: op 1 is absent".to_owned());
        assert!(!answer.is_same());
        assert!(answer.text().contains("DIFFERENT"));
        assert!(answer.text().ends_with("\n  office: op 1 is absent\n"));
        assert_eq!(Answer::failure().code, exit::VERIFICATION);
        let json = serde_json::to_string(&answer).unwrap();
        assert!(!serde_json::from_str::<Answer>(&json).unwrap().is_same());
    }

    #[test]
    fn without_the_scenario_there_is_no_course() {
        let mut parameters = crate::reproduce::parameters::cited();
        check(&parameters).unwrap();
        parameters.scenarios.retain(|it| it != SCENARIO);
        let error = check(&parameters).unwrap_err();
        assert_eq!(crate::host::error::exit_code(&error), exit::USAGE);
    }
}
