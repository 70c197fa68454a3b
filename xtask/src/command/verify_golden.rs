//! `cargo xtask verify-golden`: does this code still produce the cited bytes?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args as ClapArgs;
use ecac_artifact::{Digest, exit};
use serde::Serialize;

use crate::host::error::Failure;
use crate::host::network::Network;
use crate::host::output::{self, Format};
use crate::host::progress::{Progress, StageTime};
use crate::host::workdir::WorkDir;
use crate::host::workspace;
use crate::reproduce::compile::BuildArgs;
use crate::reproduce::pipeline::{self, Plan};
use crate::reproduce::preflight::{self, SourceArgs};
use crate::set::artifact_dir::Listing;
use crate::set::causes;
use crate::set::citation::Citation;
use crate::set::compare::{Difference, Findings, FirstDifference};
use crate::set::golden_set::GoldenSet;
use crate::set::readme;

/// Arguments of `verify-golden`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    build: BuildArgs,
    /// Build the cited commit itself instead of HEAD
    #[arg(long, conflicts_with = "allow_dirty")]
    cited: bool,
    /// The golden set [default: docs/eval/golden of the workspace]
    #[arg(long, value_name = "DIR")]
    golden: Option<PathBuf>,
    /// Compare an existing output directory instead of building
    #[arg(long, value_name = "DIR", hide = true, conflicts_with_all = ["cited", "allow_dirty", "jobs", "offline"])]
    artifacts: Option<PathBuf>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// The verdict, for machines.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    verdict: &'static str,
    golden: String,
    cited_commit: String,
    /// The commit that was built; nothing where nothing was.
    built_commit: Option<String>,
    files: usize,
    #[serde(flatten)]
    findings: &'a Findings,
    causes: Vec<String>,
    network: Option<Network>,
    stages: &'a [StageTime],
}

/// What was compared with the golden set.
struct Regenerated {
    files: BTreeMap<String, Vec<u8>>,
    built: Option<Citation>,
    network: Option<Network>,
}

/// Checks the golden set itself, regenerates it and compares.
pub fn run(args: &Args) -> Result<()> {
    let progress = Progress::new(pipeline::STAGES + 3);
    let mut times = Vec::new();
    let root = workspace::root()?;
    let dir = match &args.golden {
        Some(dir) => workspace::absolute(dir)?,
        None => root.join(workspace::GOLDEN_DIR),
    };
    let (listing, golden) = progress.stage(&mut times, "golden set", || {
        let hint = "write it first: cargo xtask golden --update";
        let listing = Listing::read_or_hint(&dir, hint)?;
        let mut golden = GoldenSet::check(&listing)?;
        if dir == root.join(workspace::GOLDEN_DIR) {
            check_readme(&root, &listing, &mut golden)?;
        }
        Ok((listing, golden))
    })?;

    let mut findings = golden.findings.clone();
    let mut regenerated = None;
    let mut causes = Vec::new();
    if findings.is_empty() {
        let made = regenerate(args, &golden, &progress, &mut times)?;
        findings = progress.stage(&mut times, "compare", || {
            Ok(Findings::between(&listing.files, &made.files))
        })?;
        if !findings.is_empty() {
            causes = causes::likely(&root, &golden, &made.files, made.built.as_ref(), &progress);
        }
        regenerated = Some(made);
    } else {
        causes.push(format!(
            "the files in {} were changed after they were made",
            dir.display()
        ));
    }
    drop(progress);

    let answer = Answer {
        verdict: if findings.is_empty() {
            "same"
        } else {
            "different"
        },
        golden: dir.display().to_string(),
        cited_commit: golden.commit.to_string(),
        built_commit: regenerated
            .as_ref()
            .and_then(|made| made.built.as_ref())
            .map(|built| built.commit.to_string()),
        files: golden.expected.names().count(),
        findings: &findings,
        causes,
        network: regenerated.as_ref().and_then(|made| made.network),
        stages: &times,
    };
    match args.format {
        Format::Text => output::print(&text(&answer))?,
        Format::Json => output::print_json(&answer)?,
    }
    verdict(&findings, regenerated.is_some())
}

fn verdict(findings: &Findings, regenerated: bool) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let (problem, hint) = match regenerated {
        true => (
            "the golden set is not what this code produces",
            "if the change is meant: cargo xtask golden --update, and a line in CHANGELOG.md",
        ),
        false => (
            "the golden set contradicts itself",
            "restore it: git checkout -- docs/eval/golden README.md",
        ),
    };
    let message = format!("{problem}: {}", findings.count());
    Err(Failure::new(findings.code(), message).hint(hint).into())
}

/// Adds a finding where the README prints another digest of the golden tarball, or none.
fn check_readme(root: &Path, listing: &Listing, golden: &mut GoldenSet) -> Result<()> {
    let Some(tarball) = listing.files.get(&golden.expected.tarball()) else {
        return Ok(());
    };
    let actual = Digest::of(tarball);
    let problem = match readme::digest(root, readme::GOLDEN_BUNDLE) {
        Ok(printed) if printed == actual => return Ok(()),
        Ok(printed) => {
            format!("it prints the golden bundle sha256:{printed}, but that is sha256:{actual}")
        }
        Err(error) if crate::host::error::exit_code(&error) == exit::VERIFICATION => {
            format!("{error:#}")
        }
        Err(error) => return Err(error),
    };
    let text = std::fs::read(root.join("README.md")).unwrap_or_default();
    let findings = &mut golden.findings;
    findings
        .differences
        .push(Difference::mismatch("README.md", None, &text));
    findings
        .first
        .get_or_insert_with(|| FirstDifference::told("README.md", problem));
    Ok(())
}

fn regenerate(
    args: &Args,
    golden: &GoldenSet,
    progress: &Progress,
    times: &mut Vec<StageTime>,
) -> Result<Regenerated> {
    if let Some(dir) = &args.artifacts {
        let listing = Listing::read(dir)?;
        if let Some((name, kind)) = listing.irregular.first_key_value() {
            let message = format!("{} is {kind}", dir.join(name).display());
            return Err(Failure::new(exit::BAD_INPUT, message).into());
        }
        return Ok(Regenerated {
            files: listing.files,
            built: None,
            network: None,
        });
    }
    let (source, citation) = progress.stage(times, "preflight", || {
        let source = preflight::check_build(&args.source, progress)?;
        Ok(match args.cited {
            true => (source.at_commit(&golden.commit, progress)?, None),
            false => (source, Some(Citation::of_manifest(&golden.manifest)?)),
        })
    })?;
    let plan = Plan {
        source: &source,
        citation: citation.as_ref(),
        parameters: &golden.parameters,
        build: &args.build,
    };
    let work = WorkDir::new(args.build.keep_temp)?;
    let outcome = pipeline::run(&plan, &work, progress, times)?;
    Ok(Regenerated {
        files: outcome.files,
        built: Some(outcome.built),
        network: Some(outcome.network),
    })
}

fn text(answer: &Answer<'_>) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(text, "golden set     {}", answer.golden);
    let _ = writeln!(text, "cited commit   {}", answer.cited_commit);
    if let Some(commit) = &answer.built_commit {
        let _ = writeln!(text, "built commit   {commit}");
    }
    if let Some(network) = answer.network {
        let _ = writeln!(text, "network        {}", network.describe());
    }
    if answer.findings.is_empty() {
        let _ = writeln!(
            text,
            "verdict        same: all {} files, byte for byte",
            answer.files
        );
        return text;
    }
    let _ = writeln!(
        text,
        "verdict        different: {}\n",
        answer.findings.count()
    );
    text.push_str(&answer.findings.text());
    let _ = writeln!(text, "\nlikely causes");
    for cause in &answer.causes {
        let _ = writeln!(text, "  {cause}");
    }
    text
}
