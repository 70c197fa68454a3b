//! What is wrong with an archive.

use tar::EntryType;
use thiserror::Error;

#[cfg(doc)]
use super::Limits;
use crate::NameFault;

/// Why bytes are not the archive that they should be, or not a safe one.
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
    /// More entries than [`Limits::entries_max`].
    #[error("the archive has more than {max} entries")]
    TooManyEntries {
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
    #[error("the tar header of entry {index} is malformed")]
    MalformedHeader {
        /// Which entry, counted from 1.
        index: usize,
    },
    /// An entry that no such archive contains.
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
    /// A path that is not UTF-8.
    #[error("its path is no text")]
    NotText,
    /// A path with a backslash, a colon or a zero byte.
    #[error("its path means another one elsewhere")]
    Ambiguous,
    /// A path that is not `ecac-artifacts-<commit>/<name>`, or has another commit than the first entry.
    #[error("it lies outside the archive's directory")]
    OutsideDirectory,
    /// A file name that is not plain.
    #[error("{0}")]
    Name(NameFault),
    /// The name of another entry.
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

impl Refusal {
    /// Why an entry is refused where its type is not one of those that are read.
    pub(super) fn of_type(entry_type: EntryType) -> Self {
        match entry_type {
            EntryType::Link | EntryType::Symlink => Self::Link,
            EntryType::Char | EntryType::Block | EntryType::Fifo => Self::Device,
            EntryType::Directory => Self::Directory,
            EntryType::GNULongName
            | EntryType::GNULongLink
            | EntryType::GNUSparse
            | EntryType::XGlobalHeader
            | EntryType::XHeader => Self::Extension,
            _ => Self::UnknownType,
        }
    }
}
