//! `cargo xtask repro`: from a clean tree to published artifacts.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;

use crate::host::cpu;
use crate::host::output::{self, Format};
use crate::host::progress::Progress;
use crate::host::workdir::WorkDir;
use crate::host::workspace;
use crate::reproduce::compile::BuildArgs;
use crate::reproduce::engine;
use crate::reproduce::nodes;
use crate::reproduce::parameters::{self, ParameterArgs};
use crate::reproduce::pipeline::{self, Plan};
use crate::reproduce::preflight::{self, SourceArgs};
use crate::reproduce::publish::Target;
use crate::reproduce::summary::Summary;
use crate::reproduce::twice;
use ecac_artifact::Parameters;

/// Arguments of `repro`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    parameters: ParameterArgs,
    #[command(flatten)]
    build: BuildArgs,
    /// Build and run a second time under other circumstances, and publish only what stayed equal
    #[arg(long)]
    twice: bool,
    /// Run the workload of partition-3 over real nodes on this machine too, and publish only if each ends where the simulation did
    #[arg(long)]
    net: bool,
    /// The directory that receives the artifacts [default: docs/eval/out of the workspace]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Args {
    /// The arguments with which a second run makes the same.
    fn for_second_time(&self, parameters: &Parameters) -> Vec<OsString> {
        let mut args: Vec<_> = parameters::to_args(parameters)
            .into_iter()
            .map(OsString::from)
            .collect();
        if let Some(commit) = &self.source.commit {
            args.push(format!("--commit={commit}").into());
        }
        if let Some(jobs) = self.build.jobs {
            args.push(format!("--jobs={jobs}").into());
        }
        let flags = [
            (self.source.allow_dirty, "--allow-dirty"),
            (self.build.offline, "--offline"),
        ];
        args.extend(
            flags
                .iter()
                .filter(|(given, _)| *given)
                .map(|(_, flag)| flag.into()),
        );
        args
    }
}

/// Builds, runs, checks and publishes.
pub fn run(args: &Args) -> Result<()> {
    let start = cpu::Start::now();
    let parameters = args.parameters.resolve();
    engine::check(&parameters)?;
    if args.net {
        nodes::check(&parameters)?;
    }
    let more = u64::from(args.twice) + u64::from(args.net);
    let progress = Progress::new(pipeline::STAGES + 2 + more);
    let mut times = Vec::new();
    let (source, target) = progress.stage(&mut times, "preflight", || {
        let out = match &args.out {
            Some(out) => out.clone(),
            None => workspace::root()?.join(workspace::OUT_DIR),
        };
        let target = Target::check(&out)?;
        Ok((preflight::check_build(&args.source, &progress)?, target))
    })?;
    let plan = Plan {
        source: &source,
        citation: None,
        parameters: &parameters,
        build: &args.build,
    };
    let work = WorkDir::new(args.build.keep_temp)?;
    let outcome = pipeline::run(&plan, &work, &progress, &mut times)?;
    let twice = match args.twice {
        false => None,
        true => Some(progress.stage(&mut times, "second time", || {
            let args = args.for_second_time(&parameters);
            let time = source.commit_time;
            twice::run(&outcome, &args, &parameters, time, &work, &progress)
        })?),
    };
    if let Some(report) = twice.as_ref().filter(|report| !report.is_same()) {
        drop(progress);
        match args.format {
            Format::Text => output::print(&report.text())?,
            Format::Json => output::print_json(report)?,
        }
        return Err(twice::Repetition::failure().into());
    }
    let nodes = match args.net {
        false => None,
        true => Some(progress.stage(&mut times, "real nodes", || {
            nodes::run(&outcome, &parameters, &args.build, &work, &progress)
        })?),
    };
    if let Some(answer) = nodes.as_ref().filter(|answer| !answer.is_same()) {
        drop(progress);
        match args.format {
            Format::Text => output::print(&answer.text())?,
            Format::Json => output::print_json(answer)?,
        }
        return Err(nodes::Answer::failure().into());
    }
    progress.stage(&mut times, "publish", || target.replace(&outcome.files))?;
    drop(progress);

    let summary = Summary::new(
        &outcome,
        target.path(),
        &times,
        start.spent(),
        twice.as_ref(),
        nodes.as_ref(),
    );
    match args.format {
        Format::Text => output::print(&summary.text()),
        Format::Json => output::print_json(&summary),
    }
}
