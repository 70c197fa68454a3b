//! `ecac audit prove`: proofs that a node recorded what it did with an op.

use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_audit::{EntryKind, Expect, ProvenEntry, Survey, prove_entries};
use ecac_core::{OpId, ProjectId, PublicKey};
use serde::Serialize;

use crate::audit_log::AuditInput;
use crate::failure::Failure;
use crate::output::{self, Destination};
use crate::text;

/// Prove what a node recorded of an op
///
/// Each entry about the op gets a proof of its own, in the format of c2sp.org/tlog-proof with the entry as extra data,
/// against the last signed head of the audit log; the proofs stand one after the other. Other programs read files with
/// one proof: choose it with --entry. Where a directory has the head with signatures of witnesses, the proofs have them
/// too.
///
/// The log is verified first: structure, hashes and signatures. What follows its last signed head is not looked at.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac audit prove eaf74e2a269b19acbabfbc5617c16b0622745d644a82133ebdba8fe6aa34966e --audit segments
  ecac audit prove eaf74e2a269b19acbabfbc5617c16b0622745d644a82133ebdba8fe6aa34966e --audit audit.jsonl \\
      --entry applied --out applied.tlog-proof")]
pub(crate) struct Args {
    /// The op, by its whole id
    #[arg(value_name = "OP")]
    op: OpId,
    /// Audit log: an export, or the directory of its segments
    #[arg(long, value_name = "AUDIT")]
    audit: PathBuf,
    /// Prove entries of this kind only: applied, skipped, rolled_back and so on
    #[arg(long, value_name = "KIND", value_parser = kind)]
    entry: Option<EntryKind>,
    /// Project that the log must be of, as the op id of its genesis
    #[arg(long, value_name = "HEX")]
    project: Option<ProjectId>,
    /// Node that must have signed it
    #[arg(long, value_name = "DID")]
    node: Option<PublicKey>,
    #[command(flatten)]
    destination: Destination,
    /// Print one JSON document, which has the proofs as texts
    #[arg(long, conflicts_with = "out")]
    json: bool,
}

fn kind(name: &str) -> Result<EntryKind, String> {
    let mut kinds = EntryKind::ALL.iter().copied();
    kinds.find(|kind| kind.name() == name).ok_or_else(|| {
        let names: Vec<&str> = EntryKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("one of {}", names.join(", "))
    })
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let input = AuditInput::open(&args.audit)?;
    let expect = Expect {
        project: args.project,
        node: args.node,
    };
    let proven = prove_entries(&input, &expect, args.op);
    let (survey, mut proven) = proven.map_err(|error| input.failure("verify", &error))?;
    input.check_last_segment(&survey.origin(), "verify")?;
    proven.retain(|entry| args.entry.is_none_or(|kind| entry.kind == kind));
    if proven.is_empty() {
        let about = args
            .entry
            .map_or(String::new(), |kind| format!(" of the kind {kind}"));
        return Err(Failure::new(
            exit::NOT_FOUND,
            format!(
                "find the op {} in the audit log {}",
                args.op,
                text::path(&args.audit)
            ),
            format!("no entry{about} that a signed head covers is about it"),
            "`ecac audit-verify` tells of which ops the log does not speak; OP is the whole id, as `ecac log` has it",
        ));
    }
    let size = survey.frontier().size();
    if let Some(cosigned) = input.cosigned(&survey.origin(), size)? {
        for entry in &mut proven {
            cosigned.note().clone_into(&mut entry.proof.checkpoint);
        }
    }
    if let Some(tail) = &survey.tail {
        output::note(&format!(
            "note: {} bytes behind the last signed head of the audit log were not looked at: it is being written, or its \
             writer stopped\n",
            tail.bytes
        ));
    }
    if args.json {
        return output::print_json(&Answer::of(args.op, &survey, &proven));
    }
    let texts: Vec<String> = proven.iter().map(|it| it.proof.to_string()).collect();
    destination.write(texts.concat().as_bytes())
}

#[derive(Serialize)]
struct Answer {
    format: &'static str,
    op: OpId,
    project: ProjectId,
    node: PublicKey,
    tree_size: u64,
    root: String,
    proofs: Vec<Proof>,
}

#[derive(Serialize)]
struct Proof {
    entry: &'static str,
    index: u64,
    line: String,
    proof: String,
}

impl Answer {
    fn of(op: OpId, survey: &Survey, proven: &[ProvenEntry]) -> Self {
        let (origin, head) = (survey.origin(), survey.frontier().head());
        let proofs = proven.iter().map(|it| Proof {
            entry: it.kind.name(),
            index: it.proof.index,
            line: String::from_utf8_lossy(it.proof.line.as_deref().unwrap_or_default())
                .into_owned(),
            proof: it.proof.to_string(),
        });
        Self {
            format: "ecac-audit-prove-v1",
            op,
            project: origin.project,
            node: origin.node,
            tree_size: head.size,
            root: head.root.to_string(),
            proofs: proofs.collect(),
        }
    }
}
