//! What a clean tree is built of: what cargo says of it, as a document.

#[cfg(test)]
mod tests;

use std::fs;

use anyhow::{Context as _, Result};

use super::closed::Closed;
use crate::host::progress::Progress;
use crate::set::sbom::Subject;
use crate::set::sbom::document::{self, Inputs};
use crate::set::sbom::graph::Graph;

/// The bytes of the document: a function of the files of the tree, the citation, the target and the time.
pub fn generate(closed: &Closed, subject: &Subject<'_>, progress: &Progress) -> Result<Vec<u8>> {
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
    let of_the_build = ["tree", "--edges", "normal", "--target", target];
    let path = closed.tree().join("Cargo.lock");
    Ok(Answers {
        metadata: closed.read(&metadata, progress)?,
        tree: closed.read(&[&of_the_build[..], &Graph::FORMAT].concat(), progress)?,
        lockfile: fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?,
    })
}
