//! `ecac audit-verify`: whether an audit log is whole, signed and true.

use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_audit::{AuditError, AuditLog, Expect, report, verify_against};
use ecac_core::{Costs, ProjectId, PublicKey};

use crate::failure::Failure;
use crate::replica::Source;
use crate::{input, output, text};

/// Check an audit log: hashes, signatures, and every decision against the op log
///
/// The log must be whole, each batch signed, and every decision the one that replaying the op log gives. A node that
/// lies in its own audit log is caught.
///
/// Nothing is repaired: AUDIT is only read. Without --node the log is checked against the key that it names
/// itself, and then anybody can have made the whole log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac audit-verify audit.jsonl --log ops.cborseq
  ecac audit-verify audit.jsonl --log ops.cborseq \\
      --node did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK")]
pub(crate) struct Args {
    /// Audit log: JSON Lines, as `ecac audit-export` writes it
    #[arg(value_name = "AUDIT")]
    audit: PathBuf,
    /// Op log to compare it with
    #[arg(long = "log", value_name = "LOG")]
    log: PathBuf,
    /// Project, as the op id of its genesis; needed where LOG has no genesis or several
    #[arg(long, value_name = "HEX")]
    project: Option<ProjectId>,
    /// Node that must have signed it
    #[arg(long, value_name = "DID")]
    node: Option<PublicKey>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let bytes = input::audit_log(&args.audit)?;
    let source = Source::new(args.log.clone(), args.project);
    let op_log = source.read()?;
    let path = text::path(&args.audit);
    let expect = Expect {
        project: Some(op_log.project),
        node: args.node,
    };
    let audit = AuditLog::verify(&bytes, &expect).map_err(|error| {
        Failure::new(
            code(&error),
            format!("verify the audit log {path}"),
            text::escape(&error.to_string()),
            hint(&error),
        )
    })?;
    let items = op_log.file.items();
    let confirmed = verify_against(&audit, items, &mut Costs::default()).map_err(|error| {
        Failure::new(
            exit::VERIFICATION,
            format!(
                "verify the audit log {path} against {}",
                text::path(&args.log)
            ),
            text::escape(&error.to_string()),
            "the node recorded what the ops do not say, or this is not the op log that it had; keep both files",
        )
    })?;
    if args.node.is_none() {
        output::note(
            "warning: without --node anybody can have made the whole log; compare the node below\n",
        );
    }
    output::print(report(&audit, Some(&confirmed)).as_bytes())
}

/// A file of another kind is bad input; an audit log at fault has failed its verification.
const fn code(error: &AuditError) -> u8 {
    match error {
        AuditError::Header { .. }
        | AuditError::Format { .. }
        | AuditError::LineTooLong { line: 1 }
        | AuditError::Torn { line: 1 } => exit::BAD_INPUT,
        _ => exit::VERIFICATION,
    }
}

const fn hint(error: &AuditError) -> &'static str {
    match error {
        AuditError::Header { .. }
        | AuditError::Format { .. }
        | AuditError::LineTooLong { line: 1 }
        | AuditError::Torn { line: 1 } => {
            "an audit log is JSON Lines that begin with a header, as `ecac audit-export` writes them"
        }
        AuditError::Project { .. } => "compare it with the op log of its own project",
        AuditError::Node { .. } => "ask the node for its own log, or check --node",
        AuditError::Empty | AuditError::NoEntries | AuditError::Unsigned { .. } => {
            "an export ends in a signed head; fetch the file again and compare it with a head that you know"
        }
        _ => "the file is not what the node signed; keep it, and fetch it again from the node",
    }
}
