//! `cargo xtask bundle verify FILE`: what an archive is, and that its figures follow from its logs.
//!
//! Everything happens in memory: nothing is unpacked to a disk. Each step is a line with its verdict, and the first
//! that fails is the last one taken. What one archive may cost is bounded: its sizes and its ops by limits that every
//! real set is far below, and processor time and memory by a watch.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args as ClapArgs;
use ecac_artifact::archive::{self, Limits, Unpacked};
use ecac_artifact::{Commit, Digest, Version, exit};
use serde::Serialize;

use super::contents::{self, Contents};
use super::demand::{self, Demand};
use super::signed::{Signed, SignerArgs};
use super::steps::{Current, Step, Steps, Verdict};
use xtask::host::error::Failure;
use xtask::host::guard::{self, Allowance};
use xtask::host::input;
use xtask::host::output::{self, Format};

/// The most memory that the whole program may take, in bytes. A cited set takes an eighth of that.
const MEMORY_BYTES_MAX: u64 = 224 << 20;

/// Arguments of `bundle verify`.
#[derive(Debug, Clone, ClapArgs)]
pub(super) struct Args {
    /// The archive
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    signer: SignerArgs,
    /// Require that it is of this commit: 40 hexadecimal digits
    #[arg(long, value_name = "SHA", value_parser = demand::parse_commit)]
    commit: Option<Commit>,
    /// Require that it is of this version, such as v0.1.0
    #[arg(long, value_name = "VERSION", value_parser = demand::parse_version)]
    version: Option<Version>,
    /// The most processor time that it may take
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    seconds: u64,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is known of an archive, for machines.
#[derive(Debug, Serialize)]
struct Answer {
    file: String,
    gz_sha256: String,
    tar_sha256: Option<String>,
    /// The commit that the archive is named after; the manifest states the same where the set holds.
    commit: Option<String>,
    /// The version that the manifest states, where the set holds.
    version: Option<String>,
    /// `verified`: by this key, and consistent; `consistent`: no key was given; `refused`: a step failed.
    verdict: &'static str,
    steps: Vec<Step>,
    #[serde(skip)]
    failure: Option<Failure>,
}

/// Checks an archive, step by step.
pub(super) fn run(args: &Args) -> Result<()> {
    let allowance = Allowance {
        time: Duration::from_secs(args.seconds),
        memory_bytes: MEMORY_BYTES_MAX,
    };
    let current = Current::default();
    let (work, step) = (args.clone(), current.clone());
    let answer = guard::run(allowance, move || answer(&work, step)).map_err(|error| {
        match (error.downcast::<Failure>(), current.name()) {
            (Ok(failure), step) if !step.is_empty() && failure.code == exit::BAD_INPUT => {
                let message = format!("{}: {step}: {failure}", input::shown(&args.file));
                Failure::new(exit::BAD_INPUT, message)
                    .hint("do not trust this file; where the machine is slow, allow more with --seconds")
                    .into()
            }
            (Ok(failure), _) => failure.into(),
            (Err(error), _) => error,
        }
    })?;
    match args.format {
        Format::Text => output::print(&text(&answer))?,
        Format::Json => output::print_json(&answer)?,
    }
    answer.failure.map_or(Ok(()), |failure| Err(failure.into()))
}

fn answer(args: &Args, current: Current) -> Result<Answer> {
    let gz = input::read(&args.file, Limits::default().gz_bytes_max)?;
    let signed = Signed::read(&args.signer, &args.file)?;
    let mut steps = Steps::new(current);
    let known = check(args, &gz, signed.as_ref(), &mut steps);
    let failure = steps.failed().map(|step| {
        let message = format!(
            "{}: the step `{}` failed",
            input::shown(&args.file),
            step.name
        );
        Failure::new(step.code, message)
            .hint("do not trust this file; get it again from its source")
    });
    Ok(Answer {
        file: args.file.display().to_string(),
        gz_sha256: Digest::of(&gz).to_string(),
        tar_sha256: known.tar_sha256.map(|digest| digest.to_string()),
        commit: known.commit.map(|commit| commit.to_string()),
        version: known.version.map(|version| version.to_string()),
        verdict: match (&failure, &signed) {
            (Some(_), _) => "refused",
            (None, Some(_)) => "verified",
            (None, None) => "consistent",
        },
        steps: steps.into_vec(),
        failure,
    })
}

/// What the archive says that it is, as far as the steps went.
#[derive(Debug, Default)]
struct Known {
    tar_sha256: Option<Digest>,
    commit: Option<Commit>,
    version: Option<Version>,
}

fn check(args: &Args, gz: &[u8], signed: Option<&Signed>, steps: &mut Steps) -> Known {
    const SIGNATURE: &str = "signature";
    const PROVENANCE: &str = "provenance";
    const NO_KEY: &str = "pass --key PUBLIC_KEY to learn who made it";
    const LATER: [&str; 10] = [
        "packing",
        "sums",
        "set",
        "release",
        PROVENANCE,
        "sbom",
        "audit log",
        "op logs",
        "figures",
        "seed",
    ];

    match signed {
        Some(signed) => steps.require(SIGNATURE, exit::BAD_SIGNATURE, || signed.signature(gz)),
        None => steps.leave_out(SIGNATURE, NO_KEY),
    }
    let mut known = Known::default();
    let archive = steps.take("archive", exit::BAD_INPUT, || unpack(gz));
    let Some(archive) = archive else {
        LATER.into_iter().for_each(|name| steps.pass(name));
        return known;
    };
    known.tar_sha256 = Some(archive.digests().tar_sha256);
    known.commit = Some(archive.commit().clone());
    steps.require("packing", exit::VERIFICATION, || {
        ensure!(
            archive.is_canonical(),
            "packing the files again gives other bytes"
        );
        Ok("the one canonical form".to_owned())
    });
    steps.require("sums", exit::VERIFICATION, || contents::sums(&archive));
    let contents = steps.take("set", exit::VERIFICATION, || {
        let contents = Contents::of(&archive)?;
        let version = contents.manifest.version()?;
        let detail = contents.describe();
        Ok(((contents, version), detail))
    });
    let Some((contents, version)) = contents else {
        LATER.into_iter().skip(3).for_each(|name| steps.pass(name));
        return known;
    };
    steps.require("release", exit::VERIFICATION, || {
        let demand = Demand {
            commit: args.commit.as_ref(),
            version: args.version.as_ref(),
        };
        demand.check(&args.file, archive.commit(), &version)
    });
    known.version = Some(version);
    match signed {
        Some(signed) => steps.require(PROVENANCE, exit::BAD_SIGNATURE, || {
            signed.provenance(&archive, &contents.manifest)
        }),
        None => steps.leave_out(PROVENANCE, NO_KEY),
    }
    steps.require("sbom", exit::VERIFICATION, || contents.sbom());
    steps.require("audit log", exit::VERIFICATION, || contents.audit());
    steps.require("op logs", exit::VERIFICATION, || contents.op_logs());
    steps.require("figures", exit::VERIFICATION, || contents.figures());
    steps.require("seed", exit::VERIFICATION, || contents.seed());
    known
}

fn unpack(gz: &[u8]) -> Result<(Unpacked, String)> {
    let archive = archive::unpack(gz, &Limits::default())?;
    let size: usize = archive.files().values().map(Vec::len).sum();
    let detail = format!("{} files, {size} bytes", archive.files().len());
    Ok((archive, detail))
}

fn text(answer: &Answer) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "file        {}", ecac_artifact::escape(&answer.file));
    let _ = writeln!(text, "  gz  sha256:{}", answer.gz_sha256);
    if let Some(tar) = &answer.tar_sha256 {
        let _ = writeln!(text, "  tar sha256:{tar}");
    }
    if let Some(commit) = &answer.commit {
        let _ = writeln!(text, "commit      {commit}");
    }
    if let Some(version) = &answer.version {
        let _ = writeln!(text, "version     v{version}");
    }
    for step in &answer.steps {
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
    let verdict = match answer.verdict {
        "consistent" => "consistent in itself; who made it was not checked",
        verdict => verdict,
    };
    let _ = writeln!(text, "verdict     {verdict}");
    text
}
