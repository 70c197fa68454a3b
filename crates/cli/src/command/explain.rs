//! `ecac explain`: why one op counts, or why it does not.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use ecac_artifact::exit;
use ecac_core::{Explanation, OpId, ProjectId, PublicKey};
use ecac_project::Project;
use serde::Serialize;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::{self, Form, Format};
use crate::people::People;
use crate::replica::{Replica, Source};
use crate::text;

/// Fewest digits that stand for an op id.
const DIGITS_MIN: usize = 8;
/// Digits of a whole op id.
const DIGITS_MAX: usize = 64;
/// Most candidates that an error lists.
const CANDIDATES_MAX: usize = 8;

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
            let told = explanation.to_string();
            let told = project.map_or_else(|| told.clone(), |it| named(&told, &it));
            output::print(told.as_bytes())
        }
        Format::Json => output::print_json(&Answer {
            format: "ecac-explain-v1",
            explanation,
        }),
    }
}

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
}

impl Args {
    /// The op id, which comes last, and the op logs before it.
    fn split(&self) -> Result<(Prefix, Vec<PathBuf>), Failure> {
        let (last, paths) = self.words.split_last().ok_or_else(|| {
            Failure::new(
                exit::USAGE,
                "explain",
                "no op is named",
                "name one, by the first digits of its id",
            )
        })?;
        let digits = last.to_string_lossy();
        let op = digits.parse::<Prefix>();
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

/// The first digits of an op id.
#[derive(Debug, Clone)]
struct Prefix(String);

impl FromStr for Prefix {
    type Err = String;

    fn from_str(digits: &str) -> Result<Self, String> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.bytes().all(is_digit) && (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
            Ok(Self(digits.to_owned()))
        } else {
            Err(format!(
                "an op id is {DIGITS_MAX} lower-case hexadecimal digits, or the first {DIGITS_MIN} or more of them"
            ))
        }
    }
}

impl Prefix {
    /// The one op id that begins so.
    fn find(&self, known: &BTreeSet<OpId>, label: &str) -> Result<OpId, Failure> {
        let mut matching = known
            .iter()
            .filter(|id| id.to_string().starts_with(&self.0));
        let Some(&first) = matching.next() else {
            return Err(not_found(self, label));
        };
        let others: Vec<&OpId> = matching.collect();
        if others.is_empty() {
            return Ok(first);
        }
        let shown = std::iter::once(&first).chain(others.iter().copied().take(CANDIDATES_MAX - 1));
        let candidates = shown.map(OpId::to_string).collect();
        Err(Failure::new(
            exit::USAGE,
            format!("find op {} in {label}", self.0),
            format!("{} op ids begin so", others.len() + 1),
            "give more digits",
        )
        .with_details(candidates))
    }
}

fn not_found(prefix: &Prefix, label: &str) -> Failure {
    Failure::new(
        exit::NOT_FOUND,
        format!("find op {} in {label}", prefix.0),
        "the op log does not have it",
        "list the ops with `ecac log`, or fetch an op log that has it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(head: [u8; 2]) -> OpId {
        let mut bytes = [7; 32];
        bytes[3..5].copy_from_slice(&head);
        OpId::from_bytes(bytes)
    }

    #[test]
    fn a_prefix_names_one_op_or_is_an_error() {
        let known = BTreeSet::from([id([1, 1]), id([1, 2]), id([2, 1])]);
        let find = |digits: &str| {
            let prefix: Prefix = digits.parse().unwrap();
            prefix.find(&known, "ops").map_err(|failure| failure.code)
        };
        assert_eq!(find("07070702"), Ok(id([2, 1])));
        assert_eq!(find("0707070101"), Ok(id([1, 1])));
        assert_eq!(find(&id([1, 2]).to_string()), Ok(id([1, 2])));
        assert_eq!(find("07070701"), Err(exit::USAGE));
        assert_eq!(find("07070703"), Err(exit::NOT_FOUND));
        for bad in ["", "0707070", "0707070G", "0707070A", &"0".repeat(65)] {
            assert!(bad.parse::<Prefix>().is_err(), "{bad}");
        }
    }
}
