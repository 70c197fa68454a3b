//! `ecac export`: every op as a file.

use std::path::PathBuf;

use ecac_artifact::exit;
use ecac_core::{CarryError, Replica};
use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{output, text};

/// Write every op into a file for others
///
/// The file is a CBOR sequence (RFC 8742) of signed ops, the same bytes as they were signed, parents first. What waits for ancestors
/// goes along. Send it by any way at all; `-` is standard output.
///
/// With --sealed it is a sealed snapshot, with which somebody new can begin: `ecac join LINE --from FILE`. It goes without the values that
/// were written over, and whoever gets it believes nothing but what the roots have sealed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac export shop.cborseq
  ecac export - | ssh van 'cd shop && ecac import -'
  ecac export --sealed for-new-van.sealed")]
pub(crate) struct Args {
    /// File to write
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the roots have sealed, for somebody new
    #[arg(long)]
    sealed: bool,
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
    if args.sealed {
        return export_sealed(args, &replica, to_stdout);
    }
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
            "sealed": false,
            "ops": ops,
            "dropped": dropped,
            "bytes": bytes.len(),
        }));
    }
    output::print(format!("{} in {}\n", text::count(ops, "op"), text::path(&args.file)).as_bytes())
}

/// Writes a sealed snapshot from which somebody starts, once somebody has started from it here.
fn export_sealed(args: &Args, replica: &Replica, to_stdout: bool) -> Result<(), Failure> {
    const DOING: &str = "export what is sealed";
    let carried = replica.carry().map_err(|error| {
        let (code, hint) = match &error {
            CarryError::Unsealed => (exit::REFUSED, "seal first: `ecac seal`, and `ecac cosign` by the others"),
            CarryError::Unbound { .. } => (
                exit::REFUSED,
                "a project of which several roots sign together binds it if this version founds it; in this one, export everything",
            ),
            CarryError::Pruned { .. } => (
                exit::VERIFICATION,
                "take back what was dropped (`ecac sync --older` with somebody who keeps everything), or let them export it",
            ),
            _ => (exit::VERIFICATION, "look at the seal with `ecac explain`; seal anew, and ask the others what they signed"),
        };
        Failure::new(code, DOING, &error, hint)
    })?;
    let started = Replica::start_from(replica.project(), &carried).map_err(|error| {
        let hint = "`ecac verify-store` says what is damaged";
        Failure::new(exit::VERIFICATION, DOING, &error, hint)
    })?;
    let (ops, dropped) = (started.log().admitted_count(), started.log().pruned_count());
    if to_stdout {
        return output::print(&carried);
    }
    output::write_files(vec![(args.file.clone(), &carried)], args.force)?;
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-export-v1",
            "project": replica.project(),
            "file": args.file,
            "sealed": true,
            "ops": ops,
            "dropped": dropped,
            "bytes": carried.len(),
        }));
    }
    let told = format!(
        "{} in {}, {dropped} of them without the values that were written over\n",
        text::count(ops, "op"),
        text::path(&args.file)
    );
    output::print(told.as_bytes())
}
