//! `ecac snapshot`: writing a snapshot.

use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::{output, text};

/// Write a snapshot, so that the project opens faster
///
/// The program writes one by itself every so many ops. A snapshot changes nothing: with the ops after it, it says the same as
/// the ops alone.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac snapshot
  ecac snapshot --json")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (_, mut writer, _) = globals.writing()?;
    let failed = |error| Failure::of("write the snapshot", &error);
    writer.snapshot().map_err(failed)?;
    let (ops, bytes) = {
        let store = writer.durable().store();
        (store.ops(), store.snapshot_bytes())
    };
    writer.close().map_err(failed)?;
    if args.json {
        return output::print_json(
            &json!({ "format": "ecac-snapshot-v1", "ops": ops, "bytes": bytes }),
        );
    }
    let ops = text::count(usize::try_from(ops).unwrap_or(usize::MAX), "op");
    output::print(format!("a snapshot of {ops}, {bytes} bytes\n").as_bytes())
}
