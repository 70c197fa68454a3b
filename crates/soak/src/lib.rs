//! The laws of the engine on as many random adversarial histories as one likes.
#![forbid(unsafe_code)]

mod search;
mod secrets;
mod soak;
mod store_home;
mod sync;

pub use secrets::{Defect, Opened, check_secrets};
pub use store_home::StoreHome;

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
    /// Check the laws of the engine on random adversarial histories, against an independent oracle
    ///
    /// Order-free, monotone, incremental = full (after every op, and from a checkpoint at every op), final refusals,
    /// oracle equality, harmless copies. A history of which a law does not hold is made small and printed with the
    /// numbers that make it again. With --sync the laws are those of sync, on seeded schedules;
    /// with --secrets keys and values are real, and everybody tries to open every value with every key that they ever held.
    #[command(after_help = help(&[
        "cargo xtask soak",
        "cargo xtask soak --histories 1000000 --seed 7",
        "cargo xtask soak --seed 7 --first 4711 --histories 1",
        "cargo xtask soak --histories 1000 --export target/histories",
        "cargo xtask soak --sync 10000 --seed 7",
        "cargo xtask soak --secrets 10000 --seed 7",
    ]))]
    Soak(soak::Args),
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Self::Soak(args) => soak::run(&args),
        }
    }
}
