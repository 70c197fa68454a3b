//! Commands that are programs of their own, which cargo builds when they are asked for: nobody compiles what they do not
//! use.

use std::env;
use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::host::tools;
use crate::host::workspace;

/// A command, and the package of the workspace that has its program.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// The name of the command, which the program gets as its first argument.
    pub command: &'static str,
    /// The package, with one program in it.
    pub package: &'static str,
    /// How it is compiled: the profile of cargo.
    profile: &'static str,
}

/// Packs, signs, verifies and attests artifact sets.
pub const BUNDLE: Program = Program::new("bundle", "ecac-release", "dev");

/// Makes the keys that sign.
pub const KEY: Program = Program::new("key", "ecac-release", "dev");

/// Holds the dependencies to advisories and to `deny.toml`.
pub const AUDIT: Program = Program::new("audit", "ecac-supply", "dev");

/// Holds the engine to its laws.
pub const SOAK: Program = Program::new("soak", "ecac-soak", "release");

/// Measures what ops cost.
pub const BENCH: Program = Program::new("bench", "ecac-perf", "release");

/// The arguments of a program, which it reads by itself.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What the program is told; --help says what that can be
    #[arg(
        value_name = "ARGUMENT",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    arguments: Vec<OsString>,
}

impl Program {
    const fn new(command: &'static str, package: &'static str, profile: &'static str) -> Self {
        Self {
            command,
            package,
            profile,
        }
    }

    /// Builds the program and becomes it: what it prints, its exit code and the signals that it gets are its own.
    ///
    /// # Errors
    /// Cargo cannot be started; an audit without a network has no programs that would do it.
    pub fn run(self, arguments: &Arguments) -> Result<()> {
        let root = workspace::root()?;
        let is_told = |word: &str| arguments.arguments.iter().any(|argument| argument == word);
        // Known before cargo compiles the program, which says the same.
        if self.package == AUDIT.package
            && is_told("--offline")
            && !["--help", "-h", "--install"].into_iter().any(is_told)
        {
            tools::require_installed(&root)?;
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command
            .args(["run", "--locked", "--profile", self.profile])
            .args(["--package", self.package, "--manifest-path"])
            .arg(root.join("Cargo.toml"))
            .args(["--", self.command])
            .args(&arguments.arguments);
        become_it(command)
    }
}

#[cfg(unix)]
fn become_it(mut command: Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    Err(command.exec()).context("start cargo")
}

#[cfg(not(unix))]
fn become_it(mut command: Command) -> Result<()> {
    let status = command.status().context("start cargo")?;
    match status.code() {
        Some(code) => std::process::exit(code),
        None => Err(crate::host::error::Failure::new(
            ecac_artifact::exit::INTERRUPTED,
            "the program was stopped",
        )
        .into()),
    }
}
