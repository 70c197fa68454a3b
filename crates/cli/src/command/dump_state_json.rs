//! `ecac dump-state-json`: the state export.

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;

/// Write the state that an op log or the project amounts to, as canonical JSON
///
/// Without LOG it is that of the project here or above. The form is that of RFC 8785. These are the bytes whose SHA-256 is the state digest: no newline follows them.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |arg| arg.required(false)), after_help = "Examples:
  ecac dump-state-json                       the project here or above
  ecac dump-state-json ops.cborseq | sha256sum
  ecac dump-state-json ops.cborseq --out state.json
  ecac dump-state-json ops.cborseq | jq .objects")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let replica = args.source.replay_in(globals)?;
    let state = replica.replay.state().export(&replica.log);
    destination.write(&state)
}
