//! Short, printable pieces of file contents.

use std::borrow::Cow;
use std::fmt::Write as _;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::columns::VALUE_COLUMNS_MAX;
use super::offset;

/// Stands where something was left out.
const CUT: char = '…';
/// Columns shown before the position of interest when a value is too long to show whole.
const CONTEXT_COLUMNS: usize = 20;
/// Bytes shown of a binary file.
const HEX_BYTES: usize = 16;

/// The text of `bytes`, printable, and shortened to the columns of a value so that the byte at `position`
/// shows.
pub(super) fn excerpt(bytes: &[u8], position: usize) -> String {
    around(bytes, position, VALUE_COLUMNS_MAX, Backslash::Escaped)
}

/// Two values as excerpts around their first difference.
pub(super) fn pair(expected: &[u8], actual: &[u8], backslash: Backslash) -> [String; 2] {
    let position = offset::first_difference(expected, actual).unwrap_or(0);
    [expected, actual].map(|bytes| around(bytes, position, VALUE_COLUMNS_MAX, backslash))
}

/// How a backslash is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backslash {
    /// Doubled, so that it differs from one that begins an escape.
    Escaped,
    /// As it is: the text is JSON, where it begins an escape already.
    Kept,
}

/// The text, printable, cut at its end to at most `columns`.
pub(super) fn escaped(text: &str, columns: usize) -> String {
    around(text.as_bytes(), 0, columns, Backslash::Escaped)
}

/// The printable text `text` with its middle cut out if it is wider than `columns`, so that both ends show.
pub(super) fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let half = columns / 2 - 1;
    let head = take_columns(text.chars(), half);
    let tail: String = take_columns(text.chars().rev(), half)
        .chars()
        .rev()
        .collect();
    format!("{head}{CUT}{tail}")
}

/// Up to 16 bytes from `offset` in hexadecimal; nothing if the file ends there.
pub(super) fn hex(bytes: &[u8], offset: usize) -> Option<String> {
    let rest = bytes.get(offset..).filter(|rest| !rest.is_empty())?;
    let mut text = String::new();
    for byte in rest.iter().take(HEX_BYTES) {
        let separator = if text.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{separator}{byte:02x}");
    }
    if rest.len() > HEX_BYTES {
        text.push(CUT);
    }
    Some(text)
}

/// A sentence in lines of at most `columns`, broken at spaces; a word too long for a line is shortened.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let words: Vec<_> = text
        .split(' ')
        .map(|word| shortened(word, columns))
        .collect();
    let options = Options::new(columns)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(&words.join(" "), options)
        .into_iter()
        .map(Cow::into_owned)
        .collect()
}

fn around(bytes: &[u8], position: usize, columns: usize, backslash: Backslash) -> String {
    // A character has at most four bytes: that many fill the columns, and no more are looked at.
    if bytes.len() <= columns.saturating_mul(4) {
        let whole = escape(bytes, backslash);
        if whole.width() <= columns {
            return whole;
        }
    }
    let start = character_start(bytes, position.saturating_sub(CONTEXT_COLUMNS));
    let end = bytes
        .len()
        .min(start.saturating_add(columns.saturating_mul(4)));
    let mut text = String::new();
    let mut columns_left = columns;
    if start > 0 {
        text.push(CUT);
        columns_left -= 1;
    }
    let rest = escape(&bytes[start..end], backslash);
    if end == bytes.len() && rest.width() <= columns_left {
        text.push_str(&rest);
    } else {
        text.push_str(&take_columns(rest.chars(), columns_left - 1));
        text.push(CUT);
    }
    text
}

/// The start of the UTF-8 character that `position` lies in; `position` itself where there is none.
fn character_start(bytes: &[u8], position: usize) -> usize {
    let is_continuation = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
    (position.saturating_sub(3)..=position.min(bytes.len()))
        .rev()
        .find(|at| !is_continuation(at))
        .unwrap_or(position)
}

/// Text with control and other unprintable characters, backslashes and bytes that are not UTF-8 as escapes.
fn escape(bytes: &[u8], backslash: Backslash) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '"' | '\'' => text.push(character),
                '\\' if backslash == Backslash::Kept => text.push(character),
                _ => text.extend(character.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn take_columns(characters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    characters
        .take_while(|character| {
            let columns = character.width().unwrap_or(0);
            let fits = columns <= left;
            left = left.saturating_sub(columns);
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_does_not_print_is_escaped() {
        for (bytes, expected) in [
            (&b"plain 'and' \"quoted\""[..], "plain 'and' \"quoted\""),
            (b"a\tb\r\n\0", "a\\tb\\r\\n\\0"),
            (b"\x1b[31mred", "\\u{1b}[31mred"),
            (b"back\\slash", "back\\\\slash"),
            (b"\xff\xfeA", "\\xff\\xfeA"),
            ("gr\u{fc}n \u{202e}".as_bytes(), "gr\u{fc}n \\u{202e}"),
            ("\u{feff}x".as_bytes(), "\\u{feff}x"),
            (b"", ""),
        ] {
            assert_eq!(excerpt(bytes, 0), expected);
        }
    }

    #[test]
    fn long_values_are_cut_around_the_place() {
        let mut line = vec![b'.'; 1_000_000];
        line[500_000] = b'X';
        for (position, starts, ends) in [
            (0, false, true),
            (500_000, true, true),
            (999_999, true, false),
        ] {
            let text = excerpt(&line, position);
            assert!(text.width() <= VALUE_COLUMNS_MAX, "{text}");
            assert_eq!(text.starts_with(CUT), starts, "{text}");
            assert_eq!(text.ends_with(CUT), ends, "{text}");
            assert_eq!(text.contains('X'), position == 500_000, "{text}");
        }
    }

    #[test]
    fn cuts_fall_between_characters() {
        let line = "\u{4e00}".repeat(1_000);
        for position in 1_500..1_510 {
            let text = excerpt(line.as_bytes(), position);
            assert!(!text.contains('\\'), "{text}");
            assert!(text.width() <= VALUE_COLUMNS_MAX);
        }
    }

    #[test]
    fn sentences_wrap_and_names_lose_their_middle() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("short", 8), ["short"]);
        assert_eq!(wrapped("a muchtoolongword", 8), ["a", "muc…ord"]);
        assert_eq!(shortened("0123456789", 9), "012…789");
    }

    #[test]
    fn hex_stops_at_the_end() {
        assert_eq!(hex(b"abc", 1).as_deref(), Some("62 63"));
        assert_eq!(hex(b"abc", 3), None);
        assert_eq!(
            hex(&[0; 40], 8).map(|text| text.len()),
            Some(47 + CUT.len_utf8())
        );
    }
}
