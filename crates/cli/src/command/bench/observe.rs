//! `ecac bench observe`: the artifacts of a run again, from its op log.

use std::path::PathBuf;

use ecac_artifact::{Part, exit};
use ecac_bench::{BenchError, Params};

use super::Stamp;
use crate::failure::Failure;
use crate::input::OpLogFile;
use crate::{input, text};

/// Compute the artifacts of a run again, from its op log alone
///
/// They are metrics table, timeline and state. Scenario, seed and commit only label the metrics table; nothing is generated.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac bench observe out/hb-chain-42-ops.cborseq --scenario hb-chain --seed 42 \\
      --commit $(git rev-parse HEAD) --out again
  diff -r out again")]
pub(crate) struct Args {
    /// Op log of a run
    #[arg(value_name = "LOG")]
    log: PathBuf,
    #[command(flatten)]
    stamp: Stamp,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let ops = OpLogFile::read(&args.log)?.bytes;
    let params = Params {
        scenario: args.stamp.scenario,
        seed: args.stamp.seed,
        // A label that no artifact has.
        ops: 0,
    };
    let commit = args.stamp.commit.to_string();
    let report = ecac_bench::observe(&params, &commit, &ops).map_err(|error| match error {
        BenchError::OpLog(error) => input::bad_op_log(&args.log, &error),
        BenchError::Ops { .. } => Failure::new(
            exit::BAD_INPUT,
            format!("observe {}", text::path(&args.log)),
            error,
            "observe the op log of a whole run",
        ),
    })?;
    let parts = [Part::Csv, Part::Timeline, Part::State];
    args.stamp.publish(&report, &parts)
}
