//! Text for people, in lines that fit.

use std::io;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthStr as _;

/// How wide text is where nobody knows how wide it may be.
const WIDTH: usize = 80;

/// From this width on lines become hard to read.
const WIDTH_MAX: usize = 100;

/// Below this width nothing fits.
const WIDTH_MIN: usize = 40;

/// How wide text on standard output may be: as its terminal, or as is usual where it is none.
pub fn width() -> usize {
    match terminal_size::terminal_size_of(io::stdout()) {
        Some((width, _)) if width.0 > 0 => usize::from(width.0).clamp(WIDTH_MIN, WIDTH_MAX),
        _ => WIDTH,
    }
}

/// `lead` and the words of `text` in lines of at most `width` columns, the later ones below the end of `lead`. A word
/// that is longer stands alone and whole, so that a path or a command can be copied.
pub fn wrapped(lead: &str, text: &str, width: usize) -> String {
    let indent = " ".repeat(lead.width());
    let options = Options::new(width)
        .subsequent_indent(&indent)
        .break_words(false)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    let mut all = String::new();
    let mut start = lead;
    for line in text.lines() {
        let words = line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        all.push_str(&textwrap::fill(
            &words,
            options.clone().initial_indent(start),
        ));
        all.push('\n');
        start = &indent;
    }
    if all.is_empty() {
        all = format!("{lead}\n");
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_a_space_and_hang_below_the_lead() {
        for (text, width, expected) in [
            ("", 9, "fix: \n"),
            ("a b", 8, "fix: a b\n"),
            ("a bc", 8, "fix: a\n     bc\n"),
            ("aaaaaaaa b", 8, "fix: aaaaaaaa\n     b\n"),
            ("a aaaaaaaa b", 8, "fix: a\n     aaaaaaaa\n     b\n"),
            ("one\ntwo", 80, "fix: one\n     two\n"),
            ("東 b", 8, "fix: 東\n     b\n"),
        ] {
            assert_eq!(wrapped("fix: ", text, width), expected, "{text}");
        }
    }
}
