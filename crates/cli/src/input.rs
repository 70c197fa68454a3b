//! Reading: files of strangers, of whatever size and kind, and several of them as one.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ecac_artifact::exit;
use ecac_audit::LINE_BYTES_MAX;
use ecac_core::{OpLogError, split_op_log};
use serde::Serialize;

use crate::failure::Failure;
use crate::text;

/// Bytes that are read before they are looked at.
const CHUNK_BYTES: u64 = 1 << 20;

/// The path that stands for standard input.
const STDIN: &str = "-";

/// The items of one or more op logs, one log after the other; all are well-formed.
#[derive(Debug)]
pub(crate) struct OpLogFiles {
    pub(crate) bytes: Vec<u8>,
    /// Where each item ends and the next begins.
    ends: Vec<usize>,
    files: Vec<File>,
}

/// One of the op logs.
#[derive(Debug)]
struct File {
    name: String,
    label: String,
    /// The number of its first item among all.
    first: usize,
}

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Position {
    /// Which op log, from 0 in the order in which they were named.
    pub(crate) log: usize,
    /// Which item of it, from 0.
    pub(crate) item: usize,
}

impl OpLogFiles {
    /// Reads op logs; [`STDIN`] is standard input.
    ///
    /// Each chunk is checked before the next one is read, so that a file of another kind is never taken into
    /// memory, however long it is.
    pub(crate) fn read(paths: &[PathBuf]) -> Result<Self, Failure> {
        if paths.iter().filter(|path| is_stdin(path)).count() > 1 {
            return Err(Failure::new(
                exit::USAGE,
                "read standard input twice",
                "`-` is named more than once, and what was read is gone",
                "name `-` once",
            ));
        }
        let mut all = Self {
            bytes: Vec::new(),
            ends: Vec::new(),
            files: Vec::new(),
        };
        for path in paths {
            all.add(path)?;
        }
        Ok(all)
    }

    /// Items that are at hand already, as one op log.
    pub(crate) fn of_items(label: &str, items: &[Vec<u8>]) -> Self {
        let mut end = 0;
        let ends = items.iter().map(|item| {
            end += item.len();
            end
        });
        Self {
            ends: ends.collect(),
            bytes: items.concat(),
            files: vec![File {
                name: label.to_owned(),
                label: label.to_owned(),
                first: 0,
            }],
        }
    }

    fn add(&mut self, path: &Path) -> Result<(), Failure> {
        let label = label(path);
        let bytes = read(path, &format!("the op log {label}"), sound_items())?;
        let items = split_op_log(&bytes).map_err(|error| bad_op_log(&label, &error))?;
        self.files.push(File {
            name: path.to_string_lossy().into_owned(),
            label,
            first: self.ends.len(),
        });
        let start = self.bytes.len();
        self.ends.extend(items.iter().scan(start, |end, item| {
            *end += item.len();
            Some(*end)
        }));
        if start == 0 {
            self.bytes = bytes;
        } else {
            self.bytes.extend(bytes);
        }
        Ok(())
    }

    /// All items, in the order of the op logs and within each in its order.
    pub(crate) fn items(&self) -> Vec<&[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let spans = starts.zip(&self.ends);
        spans.map(|(start, &end)| &self.bytes[start..end]).collect()
    }

    /// The names of the op logs as they were given, lossy where they are not Unicode.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// What the op logs are called in messages, quoted.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.label.as_str())
    }

    /// What the op log of that number is called.
    pub(crate) fn label(&self, log: usize) -> &str {
        &self.files[log].label
    }

    /// Where the item of that number among all stands.
    pub(crate) fn position(&self, number: usize) -> Position {
        let log = self.files.partition_point(|file| file.first <= number) - 1;
        Position {
            log,
            item: number - self.files[log].first,
        }
    }
}

/// What the op log at a path is called in messages, quoted.
pub(crate) fn label(path: &Path) -> String {
    if is_stdin(path) {
        "on standard input".to_owned()
    } else {
        text::path(path)
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// The failure of a file that is no op log.
pub(crate) fn bad_op_log(label: &str, error: &OpLogError) -> Failure {
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
    let doing = format!("read the op log {label}");
    Failure::new(exit::BAD_INPUT, doing, error, hint)
}

/// The bytes of an audit log, as far as its lines are not over-long; what is wrong with one that has such a line can be
/// seen in them.
pub(crate) fn audit_log(path: &Path) -> Result<Vec<u8>, Failure> {
    let what = format!("the audit log {}", text::path(path));
    let file = open(path).map_err(|error| Failure::read(&what, &error))?;
    read_while(file, short_lines()).map_err(|error| Failure::read(&what, &error))
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

/// The bytes of the file, or of standard input, as long as `go_on` wants to see more of them.
fn read(path: &Path, what: &str, go_on: impl FnMut(&[u8]) -> bool) -> Result<Vec<u8>, Failure> {
    let bytes = if is_stdin(path) {
        read_while(io::stdin().lock(), go_on)
    } else {
        open(path).and_then(|file| read_while(file, go_on))
    };
    bytes.map_err(|error| Failure::read(what, &error))
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
pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
    let file = fs::File::open(path)?;
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
        fs::write(&path, &good).unwrap();
        let file = OpLogFiles::read(std::slice::from_ref(&path)).unwrap();
        assert_eq!(file.bytes, good);
        assert_eq!(file.items(), split_op_log(&good).unwrap());

        let mut bad = good.clone();
        bad.resize(good.len() + (8 << 20), 0);
        fs::write(&path, &bad).unwrap();
        let failure = OpLogFiles::read(std::slice::from_ref(&path)).unwrap_err();
        assert_eq!(failure.code, exit::BAD_INPUT);
        let position = format!("at byte {} ", good.len());
        assert!(failure.to_string().contains(&position), "{failure}");

        fs::write(&path, &good[..good.len() - 1]).unwrap();
        let failure = OpLogFiles::read(std::slice::from_ref(&path)).unwrap_err();
        assert!(failure.to_string().contains("truncated"), "{failure}");
    }

    #[test]
    fn several_logs_are_read_as_one_that_knows_where_each_item_stood() {
        let directory = tempfile::tempdir().unwrap();
        let paths = [1, 3, 2].map(|items| {
            let path = directory.path().join(format!("{items} items"));
            fs::write(&path, ITEM.repeat(items)).unwrap();
            path
        });
        let all = OpLogFiles::read(&paths).unwrap();
        assert_eq!(all.items(), [ITEM; 6]);
        let positions = (0..6).map(|number| all.position(number));
        let positions: Vec<_> = positions.map(|it| (it.log, it.item)).collect();
        assert_eq!(positions, [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]);
        assert!(all.label(1).ends_with("3 items\""));
        assert_eq!(all.labels().count(), 3);

        let twice = [STDIN, STDIN].map(PathBuf::from);
        assert_eq!(OpLogFiles::read(&twice).unwrap_err().code, exit::USAGE);
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
