//! Reading an archive that may be hostile.

use std::collections::BTreeMap;
use std::io::{self, Read};

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};
use tar::{EntryType, Header};
use thiserror::Error;

use super::header::{self, BLOCK};
use super::pack::{self, Archive, PackError};
use super::{DIRECTORY_STEM, Digests, GZIP_HEADER, directory};
use crate::{Commit, Digest, NameFault, check_name};

/// How large an archive may be, and how much it may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the gzip file.
    pub gz_bytes_max: u64,
    /// Most files.
    pub files_max: usize,
    /// Most bytes of contents, all files together.
    pub content_bytes_max: u64,
    /// Most bytes of one file.
    pub file_bytes_max: u64,
}

impl Default for Limits {
    /// 10 MiB that unpack to 128 files of 16 MiB, none with more than 8 MiB.
    ///
    /// The cited set has a twentieth of that, and a set with eighteen times the ops of a cited scenario still fits.
    fn default() -> Self {
        Self {
            gz_bytes_max: 10 << 20,
            files_max: 128,
            content_bytes_max: 16 << 20,
            file_bytes_max: 8 << 20,
        }
    }
}

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

/// Why bytes are not an archive of this project, or not a safe one.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchiveError {
    /// The bytes do not begin like a gzip file.
    #[error("not a gzip file")]
    NotGzip,
    /// The gzip header carries a time, a name, a comment or another operating system.
    #[error("the gzip header is not the canonical one")]
    GzipHeader,
    /// The compressed data is damaged: undecodable, or its checksum differs.
    #[error("the compressed data is damaged")]
    Corrupt,
    /// The file ends too early.
    #[error("the archive is truncated")]
    Truncated,
    /// Bytes follow the gzip member.
    #[error("{bytes} bytes follow the end of the gzip data")]
    TrailingGzip {
        /// How many.
        bytes: usize,
    },
    /// Bytes follow the end of the tar file inside the gzip member.
    #[error("bytes follow the end of the tar file")]
    TrailingTar,
    /// The archive contains no file.
    #[error("the archive is empty")]
    Empty,
    /// More files than [`Limits::files_max`].
    #[error("the archive has more than {max} files")]
    TooManyFiles {
        /// The limit.
        max: usize,
    },
    /// A longer file than [`Limits::gz_bytes_max`].
    #[error("the archive has more than {max} bytes")]
    TooLong {
        /// The limit.
        max: u64,
    },
    /// A longer file inside than [`Limits::file_bytes_max`].
    #[error("entry `{}` has more than {max} bytes", .path.escape_debug())]
    FileTooLong {
        /// The entry's path, with replacement characters where it is not UTF-8.
        path: String,
        /// The limit.
        max: u64,
    },
    /// More contents than [`Limits::content_bytes_max`].
    #[error("the archive unpacks to more than {max} bytes")]
    TooManyBytes {
        /// The limit.
        max: u64,
    },
    /// A tar header whose checksum does not match, or that holds no number where one belongs.
    #[error("the tar header of file {index} is malformed")]
    MalformedHeader {
        /// Which file, counted from 1.
        index: usize,
    },
    /// An entry that no archive of this project contains.
    #[error("entry `{}` is refused: {reason}", .path.escape_debug())]
    Refused {
        /// The entry's path, with replacement characters where it is not UTF-8.
        path: String,
        /// Why it is refused.
        reason: Refusal,
    },
}

/// Why an entry of an archive is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A symbolic or hard link.
    #[error("it is a link")]
    Link,
    /// A character device, a block device or a pipe.
    #[error("it is a device")]
    Device,
    /// A directory.
    #[error("it is a directory")]
    Directory,
    /// A pax or GNU extension record.
    #[error("it is an extension record")]
    Extension,
    /// A type flag that is none of the above nor that of a regular file.
    #[error("it is of an unknown type")]
    UnknownType,
    /// A path from the root of a file system.
    #[error("its path is absolute")]
    Absolute,
    /// A path with a `..` component.
    #[error("its path leads to a parent directory")]
    Parent,
    /// A path that is not `ecac-artifacts-<commit>/<name>`, or has another commit than the first entry.
    #[error("it lies outside the archive's directory")]
    OutsideDirectory,
    /// A file name that is not plain.
    #[error("{0}")]
    Name(NameFault),
    /// The name of the entry before.
    #[error("it stands twice")]
    Duplicate,
    /// A name that sorts before that of the entry before.
    #[error("it is not in sorted order")]
    Unsorted,
    /// A time, owner, mode, padding or spelling other than the canonical one.
    #[error("its header is not the canonical one")]
    NonCanonical,
    /// Bytes other than zero between its contents and the next block.
    #[error("its padding is not zero")]
    Padding,
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
    let mut reader = TarReader {
        decoder: GzDecoder::new(gz),
        hasher: Sha256::new(),
    };
    let (commit, files) = read_entries(&mut reader, limits)?;
    let TarReader { decoder, hasher } = reader;
    let rest = decoder.into_inner();
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
struct TarReader<'a> {
    decoder: GzDecoder<&'a [u8]>,
    hasher: Sha256,
}

impl TarReader<'_> {
    fn block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        let mut block = [0; BLOCK];
        self.decoder.read_exact(&mut block).map_err(read_fault)?;
        self.hasher.update(block);
        Ok(block)
    }

    /// The next `size` bytes. The buffer grows with what is decoded, not with what `size` claims.
    fn bytes(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        let read = (&mut self.decoder)
            .take(size)
            .read_to_end(&mut bytes)
            .map_err(read_fault)?;
        if read as u64 != size {
            return Err(ArchiveError::Truncated);
        }
        self.hasher.update(&bytes);
        Ok(bytes)
    }

    /// Reads to the end of the gzip member, which also checks its checksum.
    fn end(&mut self) -> Result<(), ArchiveError> {
        match self.decoder.read(&mut [0]).map_err(read_fault)? {
            0 => Ok(()),
            _ => Err(ArchiveError::TrailingTar),
        }
    }
}

fn read_fault(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Truncated,
        _ => ArchiveError::Corrupt,
    }
}

fn read_entries(
    reader: &mut TarReader<'_>,
    limits: &Limits,
) -> Result<(Commit, BTreeMap<String, Vec<u8>>), ArchiveError> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut commit: Option<Commit> = None;
    let mut content_bytes_left = limits.content_bytes_max;
    loop {
        let block = reader.block()?;
        if block == [0; BLOCK] {
            if reader.block()? != [0; BLOCK] {
                return Err(ArchiveError::TrailingTar);
            }
            reader.end()?;
            return match commit {
                Some(commit) => Ok((commit, files)),
                None => Err(ArchiveError::Empty),
            };
        }
        let entry = read_header(&block, files.len() + 1)?;
        let refuse = |reason| ArchiveError::Refused {
            path: entry.path.clone(),
            reason,
        };
        if files.len() >= limits.files_max {
            return Err(ArchiveError::TooManyFiles {
                max: limits.files_max,
            });
        }
        if commit.as_ref().is_some_and(|first| *first != entry.commit) {
            return Err(refuse(Refusal::OutsideDirectory));
        }
        match files.last_key_value().map(|(last, _)| entry.name.cmp(last)) {
            Some(core::cmp::Ordering::Less) => return Err(refuse(Refusal::Unsorted)),
            Some(core::cmp::Ordering::Equal) => return Err(refuse(Refusal::Duplicate)),
            Some(core::cmp::Ordering::Greater) | None => {}
        }
        if entry.size > limits.file_bytes_max {
            return Err(ArchiveError::FileTooLong {
                path: entry.path.clone(),
                max: limits.file_bytes_max,
            });
        }
        content_bytes_left =
            content_bytes_left
                .checked_sub(entry.size)
                .ok_or(ArchiveError::TooManyBytes {
                    max: limits.content_bytes_max,
                })?;
        let contents = reader.bytes(entry.size)?;
        let padding = reader.bytes(header::padding(entry.size) as u64)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(refuse(Refusal::Padding));
        }
        files.insert(entry.name, contents);
        commit = Some(entry.commit);
    }
}

/// What the canonical header of a file says.
struct Entry {
    path: String,
    commit: Commit,
    name: String,
    size: u64,
}

fn read_header(block: &[u8; BLOCK], index: usize) -> Result<Entry, ArchiveError> {
    let malformed = ArchiveError::MalformedHeader { index };
    let header = Header::from_byte_slice(block);
    if header.cksum().ok() != Some(checksum(block)) {
        return Err(malformed);
    }
    let path = String::from_utf8_lossy(&header.path_bytes()).into_owned();
    let refuse = |reason| ArchiveError::Refused {
        path: path.clone(),
        reason,
    };
    check_type(header.entry_type()).map_err(refuse)?;
    let (commit, name) = split_path(&path).map_err(refuse)?;
    let size = header.size().map_err(|_| malformed)?;
    if header::canonical(&directory(&commit), &name, size).as_ref() != Some(block) {
        return Err(refuse(Refusal::NonCanonical));
    }
    Ok(Entry {
        path,
        commit,
        name,
        size,
    })
}

/// The sum of the header's bytes with its checksum field counted as spaces.
fn checksum(block: &[u8; BLOCK]) -> u32 {
    let field = 148..156;
    block
        .iter()
        .enumerate()
        .map(|(position, byte)| match field.contains(&position) {
            true => u32::from(b' '),
            false => u32::from(*byte),
        })
        .sum()
}

fn check_type(entry_type: EntryType) -> Result<(), Refusal> {
    match entry_type {
        EntryType::Regular => Ok(()),
        EntryType::Link | EntryType::Symlink => Err(Refusal::Link),
        EntryType::Char | EntryType::Block | EntryType::Fifo => Err(Refusal::Device),
        EntryType::Directory => Err(Refusal::Directory),
        EntryType::GNULongName
        | EntryType::GNULongLink
        | EntryType::GNUSparse
        | EntryType::XGlobalHeader
        | EntryType::XHeader => Err(Refusal::Extension),
        _ => Err(Refusal::UnknownType),
    }
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
