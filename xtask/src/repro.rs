//! `cargo xtask repro`: from a clean tree to published artifacts.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;

use crate::compile::BuildArgs;
use crate::engine;
use crate::output::{self, Format};
use crate::parameters::ParameterArgs;
use crate::pipeline::{self, Plan};
use crate::preflight::{self, SourceArgs};
use crate::progress::Progress;
use crate::publish::Target;
use crate::summary::Summary;
use crate::workspace;

/// Arguments of `repro`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    parameters: ParameterArgs,
    #[command(flatten)]
    build: BuildArgs,
    /// The directory that receives the artifacts [default: docs/eval/out of the workspace]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Builds, runs, checks and publishes.
pub(crate) fn run(args: &Args) -> Result<()> {
    let parameters = args.parameters.resolve();
    engine::check(&parameters)?;
    let progress = Progress::new(pipeline::STAGES + 2);
    let mut times = Vec::new();
    let (source, target) = progress.stage(&mut times, "preflight", || {
        let out = match &args.out {
            Some(out) => out.clone(),
            None => workspace::root()?.join(workspace::OUT_DIR),
        };
        let target = Target::check(&out)?;
        Ok((preflight::check(&args.source, &progress)?, target))
    })?;
    let plan = Plan {
        source: &source,
        citation: None,
        parameters: &parameters,
        build: &args.build,
    };
    let outcome = pipeline::run(&plan, &progress, &mut times)?;
    progress.stage(&mut times, "publish", || target.replace(&outcome.files))?;
    drop(progress);

    let summary = Summary::new(&outcome, target.path(), &times);
    match args.format {
        Format::Text => output::print(&summary.text()),
        Format::Json => output::print_json(&summary),
    }
}
