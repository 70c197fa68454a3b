//! Reading: files of strangers, of whatever size and kind.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use ecac_artifact::exit;
use ecac_audit::LINE_BYTES_MAX;
use ecac_core::{OpLogError, split_op_log};

use crate::failure::Failure;
use crate::text;

/// Bytes that are read before they are looked at.
const CHUNK_BYTES: u64 = 1 << 20;

/// An op log file, all of whose items are well-formed.
#[derive(Debug)]
pub(crate) struct OpLogFile {
    pub(crate) bytes: Vec<u8>,
    /// Where each item ends and the next begins.
    ends: Vec<usize>,
}

impl OpLogFile {
    /// Reads an op log.
    ///
    /// Each chunk is checked before the next one is read, so that a file of another kind is never taken into
    /// memory, however long it is.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read(path, "the op log", sound_items())?;
        let items = split_op_log(&bytes).map_err(|error| bad_op_log(path, &error))?;
        let ends = items.iter().scan(0, |end, item| {
            *end += item.len();
            Some(*end)
        });
        let ends = ends.collect();
        Ok(Self { bytes, ends })
    }

    /// The items, in their order in the file.
    pub(crate) fn items(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let spans = starts.zip(&self.ends);
        spans.map(|(start, &end)| &self.bytes[start..end]).collect()
    }
}

/// The failure of a file that is no op log.
pub(crate) fn bad_op_log(path: &Path, error: &OpLogError) -> Failure {
    let hint = match error {
        OpLogError::Empty => "an op log holds at least its genesis; fetch the file again",
        OpLogError::Truncated { .. } => {
            "the file is cut off; fetch it again, its sender has the rest"
        }
        OpLogError::NotAnOp { item: 0, .. } => {
            "an op log is a CBOR sequence of signed ops, such as *-ops.cborseq"
        }
        OpLogError::NotAnOp { .. } | OpLogError::Malformed { .. } | OpLogError::TooLong { .. } => {
            "the file is damaged or of another kind; fetch it again"
        }
        OpLogError::NoGenesis | OpLogError::ManyProjects { .. } => {
            "name the project with --project, the op id of its genesis"
        }
    };
    let doing = format!("read the op log {}", text::path(path));
    Failure::new(exit::BAD_INPUT, doing, error, hint)
}

/// The bytes of an audit log, as far as its lines are not over-long; what is wrong with one that has such a line can be
/// seen in them.
pub(crate) fn audit_log(path: &Path) -> Result<Vec<u8>, Failure> {
    read(path, "the audit log", short_lines())
}

/// Whether all that was read so far are items of an op log, but for the last one, which may go on.
fn sound_items() -> impl FnMut(&[u8]) -> bool {
    let mut whole = 0;
    move |bytes| match split_op_log(&bytes[whole..]) {
        Ok(_) => {
            whole = bytes.len();
            true
        }
        Err(OpLogError::Truncated { offset, .. }) => {
            whole += offset;
            true
        }
        Err(_) => false,
    }
}

/// Whether no line of what was read so far is longer than those of an audit log.
fn short_lines() -> impl FnMut(&[u8]) -> bool {
    let mut seen = 0;
    let mut line_bytes = 0;
    move |bytes| {
        for byte in &bytes[seen..] {
            line_bytes = if *byte == b'\n' { 0 } else { line_bytes + 1 };
            if line_bytes > LINE_BYTES_MAX {
                return false;
            }
        }
        seen = bytes.len();
        true
    }
}

/// The file's bytes, as long as `go_on` wants to see more of them.
fn read(path: &Path, what: &str, go_on: impl FnMut(&[u8]) -> bool) -> Result<Vec<u8>, Failure> {
    open(path)
        .and_then(|file| read_while(file, go_on))
        .map_err(|error| Failure::read(what, path, &error))
}

fn read_while(mut source: impl Read, mut go_on: impl FnMut(&[u8]) -> bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = source.by_ref().take(CHUNK_BYTES);
        if chunk.read_to_end(&mut bytes)? == 0 || !go_on(&bytes) {
            return Ok(bytes);
        }
    }
}

/// Opens a file for reading; a directory is an error at once.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A well-formed item that is no op.
    const ITEM: [u8; 2] = [0xd2, 0x80];

    #[test]
    fn items_may_straddle_chunks_and_damage_ends_the_reading() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ops");
        // An odd length before many items of two bytes, so that each chunk ends within an item.
        let mut good = vec![0xd2, 0x81, 0x00];
        good.extend(ITEM.repeat(3 << 19));
        std::fs::write(&path, &good).unwrap();
        let file = OpLogFile::read(&path).unwrap();
        assert_eq!(file.bytes, good);
        assert_eq!(file.items(), split_op_log(&good).unwrap());

        let mut bad = good.clone();
        bad.resize(good.len() + (8 << 20), 0);
        std::fs::write(&path, &bad).unwrap();
        let failure = OpLogFile::read(&path).unwrap_err();
        assert_eq!(failure.code, exit::BAD_INPUT);
        let place = format!("at byte {} ", good.len());
        assert!(failure.to_string().contains(&place), "{failure}");

        std::fs::write(&path, &good[..good.len() - 1]).unwrap();
        let failure = OpLogFile::read(&path).unwrap_err();
        assert!(failure.to_string().contains("truncated"), "{failure}");
    }

    /// A good start, and then zeros for as long as anybody reads.
    struct Endless<'a> {
        start: &'a [u8],
        zeros_bytes: u64,
    }

    impl Read for Endless<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if !self.start.is_empty() {
                return self.start.read(buffer);
            }
            self.zeros_bytes += buffer.len() as u64;
            assert!(self.zeros_bytes < 64 << 20, "who reads all this?");
            buffer.fill(0);
            Ok(buffer.len())
        }
    }

    #[test]
    fn nothing_is_read_further_than_it_is_good() {
        let items = ITEM.repeat(3 << 19);
        let lines = b"{}\n".repeat(1 << 20);
        for start in [&b""[..], &items, &lines] {
            let endless = || Endless {
                start,
                zeros_bytes: 0,
            };
            let bytes = read_while(endless(), sound_items()).unwrap();
            assert!(split_op_log(&bytes).is_err());
            let bytes = read_while(endless(), short_lines()).unwrap();
            assert!(bytes.len() < start.len() + (8 << 20));
        }
    }
}
