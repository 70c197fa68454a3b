//! What is promised of every explanation of a difference.

use ecac_differ::{COLUMNS_MAX, Explanation, explain};

/// The two files that an input stands for: what is before its first NUL and what is behind it; without one,
/// the input and its first half.
pub(crate) fn split(data: &[u8]) -> (&[u8], &[u8]) {
    match data.iter().position(|byte| *byte == 0) {
        Some(at) => (&data[..at], &data[at + 1..]),
        None => (data, &data[..data.len() / 2]),
    }
}

/// Explains in both directions, and holds both against what is promised.
pub(crate) fn check(name: &str, expected: &[u8], actual: &[u8]) -> Explanation {
    let same = explain(name, expected, expected);
    assert_eq!(same.offset(), None);
    check_one(name, actual, expected);
    check_one(name, expected, actual)
}

fn check_one(name: &str, expected: &[u8], actual: &[u8]) -> Explanation {
    let explanation = explain(name, expected, actual);
    assert_eq!(explanation, explain(name, expected, actual));
    match explanation.offset() {
        None => assert_eq!(expected, actual),
        Some(at) => {
            assert_eq!(expected[..at], actual[..at], "the same up to there");
            assert_ne!(expected.get(at), actual.get(at), "and not there");
        }
    }
    let text = explanation.to_string();
    for line in text.lines() {
        assert!(columns(line) <= COLUMNS_MAX, "{line:?}");
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    let json = serde_json::to_value(&explanation).expect("an explanation is plain data");
    assert_eq!(json["name"].as_str(), Some(name));
    assert_eq!(
        json["offset"].as_u64(),
        explanation.offset().map(|at| at as u64)
    );
    explanation
}

/// Columns on a terminal where every character beyond ASCII but the cut mark is wide.
fn columns(line: &str) -> usize {
    let wide = |character: &char| !character.is_ascii() && *character != '…';
    line.chars().count() + line.chars().filter(wide).count()
}
