//! What is told of a difference.

use std::fmt;

use serde::Serialize;

use super::columns::{COLUMNS_MAX, INDENT, VALUE_COLUMNS_MAX};
use super::excerpt;
use super::position::Position;

/// Where and how a file first differs from what was expected.
///
/// The text form has a heading and one aligned line per fact, none wider than [`COLUMNS_MAX`]; the JSON form has the
/// fields below.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Name of the file.
    pub(super) name: String,
    /// The position of the first difference.
    pub(super) position: Position,
    /// Offset of the first differing byte; the shorter length where one file begins with the other; nothing if
    /// the files are the same.
    pub(super) offset: Option<usize>,
    /// Size of the expected file in bytes.
    pub(super) expected_bytes: usize,
    /// Size of the actual file in bytes.
    pub(super) actual_bytes: usize,
    /// What is expected at the position, shortened and with control characters escaped; nothing if it is absent.
    pub(super) expected: Option<String>,
    /// What is there, in the same form.
    pub(super) actual: Option<String>,
    /// What else helps to understand the difference.
    pub(super) notes: Vec<String>,
}

impl Explanation {
    /// The position of the first difference.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Offset of the first differing byte; nothing if the files are the same.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }
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
            "position",
            &excerpt::shortened(&self.position.to_string(), VALUE_COLUMNS_MAX),
        )?;
        if let Position::Item { op: Some(op), .. } = &self.position {
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
