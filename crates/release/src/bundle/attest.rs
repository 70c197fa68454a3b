//! `cargo xtask bundle attest`: an independent builder signs the sums of what came out, with their version and commit.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args as ClapArgs;
use ecac_artifact::{Artifact, Digest, exit};
use ecac_attest::{Attestation, Attested, Bundle, PrivateKey, PublicKey};

use super::attestations::{self, SIGNATURE_NAME, Signer};
use super::whole::Whole;
use crate::key;
use xtask::host::error::{Failure, exit_code};
use xtask::host::guard::{self, Allowance};
use xtask::host::input;
use xtask::host::interrupt;
use xtask::host::output;
use xtask::host::workspace;
use xtask::reproduce::parameters;
use xtask::reproduce::publish;

/// Arguments of `bundle attest`.
#[derive(Debug, ClapArgs)]
pub(super) struct Args {
    /// Who you are, in small letters, digits and hyphens; the directory is named after it
    #[arg(long, value_name = "NAME")]
    signer: Signer,
    /// Your private key; an encrypted one is opened with the password in ECAC_KEY_PASSWORD
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The output directory that you built [default: docs/eval/out of the workspace]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Checks a complete output directory, signs its sums and files the attestation.
pub(super) fn run(args: &Args) -> Result<()> {
    let root = workspace::root()?;
    let dir = match &args.dir {
        Some(dir) => workspace::absolute(dir)?,
        None => root.join(workspace::OUT_DIR),
    };
    let golden = root.join(workspace::GOLDEN_DIR);
    let set = guard::run(Allowance::UNBOUNDED, move || {
        let set = Whole::read(&dir)?;
        check_parameters(&set, &golden, &dir)?;
        Ok(set)
    })?;
    let private = key::read(&args.key)?;
    let bundle = sign(&private, &set)?;
    interrupt::check()?;
    file(&root, &args.signer, &private.public(), &set, &bundle)
}

/// Requires the parameters that everybody else attests.
fn check_parameters(set: &Whole, golden: &Path, dir: &Path) -> Result<()> {
    let cited = match Whole::read(golden) {
        Ok(golden) => golden.parameters,
        Err(error) if exit_code(&error) == exit::NOT_FOUND => parameters::cited(),
        Err(error) => return Err(error.context("read the parameters of the golden set")),
    };
    if set.parameters == cited {
        return Ok(());
    }
    let message = format!(
        "{} was made with other parameters than the golden set: {}, where that has {}",
        input::shown(dir),
        set.parameters.describe(),
        cited.describe()
    );
    Err(Failure::new(exit::BAD_INPUT, message)
        .hint("make it with those, which are the default: cargo xtask repro")
        .into())
}

/// Signs, and verifies what is to be filed.
fn sign(private: &PrivateKey, set: &Whole) -> Result<Vec<u8>> {
    let attestation = Attestation {
        version: set.version.clone(),
        commit: set.commit.clone(),
        sums: Digest::of(&set.sums),
    };
    let bundle = Bundle::of_attestation(private, &attestation).to_bytes();
    let read = Bundle::parse(&bundle)?.verify_attestation(&private.public(), &set.sums)?;
    ensure!(
        read == Attested::Bound(attestation),
        "the attestation changed while it was signed"
    );
    Ok(bundle)
}

/// Writes the key, where it is new, and the attestation.
fn file(
    root: &Path,
    signer: &Signer,
    public: &PublicKey,
    set: &Whole,
    bundle: &[u8],
) -> Result<()> {
    let below = |path: &Path| {
        let parts = attestations::DIR.into_iter().map(OsStr::new);
        attestations::create_dir(root, parts.chain(path))
    };
    let dir = below(Path::new(""))?;
    let key_path = dir.join(signer.key());
    let known = attestations::read(&key_path)?;
    if let Some(known) = &known
        && PublicKey::from_pem(known).ok().as_ref() != Some(public)
    {
        let message = format!("{} is another key than yours", input::shown(&key_path));
        return Err(Failure::new(exit::BAD_SIGNATURE, message)
            .hint("sign with the key that is filed under your name, or choose another name")
            .into());
    }
    let filed = below(&signer.filed(&set.version))?;
    if known.is_none() {
        below(Path::new(attestations::SIGNERS))?;
        publish::replace_file(&key_path, public.to_pem().as_bytes())?;
    }
    publish::replace_file(&filed.join(Artifact::SUMS_NAME), &set.sums)?;
    publish::replace_file(&filed.join(SIGNATURE_NAME), bundle)?;
    output::print(&format!(
        "attested   {} of commit {}\nfiled      {}\nsums       sha256:{}\nkey        {}\n\n\
         Commit both and propose the change; docs/attestations/README.md says how.\n",
        set.version.tag(),
        set.commit,
        input::shown(&filed),
        Digest::of(&set.sums),
        input::shown(&key_path)
    ))
}
