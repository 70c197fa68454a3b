//! `cargo xtask audit`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ecac_supply::main()
}
