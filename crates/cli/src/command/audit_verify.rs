//! `ecac audit-verify`: whether an audit log is whole, signed and true.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_audit::{
    AuditLog, Checkpoint, CheckpointError, Comparison, Expect, Verdict, verification,
    verify_against,
};
use ecac_core::{Costs, ProjectId, PublicKey};
use serde_json::Value as Json;

use crate::audit_log::AuditInput;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::input::OpLogFiles;
use crate::replica::of_directory;
use crate::{input, output, text};

/// The longest file with a signed head; one has some 500 bytes.
const HEAD_BYTES_MAX: u64 = 4096;

/// Check an audit log: hashes, signatures, and every decision against the op log
///
/// The log must be whole, each batch signed, and every decision the one that replaying the op log gives. A node that
/// lies in its own audit log is caught.
///
/// Only what the node signed speaks against it: what else is in an op log is counted. Where ops are missing the question
/// stays open, and the exit code is 8. Nothing is repaired: AUDIT is only read. Without --node the log is checked against
/// the key that it names itself, and then anybody can have made the whole log. Without AUDIT it is that of this machine in the project here or
/// above, by the key of this machine, against the ops that are there.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac audit-verify                                  this machine\'s, in the project here or above
  ecac audit-verify audit.jsonl --log ops.cborseq
  ecac audit-verify audit.jsonl --log ops.cborseq --head head.note \\
      --node did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")]
pub(crate) struct Args {
    /// Audit log: JSON Lines, as `ecac audit-export` writes it, or the directory of its segments
    #[arg(value_name = "AUDIT", requires = "logs")]
    audit: Option<PathBuf>,
    /// Op log to compare it with; several count as one, and `-` is standard input
    #[arg(long = "log", value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// Signed head of the audit log that somebody kept, which the log must contain
    #[arg(long = "head", value_name = "FILE")]
    heads: Vec<PathBuf>,
    /// Project that it must be of, as the op id of its genesis
    #[arg(long, value_name = "HEX")]
    project: Option<ProjectId>,
    /// Node that must have signed it
    #[arg(long, value_name = "DID")]
    node: Option<PublicKey>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (place, node) = match &args.audit {
        Some(place) => (place.clone(), args.node),
        None => {
            let here = globals.project()?.audit();
            (here, args.node.or(globals.node_on_record()?))
        }
    };
    let input = AuditInput::open(&place)?;
    let logs = if args.logs.is_empty() {
        of_directory(globals)?.file
    } else {
        OpLogFiles::read(&args.logs)?
    };
    let path = text::path(&place);
    let expect = Expect {
        project: args.project,
        node,
    };
    let audit = input.verify(&expect, "verify")?;
    for head in &args.heads {
        check_head(&audit, &place, head)?;
    }
    let names: Vec<&str> = logs.labels().collect();
    let names = names.join(", ");
    let comparison =
        verify_against(&audit, logs.items(), &mut Costs::default()).map_err(|error| {
            Failure::new(
                exit::VERIFICATION,
                format!("verify the audit log {path} against {names}"),
                text::escape(&error.to_string()),
                "the node signed what the ops do not say; keep all of these files",
            )
        })?;
    if node.is_none() {
        output::note(
            "warning: without --node anybody can have made the whole log; compare the node below\n",
        );
    }
    let said = verification(&audit, Some(&comparison));
    if args.json {
        output::print_json(&answer(&said))?;
    } else {
        output::print(said.as_bytes())?;
    }
    conclude(&comparison, &path, &names)
}

/// The lines `name: value` of a verification as members of one object: numbers where they are some.
fn answer(said: &str) -> serde_json::Map<String, Json> {
    let format = ("format".to_owned(), Json::from("ecac-audit-verify-v1"));
    let members = said.lines().filter_map(|line| line.split_once(": "));
    let members = members.map(|(name, value)| {
        let number = value.parse::<u64>().map(Json::from);
        let value = number.unwrap_or_else(|_| Json::from(value));
        (name.replace(' ', "_"), value)
    });
    core::iter::once(format).chain(members).collect()
}

/// Says what the verdict is about, where it is not simply good.
fn conclude(comparison: &Comparison, path: &str, names: &str) -> Result<(), Failure> {
    let undecided = |cause: String, hint: &str| {
        let doing = format!("verify the whole audit log {path} against {names}");
        Err(Failure::new(exit::UNDECIDED, doing, cause, hint))
    };
    let line = comparison.halt.map(|halt| halt.line);
    match comparison.verdict() {
        Verdict::Confirmed => Ok(()),
        Verdict::ConfirmedSoFar => {
            if let Some(first) = comparison.silent.first() {
                output::note(&format!(
                    "note: the audit log does not speak of {} of the ops, the first is {first}: they came later, or the \
                     node never got them, or the end of the log was cut off, which a later head (--head) would show\n",
                    comparison.silent.len()
                ));
            }
            Ok(())
        }
        Verdict::Incomplete => {
            let first = comparison.absent.first();
            let first = first.map(|op| format!(", the first is {op}"));
            let from = line.map(|line| format!("; from line {line} on nothing can be computed"));
            undecided(
                format!(
                    "{} of the ops that it ingests are absent{}{}",
                    comparison.absent.len(),
                    first.unwrap_or_default(),
                    from.unwrap_or_default()
                ),
                "add an op log that has them with another --log; what could be compared does not speak against the node",
            )
        }
        Verdict::NotComparable => undecided(
            format!(
                "the entry in line {} was judged by the rules of an earlier version, or by a program that knows more or fewer \
                 kinds of ops",
                line.unwrap_or_default()
            ),
            "compare it by the version of ecac that wrote it; nothing before that line speaks against the node",
        ),
    }
}

/// Requires that the log contains a head that somebody kept.
fn check_head(audit: &AuditLog, path: &Path, head: &Path) -> Result<(), Failure> {
    let (path, name) = (text::path(path), text::path(head));
    let mut bytes = Vec::new();
    input::open(head)
        .and_then(|file| file.take(HEAD_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::read(&format!("the signed head {name}"), &error))?;
    let bad = |code, cause: &str| {
        Failure::new(
            code,
            format!("read the signed head {name}"),
            text::escape(cause),
            "a head is the signed note in a `head` line of the same audit log: `tail -n 1 audit.jsonl | jq -j .head`",
        )
    };
    let note = Some(&bytes)
        .filter(|bytes| bytes.len() as u64 <= HEAD_BYTES_MAX)
        .and_then(|bytes| str::from_utf8(bytes).ok())
        .ok_or_else(|| bad(exit::BAD_INPUT, "it is no signed note"))?;
    let kept = Checkpoint::open(note, &audit.origin()).map_err(|error| {
        let code = match error {
            CheckpointError::Note(_)
            | CheckpointError::Text
            | CheckpointError::EmptyTree
            | CheckpointError::Origin { .. } => exit::BAD_INPUT,
            CheckpointError::Key { .. } | CheckpointError::Signature => exit::BAD_SIGNATURE,
        };
        bad(code, &error.to_string())
    })?;
    if audit.holds(&kept) {
        return Ok(());
    }
    let (size, kept) = (audit.size(), kept.head().size);
    let cause = if kept > size {
        format!(
            "it has {size} entries, but its node signed a head over {kept}: its end was cut off"
        )
    } else {
        format!(
            "its node signed another head over {kept} entries: it shows different logs to different people"
        )
    };
    Err(Failure::new(
        exit::VERIFICATION,
        format!("find the head {name} in the audit log {path}"),
        cause,
        "the head is proof of it; keep both files",
    ))
}
