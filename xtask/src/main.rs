//! The reproduction pipeline of ECAC: from a source tree to artifacts that anyone can make again, byte for byte.
#![forbid(unsafe_code)]

mod artifact_dir;
mod audit;
mod bundle;
mod cargo_home;
mod causes;
mod citation;
mod claim;
mod closed;
mod compare;
mod compile;
mod cpu;
mod crosscheck;
mod doctor;
mod engine;
mod environment;
mod error;
mod gate;
mod golden;
mod golden_set;
mod guard;
mod guide;
mod input;
mod interrupt;
mod key;
mod lockfile;
mod manifest;
mod network;
mod object;
mod output;
mod parameters;
mod pipeline;
mod place;
mod preflight;
mod process;
mod progress;
mod publish;
mod readme;
mod release;
mod repository;
mod repro;
mod sbom;
mod signer;
mod soak;
mod stage;
mod summary;
#[cfg(test)]
mod tidy;
mod toolchain;
mod tree;
mod twice;
mod verify_golden;
mod workdir;
mod workspace;
mod wrap;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Reproduces the artifacts of ECAC and checks that they are the cited ones.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    before_help = guide::START,
    after_help = ecac_artifact::exit::help()
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the committed tree from scratch, run the scenarios, check everything, publish the artifacts
    #[command(after_help = help(&[
        "cargo xtask repro",
        "cargo xtask repro --offline --jobs 4",
        "cargo xtask repro --twice",
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
    Bundle(bundle::Args),
    /// Make the keys that sign a release
    #[command(after_help = help(&[
        "cargo xtask key new --out release.key",
    ]))]
    Key(key::Args),
    /// Check the laws of the engine on random adversarial histories, against an independent oracle
    ///
    /// Order-free, monotone, incremental = full (after every op, and from a checkpoint at every op), final refusals,
    /// oracle equality, harmless copies. A history of which a law does not hold is made small and printed with the
    /// numbers that make it again.
    #[command(after_help = help(&[
        "cargo xtask soak",
        "cargo xtask soak --histories 1000000 --seed 7",
        "cargo xtask soak --seed 7 --first 4711 --histories 1",
        "cargo xtask soak --histories 1000 --export target/histories",
    ]))]
    Soak(soak::Args),
    /// Check every dependency: known vulnerabilities, yanked crates, licences, sources
    ///
    /// Runs cargo-audit and cargo-deny, at pinned versions, by deny.toml over the working tree. They are installed into
    /// target/tools on first use, which takes some minutes. Prints the state and the age of the advisory database, and
    /// each exception with its reason; one that has ended fails, as does a database that is too old. Without a network,
    /// yanked crates cannot be told, which is said.
    #[command(after_help = help(&[
        "cargo xtask audit",
        "cargo xtask audit --install",
        "cargo xtask audit --offline --advisory-db advisory-db.tar.gz",
        "cargo xtask audit --offline --advisory-db ~/.cargo/advisory-db --max-age 30",
        "cargo xtask audit --offline --advisory-db DIR --advisory-db-commit SHA --advisory-db-date 2026-08-21",
        "cargo xtask audit --format json | jq .findings",
    ]))]
    Audit(audit::Args),
    /// List what the program ecac is built of, as CycloneDX 1.6 in JSON
    ///
    /// Every crate that `cargo tree --edges normal` shows below the program, in a build of the whole workspace, with its
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

/// The end of a subcommand's help.
fn help(examples: &[&str]) -> String {
    let codes = ecac_artifact::exit::help();
    format!("Examples:\n  {}\n\n{codes}", examples.join("\n  "))
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return output::print_clap(&error).into(),
    };
    match interrupt::install().and_then(|()| run(cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::note(&error::render(&error));
            error::exit_code(&error).into()
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.command {
        None => output::print(&Cli::command().render_help().to_string()),
        Some(Command::Repro(args)) => repro::run(&args),
        Some(Command::VerifyGolden(args)) => verify_golden::run(&args),
        Some(Command::Golden(args)) => golden::run(&args),
        Some(Command::Bundle(args)) => bundle::run(&args),
        Some(Command::Key(args)) => key::run(&args),
        Some(Command::Soak(args)) => soak::run(&args),
        Some(Command::Audit(args)) => audit::run(&args),
        Some(Command::Sbom(args)) => sbom::run(&args),
        Some(Command::Doctor(args)) => doctor::run(&args),
        Some(Command::Stage(args)) => stage::run(&args),
    }
}
