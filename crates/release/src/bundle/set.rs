//! A set in a directory: complete, with sums that hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use ecac_artifact::{
    Artifact, ArtifactSet, ExpectedSet, Manifest, SetDifference, Single, Sums, exit,
};

use xtask::host::error::Failure;
use xtask::host::input;
use xtask::reproduce::pipeline::set_failure;
use xtask::set::artifact_dir::Listing;

/// Reads a complete set whose sums hold. The archive in it, if there is one, is made anew and not looked at.
pub(super) fn read(dir: &Path) -> Result<ArtifactSet> {
    let listing = Listing::read_or_hint(dir, "make it first: cargo xtask repro")?;
    let manifest = listing.files.get(Single::Manifest.name()).ok_or_else(|| {
        let message = format!(
            "{} has no manifest.json, so it is no artifact set",
            input::shown(dir)
        );
        Failure::new(exit::MISSING, message).hint("make it again: cargo xtask repro")
    })?;
    let manifest = Manifest::parse(manifest)
        .map_err(|error| Failure::new(exit::BAD_INPUT, format!("{error:#}")))?;
    let expected = manifest.parameters()?.expected(&manifest.commit()?)?;
    check_names(dir, &listing, &expected)?;
    check_sums(dir, &listing, expected)
}

fn check_names(dir: &Path, listing: &Listing, expected: &ExpectedSet) -> Result<()> {
    let tarball = expected.tarball();
    let names = listing.names().into_iter().filter(|name| *name != tarball);
    let difference = SetDifference::between(expected.packed(), names);
    if !difference.is_empty() {
        return Err(set_failure(&difference, &input::shown(dir))
            .hint("make it again: cargo xtask repro")
            .into());
    }
    if let Some((name, kind)) = listing.irregular.first_key_value() {
        let message = format!(
            "{} is {kind}, not a regular file",
            input::shown(&dir.join(name))
        );
        return Err(Failure::new(exit::BAD_INPUT, message).into());
    }
    Ok(())
}

fn check_sums(dir: &Path, listing: &Listing, expected: ExpectedSet) -> Result<ArtifactSet> {
    let file = |name: &str| listing.files.get(name).cloned().unwrap_or_default();
    let sums = Sums::parse(&file(Artifact::SUMS_NAME)).map_err(|error| {
        Failure::new(
            exit::VERIFICATION,
            format!("{}: SHA256SUMS: {error}", input::shown(dir)),
        )
    })?;
    let files: BTreeMap<_, _> = expected
        .summed()
        .map(|name| (name.to_owned(), file(name)))
        .collect();
    let faults = sums.verify(&Sums::digests(&files));
    if !faults.is_empty() {
        let mut message = format!("{} does not agree with its SHA256SUMS", input::shown(dir));
        for fault in faults {
            // Writing to a String cannot fail.
            let _ = write!(message, "\n  {fault}");
        }
        return Err(Failure::new(exit::VERIFICATION, message)
            .hint("make it again: cargo xtask repro")
            .into());
    }
    ArtifactSet::new(expected, files).context("collect the set")
}
