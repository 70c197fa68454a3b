//! Pictures of a terminal as SVG: the same bytes for the same text.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar as _;

use super::COLUMNS;

/// Width of a column and height of a line, in pixels.
const COLUMN: usize = 8;
const LINE: usize = 18;
/// Around the text.
const MARGIN: usize = 14;
const BACKGROUND: &str = "#0d1117";
const TEXT: &str = "#e6edf3";
const PROMPT: &str = "#79c0ff";

/// A piece of a line in one colour.
type Run = (&'static str, String);

/// The text without what colours it.
pub(super) fn plain(shown: &str) -> String {
    let lines = shown.split('\n').map(|line| {
        let runs = runs(line).into_iter();
        runs.map(|(_, text)| text).collect::<String>()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A picture of commands, each with its prompt, and of what the terminal showed of them.
pub(super) fn of(commands: &[(String, String)]) -> String {
    let mut lines: Vec<Vec<Run>> = Vec::new();
    for (command, answer) in commands {
        let (laptop, typed) = command.split_once("$ ").expect("a prompt");
        let prompt = (PROMPT, format!("{laptop}$ "));
        lines.extend(broken(vec![prompt, (TEXT, typed.to_owned())]));
        lines.extend(answer.lines().flat_map(|line| broken(runs(line))));
    }
    let width = usize::from(COLUMNS) * COLUMN + 2 * MARGIN;
    let height = lines.len() * LINE + 2 * MARGIN;
    let label = commands.iter().map(|(command, _)| escaped(command));
    let label = label.collect::<Vec<_>>().join("; ");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-label=\"{label}\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{BACKGROUND}\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"13\" \
         xml:space=\"preserve\">\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + (number + 1) * LINE - 5;
        let mut column = 0;
        for (colour, text) in line {
            let columns = columns(text);
            if !text.trim().is_empty() {
                let (x, length) = (MARGIN + column * COLUMN, columns * COLUMN);
                // The length holds the columns together, whatever the font.
                let _ = writeln!(
                    svg,
                    "<text x=\"{x}\" y=\"{y}\" fill=\"{colour}\" textLength=\"{length}\">{}</text>",
                    escaped(text)
                );
            }
            column += columns;
        }
    }
    svg + "</g>\n</svg>\n"
}

fn columns(text: &str) -> usize {
    text.chars().map(|it| it.width().unwrap_or_default()).sum()
}

/// The lines of a terminal that a line takes up.
fn broken(line: Vec<Run>) -> Vec<Vec<Run>> {
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for (colour, text) in line {
        let mut part = String::new();
        for character in text.chars() {
            let width = character.width().unwrap_or_default();
            if used + width > usize::from(COLUMNS) {
                lines
                    .last_mut()
                    .expect("a line")
                    .push((colour, core::mem::take(&mut part)));
                lines.push(Vec::new());
                used = 0;
            }
            used += width;
            part.push(character);
        }
        lines.last_mut().expect("a line").push((colour, part));
    }
    lines
}

/// The pieces of a line by their colours, which the program sets as SGR sequences (ECMA-48 section 8.3.117).
fn runs(line: &str) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut colour = TEXT;
    let mut parts = line.split("\u{1b}[");
    runs.extend(parts.next().map(|text| (colour, text.to_owned())));
    for part in parts {
        let (code, text) = part.split_once('m').expect("the program sets colours only");
        colour = match code {
            "0" | "1" | "4" => TEXT,
            "31" => "#ff7b72",
            "32" => "#7ee787",
            "33" => "#e3b341",
            code => panic!("what is {code:?}?"),
        };
        runs.push((colour, text.to_owned()));
    }
    runs
}

/// The text in XML.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            character => escaped.push(character),
        }
    }
    escaped
}

#[test]
fn a_picture_has_every_word_and_no_colour_code() {
    let shown = "\u{1b}[31merror:\u{1b}[0m a <b> & \"c\"\n".to_owned();
    assert_eq!(plain(&shown), "error: a <b> & \"c\"\n");
    let long = "x".repeat(usize::from(COLUMNS) + 1);
    let svg = of(&[("van$ ecac".to_owned(), shown), ("van$ y".to_owned(), long)]);
    assert!(
        svg.contains(">error:</text>") && svg.contains("> a &lt;b&gt; &amp; &quot;c&quot;</text>")
    );
    assert!(!svg.contains('\u{1b}'));
    // Four lines, and the second part of the long one.
    let height = 5 * LINE + 2 * MARGIN;
    assert!(svg.contains(&format!("height=\"{height}\"")), "{svg}");
}
