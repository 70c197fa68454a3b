//! `ecac dump-state-json`: the state export.

use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;

/// Write the state that an op log amounts to, as canonical JSON
///
/// The form is that of RFC 8785. These are the bytes whose SHA-256 is the state digest: no newline follows them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac dump-state-json ops.cborseq | sha256sum
  ecac dump-state-json ops.cborseq --out state.json
  ecac dump-state-json ops.cborseq | jq .objects")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let replica = args.source.replay()?;
    let state = replica.replay.state().export(&replica.log);
    destination.write(&state)
}
