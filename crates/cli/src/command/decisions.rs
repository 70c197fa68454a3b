//! `ecac decisions`: what is decided of every op.

use std::collections::BTreeMap;

use ecac_core::{Decision, OpId};
use serde::Serialize;

use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;

/// Write the decision on every op, as JSON Lines by op id
///
/// Each line has `op`, `verdict` (applied, denied, refused or pending), `reason` (null for applied and pending)
/// and `witness`: the grant that allows, the denial that kills, or what shows the refusal. The lines are a
/// function of the set of ops: two replicas that hold the same ops write the same bytes. Items that are no op of
/// anybody's have no line.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac decisions ops.cborseq | sha256sum
  ecac decisions ops.cborseq | grep '\"denied\"'
  ecac decisions ops.cborseq --out decisions.jsonl")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
}

#[derive(Serialize)]
struct Line {
    op: OpId,
    verdict: &'static str,
    reason: Option<&'static str>,
    witness: Option<OpId>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let replica = args.source.replay()?;
    destination.write(&lines(&replica.replay.decisions(&replica.log))?)
}

/// The document: a line for each decision, by op id.
pub(crate) fn lines(decisions: &BTreeMap<OpId, Decision>) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    for (op, decision) in decisions {
        let line = Line {
            op: *op,
            verdict: decision.verdict(),
            reason: decision.reason(),
            witness: decision.witness(),
        };
        let written = serde_json::to_writer(&mut bytes, &line);
        written.map_err(|error| Failure::write("JSON", &error.into()))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}
