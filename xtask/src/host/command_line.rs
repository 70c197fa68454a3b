//! What the command lines of `xtask` and of its programs share: how they begin, and how they end.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use ecac_artifact::exit;

use super::{error, interrupt, output};

/// The end of a subcommand's help: its examples, then the exit codes.
#[must_use]
pub fn help(examples: &[&str]) -> String {
    format!("Examples:\n  {}\n\n{}", examples.join("\n  "), exit::help())
}

/// The command line of a program that `cargo xtask` starts, as it hands its own on.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    disable_help_subcommand = true
)]
pub struct Program<C: Subcommand> {
    #[command(subcommand)]
    command: C,
}

/// [`main`] of a program that `cargo xtask` starts.
pub fn program<C: Subcommand>(run: impl FnOnce(C) -> Result<()>) -> ExitCode {
    main(|_| None, |it: Program<C>| run(it.command))
}

/// Reads the command line, and does what it says; what fails is told on standard error, with the exit code that stands
/// for it. `hint` may add what was probably meant by a line that is none.
pub fn main<C: Parser>(
    hint: impl FnOnce(&clap::Error) -> Option<String>,
    run: impl FnOnce(C) -> Result<()>,
) -> ExitCode {
    let command_line = match C::try_parse() {
        Ok(command_line) => command_line,
        Err(error) => return output::print_clap(&error, hint(&error).as_deref()).into(),
    };
    let result = interrupt::install().and_then(|()| run(command_line));
    output::end();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&error::render(&error));
            error::exit_code(&error).into()
        }
    }
}
