//! Segments: their names, and their lines.

use std::io::{self, BufRead as _, BufReader, Read};

use crate::chain::LINE_BYTES_MAX;
use crate::disk::{Directory, DiskError, Place};

/// What the name of a segment ends in.
const SUFFIX: &str = ".jsonl";
/// What the name of a file ends in that is not complete yet.
pub(crate) const UNFINISHED: &str = ".new";

/// The name of segment `number`: at least six digits.
pub(crate) fn name(number: u64) -> String {
    format!("{number:06}{SUFFIX}")
}

/// Where a log is read from, as often as it is asked: an export, or the segments of a directory.
pub trait Source {
    /// The number of segments; an export is one.
    ///
    /// # Errors
    ///
    /// [`DiskError`] where there are none, or one is absent.
    fn segments(&self) -> Result<u64, DiskError>;

    /// What errors call a segment.
    fn label(&self, segment: u64) -> String;

    /// The bytes of a segment.
    ///
    /// # Errors
    ///
    /// What the storage says.
    fn read(&self, segment: u64) -> io::Result<Box<dyn Read + '_>>;
}

/// The segments of a directory.
#[derive(Debug)]
pub struct Segments<'a, D>(pub &'a D);

impl<D: Directory> Source for Segments<'_, D> {
    fn segments(&self) -> Result<u64, DiskError> {
        count(self.0)
    }

    fn label(&self, segment: u64) -> String {
        name(segment)
    }

    fn read(&self, segment: u64) -> io::Result<Box<dyn Read + '_>> {
        self.0.read(&name(segment))
    }
}

/// An export in memory, and what errors call it.
#[derive(Debug)]
pub struct Export<'a> {
    /// What errors call it.
    pub label: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

impl Source for Export<'_> {
    fn segments(&self) -> Result<u64, DiskError> {
        Ok(1)
    }

    fn label(&self, _: u64) -> String {
        self.label.to_owned()
    }

    fn read(&self, _: u64) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(self.bytes))
    }
}

/// How many segments the directory has, from 0 on without a gap.
pub(crate) fn count(directory: &impl Directory) -> Result<u64, DiskError> {
    let mut numbers = Vec::new();
    let names = directory.names();
    for file in names.map_err(DiskError::io("list", "the directory"))? {
        if let Some(digits) = file.strip_suffix(SUFFIX) {
            let number = digits.parse().ok().filter(|number| name(*number) == file);
            numbers.push(number.ok_or(DiskError::SegmentName { file })?);
        }
    }
    numbers.sort_unstable();
    let gap = (0..).zip(&numbers).find(|(want, number)| want != *number);
    match gap {
        None if numbers.is_empty() => Err(DiskError::NoLog),
        None => Ok(numbers.len() as u64),
        Some((want, _)) => Err(DiskError::MissingSegment { file: name(want) }),
    }
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Newline,
    File,
}

/// The lines of one segment.
pub(crate) struct Lines<'a> {
    source: BufReader<Box<dyn Read + 'a>>,
    label: String,
    /// The line read last, without its newline; of an over-long one, two bytes more than a line may have.
    pub(crate) line: Vec<u8>,
    number: u64,
    start: u64,
    /// Where the next line begins: how many bytes were read.
    pub(crate) end: u64,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(source: Box<dyn Read + 'a>, label: String) -> Self {
        Self {
            source: BufReader::with_capacity(1 << 16, source),
            label,
            line: Vec::new(),
            number: 0,
            start: 0,
            end: 0,
        }
    }

    /// Reads the next line; `None` at the end of the file.
    pub(crate) fn advance(&mut self) -> Result<Option<End>, DiskError> {
        self.line.clear();
        self.start = self.end;
        self.number += 1;
        loop {
            let read = match self.source.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map_err(DiskError::io("read", &self.label))?,
            };
            if read.is_empty() {
                return Ok((self.end > self.start).then_some(End::File));
            }
            let newline = read.iter().position(|byte| *byte == b'\n');
            let part = &read[..newline.unwrap_or(read.len())];
            let room = LINE_BYTES_MAX + 2 - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(newline.is_some());
            self.source.consume(used);
            self.end += used as u64;
            if newline.is_some() {
                return Ok(Some(End::Newline));
            }
        }
    }

    /// Where the line read last stands.
    pub(crate) fn place(&self) -> Place {
        Place {
            file: self.label.clone(),
            line: self.number,
            offset: self.start,
        }
    }
}
