//! Values of registers and set elements.

use crate::limits::INTEGER_MAX;
use crate::sealed::Sealed;

/// A scalar value. There are no floating-point numbers, whose text form could differ between machines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Absence, explicitly written.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer of magnitude at most [`INTEGER_MAX`].
    Int(i64),
    /// Text in Unicode normalisation form C.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A value that only readers can open; written by ops of the feature `confidential` only.
    Sealed(Sealed),
}

impl Value {
    /// Whether the integer is one that RFC 8785 JSON carries exactly.
    #[must_use]
    pub const fn integer_in_range(value: i64) -> bool {
        value.unsigned_abs() <= INTEGER_MAX
    }

    /// The value in exports: JSON's own types, `{"bytes": "<hex>"}` for bytes, and of a sealed value its digest and its key.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Text(value) => value.as_str().into(),
            Self::Bytes(value) => serde_json::json!({ "bytes": hex::encode(value) }),
            Self::Sealed(value) => value.to_json(),
        }
    }
}
