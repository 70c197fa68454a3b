//! The explainer of tables: expected and actual bytes with a NUL between them.
//!
//! - It says "the same" for the same bytes only, and the offset is that of the first differing byte.
//! - The text fits its columns and has no control characters; the JSON form is written.
//! - Where cells need no quotes, the cell that it names is the first one of that line that differs.

use ecac_differ::Position;

use crate::difference;
use crate::reading::Reading;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let (expected, actual) = difference::split(data);
    difference::check("a.txt", expected, actual);
    let explanation = difference::check("a.csv", expected, actual);
    let Some(offset) = explanation.offset() else {
        return Reading::Refused;
    };
    match explanation.position() {
        Position::Cell { line, column, .. } => {
            let before = &expected[..offset];
            let line_at = before.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(*line, line_at + 1);
            if is_plain(expected) && is_plain(actual) {
                let expected_row = row(expected, line_at);
                let actual_row = row(actual, line_at);
                assert_ne!(expected_row.get(column - 1), actual_row.get(column - 1));
                assert_eq!(expected_row[..column - 1], actual_row[..column - 1]);
            }
            Reading::Accepted
        }
        Position::Line { .. } => Reading::Refused,
        position => panic!("a table has cells and lines, not {position:?}"),
    }
}

/// Whether each line feed ends a row and each comma a cell, whoever reads it.
fn is_plain(table: &[u8]) -> bool {
    !table.iter().any(|byte| b"\"\r".contains(byte))
}

/// The cells of a line.
fn row(table: &[u8], line: usize) -> Vec<&[u8]> {
    let line = table.split(|byte| *byte == b'\n').nth(line);
    line.map(|line| line.split(|byte| *byte == b',').collect())
        .unwrap_or_default()
}
