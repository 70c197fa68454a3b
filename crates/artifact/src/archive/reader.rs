//! The one reader of tar files: entry by entry, within limits, whatever the headers claim.
//!
//! The iterator of the crate `tar`, whose headers are used, passes over padding and over what follows the end without a
//! word, and tells faults in sentences; here each byte is looked at, and each fault is a value.

use std::io::{self, Read};

use tar::{EntryType, Header};

use super::error::{ArchiveError, Refusal};
use super::header::{self, BLOCK};
use super::limits::Limits;

/// Reads a tar file from `R`. Memory grows only with bytes that were there.
pub(super) struct TarReader<R> {
    input: R,
    limits: Limits,
    entries: usize,
    content_bytes_left: u64,
}

/// What the header of an entry says. Its checksum holds.
pub(super) struct EntryHeader {
    /// Its bytes.
    pub(super) block: [u8; BLOCK],
    /// What kind of entry it is.
    pub(super) entry_type: EntryType,
    /// The path, with replacement characters where it is not UTF-8.
    pub(super) path: String,
    /// Its bytes of contents.
    pub(super) size: u64,
}

impl<R: Read> TarReader<R> {
    pub(super) fn new(input: R, limits: Limits) -> Self {
        Self {
            input,
            limits,
            entries: 0,
            content_bytes_left: limits.content_bytes_max,
        }
    }

    /// The next header; nothing at the two zero blocks that end the file.
    pub(super) fn header(&mut self) -> Result<Option<EntryHeader>, ArchiveError> {
        let block = self.block()?;
        if block == [0; BLOCK] {
            return match self.block()? == [0; BLOCK] {
                true => Ok(None),
                false => Err(ArchiveError::TrailingTar),
            };
        }
        if self.entries >= self.limits.entries_max {
            return Err(ArchiveError::TooManyEntries {
                max: self.limits.entries_max,
            });
        }
        self.entries += 1;
        let malformed = ArchiveError::MalformedHeader {
            index: self.entries,
        };
        let header = Header::from_byte_slice(&block);
        if header.cksum().ok() != Some(checksum(&block)) {
            return Err(malformed);
        }
        Ok(Some(EntryHeader {
            entry_type: header.entry_type(),
            path: String::from_utf8_lossy(&header.path_bytes()).into_owned(),
            size: header.entry_size().map_err(|_| malformed)?,
            block,
        }))
    }

    /// The contents of the entry whose header came last.
    pub(super) fn contents(&mut self, header: &EntryHeader) -> Result<Vec<u8>, ArchiveError> {
        if header.size > self.limits.file_bytes_max {
            return Err(ArchiveError::FileTooLong {
                path: header.path.clone(),
                max: self.limits.file_bytes_max,
            });
        }
        self.content_bytes_left =
            self.content_bytes_left
                .checked_sub(header.size)
                .ok_or(ArchiveError::TooManyBytes {
                    max: self.limits.content_bytes_max,
                })?;
        let contents = self.bytes(header.size)?;
        let padding = self.bytes(header::padding(header.size) as u64)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(ArchiveError::Refused {
                path: header.path.clone(),
                reason: Refusal::Padding,
            });
        }
        Ok(contents)
    }

    /// Requires that nothing follows the end, and reads to the end of the input, which checks its checksum.
    pub(super) fn end(mut self) -> Result<R, ArchiveError> {
        match self.input.read(&mut [0]).map_err(read_fault)? {
            0 => Ok(self.input),
            _ => Err(ArchiveError::TrailingTar),
        }
    }

    /// Requires that nothing but zeros follows the end, as tar programs fill the last record.
    pub(super) fn end_of_records(mut self) -> Result<R, ArchiveError> {
        let mut buffer = [0; 16 * BLOCK];
        loop {
            let count = self.input.read(&mut buffer).map_err(read_fault)?;
            if count == 0 {
                return Ok(self.input);
            }
            if buffer[..count].iter().any(|byte| *byte != 0) {
                return Err(ArchiveError::TrailingTar);
            }
            self.content_bytes_left = self.content_bytes_left.checked_sub(count as u64).ok_or(
                ArchiveError::TooManyBytes {
                    max: self.limits.content_bytes_max,
                },
            )?;
        }
    }

    fn block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block).map_err(read_fault)?;
        Ok(block)
    }

    /// The next `size` bytes. The buffer grows with what is read, not with what `size` claims.
    fn bytes(&mut self, size: u64) -> Result<Vec<u8>, ArchiveError> {
        let mut bytes = Vec::new();
        let read = (&mut self.input)
            .take(size)
            .read_to_end(&mut bytes)
            .map_err(read_fault)?;
        match read as u64 == size {
            true => Ok(bytes),
            false => Err(ArchiveError::Truncated),
        }
    }
}

fn read_fault(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => ArchiveError::Truncated,
        _ => ArchiveError::Corrupt,
    }
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
