//! CSV files: the line and the column of the first difference.

use csv::{ByteRecord, ReaderBuilder};

use super::excerpt::{self, Backslash};
use super::finding::Finding;
use super::lines::{self, Lines};
use super::position::{LineRole, Position};

/// Explains two metrics tables: an optional first line that begins with `#`, a header, rows.
pub(super) fn explain(expected: &[u8], actual: &[u8], offset: usize) -> Finding {
    let header_start = match expected.first() {
        Some(b'#') => line_end(expected, 0),
        _ => 0,
    };
    let rows_start = line_end(expected, header_start);
    if offset < header_start {
        return lines::explain(expected, actual, offset, LineRole::Comment);
    }
    if offset < rows_start {
        return lines::explain(expected, actual, offset, LineRole::Header);
    }
    let by_line = lines::explain(expected, actual, offset, LineRole::Row);
    let row_offset = offset - header_start;
    let expected_row = row_at(&expected[header_start..], row_offset);
    let actual_row = row_at(&actual[header_start..], row_offset);
    let (Some(expected_row), Some(actual_row)) = (expected_row, actual_row) else {
        return by_line;
    };
    let Some(column) = first_cell(&expected_row, &actual_row) else {
        return by_line;
    };
    let header = row_at(&expected[header_start..], 0).unwrap_or_default();
    let (expected_cell, actual_cell) = (expected_row.get(column), actual_row.get(column));
    let [expected_text, actual_text] = excerpt::pair(
        expected_cell.unwrap_or_default(),
        actual_cell.unwrap_or_default(),
        Backslash::Escaped,
    );
    let mut notes = by_line.notes;
    if expected_row.len() != actual_row.len() {
        notes.push(format!(
            "the row has {} columns, expected {}",
            actual_row.len(),
            expected_row.len()
        ));
    }
    Finding {
        position: Position::Cell {
            line: Lines::at(expected, actual, offset).line,
            column: column + 1,
            column_name: header
                .get(column)
                .map(|name| String::from_utf8_lossy(name).into_owned()),
        },
        expected: expected_cell.map(|_| expected_text),
        actual: actual_cell.map(|_| actual_text),
        notes,
    }
}

/// The offset behind the line that begins at `start`.
fn line_end(bytes: &[u8], start: usize) -> usize {
    bytes[start..]
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |length| start + length + 1)
}

/// The row that the byte at `offset` belongs to, its line end included; nothing if the byte lies between rows,
/// where a blank line is, or behind the table.
fn row_at(table: &[u8], offset: usize) -> Option<ByteRecord> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(table);
    let mut row = ByteRecord::new();
    let mut end = 0;
    // Reading bytes from memory into a flexible record cannot fail.
    while reader.read_byte_record(&mut row).unwrap_or(false) {
        // The reader skips line ends before a row.
        let is_line_end = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let start = end + table[end..].iter().take_while(is_line_end).count();
        end = usize::try_from(reader.position().byte()).ok()?;
        let is_unended = end == table.len() && !table.ends_with(b"\n");
        if offset < start {
            return None;
        }
        if offset < end || is_unended {
            return Some(row);
        }
    }
    None
}

/// The first column, counted from 0, in which two rows differ.
fn first_cell(expected: &ByteRecord, actual: &ByteRecord) -> Option<usize> {
    (0..expected.len().max(actual.len()))
        .find(|column| expected.get(*column) != actual.get(*column))
}
