//! `ecac bench observe`: the artifacts of a run again, from its op log.

use ecac_artifact::{Part, exit};
use ecac_bench::Params;

use super::stamp::Stamp;
use crate::failure::Failure;
use crate::replica::Logs;

/// Compute the artifacts of a run again, from its op log alone
///
/// They are metrics table, timeline and state. Scenario, seed and commit only label the metrics table; nothing is generated.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac bench observe out/hb-chain-42-ops.cborseq --scenario hb-chain --seed 42 --out again
  diff -r out again")]
pub(crate) struct Args {
    #[command(flatten)]
    logs: Logs,
    #[command(flatten)]
    stamp: Stamp,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let claimed = args
        .stamp
        .claim(&[Part::Csv, Part::Timeline, Part::State])?;
    let logs = args.logs.read()?;
    let params = Params {
        scenario: args.stamp.scenario,
        seed: args.stamp.seed,
        // A label that no artifact has.
        ops: 0,
    };
    let commit = args.stamp.commit.to_string();
    let record = ecac_bench::observe(&params, &commit, &logs.bytes).map_err(|error| {
        Failure::new(
            exit::BAD_INPUT,
            format!("observe the op log {}", args.logs.label()),
            error,
            "observe the op log of a whole run",
        )
    })?;
    claimed.publish(&record)
}
