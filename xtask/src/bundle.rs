//! `cargo xtask bundle`: packs an existing output directory, has a release built and signed, and checks archives.

mod attest;
mod contents;
mod verify;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::{Args as ClapArgs, Subcommand};
use ecac_artifact::{Artifact, ArtifactSet, ExpectedSet, SetDifference, Summary, Sums, exit};
use serde::Serialize;

use crate::artifact_dir::Listing;
use crate::compile::BuildArgs;
use crate::error::Failure;
use crate::manifest::Manifest;
use crate::output::{self, Format};
use crate::pipeline::set_failure;
use crate::publish;
use crate::release;
use crate::workspace;

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
    /// With --key also who signed it, and whether the signed provenance is about this file. Nothing is written, and
    /// nothing of the archive is unpacked to a disk.
    #[command(after_help = crate::help(&[
        "cargo xtask bundle verify ecac-artifacts-COMMIT.tar.gz --key release.pub",
        "cargo xtask bundle verify mine.tar.gz --format json | jq .steps",
    ]))]
    Verify(verify::Args),
    /// Sign the sums of an output directory that you built yourself
    #[command(after_help = crate::help(&[
        "cargo xtask bundle attest --signer my-name --key ecac.key",
    ]))]
    Attest(attest::AttestArgs),
    /// Require that N distinct known keys have signed the same sums, and name who signed others
    #[command(after_help = crate::help(&[
        "cargo xtask bundle quorum 3",
        "cargo xtask bundle quorum 2 --release v0.1.0 --format json",
    ]))]
    Quorum(attest::QuorumArgs),
}

/// The written archive.
#[derive(Debug, Serialize)]
struct Report {
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
        Some(Command::Attest(args)) => return attest::attest(args),
        Some(Command::Quorum(args)) => return attest::quorum(args),
        None => {}
    }
    if args.sign {
        return release::run(&release::Options {
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
    let set = read(&dir)?;
    let name = set.expected().tarball();
    let files = set.expected().packed().count();
    let published = set.publish().context("pack the bundle")?;
    let bytes = published
        .files
        .get(&name)
        .context("find the archive in its own set")?;
    let path = args.out.clone().unwrap_or_else(|| dir.join(&name));
    publish::replace_file(&path, bytes)?;

    let report = Report {
        file: path.display().to_string(),
        gz_sha256: published.digests.gz_sha256.to_string(),
        tar_sha256: published.digests.tar_sha256.to_string(),
        size_bytes: bytes.len(),
        files,
    };
    match args.format {
        Format::Text => output::print(&text(&report)),
        Format::Json => output::print_json(&report),
    }
}

/// The version and the sums of a directory with a complete set whose sums hold.
fn attestable(dir: &Path) -> Result<(String, Vec<u8>)> {
    let set = read(dir)?;
    let file = |name: &str| set.files().get(name).cloned().unwrap_or_default();
    let manifest = Manifest::parse(&file(Summary::Manifest.name()))?;
    let sums = Listing::read(dir)?.files.remove(Artifact::SUMS_NAME);
    let sums = sums.context("find the sums that were just read")?;
    Ok((format!("v{}", manifest.version), sums))
}

/// Reads a complete set whose sums hold. The archive in it, if there is one, is made anew and not looked at.
fn read(dir: &Path) -> Result<ArtifactSet> {
    let listing = Listing::read_or_hint(dir, "make it first: cargo xtask repro")?;
    let manifest = listing.files.get(Summary::Manifest.name()).ok_or_else(|| {
        let message = format!(
            "{} has no manifest.json, so it is no artifact set",
            dir.display()
        );
        Failure::new(exit::MISSING, message).hint("make it again: cargo xtask repro")
    })?;
    let manifest = Manifest::parse(manifest)
        .map_err(|error| Failure::new(exit::BAD_INPUT, format!("{error:#}")))?;
    let expected = manifest.parameters()?.expected(&manifest.commit()?)?;
    check_names(dir, &listing, &expected)?;
    check_sums(dir, &listing, expected)
}

fn check_names(dir: &Path, listing: &Listing, expected: &ExpectedSet) -> Result<()> {
    let tarball = expected.tarball();
    let names = listing.names().into_iter().filter(|name| *name != tarball);
    let difference = SetDifference::between(expected.packed(), names);
    if !difference.is_empty() {
        return Err(set_failure(&difference, &dir.display().to_string()).into());
    }
    if let Some((name, kind)) = listing.irregular.first_key_value() {
        let message = format!("{} is {kind}, not a regular file", dir.join(name).display());
        return Err(Failure::new(exit::BAD_INPUT, message).into());
    }
    Ok(())
}

fn check_sums(dir: &Path, listing: &Listing, expected: ExpectedSet) -> Result<ArtifactSet> {
    let file = |name: &str| listing.files.get(name).cloned().unwrap_or_default();
    let sums = Sums::parse(&file(Artifact::SUMS_NAME)).map_err(|error| {
        Failure::new(
            exit::VERIFICATION,
            format!("{}: SHA256SUMS: {error}", dir.display()),
        )
    })?;
    let files: BTreeMap<_, _> = expected
        .summed()
        .map(|name| (name.to_owned(), file(name)))
        .collect();
    let faults = sums.verify(&Sums::digests(&files));
    if !faults.is_empty() {
        let mut message = format!("{} does not agree with its SHA256SUMS", dir.display());
        for fault in faults {
            // Writing to a String cannot fail.
            let _ = write!(message, "\n  {fault}");
        }
        return Err(Failure::new(exit::VERIFICATION, message)
            .hint("make it again: cargo xtask repro")
            .into());
    }
    ArtifactSet::new(expected, files).context("collect the set")
}

fn text(report: &Report) -> String {
    format!(
        "bundle  {}\n  files   {}\n  size    {} bytes\n  gz      sha256:{}\n  tar     sha256:{}\n",
        report.file, report.files, report.size_bytes, report.gz_sha256, report.tar_sha256
    )
}
