//! `ecac trust-dump`: the trust view export.

use ecac_core::{Costs, export_trust};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;

/// Write whom an op log or the project trusts, to say what, as canonical JSON
///
/// Without LOG it is that of the project here or above.
///
/// The view has roots, issuer keys in force and revoked, status lists and equivocations, in the form of RFC 8785. These
/// are the bytes whose SHA-256 is the trust digest: no newline follows them.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |arg| arg.required(false)), after_help = "Examples:
  ecac trust-dump                      the project here or above
  ecac trust-dump ops.cborseq | sha256sum
  ecac trust-dump ops.cborseq --out trustview.json
  ecac trust-dump ops.cborseq | jq .issuer_keys.revoked")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let replica = args.source.replay_in(globals)?;
    let trust = export_trust(&replica.log, &mut Costs::default());
    destination.write(&trust)
}
