//! Reading an archive that somebody else packed, with whatever program.
//!
//! Read are regular files, directories, paths that are too long for a header (GNU and pax), and the note in which
//! `git archive` says of which commit an archive is. Everything else is refused, as is a path that leads out of the
//! directory in which the archive would be unpacked, or means another one on another system.

use std::collections::BTreeMap;

use flate2::bufread::MultiGzDecoder;
use tar::{EntryType, Header, PaxExtensions};

use super::error::{ArchiveError, Refusal};
use super::limits::Limits;
use super::reader::{EntryHeader, TarReader};
use crate::NameFault;

/// What such an archive holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Foreign {
    /// The regular files by their paths, with `/` between the parts.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What `git archive` notes.
    pub note: Option<GitNote>,
}

/// What `git archive` notes of the commit that it packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitNote {
    /// The commit: 40 hexadecimal digits.
    pub commit: String,
    /// The time of its first file, seconds since the Unix epoch, which is that of the commit.
    pub seconds: u64,
}

/// Reads the gzip file `gz`.
///
/// # Errors
///
/// [`ArchiveError`] with the first fault.
pub fn unpack_foreign(gz: &[u8], limits: &Limits) -> Result<Foreign, ArchiveError> {
    if gz.len() as u64 > limits.gz_bytes_max {
        return Err(ArchiveError::TooLong {
            max: limits.gz_bytes_max,
        });
    }
    if !gz.starts_with(&[0x1f, 0x8b]) {
        return Err(ArchiveError::NotGzip);
    }
    let mut reader = TarReader::new(MultiGzDecoder::new(gz), *limits);
    let mut foreign = Foreign::default();
    let mut commit = None;
    let mut long_path = None;
    while let Some(mut header) = reader.header()? {
        match header.entry_type {
            EntryType::XGlobalHeader => {
                commit = commit.or(noted_commit(&reader.contents(&header)?));
            }
            EntryType::XHeader => {
                let records = reader.contents(&header)?;
                let path = pax_path(&records).map_err(|reason| refused(&header, reason))?;
                long_path = path.or(long_path);
            }
            EntryType::GNULongName => {
                let mut path = reader.contents(&header)?;
                // Its last byte ends the text.
                path.pop_if(|byte| *byte == 0);
                long_path = Some(path);
            }
            EntryType::Directory | EntryType::Regular => {
                let path = path(&mut header, long_path.take())?;
                let contents = reader.contents(&header)?;
                if header.entry_type == EntryType::Directory {
                    continue;
                }
                if foreign.note.is_none()
                    && let Some(commit) = commit.take()
                {
                    let seconds = Header::from_byte_slice(&header.block).mtime();
                    let seconds = seconds.map_err(|_| refused(&header, Refusal::NonCanonical))?;
                    foreign.note = Some(GitNote { commit, seconds });
                }
                if path.is_empty() {
                    return Err(refused(&header, Refusal::Name(NameFault::Empty)));
                }
                if foreign.files.insert(path, contents).is_some() {
                    return Err(refused(&header, Refusal::Duplicate));
                }
            }
            other => {
                path(&mut header, long_path.take())?;
                return Err(refused(&header, Refusal::of_type(other)));
            }
        }
    }
    reader.end_of_records()?;
    Ok(foreign)
}

fn refused(header: &EntryHeader, reason: Refusal) -> ArchiveError {
    ArchiveError::Refused {
        path: header.path.clone(),
        reason,
    }
}

/// The path of an entry without what says nothing, and in the header the one that is meant, for an error.
fn path(header: &mut EntryHeader, long: Option<Vec<u8>>) -> Result<String, ArchiveError> {
    let own = || {
        Header::from_byte_slice(&header.block)
            .path_bytes()
            .into_owned()
    };
    let bytes = long.unwrap_or_else(own);
    header.path = String::from_utf8_lossy(&bytes).into_owned();
    let refuse = |reason| Err(refused(header, reason));
    let Ok(text) = str::from_utf8(&bytes) else {
        return refuse(Refusal::NotText);
    };
    if text.starts_with('/') {
        return refuse(Refusal::Absolute);
    }
    if text.contains(['\\', ':', '\0']) {
        return refuse(Refusal::Ambiguous);
    }
    let parts: Vec<_> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return refuse(Refusal::Parent);
    }
    Ok(parts.join("/"))
}

/// The path that a pax record gives the next entry (POSIX.1-2024, pax, "pax Extended Header"). A size or a sparse map
/// would change where that entry ends, and is refused.
fn pax_path(records: &[u8]) -> Result<Option<Vec<u8>>, Refusal> {
    let mut path = None;
    for record in PaxExtensions::new(records) {
        let record = record.map_err(|_| Refusal::Extension)?;
        match record.key_bytes() {
            b"path" => path = Some(record.value_bytes().to_vec()),
            b"size" => return Err(Refusal::Extension),
            key if key.starts_with(b"GNU.sparse.") => return Err(Refusal::Extension),
            _ => {}
        }
    }
    Ok(path)
}

/// The commit that `git archive` writes into its global header.
fn noted_commit(records: &[u8]) -> Option<String> {
    let comment = PaxExtensions::new(records)
        .map_while(Result::ok)
        .find(|record| record.key_bytes() == b"comment")?;
    let id = comment.value().ok()?;
    let is_id = id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id.to_owned())
}

#[cfg(test)]
mod tests;
