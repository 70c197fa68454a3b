//! `cargo xtask bundle --sign`: a release, built and signed in one run.
//!
//! What is signed never lay on a disk where somebody else could have put it: the run that signs has built the commit in
//! a clean tree, made the artifacts with what it built, and checked them as `repro` does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ecac_artifact::{Artifact, Digest, Single, exit};
use ecac_attest::{Build, Machine, Program, Statement};
use serde::Serialize;

use crate::signer::{Release, SignedBy, Signer};
use ecac_artifact::Parameters;
use xtask::host::error::Failure;
use xtask::host::output::{self, Format};
use xtask::host::progress::Progress;
use xtask::host::workdir::WorkDir;
use xtask::host::workspace;
use xtask::reproduce::closed::TakenOver;
use xtask::reproduce::compile::{BinaryDigests, BuildArgs};
use xtask::reproduce::flags;
use xtask::reproduce::parameters;
use xtask::reproduce::pipeline::{self, Outcome, Plan};
use xtask::reproduce::preflight::{self, Origin, SourceArgs};
use xtask::reproduce::publish;
use xtask::reproduce::summary::Bundle;

/// What to sign with, and where to.
pub(crate) struct Options<'a> {
    /// The private key; cosign signs where there is none.
    pub(crate) key: Option<&'a Path>,
    /// The tarball to write.
    pub(crate) out: Option<&'a Path>,
    /// How the tree is built.
    pub(crate) build: &'a BuildArgs,
    /// How the result is printed.
    pub(crate) format: Format,
}

/// The signed release.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    commit: &'a str,
    signed_by: SignedBy,
    binaries: &'a BinaryDigests,
    bundle: Bundle,
    machine: &'a TakenOver,
    directory: String,
    files: BTreeMap<String, String>,
}

/// Builds the committed tree, makes the artifacts, signs them, and writes the tarball and what belongs beside it.
pub(crate) fn run(options: &Options<'_>) -> Result<()> {
    let progress = Progress::new(pipeline::STAGES + 3);
    let mut times = Vec::new();
    let (source, signer) = progress.stage(&mut times, "preflight", || {
        let source = preflight::check_build(&SourceArgs::default(), &progress)?;
        if source.origin != Origin::Commit {
            let message =
                "a release is built of a commit, but this is a source archive without .git";
            return Err(Failure::environment(message)
                .hint("clone the repository")
                .into());
        }
        Ok((source, Signer::find(options.key, &progress)?))
    })?;
    let out = match options.out {
        Some(out) => workspace::absolute(out)?,
        None => {
            let expected = parameters::cited().expected(&source.commit)?;
            let dir = source.root.join(workspace::SIGNED_DIR);
            fs::create_dir_all(&dir).with_context(|| format!("create {}", dir.display()))?;
            dir.join(expected.tarball())
        }
    };
    let (dir, name) = check_out(&out)?;
    let plan = Plan {
        source: &source,
        citation: None,
        parameters: &parameters::cited(),
        build: options.build,
    };
    let work = WorkDir::new(options.build.keep_temp)?;
    let outcome = pipeline::run(&plan, &work, &progress, &mut times)?;
    let files = progress.stage(&mut times, "sign", || {
        let tarball = outcome.expected.tarball();
        let bytes = outcome.files.get(&tarball);
        let bytes = bytes.context("find the archive in its own set")?;
        let statement = Statement::of(&build(&outcome, plan.parameters, &source.root)?);
        let release = Release {
            name: &tarball,
            bytes,
            statement: &statement,
        };
        let signatures = signer.sign(&release, &work.create("signed")?, &progress)?;
        let signatures = signatures.into_iter();
        let signatures = signatures.map(|(suffix, bytes)| (format!("{name}{suffix}"), bytes));
        // The tarball comes first, so that no signature is ever there without what it signs.
        let all: Vec<_> = [(name.clone(), bytes.clone())]
            .into_iter()
            .chain(signatures)
            .collect();
        anyhow::Ok(all)
    })?;
    progress.stage(&mut times, "publish", || {
        for (name, bytes) in &files {
            publish::replace_file(&dir.join(name), bytes)?;
        }
        Ok(())
    })?;
    drop(progress);

    let answer = Answer {
        commit: &outcome.manifest.commit,
        signed_by: signer.signed_by(),
        binaries: &outcome.binaries,
        bundle: Bundle::of(&outcome),
        machine: &outcome.taken_over,
        directory: dir.display().to_string(),
        files: files
            .iter()
            .map(|(name, bytes)| (name.clone(), Digest::of(bytes).to_string()))
            .collect(),
    };
    match options.format {
        Format::Text => output::print(&text(&answer)),
        Format::Json => output::print_json(&answer),
    }
}

/// The directory and the name of the tarball, if files can be written there and do no harm.
fn check_out(out: &Path) -> Result<(PathBuf, String)> {
    let name = out.file_name().and_then(|name| name.to_str());
    let (Some(dir), Some(name), false) = (out.parent(), name, out.is_dir()) else {
        let message = format!("{} does not name a file to write", out.display());
        return Err(Failure::new(exit::USAGE, message)
            .hint("name the tarball; its signatures go beside it")
            .into());
    };
    if dir.join(Artifact::SUMS_NAME).exists() {
        let message = format!(
            "{} holds an artifact set, to which no signature belongs",
            dir.display()
        );
        return Err(Failure::new(exit::USAGE, message)
            .hint("name a file in another directory with --out")
            .into());
    }
    if !dir.is_dir() {
        let message = format!("there is no directory {}", dir.display());
        return Err(Failure::environment(message)
            .hint("create it, or choose another with --out")
            .into());
    }
    // Creating and removing a file there shows that the real ones can be made.
    tempfile::NamedTempFile::new_in(dir).map_err(|error| {
        let error = std::io::Error::from(error.kind());
        Failure::environment(format!("cannot write in {}: {error}", dir.display()))
            .hint("give access, or choose another with --out")
    })?;
    Ok((dir.to_owned(), name.to_owned()))
}

/// What the statement is made of.
fn build(outcome: &Outcome, parameters: &Parameters, root: &Path) -> Result<Build> {
    let compiler = &outcome.programs.compiler;
    if compiler.commit == "unknown" {
        let message = "rustc does not say which commit it was built of";
        return Err(Failure::environment(message)
            .hint("use a release of rust-lang.org, as rustup installs it")
            .into());
    }
    Ok(Build {
        repository: env!("CARGO_PKG_REPOSITORY").to_owned(),
        commit: outcome.built.commit.clone(),
        command: format!(
            "cargo xtask repro {}",
            parameters::to_args(parameters).join(" ")
        ),
        seed: parameters.seed,
        ops: parameters.ops,
        scenarios: parameters.scenarios.clone(),
        flags: flags::stated_rustflags(root, compiler)?,
        target: compiler.host.clone(),
        cargo_lock: outcome.built.cargo_lock_sha256.parse()?,
        toolchain: outcome.built.toolchain.clone(),
        toolchain_commit: compiler.commit.clone(),
        tar_gz: outcome.digests.gz_sha256,
        tar: outcome.digests.tar_sha256,
        ecac: outcome.binaries.ecac_sha256.parse()?,
        sbom: outcome
            .files
            .get(Single::Sbom.name())
            .map(|bytes| Digest::of(bytes)),
        machine: machine(&outcome.taken_over)?,
    })
}

/// What of this machine took part, as provenance states it: without its directories.
fn machine(taken_over: &TakenOver) -> Result<Machine> {
    let TakenOver {
        linker_file,
        linker_sha256,
        linker_version,
        ..
    } = taken_over;
    let linker = match (linker_file, linker_sha256, linker_version) {
        (Some(file), Some(sha256), Some(version)) => Some(Program {
            file: Path::new(file)
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            sha256: sha256.parse()?,
            version: version.clone(),
        }),
        _ => None,
    };
    Ok(Machine {
        rustc: taken_over.rustc_sha256.parse()?,
        linker,
        taken_over: ecac_attest::TakenOver {
            keys: taken_over.keys.clone(),
            variables: taken_over.variables.clone(),
        },
    })
}

fn text(answer: &Answer<'_>) -> String {
    let signed_by = match &answer.signed_by {
        SignedBy::Key(hint) => format!("the key {hint}"),
        SignedBy::Keyless => "cosign, keyless".to_owned(),
    };
    let mut text = format!(
        "commit         {}\nsigned by      {signed_by}\n",
        answer.commit
    );
    text.push_str(&answer.bundle.text());
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "binary ecac    sha256:{}",
        answer.binaries.ecac_sha256
    );
    text.push_str(&answer.machine.text());
    let _ = writeln!(text, "directory      {}", answer.directory);
    for name in answer.files.keys() {
        let _ = writeln!(text, "  {name}");
    }
    text
}
