//! Explains the first difference between a file and its golden counterpart, in the file's own terms.
//!
//! Lines, columns, entries and items count from 1; byte offsets and pixels count from 0. The judgement that two files
//! differ is a matter of bytes and is made elsewhere; this crate only says where and how, for a reader.
//!
//! Pure: bytes in, an [`Explanation`] out. The crate knows no file, clock or environment, and no input makes it fail.
#![forbid(unsafe_code)]

mod columns;
mod excerpt;
mod explanation;
mod finding;
mod format;
mod json;
mod json_lines;
mod lines;
mod offset;
mod op_log;
mod picture;
mod position;
mod table;
#[cfg(test)]
mod tests;

use finding::Finding;
use format::Format;

pub use columns::COLUMNS_MAX;
pub use explanation::Explanation;
pub use position::{LineRole, Position};

/// Explains the first difference between `expected` and `actual`, two versions of the file `name`, whose ending
/// tells the format.
#[must_use]
pub fn explain(name: &str, expected: &[u8], actual: &[u8]) -> Explanation {
    let offset = offset::first_difference(expected, actual);
    let finding = match offset {
        None => Finding {
            position: Position::Same,
            expected: None,
            actual: None,
            notes: Vec::new(),
        },
        Some(offset) => {
            let format = Format::of(name);
            let mut finding = format.explain(expected, actual, offset);
            let notes = format.notes(expected, actual, offset);
            finding.notes.extend(notes);
            finding
        }
    };
    Explanation {
        name: name.to_owned(),
        position: finding.position,
        offset,
        expected_bytes: expected.len(),
        actual_bytes: actual.len(),
        expected: finding.expected,
        actual: finding.actual,
        notes: finding.notes,
    }
}
