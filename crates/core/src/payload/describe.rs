//! What a payload says, in parts that a program puts into words.

use crate::credential::Timestamp;
use crate::id::{OpId, PublicKey};
use crate::name::Name;
use crate::value::Value;

/// One part of the description of a payload.
///
/// What comes out of an op (names, values, texts of errors) is told apart from the words around it, so that whoever
/// prints it can quote it: no name may pretend to be more than a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// A word of the description itself.
    Word(&'static str),
    /// A name, to be quoted.
    Name(String),
    /// Names, each to be quoted.
    Names(Vec<String>),
    /// What a data op touches: object, field and element, each to be quoted.
    Place {
        /// Object.
        object: String,
        /// Field.
        field: String,
        /// Element of a set.
        element: Option<String>,
    },
    /// A text that can quote what came from outside, to be escaped.
    Escaped(String),
    /// A key.
    Key(PublicKey),
    /// An op.
    Op(OpId),
    /// An instant.
    Instant(Timestamp),
    /// A value.
    Value(Value),
    /// A number.
    Number(u64),
    /// How many of a noun, which is in the singular.
    Count(usize, &'static str),
}

impl Part {
    pub(super) fn name(name: &Name) -> Self {
        Self::Name(name.to_string())
    }

    pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a Name>) -> Self {
        Self::Names(names.into_iter().map(Name::to_string).collect())
    }
}
