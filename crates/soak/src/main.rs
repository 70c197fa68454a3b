//! `cargo xtask soak`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ecac_soak::main()
}
