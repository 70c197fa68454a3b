//! `ecac verify-store`: finding out again everything that the store says.

use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output;
use crate::progress::Progress;

/// Verify the store: every page, every signature, every decision
///
/// Everything that the store says is found out again from the signed ops and compared; the first fault is told with its place.
/// Of ops whose envelopes `ecac prune` dropped it is found out again from what is kept of them. Nothing is repaired, and the file is only read.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac verify-store
  ecac verify-store --json | jq -r .state")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let project = globals.project()?;
    let threads = std::thread::available_parallelism().map_or(1, |it| it.get());
    let mut progress = None;
    let verified = ecac_store::verify_telling(project.store(), threads, &mut |done, all| {
        let progress = progress.get_or_insert_with(|| Progress::counted("verifying", all));
        progress.reach(done);
    });
    drop(progress);
    let verified = verified.map_err(|error| Failure::of("verify the store", &error.into()))?;
    let (state, trust) = (
        hex::encode(verified.state_digest),
        hex::encode(verified.trust_digest),
    );
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-verify-store-v1",
            "ops": verified.ops,
            "dropped": verified.dropped,
            "held": verified.held,
            "snapshot_ops": verified.snapshot_ops,
            "generation": verified.generation,
            "state": state,
            "trust": trust,
        }));
    }
    let snapshot = verified
        .snapshot_ops
        .map_or_else(|| "none".to_owned(), |ops| format!("of {ops} ops"));
    let dropped = if verified.dropped == 0 {
        String::new()
    } else {
        let count = verified.dropped;
        format!("dropped   {count}, whose signatures nothing here tells any more\n")
    };
    let told = format!(
        "the store is sound\nops       {}\n{dropped}waiting   {}\nsnapshot  {snapshot}\nstate     sha256:{state}\ntrust     sha256:{trust}\n",
        verified.ops, verified.held
    );
    output::print(told.as_bytes())
}
