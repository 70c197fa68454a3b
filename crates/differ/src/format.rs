//! The formats, and what reads each.

use super::finding::Finding;
use super::position::{LineRole, Position};
use super::{excerpt, json, json_lines, lines, op_log, picture, table};

/// How the contents of a file are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Json,
    JsonLines,
    OpLog,
    Png,
    Text,
    Binary,
}

impl Format {
    pub(super) fn of(name: &str) -> Self {
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

    pub(super) fn explain(self, expected: &[u8], actual: &[u8], offset: usize) -> Finding {
        match self {
            Self::Csv => table::explain(expected, actual, offset),
            Self::Json => json::explain(expected, actual, offset),
            Self::JsonLines => json_lines::explain(expected, actual, offset),
            Self::OpLog => op_log::explain(expected, actual, offset),
            Self::Png => picture::explain(expected, actual, offset),
            Self::Text => lines::explain(expected, actual, offset, LineRole::Text),
            Self::Binary => Finding {
                position: Position::Byte,
                expected: excerpt::hex(expected, offset),
                actual: excerpt::hex(actual, offset),
                notes: Vec::new(),
            },
        }
    }

    /// What can be said of any file: how long it is and, of a text, how it is encoded.
    pub(super) fn notes(self, expected: &[u8], actual: &[u8], offset: usize) -> Vec<String> {
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
        if self.is_text() {
            notes.extend(text_notes(expected, actual));
        }
        notes
    }
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
