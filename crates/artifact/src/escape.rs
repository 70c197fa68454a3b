//! Text of strangers on a terminal.

/// `text` on one line: whatever a terminal would not show as a character, such as a line feed, an escape sequence or a
/// change of the direction of writing, stands as `\n` or `\u{1b}`. Quotes and backslashes stay as they are.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '"' | '\'' | '\\' => escaped.push(char),
            _ => escaped.extend(char.escape_debug()),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_on_their_line() {
        for (text, expected) in [
            (
                "plain `text` \"quoted\" c:\\a",
                "plain `text` \"quoted\" c:\\a",
            ),
            ("größer", "größer"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[2K", "\\u{1b}[2K"),
            ("a\u{202e}b\u{200b}", "a\\u{202e}b\\u{200b}"),
            ("\u{9b}x\u{7f}", "\\u{9b}x\\u{7f}"),
        ] {
            assert_eq!(escape(text), expected, "{text:?}");
        }
    }
}
