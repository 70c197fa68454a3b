//! What a golden set says of itself, checked before anything is built.
//!
//! The archive inside the set holds a copy of every other file under a checksum, so that a fault in one file can be
//! told from a fault in another, and placed, without running anything.

use std::collections::BTreeMap;

use anyhow::Result;
use ecac_artifact::archive::{self, Limits, Unpacked};
use ecac_artifact::{Artifact, Commit, Digest, ExpectedSet, Single, Sums, SumsFault, exit};

use crate::host::error::Failure;
use crate::set::artifact_dir::Listing;
use crate::set::compare::{Difference, Findings, FirstDifference, first_of};
use ecac_artifact::{Manifest, Parameters};

#[cfg(test)]
mod committed_tests;
#[cfg(test)]
mod tests;

/// A golden set that says which commit and parameters it stands for.
#[derive(Debug)]
pub struct GoldenSet {
    /// What was run, with what.
    pub manifest: Manifest,
    /// The commit that the set cites.
    pub commit: Commit,
    /// The parameters of the runs.
    pub parameters: Parameters,
    /// The files of the set.
    pub expected: ExpectedSet,
    /// How the set contradicts itself.
    pub findings: Findings,
}

impl GoldenSet {
    /// Reads what a listing says of itself and compares it with what is there.
    pub fn check(listing: &Listing) -> Result<Self> {
        Self::against(listing, intact_archive(listing).as_ref())
    }

    /// The same with what [`intact_archive`] says of the archive in the listing.
    fn against(listing: &Listing, archive: Result<&IntactArchive, &String>) -> Result<Self> {
        let manifest = manifest(listing, archive.ok())?;
        let commit = manifest.commit()?;
        let parameters = manifest.parameters()?;
        let expected = parameters.expected(&commit)?;
        let mut check = Check {
            listing,
            expected: &expected,
            findings: Findings::default(),
        };
        match archive {
            Ok(archive) => check.against_archive(archive),
            Err(problem) => check.against_sums(problem),
        }
        let mut findings = check.findings;
        findings
            .differences
            .sort_by_key(|difference| difference.file().to_owned());
        Ok(Self {
            manifest,
            commit,
            parameters,
            expected,
            findings,
        })
    }
}

/// The manifest of the archive where that is intact, else the one beside it.
fn manifest(listing: &Listing, archive: Option<&IntactArchive>) -> Result<Manifest> {
    let name = Single::Manifest.name();
    let archived = archive.and_then(|archive| archive.unpacked.files().get(name));
    let Some(bytes) = archived.or_else(|| listing.files.get(name)) else {
        let message = format!("{name} is missing, so the set does not say what it is");
        return Err(Failure::new(exit::MISSING, message)
            .hint("restore the golden set: git checkout -- docs/eval/golden")
            .into());
    };
    Manifest::parse(bytes)
        .map_err(anyhow::Error::new)
        .and_then(|manifest| {
            // Both are needed before anything can be compared.
            manifest.commit()?;
            manifest.parameters()?.expected(&manifest.commit()?)?;
            Ok(manifest)
        })
        .map_err(|error| Failure::new(exit::MISMATCH, format!("{error:#}")).into())
}

/// An archive whose own sums hold.
struct IntactArchive {
    unpacked: Unpacked,
    /// Whether packing its files gives the same bytes.
    is_canonical: bool,
}

/// The one archive of the listing, if it unpacks and its own sums hold; else why not.
fn intact_archive(listing: &Listing) -> Result<IntactArchive, String> {
    let mut archives = listing
        .files
        .iter()
        .filter(|(name, _)| name.ends_with(".tar.gz"));
    let (Some((_, bytes)), None) = (archives.next(), archives.next()) else {
        return Err("there is not exactly one archive".to_owned());
    };
    let unpacked = archive::unpack(bytes, &Limits::default()).map_err(|error| error.to_string())?;
    let files = unpacked.files();
    let sums = files
        .get(Artifact::SUMS_NAME)
        .ok_or("the archive has no SHA256SUMS")
        .and_then(|bytes| {
            Sums::parse(bytes).map_err(|_| "the archive's SHA256SUMS is malformed")
        })?;
    let summed: BTreeMap<_, _> = files
        .iter()
        .filter(|(name, _)| *name != Artifact::SUMS_NAME)
        .map(|(name, bytes)| (name.clone(), Digest::of(bytes)))
        .collect();
    match sums.verify(&summed).first() {
        Some(fault) => Err(format!("the archive contradicts itself: {fault}")),
        None => Ok(IntactArchive {
            is_canonical: unpacked.is_canonical(),
            unpacked,
        }),
    }
}

struct Check<'a> {
    listing: &'a Listing,
    expected: &'a ExpectedSet,
    findings: Findings,
}

impl Check<'_> {
    /// The archive is whole: it says what every other file should be.
    fn against_archive(&mut self, archive: &IntactArchive) {
        let files = archive.unpacked.files();
        self.names(|name| files.get(name).map(|bytes| Digest::of(bytes)));
        let mut differing = Vec::new();
        for name in self.expected.packed() {
            if let (Some(expected), Some(actual)) = (files.get(name), self.listing.files.get(name))
                && expected != actual
            {
                let digest = Some(Digest::of(expected));
                self.findings
                    .differences
                    .push(Difference::mismatch(name, digest, actual));
                differing.push((name, expected.as_slice(), actual.as_slice()));
            }
        }
        self.findings.first = first_of(&differing);
        if !archive.is_canonical {
            self.archive_mismatch(files, "the archive is not packed in the one canonical way");
        }
    }

    /// The archive is not whole: the sums say what the other files should be.
    fn against_sums(&mut self, archive_problem: &str) {
        let sums_name = Artifact::SUMS_NAME;
        let sums = self
            .listing
            .files
            .get(sums_name)
            .map(|bytes| (bytes, Sums::parse(bytes)));
        let listed = match &sums {
            Some((_, Ok(sums))) => sums.entries().clone(),
            _ => BTreeMap::new(),
        };
        self.names(|name| listed.get(name).copied());
        match &sums {
            Some((bytes, Err(error))) => {
                self.findings
                    .differences
                    .push(Difference::mismatch(sums_name, None, bytes));
                self.findings.first = Some(FirstDifference::told(sums_name, error.to_string()));
            }
            Some((_, Ok(sums))) => self.sums(sums),
            None => {}
        }
        let files = &self.listing.files;
        let packed: BTreeMap<_, _> = self
            .expected
            .packed()
            .filter_map(|name| Some((name.to_owned(), files.get(name)?.clone())))
            .collect();
        self.archive_mismatch(&packed, archive_problem);
    }

    fn sums(&mut self, sums: &Sums) {
        let files = &self.listing.files;
        let summed = self
            .expected
            .summed()
            .filter_map(|name| Some((name.to_owned(), Digest::of(files.get(name)?))))
            .collect();
        for fault in sums.verify(&summed) {
            let name = fault.name().to_owned();
            if let (SumsFault::Differs { expected, .. }, Some(bytes)) = (&fault, files.get(&name)) {
                let difference = Difference::mismatch(&name, Some(*expected), bytes);
                self.findings.differences.push(difference);
                let problem = "its digest is not the one in SHA256SUMS";
                self.findings
                    .first
                    .get_or_insert_with(|| FirstDifference::told(&name, problem));
            }
        }
        let unlisted = self
            .expected
            .summed()
            .find(|name| !sums.entries().contains_key(*name));
        let surplus = sums
            .entries()
            .keys()
            .find(|name| self.expected.summed().all(|other| other != *name));
        if let Some(name) = unlisted.or(surplus.map(String::as_str)) {
            let bytes = files
                .get(Artifact::SUMS_NAME)
                .map_or(&[][..], Vec::as_slice);
            let difference = Difference::mismatch(Artifact::SUMS_NAME, None, bytes);
            self.findings.differences.push(difference);
            let problem = format!("it does not list the expected files; look at {name}");
            self.findings
                .first
                .get_or_insert_with(|| FirstDifference::told(Artifact::SUMS_NAME, problem));
        }
    }

    /// Reports the archive, against what packing `files` gives where those are in order.
    fn archive_mismatch(&mut self, files: &BTreeMap<String, Vec<u8>>, problem: &str) {
        let name = self.expected.tarball();
        let Some(actual) = self.listing.files.get(&name) else {
            return;
        };
        let contents = files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        let packed = match self.findings.is_empty() {
            true => archive::pack(self.expected.commit(), contents).ok(),
            false => None,
        };
        let digest = packed.as_ref().map(|archive| archive.digests.gz_sha256);
        self.findings
            .differences
            .push(Difference::mismatch(&name, digest, actual));
        let first = match packed {
            Some(archive) => FirstDifference::between(&name, &archive.gz, actual),
            None => FirstDifference::told(&name, problem),
        };
        self.findings.first.get_or_insert(first);
    }

    /// Compares the names, and reports what is not a regular file.
    fn names(&mut self, digest: impl Fn(&str) -> Option<Digest>) {
        let difference = self.expected.compare(self.listing.names());
        for name in &difference.missing {
            self.findings
                .differences
                .push(Difference::missing(name, digest(name)));
        }
        for name in &difference.extra {
            let bytes = self.listing.files.get(name).map(Vec::as_slice);
            self.findings
                .differences
                .push(Difference::extra(name, bytes));
        }
        for (name, found) in &self.listing.irregular {
            if self.expected.get(name).is_some() {
                self.findings.differences.push(Difference::Irregular {
                    file: name.clone(),
                    found,
                });
            }
        }
    }
}
