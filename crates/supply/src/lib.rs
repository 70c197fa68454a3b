//! The supply chain: every dependency against the advisories that are known and the policy of `deny.toml`.
#![forbid(unsafe_code)]

mod audit;

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
    /// Check every dependency: known vulnerabilities, yanked crates, licences, sources
    ///
    /// Runs cargo-audit and cargo-deny, at pinned versions, by deny.toml over the working tree. They are installed into
    /// target/tools on first use, which takes some minutes. Prints the state and the age of the advisory database, and
    /// each exception with its reason; one that has ended fails, as does a database that is too old. Without a network,
    /// yanked crates cannot be told, which is said.
    #[command(after_help = help(&[
        "cargo xtask audit",
        "cargo xtask audit --install",
        "cargo xtask audit --offline --advisory-db advisory-db.tar.gz",
        "cargo xtask audit --offline --advisory-db ~/.cargo/advisory-db --max-age 30",
        "cargo xtask audit --offline --advisory-db DIR --advisory-db-commit SHA --advisory-db-date 2026-08-21",
        "cargo xtask audit --format json | jq .findings",
    ]))]
    Audit(audit::Args),
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Self::Audit(args) => audit::run(&args),
        }
    }
}
