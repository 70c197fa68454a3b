//! A set that stands for a commit: whole, of a committed tree, and the same wherever it is made.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use ecac_artifact::archive::{self, Limits};
use ecac_artifact::{Artifact, Commit, SetDifference, Single, Version, exit};

use super::contents::{self, Contents};
use super::set;
use ecac_artifact::{Manifest, Parameters};
use xtask::host::error::Failure;
use xtask::host::input;
use xtask::reproduce::pipeline::set_failure;
use xtask::set::artifact_dir::Listing;

/// What such a set says of itself.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) version: Version,
    pub(super) commit: Commit,
    pub(super) parameters: Parameters,
    /// The contents of `SHA256SUMS`, which hold.
    pub(super) sums: Vec<u8>,
}

impl Whole {
    /// Reads a directory with exactly the files of a set, the archive included, whose sums and archive hold.
    pub(super) fn read(dir: &Path) -> Result<Self> {
        let set = set::read(dir)?;
        let listing = Listing::read(dir)?;
        let shown = input::shown(dir);
        let difference = SetDifference::between(set.expected().names(), listing.names());
        if !difference.is_empty() {
            return Err(set_failure(&difference, &shown)
                .hint("make the directory again: cargo xtask repro")
                .into());
        }
        let manifest = set.files().get(Single::Manifest.name());
        let manifest = Manifest::parse(manifest.context("find the manifest in its own set")?)?;
        let tarball = set.expected().tarball();
        let published = set.publish().context("pack the files again")?;
        if published.files.get(&tarball) != listing.files.get(&tarball) {
            let message = format!("{shown}: {tarball} does not hold the files beside it");
            return Err(Failure::new(exit::VERIFICATION, message)
                .hint("make the directory again: cargo xtask repro")
                .into());
        }
        Self::of(&manifest, published.sums.to_string().into_bytes(), &shown)
    }

    /// Reads an archive in its canonical form with exactly the files of a set, whose sums hold.
    pub(super) fn unpack(path: &Path) -> Result<Self> {
        let limits = Limits::default();
        let bytes = input::read(path, limits.gz_bytes_max)?;
        let shown = input::shown(path);
        let archive = archive::unpack(&bytes, &limits).map_err(|error| {
            Failure::new(exit::BAD_INPUT, format!("{shown}: {error}"))
                .hint("name an archive such as ecac-artifacts-COMMIT.tar.gz")
        })?;
        let check = || -> Result<Manifest> {
            ensure!(
                archive.is_canonical(),
                "packing the files again gives other bytes"
            );
            contents::sums(&archive)?;
            Ok(Contents::of(&archive)?.manifest)
        };
        let manifest = check().map_err(|error| {
            Failure::new(exit::VERIFICATION, format!("{shown}: {error:#}"))
                .hint("cargo xtask bundle verify FILE says more")
        })?;
        let sums = archive.files().get(Artifact::SUMS_NAME).cloned();
        let sums = sums.context("find the sums that were just read")?;
        Self::of(&manifest, sums, &shown)
    }

    fn of(manifest: &Manifest, sums: Vec<u8>, shown: &str) -> Result<Self> {
        let refuse = |error| {
            Failure::new(exit::BAD_INPUT, format!("{shown}: {error:#}"))
                .hint("nobody made this with our program; do not use it")
        };
        let version = manifest.version().map_err(refuse)?;
        let commit = manifest.commit().map_err(refuse)?;
        if commit.is_dirty() {
            let message = format!(
                "{shown} is of a tree that differed from its commit ({commit}), which nobody else can build"
            );
            return Err(Failure::environment(message)
                .hint("commit the tree, and make the set of that: cargo xtask repro")
                .into());
        }
        Ok(Self {
            version,
            commit,
            parameters: manifest.parameters()?,
            sums,
        })
    }
}
