//! `cargo xtask bundle`: packs an existing output directory, has a release built and signed, and checks archives.

mod attest;
mod attestations;
mod contents;
mod demand;
mod quorum;
mod set;
mod signed;
mod steps;
mod verify;
mod whole;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, Subcommand};
use ecac_artifact::exit;
use serde::Serialize;

use crate::sign;
use xtask::host::error::Failure;
use xtask::host::output::{self, Format};
use xtask::host::workspace;
use xtask::reproduce::compile::BuildArgs;
use xtask::reproduce::publish;

/// Arguments of `bundle`.
#[derive(Debug, ClapArgs)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The output directory to pack [default: docs/eval/out of the workspace]
    #[arg(long, value_name = "DIR", conflicts_with = "sign")]
    dir: Option<PathBuf>,
    /// The file to write [default: ecac-artifacts-COMMIT.tar.gz in the output directory, with --sign in docs/eval/signed]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Build the committed tree as `repro` does, and sign what that makes
    #[arg(long)]
    sign: bool,
    /// The private key to sign with, in PEM: PKCS #8, plain or encrypted, or a key of cosign [default: none, keyless]
    #[arg(long, value_name = "FILE", requires = "sign")]
    key: Option<PathBuf>,
    #[command(flatten, next_help_heading = "Options of --sign")]
    build: BuildArgs,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check an archive from the file alone: packing, sums, audit log, and every figure recomputed from its op logs
    ///
    /// With --key also who signed it, and whether the signed provenance is about this file; with --commit and --version
    /// also whether it is the one that you want, and no older one. Nothing is written, and nothing of the archive is
    /// unpacked to a disk. The first step that fails is the last one taken.
    #[command(after_help = xtask::host::command_line::help(&[
        "cargo xtask bundle verify ecac-artifacts-COMMIT.tar.gz --key release.pub",
        "cargo xtask bundle verify FILE --key release.pub --version v0.1.0 --commit COMMIT",
        "cargo xtask bundle verify mine.tar.gz --format json | jq .steps",
    ]))]
    Verify(verify::Args),
    /// Sign the sums of an output directory that you built yourself, with their version and commit
    ///
    /// Attested is a whole set of a commit: every file and no other, sums and archive that hold, a committed tree, and
    /// the parameters of the golden set. Written are your key and your attestation below docs/attestations, nothing
    /// else.
    #[command(after_help = xtask::host::command_line::help(&[
        "cargo xtask bundle attest --signer my-name --key ecac.key",
    ]))]
    Attest(attest::Args),
    /// Require that N distinct known keys have signed the sums of the golden set, and name who signed others
    ///
    /// Every entry of docs/attestations/vVERSION is read, and each has to count: one that cannot be read, that no known
    /// key signed, that does not say of which version and commit it is, or says another one, fails the quorum and is
    /// named, as does a key that says two things. Whoever signed other sums of this version and commit disagrees, and
    /// is named with the files; the quorum holds against that as long as more keys agree with the golden set than on
    /// any other bytes. A tie fails. A key counts once, under however many names.
    #[command(after_help = xtask::host::command_line::help(&[
        "cargo xtask bundle quorum 3",
        "cargo xtask bundle quorum 2 --bundle ecac-artifacts-COMMIT.tar.gz --release v0.1.0",
        "cargo xtask bundle quorum 2 --format json | jq .signers",
    ]))]
    Quorum(quorum::Args),
}

/// The written archive.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    gz_sha256: String,
    tar_sha256: String,
    size_bytes: usize,
    files: usize,
}

/// Packs or signs, or does what the subcommand says.
pub(crate) fn run(args: &Args) -> Result<()> {
    match &args.command {
        Some(Command::Verify(args)) => return verify::run(args),
        Some(Command::Attest(args)) => return attest::run(args),
        Some(Command::Quorum(args)) => return quorum::run(args),
        None => {}
    }
    if args.sign {
        return sign::run(&sign::Options {
            key: args.key.as_deref(),
            out: args.out.as_deref(),
            build: &args.build,
            format: args.format,
        });
    }
    if args.build != BuildArgs::default() {
        let message = "nothing is built without --sign, so its options have no meaning";
        return Err(Failure::new(exit::USAGE, message)
            .hint("add --sign, or leave --jobs, --offline and --keep-temp out")
            .into());
    }
    pack(args)
}

/// Verifies the set and its sums strictly, then writes the archive.
fn pack(args: &Args) -> Result<()> {
    let dir = match &args.dir {
        Some(dir) => workspace::absolute(dir)?,
        None => workspace::root()?.join(workspace::OUT_DIR),
    };
    let set = set::read(&dir)?;
    let name = set.expected().tarball();
    let files = set.expected().packed().count();
    let published = set.publish().context("pack the bundle")?;
    let bytes = published
        .files
        .get(&name)
        .context("find the archive in its own set")?;
    let path = args.out.clone().unwrap_or_else(|| dir.join(&name));
    publish::replace_file(&path, bytes)?;

    let answer = Answer {
        file: path.display().to_string(),
        gz_sha256: published.digests.gz_sha256.to_string(),
        tar_sha256: published.digests.tar_sha256.to_string(),
        size_bytes: bytes.len(),
        files,
    };
    match args.format {
        Format::Text => output::print(&text(&answer)),
        Format::Json => output::print_json(&answer),
    }
}

fn text(answer: &Answer) -> String {
    format!(
        "bundle  {}\n  files   {}\n  size    {} bytes\n  gz      sha256:{}\n  tar     sha256:{}\n",
        answer.file, answer.files, answer.size_bytes, answer.gz_sha256, answer.tar_sha256
    )
}
