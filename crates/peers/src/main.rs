//! What `cargo xtask repro --net` starts.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use ecac_peers::Cli;
use xtask::host::command_line;

fn main() -> ExitCode {
    command_line::main(|_| None, Cli::run)
}
