//! `ecac explain`: why one op counts, or why it does not.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_core::{Explanation, OpId, ProjectId, PublicKey};
use ecac_project::Project;
use serde::Serialize;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::op_prefix::{OpPrefix, not_found};
use crate::output::{self, Form, Format};
use crate::people::People;
use crate::replica::{Replica, Source};
use crate::text;

/// Explain why one op counts, or why it does not
///
/// The answer names the verdict, the reason, the op that decides, and the chain of authority from the op through
/// grant, credential and issuer key up to a root; of a pending op the ancestors that are absent, and of an op of trust or
/// policy its effect: what it does, or that it counts for nothing and why. Without LOG it is looked for in the project here or
/// above, and people have the names that you gave them beside their keys.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "ecac explain [OPTIONS] [LOG]... <OP_ID>",
    after_help = "Examples:
  ecac explain 1f3a9c0d                              in the project here or above
  ecac explain ops.cborseq 1f3a9c0d                  the first digits will do if they are unique
  ecac explain ops.cborseq 1f3a9c0d --json
  ecac explain mine.cborseq theirs.cborseq 1f3a9c0d  the same of both logs together
  ecac decisions ops.cborseq | grep denied           to find op ids to ask about"
)]
pub(crate) struct Args {
    /// Op logs, merged (`-` is standard input), and behind them the op id in hexadecimal, or its first digits (at least 8)
    #[arg(value_name = "LOG|OP_ID", required = true, num_args = 1..)]
    words: Vec<PathBuf>,
    /// Project, as the op id of its genesis; needed where the logs have no genesis or several
    #[arg(long, value_name = "HEX")]
    project: Option<ProjectId>,
    #[command(flatten)]
    form: Form,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (op, paths) = args.split()?;
    let source = Source::of(paths, args.project);
    let replica = source.replay_in(globals)?;
    let claimed = replica.rejected.iter().filter_map(|(_, it)| it.claimed);
    let known: BTreeSet<OpId> = replica.ids().chain(claimed).collect();
    let label = source.logs.label();
    let prefix = op;
    let op = prefix.find(&known, &label)?;
    let explanation = explain(&replica, &op).ok_or_else(|| not_found(&prefix, &label))?;
    match args.form.format() {
        Format::Text => {
            let project = source.project_in(globals);
            let mut told = explanation.to_string();
            if replica.is_dropped(&op) {
                told.push_str(DROPPED);
            }
            let told = project.map_or_else(|| told.clone(), |it| named(&told, &it));
            output::print(told.as_bytes())
        }
        Format::Json => output::print_json(&Answer {
            format: "ecac-explain-v1",
            dropped: replica.is_dropped(&op),
            explanation,
        }),
    }
}

/// What an explanation ends with, if the envelope of the op was dropped.
const DROPPED: &str = "its envelope was dropped here (`ecac prune`): what it wrote and who signed it cannot be shown \
     until `ecac sync --older` or `ecac import --older` takes it back; that it counts stands\n";

/// The explanation with the names of people behind their keys. Keys stand at the ends of lines; an issuer is quoted.
fn named(told: &str, project: &Project) -> String {
    let people = People::of(project);
    let lines = told.lines().map(|line| {
        let key = line.split(' ').next_back().map(str::parse::<PublicKey>);
        match key {
            Some(Ok(key)) => match people.name(&key) {
                Some(name) => format!("{line} ({name})\n"),
                None => format!("{line}\n"),
            },
            Some(Err(_)) | None => format!("{line}\n"),
        }
    });
    lines.collect()
}

/// The document of `--json`.
#[derive(Serialize)]
struct Answer {
    format: &'static str,
    #[serde(flatten)]
    explanation: Explanation,
    /// Whether its envelope was dropped, and with it its value and its signature.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    dropped: bool,
}

impl Args {
    /// The op id, which comes last, and the op logs before it.
    fn split(&self) -> Result<(OpPrefix, Vec<PathBuf>), Failure> {
        let (last, paths) = self.words.split_last().ok_or_else(|| {
            Failure::new(
                exit::USAGE,
                "explain",
                "no op is named",
                "name one, by the first digits of its id",
            )
        })?;
        let digits = last.to_string_lossy();
        let op = digits.parse::<OpPrefix>();
        let op = op.map_err(|error| {
            let doing = format!("read the op id {}", text::name(&digits));
            Failure::new(
                exit::USAGE,
                doing,
                error,
                "the op id comes last: `ecac explain LOG OP_ID`",
            )
        })?;
        Ok((op, paths.to_vec()))
    }
}

/// The explanation of an op that is held, or else of bytes that claim to be it.
fn explain(replica: &Replica, op: &OpId) -> Option<Explanation> {
    let held = ecac_core::explain(&replica.log, &replica.replay, op);
    held.or_else(|| {
        let rejected = replica.rejection(op)?;
        Some(Explanation {
            op: *op,
            author: None,
            kind: None,
            verdict: "refused",
            reason: Some(rejected.reason.name()),
            meaning: rejected.reason.meaning(),
            witness: None,
            missing: Vec::new(),
            effect: None,
            grants: Vec::new(),
        })
    })
}
