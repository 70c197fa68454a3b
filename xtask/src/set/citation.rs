//! What artifacts cite: the source that they are said to come from.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;
use ecac_artifact::Commit;
use serde::Deserialize;

use crate::host::workspace;
use ecac_artifact::Manifest;

/// The source that a set of artifacts cites, as its manifest states it.
///
/// `verify-golden` builds HEAD and stamps what comes out with the citation of the golden set: a bumped dependency or
/// version alone does not make the cited bytes wrong. `--cited` checks the citation itself.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Citation {
    /// The commit that the artifacts cite
    #[arg(long, value_name = "SHA[-dirty]")]
    pub commit: Commit,
    /// When that commit was made, in seconds since 1970
    #[arg(long, value_name = "SECONDS")]
    pub commit_time: u64,
    /// SHA-256 of that commit's Cargo.lock
    #[arg(long, value_name = "HEX")]
    pub cargo_lock_sha256: String,
    /// The compiler release that it pins
    #[arg(long, value_name = "RELEASE")]
    pub toolchain: String,
    /// Its version of the workspace
    #[arg(long, value_name = "VERSION")]
    pub source_version: String,
}

#[derive(Deserialize)]
struct RootCargoToml {
    workspace: Workspace,
}

#[derive(Deserialize)]
struct Workspace {
    package: Package,
}

#[derive(Deserialize)]
struct Package {
    version: String,
}

impl Citation {
    /// The citation of the files in `tree`, which are those of `commit`.
    pub fn of_tree(tree: &Path, commit: Commit, commit_time: u64) -> Result<Self> {
        let path = tree.join("Cargo.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let root: RootCargoToml =
            toml::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        Ok(Self {
            commit,
            commit_time,
            cargo_lock_sha256: workspace::lockfile_sha256(tree)?,
            toolchain: workspace::pinned_toolchain(tree)?,
            source_version: root.workspace.package.version,
        })
    }

    /// The citation that a manifest states.
    pub fn of_manifest(manifest: &Manifest) -> Result<Self> {
        Ok(Self {
            commit: manifest.commit()?,
            commit_time: manifest.commit_time,
            cargo_lock_sha256: manifest.cargo_lock_sha256.clone(),
            toolchain: manifest.toolchain.clone(),
            source_version: manifest.version.clone(),
        })
    }

    /// The same as arguments.
    pub fn to_args(&self) -> Vec<String> {
        vec![
            format!("--commit={}", self.commit),
            format!("--commit-time={}", self.commit_time),
            format!("--cargo-lock-sha256={}", self.cargo_lock_sha256),
            format!("--toolchain={}", self.toolchain),
            format!("--source-version={}", self.source_version),
        ]
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        citation: Citation,
    }

    #[test]
    fn a_citation_survives_the_way_to_the_stage_and_into_the_manifest() {
        let mut manifest = crate::set::example::example(&"ab".repeat(20));
        manifest.version = "7.8.9".to_owned();
        let citation = Citation::of_manifest(&manifest).unwrap();
        let args = std::iter::once("x".to_owned()).chain(citation.to_args());
        assert_eq!(Cli::parse_from(args).citation, citation);
    }

    #[test]
    fn a_tree_states_its_lockfile_toolchain_and_version() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("Cargo.toml", "[workspace.package]\nversion = \"1.2.3\"\n");
        write("Cargo.lock", "");
        write("rust-toolchain.toml", "[toolchain]\nchannel = \"1.95.0\"\n");
        let commit: Commit = "ab".repeat(20).parse().unwrap();
        let citation = Citation::of_tree(dir.path(), commit.clone(), 7).unwrap();
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(
            citation,
            Citation {
                commit,
                commit_time: 7,
                cargo_lock_sha256: empty.to_owned(),
                toolchain: "1.95.0".to_owned(),
                source_version: "1.2.3".to_owned(),
            }
        );
    }
}
