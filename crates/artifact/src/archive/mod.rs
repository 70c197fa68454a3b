//! The deterministic archive: a ustar file in a gzip member.
//!
//! There is exactly one tar file for given names and contents. It has one directory prefix,
//! `ecac-artifacts-<commit>/`, no directory entry, regular files sorted by name, mode 0644, modification time
//! 0, owner and group 0 without names, and two zero blocks at the end: byte for byte what GNU tar writes for
//! `tar --format=ustar --blocking-factor=1 --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner
//! --mode=0644`. The gzip bytes depend on the compressor as well, so both digests are published; the promise
//! is the tar's.

mod header;
mod pack;
mod unpack;

use crate::{Commit, Digest};

pub use pack::{Archive, PackError, pack};
pub use unpack::{ArchiveError, Limits, Refusal, Unpacked, unpack};

/// The directory inside the archive, without a slash; with `.tar.gz`, the name of the archive.
#[must_use]
pub fn directory(commit: &Commit) -> String {
    format!("{DIRECTORY_STEM}{commit}")
}

/// What stands before the commit in [`directory`].
const DIRECTORY_STEM: &str = "ecac-artifacts-";

/// The ten bytes before the compressed data (RFC 1952 section 2.3): deflate, no flags, no modification time, no
/// extra flags (a level that is neither fastest nor best), unknown operating system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// The digests that identify an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// Of the uncompressed tar file, which any compressor leaves as it is.
    pub tar_sha256: Digest,
    /// Of the gzip file.
    pub gz_sha256: Digest,
}

#[cfg(test)]
mod tests;
