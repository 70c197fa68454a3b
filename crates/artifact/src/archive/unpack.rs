//! Reading an archive of this project, which may be hostile.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use tar::EntryType;

use super::digests::Digests;
use super::error::{ArchiveError, Refusal};
use super::header;
use super::limits::Limits;
use super::name::{DIRECTORY_STEM, directory};
use super::pack::{self, Archive, GZIP_HEADER, PackError};
use super::reader::{EntryHeader, TarReader};
use crate::{Commit, Digest, check_name};

/// The contents of an archive whose tar file is canonical.
///
/// Only [`unpack`] makes one. Whether the compressed bytes are canonical too, [`Self::is_canonical`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    commit: Commit,
    files: BTreeMap<String, Vec<u8>>,
    digests: Digests,
}

impl Unpacked {
    /// The commit in the name of the archive's directory.
    #[must_use]
    pub fn commit(&self) -> &Commit {
        &self.commit
    }

    /// The contents by name, without the directory.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// The contents by name, without the directory.
    #[must_use]
    pub fn into_files(self) -> BTreeMap<String, Vec<u8>> {
        self.files
    }

    /// The digests of the archive that was read.
    #[must_use]
    pub fn digests(&self) -> Digests {
        self.digests
    }

    /// Packs the files again.
    ///
    /// # Errors
    ///
    /// None in practice: everything that [`PackError`] names was checked when the archive was read.
    pub fn repack(&self) -> Result<Archive, PackError> {
        let files = self
            .files
            .iter()
            .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
        pack::pack(&self.commit, files)
    }

    /// Whether packing the files again gives the bytes that were read.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        self.repack()
            .is_ok_and(|archive| archive.digests == self.digests)
    }
}

/// Reads the gzip file `gz`, refusing whatever [`pack`](super::pack()) would not have written into the tar file.
///
/// Memory stays within `limits`, whatever the headers claim, and grows only with bytes that were decoded.
///
/// # Errors
///
/// [`ArchiveError`] with the first fault. A deflate stream that another compressor wrote is no fault here:
/// [`Unpacked::is_canonical`] tells.
pub fn unpack(gz: &[u8], limits: &Limits) -> Result<Unpacked, ArchiveError> {
    if gz.len() as u64 > limits.gz_bytes_max {
        return Err(ArchiveError::TooLong {
            max: limits.gz_bytes_max,
        });
    }
    check_gzip_header(gz)?;
    let tar = Hashed {
        input: GzDecoder::new(gz),
        hasher: Sha256::new(),
    };
    let mut reader = TarReader::new(tar, *limits);
    let (commit, files) = read_entries(&mut reader)?;
    let Hashed { input, hasher } = reader.end()?;
    let rest = input.into_inner();
    if !rest.is_empty() {
        return Err(ArchiveError::TrailingGzip { bytes: rest.len() });
    }
    Ok(Unpacked {
        commit,
        files,
        digests: Digests {
            tar_sha256: Digest::from_bytes(hasher.finalize().into()),
            gz_sha256: Digest::of(gz),
        },
    })
}

fn check_gzip_header(gz: &[u8]) -> Result<(), ArchiveError> {
    let known = gz.len().min(GZIP_HEADER.len());
    if gz.is_empty() || gz[..known.min(2)] != GZIP_HEADER[..known.min(2)] {
        Err(ArchiveError::NotGzip)
    } else if gz[..known] != GZIP_HEADER[..known] {
        Err(ArchiveError::GzipHeader)
    } else if known < GZIP_HEADER.len() {
        Err(ArchiveError::Truncated)
    } else {
        Ok(())
    }
}

/// The uncompressed tar file, hashed as it is read.
struct Hashed<R> {
    input: R,
    hasher: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}

fn read_entries(
    reader: &mut TarReader<impl Read>,
) -> Result<(Commit, BTreeMap<String, Vec<u8>>), ArchiveError> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut commit: Option<Commit> = None;
    while let Some(header) = reader.header()? {
        let entry = read_header(&header)?;
        let refuse = |reason| ArchiveError::Refused {
            path: header.path.clone(),
            reason,
        };
        if commit.as_ref().is_some_and(|first| *first != entry.commit) {
            return Err(refuse(Refusal::OutsideDirectory));
        }
        match files.last_key_value().map(|(last, _)| entry.name.cmp(last)) {
            Some(Ordering::Less) => return Err(refuse(Refusal::Unsorted)),
            Some(Ordering::Equal) => return Err(refuse(Refusal::Duplicate)),
            Some(Ordering::Greater) | None => {}
        }
        let contents = reader.contents(&header)?;
        files.insert(entry.name, contents);
        commit = Some(entry.commit);
    }
    match commit {
        Some(commit) => Ok((commit, files)),
        None => Err(ArchiveError::Empty),
    }
}

/// What the canonical header of a file says.
struct Entry {
    commit: Commit,
    name: String,
}

fn read_header(header: &EntryHeader) -> Result<Entry, ArchiveError> {
    let refuse = |reason| ArchiveError::Refused {
        path: header.path.clone(),
        reason,
    };
    if header.entry_type != EntryType::Regular {
        return Err(refuse(Refusal::of_type(header.entry_type)));
    }
    let (commit, name) = split_path(&header.path).map_err(refuse)?;
    let canonical = header::canonical(&directory(&commit), &name, header.size);
    if canonical.as_ref() != Some(&header.block) {
        return Err(refuse(Refusal::NonCanonical));
    }
    Ok(Entry { commit, name })
}

fn split_path(path: &str) -> Result<(Commit, String), Refusal> {
    let mut components = path.split(['/', '\\']);
    if path.starts_with(['/', '\\']) {
        return Err(Refusal::Absolute);
    }
    if components.any(|component| component == "..") {
        return Err(Refusal::Parent);
    }
    let (directory, name) = path.split_once('/').ok_or(Refusal::OutsideDirectory)?;
    let commit = directory
        .strip_prefix(DIRECTORY_STEM)
        .and_then(|commit| commit.parse().ok())
        .ok_or(Refusal::OutsideDirectory)?;
    check_name(name).map_err(Refusal::Name)?;
    Ok((commit, name.to_owned()))
}
