//! `ecac decisions`: what is decided of every op.

use ecac_core::{Costs, Decision, Effect, Log, OpId, Replay};
use serde::Serialize;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;

/// Write the decision on every op, as JSON Lines by op id
///
/// Each line has `op`, `verdict` (applied, denied, refused, pending or unsupported), `reason` (for denied and refused) and
/// `witness`: the grant that allows, the denial that kills, or what shows the refusal; `missing`: of a pending op the
/// absent ancestors; and `effect`: of an op of trust or policy its `code`, whether it `counts` for something, and the
/// ops that it is `on`. What there is none of is null. The lines are a
/// function of the set of ops: two replicas that hold the same ops write the same bytes. Items that are no op of
/// anybody's have no line. Without LOG they are those of the project here or above.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |arg| arg.required(false)), after_help = "Examples:
  ecac decisions                       the project here or above
  ecac decisions ops.cborseq | sha256sum
  ecac decisions ops.cborseq | grep '\"denied\"'
  ecac decisions ops.cborseq | jq 'select(.effect.counts == false)'
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
    missing: Option<Vec<OpId>>,
    effect: Option<Effect>,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    let replica = args.source.replay_in(globals)?;
    destination.write(&lines(&replica.log, &replica.replay)?)
}

/// The document: a line for each op, by op id.
pub(crate) fn lines(log: &Log, replay: &Replay) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    for (op, decision) in replay.decisions(log) {
        let line = Line {
            op,
            verdict: decision.verdict(),
            reason: decision.reason(),
            witness: decision.witness(),
            missing: absent(&decision),
            effect: replay.effect(log, &op, &mut Costs::default()),
        };
        let written = serde_json::to_writer(&mut bytes, &line);
        written.map_err(|error| Failure::write("JSON", &error.into()))?;
        bytes.push(b'\n');
    }
    Ok(bytes)
}

/// The absent ancestors that a decision names.
pub(crate) fn absent(decision: &Decision) -> Option<Vec<OpId>> {
    match decision {
        Decision::Pending { missing } => Some(missing.iter().copied().collect()),
        Decision::Applied { .. }
        | Decision::Denied { .. }
        | Decision::Refused { .. }
        | Decision::Unsupported => None,
    }
}
