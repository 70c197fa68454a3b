//! `cargo xtask sbom`: what the program `ecac` is built of, as a CycloneDX document.

mod check;
mod cyclonedx;
mod document;
mod graph;
mod lockfile;
#[cfg(test)]
mod tests;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::exit;
use xshell::Shell;

use crate::citation::Citation;
use crate::environment::{Inherited, Variable};
use crate::error::Failure;
use crate::output;
use crate::preflight::{self, SourceArgs};
use crate::process;
use crate::progress::Progress;
use crate::publish;
use crate::workdir::WorkDir;
use document::Inputs;
use graph::Graph;

pub(crate) use check::check;

/// The target of the program that an artifact set describes, whatever machine makes the set.
pub(crate) const SHIPPED_TARGET: &str = "x86_64-unknown-linux-gnu";

/// How many stages [`run`] passes.
const STAGES: u64 = 3;

/// Arguments of `sbom`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,
    /// The target of the build that is described [default: the host of the pinned compiler]
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Forbid cargo the network
    #[arg(long)]
    offline: bool,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What of a tree is described, and how cargo is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// A clean tree.
    pub(crate) tree: &'a Path,
    /// What the document cites as its source.
    pub(crate) citation: &'a Citation,
    /// The target triple of the build.
    pub(crate) target: &'a str,
    /// The time of the document in seconds since 1970.
    pub(crate) epoch: u64,
    /// Whether cargo may not use the network.
    pub(crate) offline: bool,
}

/// Describes the committed tree.
pub(crate) fn run(args: &Args) -> Result<()> {
    let progress = Progress::new(STAGES);
    let mut times = Vec::new();
    let (source, epoch) = progress.stage(&mut times, "preflight", || {
        let source = preflight::check(&args.source, &progress)?;
        let epoch = epoch(env::var("SOURCE_DATE_EPOCH").ok(), source.commit_time)?;
        Ok((source, epoch))
    })?;
    let work = WorkDir::new(false)?;
    let tree = progress.stage(&mut times, "clean tree", || {
        let tree = work.create("tree")?;
        source.export(&tree, &progress)?;
        Ok(tree)
    })?;
    let citation = Citation::of_tree(&tree, source.stamp(), epoch)?;
    let bytes = progress.stage(&mut times, "sbom", || {
        let target = match &args.target {
            Some(target) => target.clone(),
            None => host(&tree, &progress)?,
        };
        let subject = Subject {
            tree: &tree,
            citation: &citation,
            target: &target,
            epoch,
            offline: args.offline,
        };
        generate(&subject, &progress)
    })?;
    drop(progress);
    match &args.out {
        Some(out) => publish::replace_file(out, &bytes),
        None => output::print(&String::from_utf8(bytes).context("print the document")?),
    }
}

/// The bytes of the document: a function of the files of the tree, the citation, the target and the time.
pub(crate) fn generate(subject: &Subject<'_>, progress: &Progress) -> Result<Vec<u8>> {
    let answers = ask(subject, progress)?;
    document::render(&answers.inputs(subject))
}

/// What cargo and the tree say.
struct Answers {
    metadata: String,
    tree: String,
    lockfile: String,
}

impl Answers {
    fn inputs<'a>(&'a self, subject: &Subject<'a>) -> Inputs<'a> {
        Inputs {
            metadata: &self.metadata,
            tree: &self.tree,
            lockfile: &self.lockfile,
            citation: subject.citation,
            target: subject.target,
            epoch: subject.epoch,
        }
    }
}

/// Asks cargo, and reads the lockfile.
fn ask(subject: &Subject<'_>, progress: &Progress) -> Result<Answers> {
    let Subject { tree, target, .. } = *subject;
    let environment = environment(tree)?;
    let cargo = |args: &[&str]| cargo(subject, &environment, args, progress);
    let metadata = [
        "metadata",
        "--format-version=1",
        "--filter-platform",
        target,
    ];
    let of_the_build = [
        "tree",
        "--workspace",
        "--edges",
        "normal",
        "--target",
        target,
    ];
    let path = tree.join("Cargo.lock");
    Ok(Answers {
        metadata: cargo(&metadata)?,
        tree: cargo(&[&of_the_build[..], &Graph::FORMAT].concat())?,
        lockfile: fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?,
    })
}

/// The target for which the pinned compiler builds where none is named.
pub(crate) fn host(tree: &Path, progress: &Progress) -> Result<String> {
    preflight::host(tree, &environment(tree)?, progress)
}

/// The environment in which cargo is asked: that of the build.
fn environment(tree: &Path) -> Result<Vec<Variable>> {
    let mut variables = Inherited::for_tree(tree)?.variables;
    variables.extend([
        ("CARGO_TARGET_DIR".into(), tree.join("target").into()),
        ("CARGO_TERM_COLOR".into(), "never".into()),
        ("RUSTC_WRAPPER".into(), "".into()),
        ("RUSTC_WORKSPACE_WRAPPER".into(), "".into()),
    ]);
    Ok(variables)
}

/// What cargo prints.
fn cargo(
    subject: &Subject<'_>,
    environment: &[Variable],
    args: &[&str],
    progress: &Progress,
) -> Result<String> {
    let shell = Shell::new().context("find the working directory")?;
    shell.change_dir(subject.tree);
    let variables = environment.iter().map(|(name, value)| (name, value));
    let command = shell.cmd("cargo").args(args).arg("--locked");
    let command = command
        .args(subject.offline.then_some("--offline"))
        .env_clear()
        .envs(variables);
    let hint = subject.offline.then_some(
        "where crates are missing: cargo fetch --locked, with a network, and then again",
    );
    let bytes = process::run(progress, command)?.require_or(exit::ENVIRONMENT, hint)?;
    String::from_utf8(bytes).context("read what cargo printed")
}

/// The time of the document: that which the environment sets for everything that is built, else that of the commit.
fn epoch(variable: Option<String>, commit_time: u64) -> Result<u64> {
    let Some(text) = variable.filter(|text| !text.is_empty()) else {
        return Ok(commit_time);
    };
    text.parse().map_err(|_| {
        let message = format!("SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds");
        Failure::new(exit::USAGE, message)
            .hint("unset it, or set it to whole seconds since 1970")
            .into()
    })
}
