//! Explains the first difference between a file and its golden counterpart, in the file's own terms.
//!
//! Lines, columns, entries and items count from 1; byte offsets and pixels count from 0. The judgement that two files
//! differ is a matter of bytes and is made elsewhere; this crate only says where and how, for a reader.
//!
//! Pure: bytes in, an [`Explanation`] out. The crate knows no file, clock or environment, and no input makes it fail.
#![forbid(unsafe_code)]

mod cbor;
mod excerpt;
mod json;
mod json_lines;
mod lines;
mod op_log;
mod picture;
mod place;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Serialize;

pub use place::{LineRole, Place};

/// Widest line of the text form, in columns.
pub const COLUMNS_MAX: usize = 80;
/// Columns before the values of the text form.
const INDENT: usize = 12;
/// Columns left for a value.
const VALUE_COLUMNS_MAX: usize = COLUMNS_MAX - INDENT;

/// Where and how a file first differs from what was expected.
///
/// The text form has a heading and one aligned line per fact, none wider than [`COLUMNS_MAX`]; the JSON form has the
/// fields below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Name of the file.
    name: String,
    /// The place of the first difference.
    place: Place,
    /// Offset of the first differing byte; the shorter length where one file begins with the other; nothing if
    /// the files are the same.
    offset: Option<usize>,
    /// Size of the expected file in bytes.
    expected_bytes: usize,
    /// Size of the actual file in bytes.
    actual_bytes: usize,
    /// What is expected at the place, shortened and with control characters escaped; nothing if it is absent.
    expected: Option<String>,
    /// What is there, in the same form.
    actual: Option<String>,
    /// What else helps to understand the difference.
    notes: Vec<String>,
}

impl Explanation {
    /// The place of the first difference.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Offset of the first differing byte; nothing if the files are the same.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }
}

/// What the explainer of one file format found out.
struct Finding {
    place: Place,
    expected: Option<String>,
    actual: Option<String>,
    notes: Vec<String>,
}

/// Explains the first difference between `expected` and `actual`, two versions of the file `name`, whose ending
/// tells the format.
#[must_use]
pub fn explain(name: &str, expected: &[u8], actual: &[u8]) -> Explanation {
    let offset = first_difference(expected, actual);
    let finding = match offset {
        None => Finding {
            place: Place::Same,
            expected: None,
            actual: None,
            notes: Vec::new(),
        },
        Some(offset) => {
            let format = Format::of(name);
            let mut finding = format.explain(expected, actual, offset);
            finding
                .notes
                .extend(general_notes(format, expected, actual, offset));
            finding
        }
    };
    Explanation {
        name: name.to_owned(),
        place: finding.place,
        offset,
        expected_bytes: expected.len(),
        actual_bytes: actual.len(),
        expected: finding.expected,
        actual: finding.actual,
        notes: finding.notes,
    }
}

/// Offset of the first byte that only one of the two has, or has differently.
fn first_difference(expected: &[u8], actual: &[u8]) -> Option<usize> {
    if expected == actual {
        return None;
    }
    let common = expected
        .iter()
        .zip(actual)
        .take_while(|(expected, actual)| expected == actual)
        .count();
    Some(common)
}

/// How the contents of a file are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
    JsonLines,
    OpLog,
    Png,
    Text,
    Binary,
}

impl Format {
    fn of(name: &str) -> Self {
        let ending = name.rsplit_once('.').map(|(_, ending)| ending);
        match (name, ending) {
            (_, Some("csv")) => Self::Csv,
            (_, Some("json")) => Self::Json,
            (_, Some("jsonl")) => Self::JsonLines,
            (_, Some("cborseq")) => Self::OpLog,
            (_, Some("png")) => Self::Png,
            ("SHA256SUMS", _) | (_, Some("txt" | "html" | "md")) => Self::Text,
            _ => Self::Binary,
        }
    }

    fn is_text(self) -> bool {
        !matches!(self, Self::OpLog | Self::Png | Self::Binary)
    }

    fn explain(self, expected: &[u8], actual: &[u8], offset: usize) -> Finding {
        match self {
            Self::Csv => table::explain(expected, actual, offset),
            Self::Json => json::explain(expected, actual, offset),
            Self::JsonLines => json_lines::explain(expected, actual, offset),
            Self::OpLog => op_log::explain(expected, actual, offset),
            Self::Png => picture::explain(expected, actual, offset),
            Self::Text => lines::explain(expected, actual, offset, LineRole::Text),
            Self::Binary => Finding {
                place: Place::Byte,
                expected: excerpt::hex(expected, offset),
                actual: excerpt::hex(actual, offset),
                notes: Vec::new(),
            },
        }
    }
}

/// What can be said of any file: how long it is and, of a text, how it is encoded.
fn general_notes(format: Format, expected: &[u8], actual: &[u8], offset: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if actual.is_empty() {
        notes.push(format!(
            "the file is empty, expected {} bytes",
            expected.len()
        ));
        return notes;
    }
    if offset == actual.len() {
        notes.push(format!(
            "the file ends at byte {offset}, expected {}",
            expected.len()
        ));
    } else if offset == expected.len() {
        notes.push(format!(
            "the file goes on to byte {}, expected its end at {offset}",
            actual.len()
        ));
    } else if expected.len() != actual.len() {
        notes.push(format!(
            "the file has {} bytes, expected {}",
            actual.len(),
            expected.len()
        ));
    }
    if format.is_text() {
        notes.extend(text_notes(expected, actual));
    }
    notes
}

fn text_notes(expected: &[u8], actual: &[u8]) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Ok(_), Err(error)) = (str::from_utf8(expected), str::from_utf8(actual)) {
        notes.push(format!(
            "the file is not UTF-8 at byte {}",
            error.valid_up_to()
        ));
    }
    let is_crlf = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == b"\r\n");
    match (is_crlf(expected), is_crlf(actual)) {
        (false, true) => notes.push("lines end with CR LF, expected LF".to_owned()),
        (true, false) => notes.push("lines end with LF, expected CR LF".to_owned()),
        _ => {}
    }
    match (expected.ends_with(b"\n"), actual.ends_with(b"\n")) {
        (true, false) => notes.push("the final newline is missing".to_owned()),
        (false, true) => notes.push("a final newline is not expected".to_owned()),
        _ => {}
    }
    notes
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = excerpt::escaped(&self.name, COLUMNS_MAX - " is as expected".len());
        let Some(offset) = self.offset else {
            return write!(f, "{name} is as expected");
        };
        write!(f, "{name} differs")?;
        fact(
            f,
            "place",
            &excerpt::shortened(&self.place.to_string(), VALUE_COLUMNS_MAX),
        )?;
        if let Place::Item { op: Some(op), .. } = &self.place {
            fact(f, "op", op)?;
        }
        fact(f, "byte", &offset.to_string())?;
        for (label, value) in [("expected", &self.expected), ("actual", &self.actual)] {
            fact(f, label, value.as_deref().unwrap_or("(nothing)"))?;
        }
        for note in &self.notes {
            fact(f, "note", note)?;
        }
        Ok(())
    }
}

/// Writes one labelled line, and further ones where the value is a sentence too long for it.
fn fact(f: &mut fmt::Formatter<'_>, label: &str, value: &str) -> fmt::Result {
    let mut label = label;
    for line in excerpt::wrapped(value, VALUE_COLUMNS_MAX) {
        write!(f, "\n  {label:<width$}{line}", width = INDENT - 2)?;
        label = "";
    }
    Ok(())
}
