//! Texts: the line of the first difference.

use super::excerpt;
use super::finding::Finding;
use super::position::{LineRole, Position};

/// The lines of two texts around their first difference. Lines come without their line feed.
pub(super) struct Lines<'a> {
    /// Number of the differing line, counted from 1.
    pub(super) line: usize,
    /// Offset at which the differing line begins in both texts.
    pub(super) start: usize,
    /// The line in the expected text and the one after it.
    pub(super) expected: [Option<&'a [u8]>; 2],
    /// The line in the actual text and the one after it.
    pub(super) actual: [Option<&'a [u8]>; 2],
}

impl<'a> Lines<'a> {
    /// The lines of two texts that are the same up to `offset`.
    pub(super) fn at(expected: &'a [u8], actual: &'a [u8], offset: usize) -> Self {
        let common = &expected[..offset];
        let start = common
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |position| position + 1);
        Self {
            line: common.iter().filter(|byte| **byte == b'\n').count() + 1,
            start,
            expected: two_lines(&expected[start..]),
            actual: two_lines(&actual[start..]),
        }
    }

    /// Says whether a line (or whatever `noun` calls it) was left out or put in, as far as the next line shows.
    pub(super) fn shift_note(&self, noun: &str) -> Option<String> {
        let ([expected, after_expected], [actual, after_actual]) = (self.expected, self.actual);
        if expected == actual {
            None
        } else if actual.is_some() && actual == after_expected {
            Some(format!(
                "{noun} {} of the expected file is left out",
                self.line
            ))
        } else if expected.is_some() && expected == after_actual {
            Some(format!("{noun} {} is put in", self.line))
        } else {
            None
        }
    }
}

fn two_lines(bytes: &[u8]) -> [Option<&[u8]>; 2] {
    let mut lines = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    [lines.next(), lines.next()]
}

/// Explains a difference by the whole line, whose position has the given role.
pub(super) fn explain(expected: &[u8], actual: &[u8], offset: usize, role: LineRole) -> Finding {
    let lines = Lines::at(expected, actual, offset);
    let shown = |line: Option<&[u8]>| line.map(|line| excerpt::excerpt(line, offset - lines.start));
    Finding {
        position: Position::Line {
            line: lines.line,
            role,
        },
        expected: shown(lines.expected[0]),
        actual: shown(lines.actual[0]),
        notes: lines.shift_note("line").into_iter().collect(),
    }
}
