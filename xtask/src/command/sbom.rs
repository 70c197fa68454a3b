//! `cargo xtask sbom`: what the program `ecac` is built of, as a CycloneDX document.

use std::env;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args as ClapArgs;
use ecac_artifact::exit;

use crate::host::error::Failure;
use crate::host::network::Network;
use crate::host::output;
use crate::host::progress::Progress;
use crate::host::workdir::WorkDir;
use crate::reproduce::closed::{self, Closed};
use crate::reproduce::inventory;
use crate::reproduce::preflight::{self, SourceArgs};
use crate::reproduce::publish;
use crate::set::citation::Citation;
use crate::set::sbom::Subject;
/// How many stages [`run`] passes.
const STAGES: u64 = 3;

/// Arguments of `sbom`.
#[derive(Debug, ClapArgs)]
pub struct Args {
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

/// Describes the committed tree.
pub fn run(args: &Args) -> Result<()> {
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
        inventory::generate(&closed, &subject, &progress)
    })?;
    drop(progress);
    match &args.out {
        Some(out) => publish::replace_file(out, &bytes),
        None => output::print(&String::from_utf8(bytes).context("print the document")?),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_environment_where_it_sets_one() {
        assert_eq!(epoch(None, 7).unwrap(), 7);
        assert_eq!(epoch(Some(String::new()), 7).unwrap(), 7);
        assert_eq!(epoch(Some("12".to_owned()), 7).unwrap(), 12);
        for bad in ["-1", "1.5", "today"] {
            let error = epoch(Some(bad.to_owned()), 7).unwrap_err();
            assert_eq!(crate::host::error::exit_code(&error), exit::USAGE, "{bad}");
        }
    }
}
