//! `cargo xtask bundle quorum N`: how many independent builders got the bytes of the golden set, or of a release.

mod tally;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args as ClapArgs;
use ecac_artifact::{Artifact, Commit, Digest, Sums, Version, escape, exit};
use ecac_attest::{Attested, Bundle, PublicKey};
use serde::Serialize;

use super::attestations::{self, SIGNATURE_NAME, Signer};
use super::demand;
use super::whole::Whole;
use tally::{Entry, Said, Statement, Tally, Verdict};
use xtask::host::error::Failure;
use xtask::host::guard::{self, Allowance};
use xtask::host::input;
use xtask::host::output::{self, Format};
use xtask::host::workspace;

/// Most entries of a version's directory.
const ENTRIES_MAX: usize = 1_000;

/// Arguments of `bundle quorum`.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Args {
    /// How many distinct keys have to agree
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    needed: u32,
    /// The archive whose sums they have to sign [default: the golden set of the workspace]
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Require that this is the version, such as v0.1.0
    #[arg(long, value_name = "VERSION", value_parser = demand::parse_version)]
    release: Option<Version>,
    /// Require that this is the commit
    #[arg(long, value_name = "SHA", value_parser = demand::parse_commit)]
    commit: Option<Commit>,
    /// The directory with the attestations [default: docs/attestations of the workspace]
    #[arg(long, value_name = "DIR")]
    attestations: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What the attestations are compared with.
struct Reference {
    /// The golden set, or the name of the archive.
    name: String,
    set: Whole,
}

/// The outcome, for machines.
#[derive(Debug, Serialize)]
struct Answer {
    version: String,
    commit: String,
    compared_with: String,
    /// SHA-256 of the sums that the golden set or the archive has.
    sums_sha256: String,
    needed: u32,
    #[serde(flatten)]
    tally: Tally,
}

/// Counts the keys that agree, and names who does not.
pub(super) fn run(args: &Args) -> Result<()> {
    let work = args.clone();
    let answer = guard::run(Allowance::UNBOUNDED, move || count(&work))?;
    match args.format {
        Format::Text => output::print(&text(&answer))?,
        Format::Json => output::print_json(&answer)?,
    }
    match answer.tally.problem {
        None => Ok(()),
        Some(problem) => Err(Failure::new(exit::VERIFICATION, problem)
            .hint("docs/attestations/README.md says what counts, and how to add an attestation")
            .into()),
    }
}

fn count(args: &Args) -> Result<Answer> {
    let root = workspace::root()?;
    let reference = match &args.bundle {
        Some(path) => Reference {
            name: input::shown(path),
            set: Whole::unpack(path)?,
        },
        None => Reference {
            name: "the golden set".to_owned(),
            set: Whole::read(&root.join(workspace::GOLDEN_DIR))?,
        },
    };
    demanded(args, &reference)?;
    let dir = match &args.attestations {
        Some(dir) => workspace::absolute(dir)?,
        None => root.join(attestations::DIR.iter().collect::<PathBuf>()),
    };
    let entries = entries(&dir, &reference.set)?;
    Ok(Answer {
        version: reference.set.version.tag(),
        commit: reference.set.commit.to_string(),
        sums_sha256: Digest::of(&reference.set.sums).to_string(),
        needed: args.needed,
        tally: Tally::of(&reference.name, &reference.set.sums, entries, args.needed),
        compared_with: reference.name,
    })
}

/// Requires the version and the commit that the user asks about.
fn demanded(args: &Args, reference: &Reference) -> Result<()> {
    let Whole {
        version, commit, ..
    } = &reference.set;
    let refuse = |is: &str, wanted: &str| {
        let message = format!("{} is of {is}, not of {wanted}", reference.name);
        Failure::new(exit::VERIFICATION, message)
            .hint("name the archive of the release that you mean: --bundle FILE")
    };
    if let Some(wanted) = &args.release
        && wanted != version
    {
        return Err(refuse(&version.tag(), &wanted.tag()).into());
    }
    match &args.commit {
        Some(wanted) if wanted != commit => {
            Err(refuse(&format!("commit {commit}"), &wanted.to_string()).into())
        }
        _ => Ok(()),
    }
}

/// Everything in the directory of a version, sorted by name. Nothing is passed over.
fn entries(dir: &Path, set: &Whole) -> Result<Vec<Entry>> {
    let of_version = dir.join(set.version.tag());
    let list = |error: std::io::Error| {
        let (shown, error) = (
            input::shown(&of_version),
            std::io::Error::from(error.kind()),
        );
        let message = format!("there are no attestations in {shown}: {error}");
        Failure::new(exit::NOT_FOUND, message).hint("make one: cargo xtask bundle attest --help")
    };
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&of_version).map_err(list)? {
        names.insert(entry.map_err(list)?.file_name());
        if names.len() > ENTRIES_MAX {
            let message = format!(
                "{} has more than {ENTRIES_MAX} entries",
                input::shown(&of_version)
            );
            return Err(Failure::new(exit::BAD_INPUT, message)
                .hint("look who filed them, and remove what nobody reviewed")
                .into());
        }
    }
    let entry = |name: std::ffi::OsString| {
        let name = name.to_string_lossy();
        Entry {
            said: said(dir, set, &name).map_err(|error| escape(&format!("{error:#}"))),
            signer: escape(&name),
        }
    };
    Ok(names.into_iter().map(entry).collect())
}

/// The key and the sums of a signer, if the key is known and signed them for this version and this commit.
fn said(dir: &Path, set: &Whole, name: &str) -> Result<Said> {
    let signer: Signer = name.parse().map_err(anyhow::Error::msg)?;
    let filed = dir.join(signer.filed(&set.version));
    only(&filed)?;
    let key = attestations::read(&dir.join(signer.key()))?
        .with_context(|| format!("no known key: there is no {}", signer.key().display()))?;
    let key = PublicKey::from_pem(&key).with_context(|| signer.key().display().to_string())?;
    let file = |name: &str| {
        attestations::read(&filed.join(name))?.with_context(|| format!("there is no {name}"))
    };
    let sums = file(Artifact::SUMS_NAME)?;
    let attested = Bundle::parse(&file(SIGNATURE_NAME)?)
        .and_then(|bundle| bundle.verify_attestation(&key, &sums))
        .context(SIGNATURE_NAME)?;
    let attestation = match attested {
        Attested::Bound(attestation) => attestation,
        Attested::Unbound => bail!(
            "it does not say of which version or commit (format 1); attest again: cargo xtask bundle attest"
        ),
    };
    ensure!(
        attestation.version == set.version,
        "it is of {}, not of {}",
        attestation.version.tag(),
        set.version.tag()
    );
    ensure!(
        attestation.commit == set.commit,
        "it is of commit {}, not of {}",
        attestation.commit,
        set.commit
    );
    Ok(Said {
        key: key.digest(),
        sums: Sums::parse(&sums).context(Artifact::SUMS_NAME)?,
    })
}

/// Requires a directory with the two files of an attestation and nothing that nobody signed.
fn only(dir: &Path) -> Result<()> {
    let there = dir.symlink_metadata().context("look what it is")?;
    ensure!(there.is_dir(), "it is not a directory");
    for entry in fs::read_dir(dir).context("list its files")? {
        let name = entry.context("list its files")?.file_name();
        let name = name.to_string_lossy();
        ensure!(
            name == Artifact::SUMS_NAME || name == SIGNATURE_NAME,
            "it has a file `{}`, which nobody signed",
            name.escape_debug()
        );
    }
    Ok(())
}

fn text(answer: &Answer) -> String {
    let Answer {
        version,
        commit,
        compared_with,
        sums_sha256,
        needed,
        tally,
    } = answer;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "version    {version}");
    let _ = writeln!(text, "commit     {commit}");
    let _ = writeln!(text, "sums       sha256:{sums_sha256}, of {compared_with}");
    for Statement {
        signer,
        verdict,
        details,
        ..
    } in &tally.signers
    {
        let verdict = match verdict {
            Verdict::Agrees => "agrees",
            Verdict::Counted => "agrees, counted already",
            Verdict::Differs => "DIFFERS",
            Verdict::DoesNotCount => "DOES NOT COUNT",
        };
        let _ = writeln!(text, "  {signer:<20} {verdict}");
        for detail in details {
            let _ = writeln!(text, "    {detail}");
        }
    }
    let reached = match tally.reached {
        true => "reached",
        false => "NOT reached",
    };
    let _ = writeln!(
        text,
        "quorum     {reached}: {} distinct keys agree, {needed} needed; {} differ, {} attestations do not count",
        tally.agreeing_keys, tally.differing_keys, tally.not_counted
    );
    text
}
