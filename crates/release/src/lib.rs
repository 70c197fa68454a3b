//! Releases: archives of artifact sets, their keys, signatures, attestations, and the judge of what others made.
#![forbid(unsafe_code)]

mod bundle;
mod key;
mod sign;
mod signer;

use anyhow::Result;
use clap::{Parser, Subcommand};
use xtask::host::command_line::help;

/// The command line, as `cargo xtask` hands it on.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
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

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// What the command reports, with its exit code.
    pub fn run(self) -> Result<()> {
        self.command.run()
    }
}

impl Command {
    fn run(self) -> Result<()> {
        match self {
            Self::Bundle(args) => bundle::run(&args),
            Self::Key(args) => key::run(&args),
        }
    }
}
