//! JSON documents: the pointer of the first difference.

use std::collections::BTreeSet;

use serde_json::Value;

use super::excerpt::{self, Backslash};
use super::finding::Finding;
use super::lines;
use super::position::{LineRole, Position};

/// Explains two JSON documents.
pub(super) fn explain(expected: &[u8], actual: &[u8], offset: usize) -> Finding {
    let by_line = lines::explain(expected, actual, offset, LineRole::Text);
    match compare(expected, actual) {
        Comparison::Differs(difference) => Finding {
            position: Position::Pointer {
                pointer: difference.pointer,
            },
            expected: difference.expected,
            actual: difference.actual,
            notes: Vec::new(),
        },
        Comparison::SameValues => Finding {
            position: Position::Byte,
            notes: vec![SAME_VALUES.to_owned()],
            ..by_line
        },
        Comparison::NotJson(note) => Finding {
            notes: vec![note],
            ..by_line
        },
    }
}

/// The note on texts that read as equal values.
pub(super) const SAME_VALUES: &str =
    "both read as the same values; they are spelt differently (spaces, key order, numbers)";

/// How two JSON texts compare as values.
pub(super) enum Comparison {
    /// They differ, first here.
    Differs(Difference),
    /// They read as the same value.
    SameValues,
    /// One of them is not JSON, for the reason in the sentence.
    NotJson(String),
}

/// The first difference of two JSON values, in the order of object keys and array elements.
pub(super) struct Difference {
    /// JSON pointer (RFC 6901).
    pub(super) pointer: String,
    /// The expected value; nothing if it is absent.
    pub(super) expected: Option<String>,
    /// The actual value; nothing if it is absent.
    pub(super) actual: Option<String>,
}

/// Compares two JSON texts.
pub(super) fn compare(expected: &[u8], actual: &[u8]) -> Comparison {
    let expected: Value = match serde_json::from_slice(expected) {
        Ok(value) => value,
        Err(error) => {
            return Comparison::NotJson(format!("the expected text is not JSON: {error}"));
        }
    };
    let actual: Value = match serde_json::from_slice(actual) {
        Ok(value) => value,
        Err(error) => return Comparison::NotJson(format!("the text is not JSON: {error}")),
    };
    match first_difference(Some(&expected), Some(&actual), String::new()) {
        None => Comparison::SameValues,
        Some(difference) => Comparison::Differs(difference),
    }
}

/// Descends to the first difference below `pointer`. serde_json reads at most 128 levels, which bounds the
/// recursion.
fn first_difference(
    expected: Option<&Value>,
    actual: Option<&Value>,
    pointer: String,
) -> Option<Difference> {
    match (expected, actual) {
        _ if expected == actual => None,
        (Some(Value::Object(expected)), Some(Value::Object(actual))) => {
            let keys: BTreeSet<_> = expected.keys().chain(actual.keys()).collect();
            keys.into_iter().find_map(|key| {
                let pointer = format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                first_difference(expected.get(key), actual.get(key), pointer)
            })
        }
        (Some(Value::Array(expected)), Some(Value::Array(actual))) => {
            (0..expected.len().max(actual.len())).find_map(|index| {
                let pointer = format!("{pointer}/{index}");
                first_difference(expected.get(index), actual.get(index), pointer)
            })
        }
        _ => {
            let [expected_text, actual_text] =
                [expected, actual].map(|value| value.map(Value::to_string).unwrap_or_default());
            let [expected_shown, actual_shown] = excerpt::pair(
                expected_text.as_bytes(),
                actual_text.as_bytes(),
                Backslash::Kept,
            );
            Some(Difference {
                pointer,
                expected: expected.map(|_| expected_shown),
                actual: actual.map(|_| actual_shown),
            })
        }
    }
}
