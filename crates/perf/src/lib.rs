//! What ops cost the engine, beside what they must cost at least: the program of `cargo xtask bench`.
//!
//! A case has a seeded [`workload`], a [`measure`]ment and a [`floor`] that is measured in the same run. Only [`engine`] calls
//! the engine, and only [`durable`] the store.
#![forbid(unsafe_code)]

pub mod answer;
mod bench;
pub mod case;
pub mod clock;
pub mod durable;
pub mod engine;
pub mod floor;
pub mod link;
pub mod machine;
pub mod measure;
pub mod negentropy_alone;
pub mod svg;
mod unit;
pub mod workload;

use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory as _, Subcommand};
use xtask::host::command_line::{self, Program, help};

/// The program, as `cargo xtask` starts it.
pub fn main() -> ExitCode {
    command_line::program(Command::run)
}

/// Its command line, for whoever holds pages to it.
pub fn command() -> clap::Command {
    Program::<Command>::command()
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Measure what ops cost the engine, each case beside its floor and its bar
    ///
    /// Processor time, the least of several rounds; what is signed for a workload costs nothing that counts. Each case stands
    /// beside what the same work costs at least, measured in the same run, and beside the most that it may cost. A case whose
    /// time is over is stopped and reported as far as it came, so the program always ends. docs/performance.md says what each
    /// case and each floor is. A bar that is not met is told, and is no error.
    #[command(after_help = help(&[
        "cargo xtask bench --quick",
        "cargo xtask bench --case replay-chain tip-chain --scale 100000",
        "cargo xtask bench --svg target/curves",
        "cargo xtask bench --quick --format json | jq .cases",
    ]))]
    Bench(bench::Args),
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Self::Bench(args) => bench::run(&args),
        }
    }
}
