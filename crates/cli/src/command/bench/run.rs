//! `ecac bench run`: a scenario from its seed.

use std::error::Error as _;

use ecac_artifact::{Part, exit};
use ecac_bench::{BenchError, Params};
use ecac_bench_disk::Disk;

use super::stamp::Stamp;
use crate::failure::Failure;
use crate::interrupt;

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
    let doing = format!("run the scenario {}", params.scenario);
    interrupt::install()?;
    let disk = Disk::new(interrupt::requested).map_err(|error| unkept(&doing, &error))?;
    let run = ecac_bench::run_in(disk, &params, &args.stamp.commit.to_string());
    interrupt::check(&doing)?;
    let record = run.map_err(|error| match &error {
        BenchError::Ops { .. } | BenchError::OpLog(_) => Failure::new(
            exit::USAGE,
            doing,
            error,
            "choose another number with --ops",
        ),
        BenchError::Storage(error) => unkept(&doing, error),
    })?;
    claimed.publish(&record)
}

/// The replicas and the audit log of a run are not kept.
fn unkept(doing: &str, error: &ecac_bench_disk::Error) -> Failure {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        cause = format!("{cause}: {error}");
        source = error.source();
    }
    Failure::new(
        exit::ENVIRONMENT,
        doing,
        cause,
        "make room, or set TMPDIR to a directory that you may write",
    )
}
