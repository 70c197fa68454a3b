//! What identifies an archive.

use crate::Digest;

/// The digests that identify an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// Of the uncompressed tar file, which any compressor leaves as it is.
    pub tar_sha256: Digest,
    /// Of the gzip file.
    pub gz_sha256: Digest,
}
