//! The position of a difference.

use std::fmt;

use serde::Serialize;

use super::excerpt;

/// Where two files first differ, in the terms of their format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Position {
    /// The files are the same.
    Same,
    /// No better position than the byte offset is known.
    Byte,
    /// A line of a text.
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What the line is for.
        role: LineRole,
    },
    /// A cell of a CSV file.
    Cell {
        /// The line on which the difference lies, counted from 1; comment and header count too.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// The column's name in the header, unless the row is longer than the header.
        column_name: Option<String>,
    },
    /// A value in a JSON document.
    Pointer {
        /// JSON pointer (RFC 6901); empty for the whole document.
        pointer: String,
    },
    /// An entry of a JSON Lines file.
    Entry {
        /// The entry, which is also its line, counted from 1.
        entry: usize,
        /// JSON pointer within the entry; nothing if one of the two is absent, is not JSON, or has the same
        /// values.
        pointer: Option<String>,
    },
    /// An item of a CBOR sequence.
    Item {
        /// The item, counted from 1.
        item: usize,
        /// Offset of the first differing byte within the item.
        item_offset: usize,
        /// Id of the expected op, if the item is one.
        op: Option<String>,
        /// The part of the op in which the difference lies.
        field: Option<&'static str>,
    },
    /// Pixels of a picture, counted from 0 at the left upper corner.
    Pixels {
        /// How many differ.
        count: u64,
        /// Least column of those that differ.
        left: u32,
        /// Least row.
        top: u32,
        /// Greatest column.
        right: u32,
        /// Greatest row.
        bottom: u32,
    },
}

/// What a line of a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LineRole {
    /// The comment line at the head of a CSV file.
    Comment,
    /// The header of a CSV file.
    Header,
    /// A row of a CSV file.
    Row,
    /// A line of any other text.
    Text,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Same => f.write_str("none"),
            Self::Byte => f.write_str("within the file"),
            Self::Line { line, role } => {
                let role = match role {
                    LineRole::Comment => " (comment)",
                    LineRole::Header => " (header)",
                    LineRole::Row | LineRole::Text => "",
                };
                write!(f, "line {line}{role}")
            }
            Self::Cell {
                line,
                column,
                column_name,
            } => match column_name {
                Some(name) => write!(f, "line {line}, column {}", escape(name)),
                None => write!(f, "line {line}, column {column} (beyond the header)"),
            },
            Self::Pointer { pointer } => write_pointer(f, pointer),
            Self::Entry { entry, pointer } => {
                write!(f, "entry {entry}")?;
                match pointer {
                    Some(pointer) => {
                        f.write_str(", ")?;
                        write_pointer(f, pointer)
                    }
                    None => Ok(()),
                }
            }
            Self::Item {
                item,
                item_offset,
                field,
                ..
            } => {
                write!(f, "item {item}, byte {item_offset} of the item")?;
                match field {
                    Some(field) => write!(f, ", in {field}"),
                    None => Ok(()),
                }
            }
            Self::Pixels {
                count,
                left,
                top,
                right,
                bottom,
            } => {
                let plural = if *count == 1 { "" } else { "s" };
                write!(
                    f,
                    "{count} pixel{plural} in the box x {left} to {right}, y {top} to {bottom}"
                )
            }
        }
    }
}

fn write_pointer(f: &mut fmt::Formatter<'_>, pointer: &str) -> fmt::Result {
    match pointer {
        "" => f.write_str("the whole document"),
        _ => write!(f, "pointer {}", escape(pointer)),
    }
}

fn escape(text: &str) -> String {
    excerpt::escaped(text, usize::MAX)
}
