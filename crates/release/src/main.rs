//! `cargo xtask bundle` and `cargo xtask key`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    ecac_release::main()
}
