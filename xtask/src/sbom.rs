//! `cargo xtask sbom`: what the program `ecac` is built of, as a CycloneDX document.

mod check;
mod cyclonedx;
mod document;
mod graph;
#[cfg(test)]
mod tests;

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::exit;

use crate::citation::Citation;
use crate::closed::{self, Closed};
use crate::error::Failure;
use crate::network::Network;
use crate::output;
use crate::preflight::{self, SourceArgs};
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

/// What the document says of the tree that cargo is asked about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// What the document cites as its source.
    pub(crate) citation: &'a Citation,
    /// The target triple of the build.
    pub(crate) target: &'a str,
    /// The time of the document in seconds since 1970.
    pub(crate) epoch: u64,
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
        let targets: Vec<_> = args.target.as_deref().into_iter().collect();
        let request = closed::Request {
            tree: &tree,
            work: work.path(),
            source_date_epoch: epoch,
            targets: &targets,
            network: match args.offline {
                false => Network::Allowed,
                true => Network::ForbiddenToCargo,
            },
        };
        let closed = Closed::prepare(&request, &progress)?;
        let host = &closed.toolchain().compiler.host;
        let subject = Subject {
            citation: &citation,
            target: args.target.as_deref().unwrap_or(host),
            epoch,
        };
        generate(&closed, &subject, &progress)
    })?;
    drop(progress);
    match &args.out {
        Some(out) => publish::replace_file(out, &bytes),
        None => output::print(&String::from_utf8(bytes).context("print the document")?),
    }
}

/// The bytes of the document: a function of the files of the tree, the citation, the target and the time.
pub(crate) fn generate(
    closed: &Closed,
    subject: &Subject<'_>,
    progress: &Progress,
) -> Result<Vec<u8>> {
    let answers = ask(closed, subject.target, progress)?;
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
fn ask(closed: &Closed, target: &str, progress: &Progress) -> Result<Answers> {
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
    let path = closed.tree().join("Cargo.lock");
    Ok(Answers {
        metadata: closed.read(&metadata, progress)?,
        tree: closed.read(&[&of_the_build[..], &Graph::FORMAT].concat(), progress)?,
        lockfile: fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?,
    })
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
