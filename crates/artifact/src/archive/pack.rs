//! Writing the archive.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use flate2::{Compression, GzBuilder};
use thiserror::Error;

use super::digests::Digests;
use super::header::{self, BLOCK};
use super::name::directory;
use crate::{Commit, Digest, NameFault, check_name};

/// The compression level, part of the archive's definition.
const LEVEL: u32 = 6;

/// The ten bytes before the compressed data (RFC 1952 section 2.3): deflate, no flags, no modification time, no
/// extra flags (a level that is neither fastest nor best), unknown operating system.
pub(super) const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// An archive in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The uncompressed tar file.
    pub tar: Vec<u8>,
    /// The gzip file: what is published.
    pub gz: Vec<u8>,
    /// The digests of both.
    pub digests: Digests,
}

/// Why files cannot be packed.
#[derive(Debug, Error)]
pub enum PackError {
    /// There are no files.
    #[error("the archive would be empty")]
    Empty,
    /// A name that is not a plain file name.
    #[error("`{}` cannot be archived: {fault}", .name.escape_debug())]
    BadName {
        /// The name.
        name: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// Two files with one name.
    #[error("{name} is given twice")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// A file larger than 8 GiB less one byte, the largest that a ustar header can describe.
    #[error("{name} has {size} bytes, more than a ustar header can say")]
    TooLarge {
        /// The file's name.
        name: String,
        /// Its size in bytes.
        size: u64,
    },
    /// The compressor failed, which it does only for want of memory.
    #[error("the compressor failed: {0}")]
    Compress(io::Error),
}

/// Packs `files`, contents by name in any order, under the directory of `commit`.
///
/// # Errors
///
/// [`PackError`] if there are no files, a name stands twice or is not plain ([`check_name`]), or a file has
/// 8 GiB or more.
pub fn pack<'a>(
    commit: &Commit,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Archive, PackError> {
    let tar = pack_tar(&directory(commit), files)?;
    let gz = compress(&tar).map_err(PackError::Compress)?;
    assert!(
        gz.starts_with(&GZIP_HEADER),
        "the compressor wrote another gzip header"
    );
    let digests = Digests {
        tar_sha256: Digest::of(&tar),
        gz_sha256: Digest::of(&gz),
    };
    Ok(Archive { tar, gz, digests })
}

fn pack_tar<'a>(
    directory: &str,
    files: impl IntoIterator<Item = (&'a str, &'a [u8])>,
) -> Result<Vec<u8>, PackError> {
    let mut sorted = BTreeMap::new();
    for (name, bytes) in files {
        check_name(name).map_err(|fault| PackError::BadName {
            name: name.to_owned(),
            fault,
        })?;
        if sorted.insert(name, bytes).is_some() {
            return Err(PackError::Duplicate {
                name: name.to_owned(),
            });
        }
    }
    if sorted.is_empty() {
        return Err(PackError::Empty);
    }
    let mut tar = Vec::new();
    for (name, bytes) in sorted {
        let size = bytes.len() as u64;
        let block =
            header::canonical(directory, name, size).ok_or_else(|| PackError::TooLarge {
                name: name.to_owned(),
                size,
            })?;
        tar.extend_from_slice(&block);
        tar.extend_from_slice(bytes);
        tar.resize(tar.len() + header::padding(size), 0);
    }
    tar.resize(tar.len() + 2 * BLOCK, 0);
    Ok(tar)
}

fn compress(tar: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::new(LEVEL));
    encoder.write_all(tar)?;
    encoder.finish()
}
