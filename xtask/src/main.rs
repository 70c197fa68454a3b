//! `cargo xtask`: the one entrance to the pipeline.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::CommandFactory as _;
use xtask::command::program::{AUDIT, BENCH, BUNDLE, KEY, SOAK};
use xtask::command::{Cli, Command, doctor, golden, guide, repro, sbom, verify_golden};
use xtask::host::{command_line, output};
use xtask::reproduce::stage;

fn main() -> ExitCode {
    command_line::main(guide::hint, |cli: Cli| match cli.command {
        None => output::print(&Cli::command().render_help().to_string()),
        Some(Command::Repro(args)) => repro::run(&args),
        Some(Command::VerifyGolden(args)) => verify_golden::run(&args),
        Some(Command::Golden(args)) => golden::run(&args),
        Some(Command::Bundle(args)) => BUNDLE.run(&args),
        Some(Command::Key(args)) => KEY.run(&args),
        Some(Command::Soak(args)) => SOAK.run(&args),
        Some(Command::Bench(args)) => BENCH.run(&args),
        Some(Command::Audit(args)) => AUDIT.run(&args),
        Some(Command::Sbom(args)) => sbom::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Stage(args)) => stage::run(&args),
    })
}
