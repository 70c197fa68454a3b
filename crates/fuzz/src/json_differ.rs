//! The explainers of JSON and JSON Lines: expected and actual bytes with a NUL between them.
//!
//! - It says "the same" for the same bytes only, and the offset is that of the first differing byte.
//! - The text fits its columns and has no control characters; the JSON form is written.
//! - The pointer that it names leads to different values, and there is one exactly where the values differ.

use ecac_differ::{Explanation, Position};
use serde_json::Value;

use crate::difference;
use crate::reading::Reading;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let (expected, actual) = difference::split(data);
    check_lines(
        &difference::check("a.jsonl", expected, actual),
        expected,
        actual,
    );
    let explanation = difference::check("a.json", expected, actual);
    if explanation.offset().is_none() {
        return Reading::Refused;
    }
    let values = [expected, actual].map(|text| serde_json::from_slice(text).ok());
    match (values, explanation.position()) {
        ([Some(expected), Some(actual)], Position::Pointer { pointer }) => {
            check_pointer(&expected, &actual, pointer);
        }
        ([Some(expected), Some(actual)], Position::Byte) => assert_eq!(expected, actual),
        ([Some(_), Some(_)], position) => {
            panic!("two documents differ at a value, not {position:?}")
        }
        (_, Position::Line { .. }) => return Reading::Refused,
        (_, position) => panic!("what is no document has lines, not {position:?}"),
    }
    Reading::Accepted
}

fn check_pointer(expected: &Value, actual: &Value, pointer: &str) {
    assert_ne!(expected.pointer(pointer), actual.pointer(pointer));
}

fn check_lines(explanation: &Explanation, expected: &[u8], actual: &[u8]) {
    let Some(offset) = explanation.offset() else {
        return;
    };
    let Position::Entry { entry, pointer } = explanation.position() else {
        panic!("a difference lies in an entry: {explanation:?}");
    };
    let before = &expected[..offset];
    let line = before.iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(*entry, line + 1);
    if let Some(pointer) = pointer {
        let [expected, actual] = [expected, actual].map(|text| {
            let line = text.split(|byte| *byte == b'\n').nth(line);
            serde_json::from_slice::<Value>(line.expect("the entry is there"))
                .expect("only JSON has pointers")
        });
        check_pointer(&expected, &actual, pointer);
    }
}
