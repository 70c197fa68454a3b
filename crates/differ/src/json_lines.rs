//! JSON Lines files: the entry of the first difference and the pointer within it.

use super::finding::Finding;
use super::json::{self, Comparison};
use super::lines::{self, Lines};
use super::position::{LineRole, Position};

/// Explains two JSON Lines files.
pub(super) fn explain(expected: &[u8], actual: &[u8], offset: usize) -> Finding {
    let by_line = lines::explain(expected, actual, offset, LineRole::Text);
    let lines = Lines::at(expected, actual, offset);
    let entry = lines.line;
    let mut notes: Vec<_> = lines.shift_note("entry").into_iter().collect();
    let comparison = match (lines.expected[0], lines.actual[0]) {
        (Some(expected), Some(actual)) if expected != actual => json::compare(expected, actual),
        _ => {
            return Finding {
                position: Position::Entry {
                    entry,
                    pointer: None,
                },
                notes,
                ..by_line
            };
        }
    };
    let (pointer, expected, actual) = match comparison {
        Comparison::Differs(difference) => (
            Some(difference.pointer),
            difference.expected,
            difference.actual,
        ),
        Comparison::SameValues => {
            notes.push(json::SAME_VALUES.to_owned());
            (None, by_line.expected, by_line.actual)
        }
        Comparison::NotJson(note) => {
            notes.push(format!("entry {entry}: {note}"));
            (None, by_line.expected, by_line.actual)
        }
    };
    Finding {
        position: Position::Entry { entry, pointer },
        expected,
        actual,
        notes,
    }
}
