//! `ecac bench run`: a scenario from its seed.

use ecac_artifact::{Part, exit};
use ecac_bench::Params;

use super::stamp::Stamp;
use crate::failure::Failure;

/// Run a scenario and write its artifacts
///
/// They are metrics table, timeline, state and op log, in files named by scenario and seed. A run is a pure function of scenario, seed, number of ops and commit: no clock, no environment.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac bench run --scenario hb-chain --seed 42      500 ops, into the directory `out`
  ecac bench run --scenario concurrent --seed 7 --ops 2000 --commit $(git rev-parse HEAD) --out o")]
pub(crate) struct Args {
    #[command(flatten)]
    stamp: Stamp,
    /// Ops in the op log, all kinds together
    #[arg(long, value_name = "N", default_value_t = 500)]
    ops: u32,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let claimed = args.stamp.claim(Part::ALL)?;
    let params = Params {
        scenario: args.stamp.scenario,
        seed: args.stamp.seed,
        ops: args.ops,
    };
    let record = ecac_bench::run(&params, &args.stamp.commit.to_string()).map_err(|error| {
        Failure::new(
            exit::USAGE,
            format!("run the scenario {}", params.scenario),
            error,
            "choose another number with --ops",
        )
    })?;
    claimed.publish(&record)
}
