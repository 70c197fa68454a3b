//! What the rules read in a Markdown page.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{File, Files, line_of, numbered};

/// A piece of a page and the line that it begins in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) line: usize,
    pub(super) text: String,
}

/// A page, taken apart.
#[derive(Debug, Default)]
pub(super) struct Page {
    /// Where links and images point.
    pub(super) links: Vec<Piece>,
    /// Code within a sentence.
    pub(super) spans: Vec<Piece>,
    /// The lines of blocks of code.
    pub(super) block_lines: Vec<Piece>,
    /// What a link to a heading names after the `#`.
    pub(super) anchors: Vec<String>,
}

/// Every page, taken apart.
pub(super) fn pages(files: &Files) -> BTreeMap<&str, (&File, Page)> {
    let pages = files.with_extension("md");
    pages
        .map(|file| (file.path.as_str(), (file, Page::of(file.text()))))
        .collect()
}

impl Page {
    fn of(text: &str) -> Self {
        let mut page = Self::default();
        let mut in_block = false;
        let mut heading: Option<String> = None;
        let piece = |range: &Range<usize>, words: &str| Piece {
            line: line_of(text, range.start),
            text: words.to_owned(),
        };
        let events = Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter();
        for (event, range) in events {
            if let (Some(heading), Event::Text(words) | Event::Code(words)) = (&mut heading, &event)
            {
                heading.push_str(words);
            }
            match event {
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(piece(&range, &dest_url));
                }
                Event::Start(Tag::CodeBlock(_)) => in_block = true,
                Event::End(TagEnd::CodeBlock) => in_block = false,
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    page.anchors
                        .extend(heading.take().map(|text| anchor(&text)));
                }
                Event::Text(words) if in_block => {
                    let first = line_of(text, range.start);
                    page.block_lines
                        .extend(numbered(&words).map(|(number, line)| Piece {
                            line: first + number - 1,
                            text: line.to_owned(),
                        }));
                }
                Event::Code(words) => page.spans.push(piece(&range, &words)),
                _ => {}
            }
        }
        page
    }
}

/// The anchor that hosting sites give a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.trim().chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter.is_alphanumeric().then_some(letter),
    });
    letters.flat_map(char::to_lowercase).collect()
}

#[test]
fn a_page_is_taken_apart() {
    let page = Page::of(
        "# One `whole` Example!\n\nSee [`x`](a.md#b) or\n`c\nd`.\n\n1. list:\n   ```\n   e\n   f\n   ```\n",
    );
    let pieces = |pieces: &[Piece]| -> Vec<_> {
        let pieces = pieces.iter();
        pieces
            .map(|it| format!("{}: {}", it.line, it.text))
            .collect()
    };
    assert_eq!(page.anchors, ["one-whole-example"]);
    assert_eq!(pieces(&page.links), ["3: a.md#b"]);
    assert_eq!(pieces(&page.spans), ["1: whole", "3: x", "4: c d"]);
    assert_eq!(pieces(&page.block_lines), ["9: e", "10: f"]);
}
