//! What an archive may cost.

/// How large an archive may be, and how much it may unpack to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the gzip file.
    pub gz_bytes_max: u64,
    /// Most entries: files, and whatever else an archive that somebody else packed has.
    pub entries_max: usize,
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
            entries_max: 128,
            content_bytes_max: 16 << 20,
            file_bytes_max: 8 << 20,
        }
    }
}
