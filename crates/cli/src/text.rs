//! Words of strangers, made fit for a terminal.

use std::path::Path;

use ecac_core::credential::Timestamp;
use ecac_core::{Hlc, OpId, PublicKey};

/// Most characters that one name or value takes up in a line for people.
const CHARS_MAX: usize = 60;
/// Hexadecimal digits of a shortened op id; [`crate::command::explain`] takes them.
const OP_DIGITS: usize = 12;

/// A sentence in which every name stands in quotation marks already: what does not print is escaped.
pub(crate) fn escape(text: &str) -> String {
    ecac_core::defuse(text)
}

/// The path in quotation marks for a message: lossy where it is not Unicode, escaped where it does not print.
pub(crate) fn path(path: &Path) -> String {
    ecac_core::quote(&path.to_string_lossy())
}

/// A name or a text value in quotation marks, escaped and cut.
pub(crate) fn name(text: &str) -> String {
    match text.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", ecac_core::quote(&text[..end])),
        None => ecac_core::quote(text),
    }
}

/// Names in brackets.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(name).collect();
    format!("[{}]", names.join(", "))
}

/// The first digits of an op id.
pub(crate) fn op(id: &OpId) -> String {
    let mut text = id.to_string();
    text.truncate(OP_DIGITS);
    text
}

/// Both ends of a `did:key` without what they all have in common.
pub(crate) fn key(key: &PublicKey) -> String {
    let did = key.to_string();
    let multibase = did.strip_prefix("did:key:").unwrap_or(&did);
    match (multibase.get(..12), multibase.len().checked_sub(6)) {
        (Some(front), Some(end)) if end > 12 => format!("{front}…{}", &multibase[end..]),
        _ => multibase.to_owned(),
    }
}

/// How many of a noun.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// An instant, or that no calendar goes so far.
pub(crate) fn timestamp(timestamp: &Timestamp) -> String {
    if *timestamp < Timestamp::MAX {
        timestamp.to_string()
    } else {
        "the end of time".to_owned()
    }
}

/// An instant of milliseconds since 1970; as a plain number where no calendar goes so far.
pub(crate) fn instant(ms: u64) -> String {
    let timestamp = Timestamp::from_ms(ms);
    if timestamp.reached_by_ms(ms) && timestamp < Timestamp::MAX {
        timestamp.to_string()
    } else {
        format!("{ms} ms")
    }
}

/// A stamp: instant to the millisecond, logical counter, node tag.
pub(crate) fn stamp(hlc: &Hlc) -> String {
    let (second, ms) = (hlc.physical_ms / 1000 * 1000, hlc.physical_ms % 1000);
    let instant = match instant(second).strip_suffix('Z') {
        Some(second) => format!("{second}.{ms:03}Z"),
        None => instant(hlc.physical_ms),
    };
    format!("{instant}+{}@{}", hlc.logical, hlc.node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_and_cut_outside_of_the_quotation_marks() {
        for (text, want) in [
            ("key-1 = z6Mk", "\"key-1 = z6Mk\""),
            ("say \"x\"\n", "\"say \\\"x\\\"\\n\""),
            ("\u{1b}[2J\u{202e}\u{9b}", "\"\\u{1b}[2J\\u{202e}\\u{9b}\""),
        ] {
            assert_eq!(name(text), want);
            assert_eq!(path(Path::new(text)), want);
        }
        assert_eq!(name(&"x".repeat(61)), format!("\"{}\"…", "x".repeat(60)));
        assert_eq!(name(&"ä".repeat(60)), format!("\"{}\"", "ä".repeat(60)));
        assert_eq!(list(["a", "b, c"]), "[\"a\", \"b, c\"]");
    }

    #[test]
    fn keys_and_stamps_are_short_and_recognisable() {
        let did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";
        assert_eq!(key(&did.parse().unwrap()), "z6MkhaXgBZDv…ta2doK");
        let hlc = Hlc {
            physical_ms: 1_767_225_600_250,
            logical: 3,
            node: 7,
        };
        assert_eq!(stamp(&hlc), "2026-01-01T00:00:00.250Z+3@7");
        let far = Hlc {
            physical_ms: 9_007_199_254_740_991,
            ..hlc
        };
        assert_eq!(stamp(&far), "9007199254740991 ms+3@7");
        assert_eq!(instant(9_007_199_254_740_991), "9007199254740991 ms");
        assert_eq!(instant(0), "1970-01-01T00:00:00Z");
    }
}
