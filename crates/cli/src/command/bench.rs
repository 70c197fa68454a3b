//! `ecac bench`: the seeded scenarios.

pub(crate) mod list;
pub(crate) mod observe;
pub(crate) mod run;
mod stamp;

/// Run the seeded scenarios
///
/// A scenario makes people sign ops and meet. Its op log and everything that follows from it are a pure function of
/// scenario, seed and number of ops.
#[derive(Debug, clap::Subcommand)]
#[command(
    arg_required_else_help = true,
    after_help = "Examples:
  ecac bench list
  ecac bench run --scenario offline-revoke --seed 42
  ecac bench observe out/offline-revoke-42-ops.cborseq --scenario offline-revoke --seed 42 --out again"
)]
pub(crate) enum Command {
    Run(run::Args),
    Observe(observe::Args),
    /// List the scenarios
    #[command(after_help = "Examples:
  ecac bench list")]
    List,
}
