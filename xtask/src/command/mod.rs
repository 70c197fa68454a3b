//! The commands, a module each: arguments, what they do in order, what they print.

pub mod doctor;
pub mod golden;
pub mod guide;
pub mod program;
pub mod repro;
pub mod sbom;
pub mod verify_golden;

use clap::{Parser, Subcommand};
use ecac_artifact::exit;

use crate::host::command_line::help;
use crate::reproduce::stage;

/// Reproduces the artifacts of ECAC and checks that they are the cited ones.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    before_help = guide::START,
    after_help = exit::help()
)]
pub struct Cli {
    /// What to do; nothing prints the help.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build the committed tree from scratch, run the scenarios, check everything, publish the artifacts
    #[command(after_help = help(&[
        "cargo xtask repro",
        "cargo xtask repro --offline --jobs 4",
        "cargo xtask repro --twice",
        "cargo xtask repro --net",
        "cargo xtask repro --scenario hb-chain --seed 7 --ops 2000 --out /tmp/mine",
        "cargo xtask repro --format json | jq .bundle",
    ]))]
    Repro(repro::Args),
    /// Regenerate the golden artifacts in a temporary tree and compare them byte for byte
    ///
    /// By default HEAD is built and its outputs carry the cited commit: does today's code still produce the cited
    /// bytes? With --cited the cited commit itself is built: does it produce the bytes that it is cited for? Where
    /// several kinds of difference are found, a missing file decides the exit code, then an extra one.
    #[command(after_help = help(&[
        "cargo xtask verify-golden",
        "cargo xtask verify-golden --cited",
        "cargo xtask verify-golden --format json | jq .differences",
    ]))]
    VerifyGolden(verify_golden::Args),
    /// Replace the golden artifacts with those of a clean run; never called by CI
    #[command(after_help = help(&[
        "cargo xtask golden --update",
        "git diff --stat docs/eval/golden README.md",
    ]))]
    Golden(golden::Args),
    /// Pack an existing output directory into its deterministic archive, or build and sign a release
    #[command(disable_help_flag = true, after_help = help(&["cargo xtask bundle --help"]))]
    Bundle(program::Arguments),
    /// Make the keys that sign a release
    #[command(disable_help_flag = true, after_help = help(&["cargo xtask key --help"]))]
    Key(program::Arguments),
    /// Check the laws of the engine on random adversarial histories, against an independent oracle
    #[command(disable_help_flag = true, after_help = help(&["cargo xtask soak --help"]))]
    Soak(program::Arguments),
    /// Measure what ops cost the engine, each case beside its floor and its bar
    #[command(disable_help_flag = true, after_help = help(&["cargo xtask bench --help"]))]
    Bench(program::Arguments),
    /// Check every dependency: known vulnerabilities, yanked crates, licences, sources
    #[command(disable_help_flag = true, after_help = help(&["cargo xtask audit --help"]))]
    Audit(program::Arguments),
    /// List what the program ecac is built of, as CycloneDX 1.6 in JSON
    ///
    /// Every crate that `cargo tree --edges normal` shows below the program, in a build of the default members, with its
    /// purl, licence, SHA-256, supplier and relations. Crates that run in the compiler only (proc macros and what they
    /// need) have the scope `excluded`. Build and dev dependencies and the standard library are left out, which the
    /// document says. The same commit and target give the same bytes on every machine; the time is that of the commit,
    /// or SOURCE_DATE_EPOCH.
    #[command(after_help = help(&[
        "cargo xtask sbom --out ecac.cdx.json",
        "cargo xtask sbom | jq -r .components[].purl",
        "cargo xtask sbom --offline --target aarch64-apple-darwin",
    ]))]
    Sbom(sbom::Args),
    /// Look whether this machine has what the other commands need, and say how to mend what it lacks
    ///
    /// Takes seconds, uses no network and changes nothing. What `repro` needs and is not there is MISSING, with exit
    /// code 3; what only other commands use is optional. `--offline` needs `crates`; that the build had no network it
    /// can prove only with `isolation`.
    #[command(after_help = help(&[
        "cargo xtask doctor",
        "cargo xtask doctor --format json | jq .ready",
    ]))]
    Doctor(doctor::Args),
    /// Run the scenarios in the freshly built program
    #[command(hide = true)]
    Stage(stage::Args),
}
