//! Quotation: texts of strangers, fit to be printed.
//!
//! A name or a value may hold anything that a terminal obeys, reorders or hides, and anything that looks like the text
//! around it. Between quotation marks, with [`quote`]'s escapes, it can be neither a second row nor a second cell.

/// What is escaped although Unicode counts it as printable or as a mark: characters that take up no room or look like
/// none (`Default_Ignorable_Code_Point` of Unicode and the blank Braille pattern).
const INVISIBLE: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character is printed as itself: not a control (C0, DEL, C1), no bidirectional control, no separator but
/// the space, neither unassigned nor private nor invisible.
#[must_use]
pub fn is_plain(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    let invisible = |&(first, last): &(char, char)| (first..=last).contains(&character);
    // Of the first character `str::escape_debug` asks more: that it does not combine with what stands before it.
    let printable = || format!("a{character}").escape_debug().nth(1) == Some(character);
    !INVISIBLE.iter().any(invisible) && printable()
}

/// The text between quotation marks.
///
/// Quotation marks, backslashes and everything that is not [plain](is_plain) are escaped as in a Rust string literal,
/// and so is a mark that would combine with the opening quotation mark. Different texts look different.
///
/// ```
/// assert_eq!(ecac_core::quote("say \"hi\"\n"), r#""say \"hi\"\n""#);
/// assert_eq!(ecac_core::quote("a\u{202e}b"), r#""a\u{202e}b""#);
/// ```
#[must_use]
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for (at, character) in text.char_indices() {
        match character {
            '\'' => quoted.push(character),
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if at == 0 => escape_first(character, &mut quoted),
            _ => escape_into(character, &mut quoted),
        }
    }
    quoted.push('"');
    quoted
}

/// The text with everything escaped that is not [plain](is_plain), and nothing else: for sentences whose names stand
/// in quotation marks already.
#[must_use]
pub fn defuse(text: &str) -> String {
    let mut defused = String::with_capacity(text.len());
    for character in text.chars() {
        escape_into(character, &mut defused);
    }
    defused
}

fn escape_first(character: char, text: &mut String) {
    if character.escape_debug().len() == 1 {
        escape_into(character, text);
    } else {
        text.extend(character.escape_debug());
    }
}

fn escape_into(character: char, text: &mut String) {
    match character {
        _ if is_plain(character) => text.push(character),
        // Rust writes these shorter, and all others that are not plain as their number.
        '\0' | '\t' | '\r' | '\n' => text.extend(character.escape_debug()),
        _ => text.extend(character.escape_unicode()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text that was quoted: the inverse of [`quote`], written from the rules of Rust string literals.
    fn unquote(quoted: &str) -> String {
        let inner = quoted.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        let mut rest = inner.expect("quotation marks").chars();
        let mut text = String::new();
        while let Some(character) = rest.next() {
            assert_ne!(character, '"', "a quotation mark ends {quoted} early");
            if character != '\\' {
                text.push(character);
                continue;
            }
            text.push(match rest.next().expect("something is escaped") {
                '0' => '\0',
                't' => '\t',
                'r' => '\r',
                'n' => '\n',
                'u' => {
                    let digits: String = rest.by_ref().take_while(|it| *it != '}').collect();
                    let digits = digits.strip_prefix('{').expect("a brace");
                    u32::from_str_radix(digits, 16).unwrap().try_into().unwrap()
                }
                other => other,
            });
        }
        text
    }

    #[test]
    fn texts_are_quoted_as_in_rust() {
        for (text, want) in [
            ("", r#""""#),
            ("plain text = it's", r#""plain text = it's""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("\u{1b}[2J\r\n\t\0", r#""\u{1b}[2J\r\n\t\0""#),
            ("\u{7f}\u{85}\u{9b}", r#""\u{7f}\u{85}\u{9b}""#),
            ("\u{61c}\u{200e}\u{200f}", r#""\u{61c}\u{200e}\u{200f}""#),
            (
                "a\u{200b}b\u{feff}c\u{ad}",
                r#""a\u{200b}b\u{feff}c\u{ad}""#,
            ),
            ("\u{a0}\u{2028}\u{2029}", r#""\u{a0}\u{2028}\u{2029}""#),
            (
                "\u{3164}x\u{2800}\u{fe0f}",
                r#""\u{3164}x\u{2800}\u{fe0f}""#,
            ),
            ("\u{301}e\u{301}", "\"\\u{301}e\u{301}\""),
            ("käse 東京", r#""käse 東京""#),
        ] {
            assert_eq!(quote(text), want);
            assert_eq!(unquote(want), text);
        }
        assert_eq!(
            defuse("the tag \"a\\n\u{9b}\"\n"),
            "the tag \"a\\n\\u{9b}\"\\n"
        );
    }

    #[test]
    fn every_character_is_quoted_so_that_it_can_be_told() {
        let bidi = ['\u{61c}', '\u{200e}', '\u{200f}'];
        for character in '\0'..=char::MAX {
            for text in [format!("{character}"), format!("a{character}")] {
                let quoted = quote(&text);
                assert_eq!(unquote(&quoted), text, "{:x}", u32::from(character));
                let raw = quoted.contains(character);
                let dangerous = character.is_control()
                    || bidi.contains(&character)
                    || ('\u{202a}'..='\u{202e}').contains(&character)
                    || ('\u{2066}'..='\u{2069}').contains(&character)
                    || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200d}');
                assert!(!(raw && dangerous), "{:x}", u32::from(character));
                assert!(quoted.chars().all(is_plain), "{:x}", u32::from(character));
            }
        }
    }
}
