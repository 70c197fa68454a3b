//! `cargo xtask audit`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use ecac_supply::Cli;
use xtask::host::command_line;

fn main() -> ExitCode {
    command_line::main(|_| None, Cli::run)
}
