//! `cargo xtask bundle verify FILE`: what an archive is, and that its figures follow from its logs.
//!
//! Everything happens in memory: nothing is unpacked to a disk. Each step is a line with its verdict; a step that
//! needs an earlier one is not tried after that has failed.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args as ClapArgs;
use ecac_artifact::archive::{self, Limits, Unpacked};
use ecac_artifact::{Digest, Summary, exit};
use ecac_attest::{Bundle, PublicKey, ResourceDescriptor, Signature};
use serde::Serialize;

use super::contents::{self, Contents};
use crate::error::{Failure, exit_code};
use crate::manifest::Manifest;
use crate::output::{self, Format};
use crate::signer;

/// The largest archive that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The largest key, signature or provenance that is read, in bytes.
const SIDECAR_BYTES_MAX: u64 = 1 << 20;

/// Arguments of `bundle verify`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The archive
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The public key of whoever released it, in PEM; without it nothing is known of who made the archive
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// The signature: a Sigstore bundle, or base64 as cosign writes it [default: FILE.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "key")]
    signature: Option<PathBuf>,
    /// The provenance in its Sigstore bundle [default: FILE.intoto.sigstore.json]
    #[arg(long, value_name = "FILE", requires = "key")]
    provenance: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is known after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    /// It holds.
    Ok,
    /// It does not.
    Failed,
    /// Nobody asked, or an earlier step failed.
    NotChecked,
}

/// One step and what came of it.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    verdict: Verdict,
    /// What was found, or why it fails.
    detail: String,
    /// The exit code where this step is the first that fails.
    #[serde(skip)]
    code: u8,
}

/// What is known of an archive, for machines.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    gz_sha256: String,
    tar_sha256: Option<String>,
    commit: Option<String>,
    /// `verified`: by this key, and consistent; `consistent`: no key was given; `refused`: a step failed.
    verdict: &'static str,
    steps: Vec<Step>,
}

/// What a signer left beside the archive.
struct Signed {
    key: PublicKey,
    signature: Vec<u8>,
    provenance: Vec<u8>,
}

impl Signed {
    /// Reads the key and what it signed, where a key is given.
    fn read(args: &Args) -> Result<Option<Self>> {
        let Some(path) = &args.key else {
            return Ok(None);
        };
        let key = PublicKey::from_pem(&read(path, SIDECAR_BYTES_MAX)?).map_err(|error| {
            let message = format!("{}: {error}", path.display());
            Failure::new(exit::BAD_INPUT, message)
                .hint("--key takes the public key, as cargo xtask key new and openssl write it")
        })?;
        let beside = |given: &Option<PathBuf>, suffix: &str| {
            let path = given.clone().unwrap_or_else(|| {
                let mut path = args.file.clone().into_os_string();
                path.push(suffix);
                path.into()
            });
            read(&path, SIDECAR_BYTES_MAX).map_err(|error| match exit_code(&error) {
                exit::NOT_FOUND => Failure::new(
                    exit::BAD_SIGNATURE,
                    format!("{error:#}, so nobody signed this"),
                )
                .hint("get it from where the archive comes from, or leave --key out")
                .into(),
                _ => error,
            })
        };
        Ok(Some(Self {
            key,
            signature: beside(&args.signature, signer::BUNDLE)?,
            provenance: beside(&args.provenance, signer::PROVENANCE_BUNDLE)?,
        }))
    }

    /// The key signed exactly this file.
    fn signature(&self, gz: &[u8]) -> Result<((), String)> {
        match self.signature.first() {
            Some(b'{') => Bundle::parse(&self.signature)?.verify_message(&self.key, gz)?,
            _ => self
                .key
                .verify(gz, &Signature::from_file(&self.signature)?)?,
        }
        Ok(((), format!("by the key {}", self.key.hint())))
    }

    /// The key signed a statement about exactly this file, and it says what the manifest says.
    fn provenance(&self, archive: &Unpacked, manifest: &Manifest) -> Result<((), String)> {
        let statement = Bundle::parse(&self.provenance)?.verify_statement(&self.key)?;
        let directory = archive::directory(archive.commit());
        let digests = archive.digests();
        let sbom = archive
            .files()
            .get(Summary::Sbom.name())
            .map(|bytes| Digest::of(bytes));
        for (name, actual) in [
            (format!("{directory}.tar.gz"), Some(digests.gz_sha256)),
            (format!("{directory}.tar"), Some(digests.tar_sha256)),
            (Summary::Sbom.name().to_owned(), sbom),
        ] {
            let stated = statement.subject(&name);
            ensure!(
                stated == actual,
                "it speaks of {name} {}, but here that is {}",
                told(stated),
                told(actual)
            );
        }
        let definition = &statement.predicate.build_definition;
        let parameters = manifest.parameters()?;
        let stated = &definition.external_parameters;
        let dependency = |name: &str| {
            let found = |dependency: &&ResourceDescriptor| dependency.name == name;
            definition.resolved_dependencies.iter().find(found)
        };
        let lock = dependency("Cargo.lock").and_then(|lock| lock.digest.sha256);
        let source = dependency("source").and_then(|source| source.digest.git_commit.as_deref());
        let rustc = dependency("rustc").and_then(|rustc| rustc.uri.as_deref());
        let claims = [
            ("commit", stated.commit == manifest.commit),
            ("source commit", source == Some(manifest.commit.as_str())),
            ("seed", stated.seed == parameters.seed),
            ("number of ops", stated.ops == parameters.ops),
            (
                "list of scenarios",
                stated.scenarios == parameters.scenarios,
            ),
            (
                "Cargo.lock",
                lock.is_some_and(|lock| lock.to_string() == manifest.cargo_lock_sha256),
            ),
            (
                "toolchain",
                rustc.is_some_and(|uri| uri.ends_with(&format!("@{}", manifest.toolchain))),
            ),
        ];
        for (claim, holds) in claims {
            ensure!(holds, "it states another {claim} than manifest.json");
        }
        let target = &definition.internal_parameters.target;
        Ok(((), format!("built of {} for {target}", manifest.commit)))
    }
}

/// The steps so far.
#[derive(Default)]
struct Steps(Vec<Step>);

impl Steps {
    /// Takes a step, which ends the program with `code` where it is the first that fails.
    fn take<T>(
        &mut self,
        name: &'static str,
        code: u8,
        check: impl FnOnce() -> Result<(T, String)>,
    ) -> Option<T> {
        let (value, verdict, detail) = match check() {
            Ok((value, detail)) => (Some(value), Verdict::Ok, detail),
            Err(error) => (None, Verdict::Failed, format!("{error:#}")),
        };
        self.0.push(Step {
            name,
            verdict,
            detail,
            code,
        });
        value
    }

    fn leave_out(&mut self, name: &'static str, why: &str) {
        self.0.push(Step {
            name,
            verdict: Verdict::NotChecked,
            detail: why.to_owned(),
            code: exit::SUCCESS,
        });
    }
}

/// Checks an archive, step by step.
pub(crate) fn run(args: &Args) -> Result<()> {
    let gz = read(&args.file, FILE_BYTES_MAX)?;
    let signed = Signed::read(args)?;
    let mut steps = Steps::default();
    let archive = check(&gz, signed.as_ref(), &mut steps);

    let failed = steps.0.iter().find(|step| step.verdict == Verdict::Failed);
    let failure = failed.map(|step| {
        let message = format!("{}: the {} does not hold", args.file.display(), step.name);
        Failure::new(step.code, message)
            .hint("do not trust this file; get it again from its source")
    });
    let report = Report {
        file: args.file.display().to_string(),
        gz_sha256: Digest::of(&gz).to_string(),
        tar_sha256: archive
            .as_ref()
            .map(|archive| archive.digests().tar_sha256.to_string()),
        commit: archive.as_ref().map(|archive| archive.commit().to_string()),
        verdict: match (&failure, &signed) {
            (Some(_), _) => "refused",
            (None, Some(_)) => "verified",
            (None, None) => "consistent",
        },
        steps: steps.0,
    };
    match args.format {
        Format::Text => output::print(&text(&report))?,
        Format::Json => output::print_json(&report)?,
    }
    failure.map_or(Ok(()), |failure| Err(failure.into()))
}

fn check(gz: &[u8], signed: Option<&Signed>, steps: &mut Steps) -> Option<Unpacked> {
    const SIGNATURE: &str = "signature";
    const PROVENANCE: &str = "provenance";
    const NO_KEY: &str = "pass --key PUBLIC_KEY to learn who made it";
    const NO_ARCHIVE: &str = "there is no archive to check";

    match signed {
        Some(signed) => _ = steps.take(SIGNATURE, exit::BAD_SIGNATURE, || signed.signature(gz)),
        None => steps.leave_out(SIGNATURE, NO_KEY),
    }
    let archive = steps.take("archive", exit::BAD_INPUT, || {
        let archive = archive::unpack(gz, &Limits::default())?;
        let size: usize = archive.files().values().map(Vec::len).sum();
        let detail = format!("{} files, {size} bytes", archive.files().len());
        Ok((archive, detail))
    });
    let Some(archive) = archive else {
        for name in [
            "packing",
            "sums",
            "set",
            PROVENANCE,
            "audit log",
            "op logs",
            "figures",
            "seed",
        ] {
            steps.leave_out(name, NO_ARCHIVE);
        }
        return None;
    };
    steps.take("packing", exit::VERIFICATION, || {
        ensure!(
            archive.is_canonical(),
            "packing the files again gives other bytes"
        );
        Ok(((), "the one canonical form".to_owned()))
    });
    let unit = |detail: Result<String>| Ok(((), detail?));
    steps.take("sums", exit::VERIFICATION, || {
        unit(contents::sums(&archive))
    });
    let contents = steps.take("set", exit::VERIFICATION, || {
        let contents = Contents::of(&archive)?;
        let detail = contents.describe();
        Ok((contents, detail))
    });
    let Some(contents) = contents else {
        for name in [PROVENANCE, "audit log", "op logs", "figures", "seed"] {
            steps.leave_out(name, "the set is not what its manifest says");
        }
        return Some(archive);
    };
    match signed {
        Some(signed) => {
            _ = steps.take(PROVENANCE, exit::BAD_SIGNATURE, || {
                signed.provenance(&archive, &contents.manifest)
            });
        }
        None => steps.leave_out(PROVENANCE, NO_KEY),
    }
    steps.take("audit log", exit::VERIFICATION, || unit(contents.audit()));
    let followed = steps.take("op logs", exit::VERIFICATION, || unit(contents.op_logs()));
    steps.take("figures", exit::VERIFICATION, || unit(contents.figures()));
    match followed {
        Some(()) => _ = steps.take("seed", exit::VERIFICATION, || unit(contents.seed())),
        None => steps.leave_out("seed", "the files do not follow from the op logs"),
    }
    drop(contents);
    Some(archive)
}

/// Reads a file of at most `bytes_max` bytes.
pub(super) fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let refuse = |code, problem: &str| -> anyhow::Error {
        Failure::new(code, format!("{} {problem}", path.display())).into()
    };
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) if bytes.len() as u64 > bytes_max => Err(refuse(
            exit::BAD_INPUT,
            &format!("has more than {bytes_max} bytes"),
        )),
        Ok(_) => Ok(bytes),
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound => Err(refuse(exit::NOT_FOUND, "does not exist")),
            io::ErrorKind::IsADirectory => Err(refuse(exit::BAD_INPUT, "is a directory")),
            _ => Err(refuse(
                exit::ENVIRONMENT,
                &format!("cannot be read: {error}"),
            )),
        },
    }
}

fn told(digest: Option<Digest>) -> String {
    digest.map_or_else(|| "(nothing)".to_owned(), |digest| digest.to_string())
}

fn text(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "file        {}", report.file);
    let _ = writeln!(text, "  gz  sha256:{}", report.gz_sha256);
    if let Some(tar) = &report.tar_sha256 {
        let _ = writeln!(text, "  tar sha256:{tar}");
    }
    if let Some(commit) = &report.commit {
        let _ = writeln!(text, "commit      {commit}");
    }
    for step in &report.steps {
        let verdict = match step.verdict {
            Verdict::Ok => "ok",
            Verdict::Failed => "FAILED",
            Verdict::NotChecked => "not checked",
        };
        let mut lines = step.detail.lines();
        let first = lines.next().unwrap_or_default();
        let _ = writeln!(text, "{:<11} {verdict:<11} {first}", step.name);
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    let verdict = match report.verdict {
        "consistent" => "consistent in itself; who made it was not checked",
        verdict => verdict,
    };
    let _ = writeln!(text, "verdict     {verdict}");
    text
}
