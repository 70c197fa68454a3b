//! Releases: archives of artifact sets, their keys, signatures, attestations, and the judge of what others made.
#![forbid(unsafe_code)]

mod bundle;
mod key;
mod sign;
mod signer;

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
    /// Pack an existing output directory into its deterministic archive, or build and sign a release
    ///
    /// With --sign nothing that exists is packed: the committed tree is built and run as by `repro`, and what that made
    /// is signed. Beside the tarball go its signature (.sig), a Sigstore bundle (.sigstore.json), and the provenance in
    /// a DSSE envelope (.intoto.jsonl) and in a Sigstore bundle (.intoto.sigstore.json); docs/signing.md says how to
    /// verify them. An encrypted key has its password in ECAC_KEY_PASSWORD or COSIGN_PASSWORD. Without --key cosign
    /// signs, keyless.
    #[command(after_help = help(&[
        "cargo xtask bundle",
        "cargo xtask bundle --dir /tmp/mine --out /tmp/mine.tar.gz",
        "cargo xtask bundle --sign --key ecac.key",
        "cargo xtask bundle --sign --key ecac.key --offline --out /tmp/release.tar.gz",
        "cargo xtask bundle verify /tmp/mine.tar.gz",
    ]))]
    Bundle(Box<bundle::Args>),
    /// Make the keys that sign a release
    #[command(after_help = help(&[
        "cargo xtask key new --out release.key",
    ]))]
    Key(key::Args),
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Self::Bundle(args) => bundle::run(&args),
            Self::Key(args) => key::run(&args),
        }
    }
}
