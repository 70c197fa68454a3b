//! Heads with the signatures of witnesses, in a file beside the segments.
//!
//! The file `cosignatures` is JSON Lines, each the line of a head as in the export, whose note may have further
//! signatures. It is no part of the log: nothing depends on it, and whoever loses it asks the witnesses again.

use std::io::{self, BufRead as _, BufReader, Read as _};

use crate::chain::{cosigned_line, note_of_line};
use crate::checkpoint::Origin;
use crate::disk::{Directory, DiskError, DiskLog};
use crate::note::NOTE_BYTES_MAX;
use crate::witness::CosignedCheckpoint;

/// The name of the file.
pub(crate) const FILE: &str = "cosignatures";

impl<D: Directory> DiskLog<D> {
    /// Keeps a head of this log with the signatures of witnesses, and returns when it is durable.
    ///
    /// The signatures of the witnesses are not judged here: who trusts whom is decided by those who read.
    ///
    /// # Errors
    ///
    /// [`DiskError::ForeignHead`] where the head is of another log or longer than this one, and what the storage says.
    pub fn keep_cosigned(&mut self, cosigned: &CosignedCheckpoint) -> Result<(), DiskError> {
        let again = CosignedCheckpoint::open(cosigned.note(), &self.origin());
        let head = again
            .map_err(|_| DiskError::ForeignHead)?
            .checkpoint()
            .head();
        let own = self.frontier().head();
        if head.size > own.size || head.size == own.size && head.root != own.root {
            return Err(DiskError::ForeignHead);
        }
        let directory = &mut self.directory;
        let torn = whole_bytes(directory)?;
        if let Some(whole) = torn {
            let cut = directory.truncate(FILE, whole);
            cut.map_err(DiskError::io("cut", FILE))?;
        }
        let line = cosigned_line(cosigned.note());
        let kept = directory
            .append(FILE, line.as_bytes())
            .and_then(|()| directory.sync(FILE))
            .and_then(|()| directory.sync_names());
        kept.map_err(DiskError::io("append to", FILE))
    }
}

/// How many bytes of the file are whole lines, where there is more behind them.
fn whole_bytes(directory: &impl Directory) -> Result<Option<u64>, DiskError> {
    let mut whole = 0;
    let mut all = 0;
    lines(directory, &mut |line| {
        all += line.len() as u64;
        if line.ends_with(b"\n") {
            whole = all;
        }
    })?;
    Ok((whole < all).then_some(whole))
}

/// The heads of the log `origin` that are kept with the signatures of witnesses, in the order in which they came.
///
/// What is no such head is passed over: it proves nothing.
///
/// # Errors
///
/// What the storage says; an absent file holds nothing.
pub fn read_cosigned(
    directory: &impl Directory,
    origin: &Origin,
) -> Result<Vec<CosignedCheckpoint>, DiskError> {
    let mut kept = Vec::new();
    visit(directory, origin, &mut |cosigned| kept.push(cosigned))?;
    Ok(kept)
}

/// The head over `size` entries that is kept, with all signatures that came for it; `None` where there is none.
///
/// # Errors
///
/// As of [`read_cosigned`].
pub fn read_cosigned_at(
    directory: &impl Directory,
    origin: &Origin,
    size: u64,
) -> Result<Option<CosignedCheckpoint>, DiskError> {
    let mut found: Option<CosignedCheckpoint> = None;
    visit(directory, origin, &mut |cosigned| {
        if cosigned.checkpoint().head().size == size {
            let merged = found.as_ref().and_then(|found| found.merge(&cosigned));
            found = Some(merged.unwrap_or(cosigned));
        }
    })?;
    Ok(found)
}

fn visit(
    directory: &impl Directory,
    origin: &Origin,
    take: &mut dyn FnMut(CosignedCheckpoint),
) -> Result<(), DiskError> {
    lines(directory, &mut |line| {
        let note = line.strip_suffix(b"\n").and_then(note_of_line);
        let cosigned = note.and_then(|note| CosignedCheckpoint::open(&note, origin).ok());
        if let Some(cosigned) = cosigned {
            take(cosigned);
        }
    })
}

/// Shows each line of the file with its newline; of one that is longer than any head, its parts.
fn lines(directory: &impl Directory, take: &mut dyn FnMut(&[u8])) -> Result<(), DiskError> {
    let file = match directory.read(FILE) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(DiskError::io("open", FILE))?,
    };
    let mut file = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        // The note in JSON: its line breaks take two bytes.
        let mut limited = file.by_ref().take(NOTE_BYTES_MAX as u64 * 2);
        let read = limited.read_until(b'\n', &mut line);
        if read.map_err(DiskError::io("read", FILE))? == 0 {
            return Ok(());
        }
        take(&line);
    }
}
