//! Tables that fit the width that they are given.

use std::io;
use std::ops::Range;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// The narrowest table; a narrower terminal breaks its lines itself.
pub(crate) const WIDTH_MIN: usize = 24;
/// Between two columns.
const GAP: &str = "  ";
/// The last column stands beside the others if it has at least this much room there.
const LAST_WIDTH_MIN: usize = 30;
/// By how much the second and further lines of a cell stand further in than its first, so that no text can
/// pretend to be a cell.
const HANGING: &str = "  ";

/// A table of rows of `N` cells, of which the first is aligned to the right. The last holds texts of any length.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table without rows but the titles of its columns.
    pub(crate) fn new(titles: [&str; N]) -> Self {
        Self {
            rows: vec![titles.map(str::to_owned)],
        }
    }

    pub(crate) fn push(&mut self, row: [String; N]) {
        self.rows.push(row);
    }

    /// One line a row; within `width` columns, a row is broken where it must be: the columns that do not fit stand on
    /// further lines, below those that do and further in than the first.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        let natural = self.widths();
        let width = width.map_or(usize::MAX, |width| width.max(WIDTH_MIN));
        let indent = natural[0] + GAP.len();
        let bands = bands(&natural, indent, width);
        let mut text = String::new();
        for row in &self.rows {
            for band in &bands {
                let start = if band.start == 0 { 0 } else { indent };
                let room = width.saturating_sub(start);
                let columns: Vec<Column> = band
                    .clone()
                    .scan(0, |used, column| {
                        let width = if column + 1 == N {
                            room.saturating_sub(*used)
                        } else {
                            natural[column].min(room)
                        };
                        *used = used.saturating_add(width).saturating_add(GAP.len());
                        Some(Column::of(&row[column], width, column == 0))
                    })
                    .collect();
                write_band(&columns, start, &mut text);
            }
        }
        text
    }

    fn widths(&self) -> [usize; N] {
        let mut widths = [0; N];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.width());
            }
        }
        widths
    }
}

/// Which columns stand beside each other, so that each line but those of the last column fits.
fn bands(natural: &[usize], indent: usize, width: usize) -> Vec<Range<usize>> {
    let last = natural.len() - 1;
    let mut bands = Vec::new();
    let mut start = 0;
    let mut used = 0;
    for (column, &natural) in natural.iter().enumerate() {
        let needed = if column == last {
            natural.min(LAST_WIDTH_MIN)
        } else {
            natural
        };
        if column > start && used + needed > width {
            bands.push(start..column);
            start = column;
            used = indent;
        }
        used += needed + GAP.len();
    }
    bands.push(start..natural.len());
    bands
}

/// The lines of one cell, in a column of a width.
struct Column {
    lines: Vec<String>,
    width: usize,
    is_right: bool,
}

impl Column {
    fn of(cell: &str, width: usize, is_right: bool) -> Self {
        Self {
            lines: broken(cell, width),
            width,
            is_right,
        }
    }

    fn line(&self, line: usize) -> (&str, usize) {
        let cell = self.lines.get(line).map_or("", String::as_str);
        (cell, self.width.saturating_sub(cell.width()))
    }
}

fn write_band(columns: &[Column], start: usize, text: &mut String) {
    let height = columns.iter().map(|column| column.lines.len()).max();
    let spaces = |count| std::iter::repeat_n(' ', count);
    for line in 0..height.unwrap_or_default() {
        let mut written: String = spaces(start).collect();
        for (number, column) in columns.iter().enumerate() {
            let (cell, padding) = column.line(line);
            if column.is_right {
                written.extend(spaces(padding));
                written.push_str(cell);
            } else {
                written.push_str(cell);
                if number + 1 < columns.len() {
                    written.extend(spaces(padding));
                }
            }
            if number + 1 < columns.len() {
                written.push_str(GAP);
            }
        }
        text.push_str(written.trim_end_matches(' '));
        text.push('\n');
    }
}

/// The lines of a cell in a column of `width`: broken at spaces where that is possible.
fn broken(cell: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = cell;
    let mut lead = "";
    while lead.width() + rest.width() > width {
        let end = fitting(rest, width.saturating_sub(lead.len()));
        let (end, next) = match rest[..end].rfind(' ') {
            // A line of nothing but spaces would say nothing.
            Some(space) if !rest[..space].trim().is_empty() => (space, space + 1),
            _ => (end, end),
        };
        lines.push(format!("{lead}{}", &rest[..end]));
        rest = &rest[next..];
        lead = HANGING;
    }
    lines.push(format!("{lead}{rest}"));
    lines
}

/// The end of the longest beginning of a text that fits; at least one character.
fn fitting(text: &str, width: usize) -> usize {
    let mut used = 0;
    let over = text.char_indices().find(|(at, character)| {
        used += character.width().unwrap_or_default();
        used > width && *at > 0
    });
    over.map_or(text.len(), |(at, _)| at)
}

/// The width of the terminal that standard output is, if it is one.
pub(crate) fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(io::stdout())?;
    Some(usize::from(width.0)).filter(|&width| width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table<4> {
        let mut table = Table::new(["N", "KEY", "VERDICT", "WHAT"]);
        let mut push = |row: [&str; 4]| table.push(row.map(str::to_owned));
        push([
            "7",
            "z6Mk…aa",
            "applied",
            "Set \"a b\" = \"東京 and more of it\"",
        ]);
        push(["12345", "-", "denied revoked", "short"]);
        table
    }

    #[test]
    fn without_a_width_a_row_is_a_line() {
        let want = "
    N  KEY      VERDICT         WHAT
    7  z6Mk…aa  applied         Set \"a b\" = \"東京 and more of it\"
12345  -        denied revoked  short
";
        assert_eq!(table().render(None), want[1..]);
        // The second row takes up 65 columns, in which the two Chinese characters have two each.
        assert_eq!(table().render(Some(65)), want[1..]);
    }

    #[test]
    fn the_last_column_is_broken_where_it_stands() {
        let want = "
    N  KEY      VERDICT         WHAT
    7  z6Mk…aa  applied         Set \"a b\" = \"東京 and more of
                                  it\"
12345  -        denied revoked  short
";
        for width in [62, 64] {
            assert_eq!(table().render(Some(width)), want[1..], "{width}");
        }
    }

    #[test]
    fn columns_without_room_stand_below_further_in() {
        let want = "
    N  KEY      VERDICT
       WHAT
    7  z6Mk…aa  applied
       Set \"a b\" = \"東京 and
         more of it\"
12345  -        denied revoked
       short
";
        assert_eq!(table().render(Some(30)), want[1..]);
    }

    #[test]
    fn every_line_fits_and_nothing_is_lost() {
        let words = |text: &str| -> String { text.split_whitespace().collect() };
        let mut long = table();
        long.push(["8", &"k".repeat(70), "v", &"w\u{301}".repeat(99)].map(str::to_owned));
        for width in WIDTH_MIN..140 {
            let text = long.render(Some(width));
            for line in text.lines() {
                assert!(line.width() <= width, "{width}: {line}");
            }
            for row in &long.rows {
                for cell in row {
                    assert!(
                        words(&text).contains(&words(cell)) || cell.len() > 60,
                        "{width}: {cell}"
                    );
                }
            }
            let count = |text: &str, character| text.chars().filter(|it| *it == character).count();
            assert_eq!(count(&text, '\u{301}'), 99, "{width}");
        }
        let narrowest = long.render(Some(WIDTH_MIN));
        assert_eq!(long.render(Some(0)), narrowest);
    }

    #[test]
    fn no_text_reaches_the_place_of_a_cell() {
        let mut table = Table::new(["N", "VERDICT", "WHAT"]);
        let forged = format!("\"{}  1  applied    y\"", "x ".repeat(9));
        table.push(["0", "denied", &forged].map(str::to_owned));
        for width in WIDTH_MIN..60 {
            let text = table.render(Some(width));
            let lines = text.lines();
            let cells = lines
                .filter(|line| !line.starts_with("     "))
                .collect::<Vec<_>>();
            let mine = |line: &&str| {
                line.starts_with("N  ") || line.starts_with("0  ") || line.starts_with("   ")
            };
            assert!(cells.iter().all(mine), "{text}");
            assert!(
                !text
                    .lines()
                    .any(|line| line.starts_with("   applied") || line.starts_with("   1")),
                "{text}"
            );
        }
    }
}
