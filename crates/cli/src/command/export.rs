//! `ecac export`: every op as a file.

use std::path::PathBuf;

use ecac_artifact::exit;
use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{output, text};

/// Write every op into a file for others
///
/// The file is a CBOR sequence (RFC 8742) of signed ops, the same bytes as they were signed, parents first. What waits for ancestors
/// goes along. Send it by any way at all; `-` is standard output.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac export shop.cborseq
  ecac export - | ssh van 'cd shop && ecac import -'")]
pub(crate) struct Args {
    /// File to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace FILE if it exists
    #[arg(long)]
    force: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let to_stdout = args.file.as_os_str() == "-";
    if to_stdout && args.json {
        return Err(Failure::new(
            exit::USAGE,
            "export",
            "standard output gets the ops",
            "leave --json out, or name a file",
        ));
    }
    if !to_stdout {
        output::check_vacant(&args.file, args.force)?;
    }
    let (_, replica) = globals.reading()?;
    let log = replica.log();
    let progress = Progress::counted("exporting", log.admitted_count() as u64);
    let mut bytes = Vec::new();
    let mut ops = 0_usize;
    for op in replica.total_order() {
        bytes.extend_from_slice(op.envelope());
        ops += 1;
        progress.reach(ops as u64);
    }
    drop(progress);
    for op in log.pending().chain(log.unsupported()) {
        bytes.extend_from_slice(op.envelope());
        ops += 1;
    }
    let dropped = log.pruned_count();
    if let Some(fault) = replica.fault() {
        return Err(Failure::new(
            exit::VERIFICATION,
            "export",
            &fault.reason,
            "`ecac verify-store` says what is damaged",
        ));
    }
    if ops == 0 {
        return Err(Failure::new(
            exit::NOT_FOUND,
            "export",
            "nothing is here yet",
            "import what somebody exported first",
        ));
    }
    if dropped > 0 {
        output::note(&format!(
            "warning: {} dropped here (`ecac prune`) and {} not in it: whoever has none of {} cannot take in what builds on {}\n",
            if dropped == 1 {
                "1 op was".to_owned()
            } else {
                format!("{dropped} ops were")
            },
            if dropped == 1 { "is" } else { "are" },
            if dropped == 1 { "it" } else { "them" },
            if dropped == 1 { "it" } else { "them" },
        ));
    }
    if to_stdout {
        return output::print(&bytes);
    }
    output::write_files(vec![(args.file.clone(), &bytes)], args.force)?;
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-export-v1",
            "project": replica.project(),
            "file": args.file,
            "ops": ops,
            "dropped": dropped,
            "bytes": bytes.len(),
        }));
    }
    output::print(format!("{} in {}\n", text::count(ops, "op"), text::path(&args.file)).as_bytes())
}
