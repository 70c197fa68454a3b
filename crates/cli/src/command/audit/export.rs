//! `ecac audit export`: the segments of a directory as one file.

use std::path::PathBuf;

use ecac_audit::Expect;

use crate::audit_log::AuditInput;
use crate::failure::Failure;
use crate::output::Destination;

/// Write the audit log of a directory of segments as one export
///
/// The log is verified before: structure, hashes and signatures. The export is its segments, one after the other. What
/// follows the last signed head is an error, and nothing is written.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac audit export segments > audit.jsonl
  ecac audit export segments --out audit.jsonl --force")]
pub(crate) struct Args {
    /// Directory of the segments, or an export
    #[arg(value_name = "AUDIT")]
    audit: PathBuf,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let input = AuditInput::open(&args.audit)?;
    let audit = input.verify(&Expect::default(), "export")?;
    destination.write(audit.export().as_bytes())
}
