//! `cargo xtask bundle attest` and `bundle quorum N`: independent builders sign the sums of what they built.
//!
//! An attestation is a directory `docs/attestations/<version>/<signer>/` with the builder's own `SHA256SUMS` and its
//! signature in a Sigstore bundle. The keys that count are those in `docs/attestations/signers/<signer>.pub`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::{Artifact, Digest, Sums, check_name, exit};
use ecac_attest::{Bundle, PublicKey};
use serde::Serialize;

use crate::error::Failure;
use crate::key;
use crate::output::{self, Format};
use crate::publish;
use crate::workspace;

/// Where attestations are kept, relative to the workspace.
const DIR: &str = "docs/attestations";

/// The directory of the keys that count, inside [`DIR`].
const SIGNERS: &str = "signers";

/// The name of the signature beside the sums.
const SIGNATURE_NAME: &str = "SHA256SUMS.sigstore.json";

/// The largest file of an attestation that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Arguments of `bundle attest`.
#[derive(Debug, ClapArgs)]
pub(crate) struct AttestArgs {
    /// Who you are, in small letters, digits and hyphens; the directory is named after it
    #[arg(long, value_name = "NAME", value_parser = parse_signer)]
    signer: String,
    /// Your private key; an encrypted one is opened with the password in ECAC_KEY_PASSWORD
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The output directory that you built [default: docs/eval/out of the workspace]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Arguments of `bundle quorum`.
#[derive(Debug, ClapArgs)]
pub(crate) struct QuorumArgs {
    /// How many distinct keys have to agree
    #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    needed: u32,
    /// The version that they attest, such as v0.1.0 [default: that of the golden set]
    #[arg(long, value_name = "VERSION")]
    release: Option<String>,
    /// The directory with the attestations [default: docs/attestations of the workspace]
    #[arg(long, value_name = "DIR")]
    attestations: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What one signer says.
#[derive(Debug, Serialize)]
struct Statement {
    signer: String,
    /// SHA-256 of the key; nothing where the key is not known.
    key: Option<String>,
    /// Whether it agrees with the most.
    verdict: Verdict,
    /// Why it does not count, or the files on which it differs.
    details: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Agrees,
    Differs,
    /// No known key, or no valid signature.
    DoesNotCount,
}

/// The outcome, for machines.
#[derive(Debug, Serialize)]
struct Report {
    version: String,
    needed: u32,
    agreeing_keys: usize,
    reached: bool,
    /// SHA-256 of the sums on which the most keys agree.
    sums_sha256: Option<String>,
    signers: Vec<Statement>,
}

/// Checks a complete output directory, signs its sums and files the attestation.
pub(crate) fn attest(args: &AttestArgs) -> Result<()> {
    let root = workspace::root()?;
    let dir = match &args.dir {
        Some(dir) => workspace::absolute(dir)?,
        None => root.join(workspace::OUT_DIR),
    };
    let private = key::read(&args.key)?;
    let (version, sums) = super::attestable(&dir)?;
    let attestations = root.join(DIR);
    let key_path = attestations
        .join(SIGNERS)
        .join(format!("{}.pub", args.signer));
    let pem = private.public().to_pem();
    match fs::read(&key_path) {
        Ok(known) if PublicKey::from_pem(&known).ok() != Some(private.public()) => {
            let message = format!("{} is another key than yours", key_path.display());
            return Err(Failure::new(exit::BAD_SIGNATURE, message)
                .hint("sign with the key that is filed under your name, or choose another name")
                .into());
        }
        Ok(_) => {}
        Err(_) => {
            create_dir(&attestations.join(SIGNERS))?;
            publish::replace_file(&key_path, pem.as_bytes())?;
        }
    }
    let filed = attestations.join(&version).join(&args.signer);
    create_dir(&filed)?;
    publish::replace_file(&filed.join(Artifact::SUMS_NAME), &sums)?;
    let bundle = Bundle::of_message(&private, &sums).to_bytes();
    publish::replace_file(&filed.join(SIGNATURE_NAME), &bundle)?;
    output::print(&format!(
        "attested   {}\nsums       sha256:{}\nkey        {}\n\nCommit both and propose the change; \
         docs/attestations/README.md says how.\n",
        filed.display(),
        Digest::of(&sums),
        key_path.display()
    ))
}

/// Counts the keys that agree, and names who does not.
pub(crate) fn quorum(args: &QuorumArgs) -> Result<()> {
    let root = workspace::root()?;
    let attestations = match &args.attestations {
        Some(dir) => workspace::absolute(dir)?,
        None => root.join(DIR),
    };
    let version = match &args.release {
        Some(version) => version.clone(),
        None => super::attestable(&root.join(workspace::GOLDEN_DIR))?.0,
    };
    let report = count(&attestations, &version, args.needed)?;
    match args.format {
        Format::Text => output::print(&text(&report))?,
        Format::Json => output::print_json(&report)?,
    }
    if report.reached {
        return Ok(());
    }
    let message = format!(
        "{} of {} keys agree on {version}",
        report.agreeing_keys, report.needed
    );
    Err(Failure::new(exit::VERIFICATION, message)
        .hint("docs/attestations/README.md says how to add an attestation")
        .into())
}

fn count(attestations: &Path, version: &str, needed: u32) -> Result<Report> {
    check_name(version).map_err(|_| {
        let message = format!("`{}` is not a version", version.escape_debug());
        Failure::new(exit::USAGE, message)
    })?;
    let mut statements = Vec::new();
    let mut by_sums: BTreeMap<Vec<u8>, BTreeSet<Digest>> = BTreeMap::new();
    for signer in signers(&attestations.join(version))? {
        let said = said(attestations, version, &signer);
        if let Ok((key, sums)) = &said {
            by_sums
                .entry(sums.clone())
                .or_default()
                .insert(key.digest());
        }
        statements.push((signer, said));
    }
    // Of two groups of one size, the one whose sums sort first: no order of a directory decides.
    let agreed = by_sums
        .iter()
        .rev()
        .max_by_key(|(_, keys)| keys.len())
        .map(|(sums, keys)| (sums.clone(), keys.len()));
    let (sums, agreeing_keys) = agreed.unzip();
    let agreeing_keys = agreeing_keys.unwrap_or(0);
    let signers = statements
        .into_iter()
        .map(|(signer, said)| match said {
            Err(error) => Statement {
                signer,
                key: None,
                verdict: Verdict::DoesNotCount,
                details: vec![format!("{error:#}")],
            },
            Ok((key, own)) => {
                let differs = sums.as_ref().is_some_and(|sums| *sums != own);
                Statement {
                    signer,
                    key: Some(key.digest().to_string()),
                    verdict: if differs {
                        Verdict::Differs
                    } else {
                        Verdict::Agrees
                    },
                    details: sums
                        .as_ref()
                        .map_or_else(Vec::new, |sums| differing(sums, &own)),
                }
            }
        })
        .collect();
    Ok(Report {
        version: version.to_owned(),
        needed,
        agreeing_keys,
        reached: agreeing_keys as u64 >= u64::from(needed),
        sums_sha256: sums.map(|sums| Digest::of(&sums).to_string()),
        signers,
    })
}

/// The key and the sums of a signer, if the key is known and signed them.
fn said(attestations: &Path, version: &str, signer: &str) -> Result<(PublicKey, Vec<u8>)> {
    parse_signer(signer).map_err(anyhow::Error::msg)?;
    let key_path = attestations.join(SIGNERS).join(format!("{signer}.pub"));
    let key = super::verify::read(&key_path, FILE_BYTES_MAX).context("no known key")?;
    let key = PublicKey::from_pem(&key).with_context(|| format!("{signer}.pub"))?;
    let filed = attestations.join(version).join(signer);
    let sums = super::verify::read(&filed.join(Artifact::SUMS_NAME), FILE_BYTES_MAX)?;
    let signature = super::verify::read(&filed.join(SIGNATURE_NAME), FILE_BYTES_MAX)?;
    Bundle::parse(&signature)
        .and_then(|bundle| bundle.verify_message(&key, &sums))
        .context(SIGNATURE_NAME)?;
    Sums::parse(&sums).context(Artifact::SUMS_NAME)?;
    Ok((key, sums))
}

/// The names of the directories in `dir`, sorted.
fn signers(dir: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(dir).map_err(|error| {
        let message = format!("there are no attestations in {}: {error}", dir.display());
        Failure::new(exit::NOT_FOUND, message).hint("make one: cargo xtask bundle attest --help")
    })?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("list {}", dir.display()))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// On which files two lists of sums differ. Both have been parsed before.
fn differing(agreed: &[u8], own: &[u8]) -> Vec<String> {
    let entries =
        |bytes| Sums::parse(bytes).map_or_else(|_| BTreeMap::new(), |sums| sums.entries().clone());
    let (agreed, own) = (entries(agreed), entries(own));
    let names: BTreeSet<_> = agreed.keys().chain(own.keys()).collect();
    names
        .into_iter()
        .filter(|name| agreed.get(*name) != own.get(*name))
        .map(|name| match (agreed.get(name), own.get(name)) {
            (Some(_), None) => format!("{name}: missing"),
            (None, _) => format!("{name}: not in the others"),
            (Some(_), Some(own)) => format!("{name}: {own}"),
        })
        .collect()
}

fn create_dir(dir: &Path) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))
}

/// A name that can be a directory on every system.
fn parse_signer(name: &str) -> Result<String, String> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if (1..=40).contains(&name.len()) && name.bytes().all(is_plain) && name != SIGNERS {
        return Ok(name.to_owned());
    }
    Err("a signer is 1 to 40 of a-z, 0-9 and -".to_owned())
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "version    {}", report.version);
    if let Some(sums) = &report.sums_sha256 {
        let _ = writeln!(text, "sums       sha256:{sums}");
    }
    for statement in &report.signers {
        let verdict = match statement.verdict {
            Verdict::Agrees => "agrees",
            Verdict::Differs => "DIFFERS",
            Verdict::DoesNotCount => "does not count",
        };
        let _ = writeln!(text, "  {:<20} {verdict}", statement.signer);
        for detail in &statement.details {
            let _ = writeln!(text, "    {detail}");
        }
    }
    let reached = if report.reached {
        "reached"
    } else {
        "NOT reached"
    };
    let _ = writeln!(
        text,
        "quorum     {reached}: {} distinct keys agree, {} needed",
        report.agreeing_keys, report.needed
    );
    text
}
