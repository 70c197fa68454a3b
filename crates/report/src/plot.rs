//! Panels of a figure: axes, lines and bars.

use crate::axis::{multiples, share, ticks};
use crate::canvas::{PX, text_width};
use crate::drawing::{Align, Colour, Drawing};
use crate::words::grouped;

/// Size of a panel in pixels.
pub(crate) const WIDTH: i64 = 740;
pub(crate) const HEIGHT: i64 = 560;
const TICK_SIZE: i64 = 24;
const LABEL_SIZE: i64 = 25;
const TITLE_SIZE: i64 = 30;
/// The least size of a number on a bar, and the room between two of them.
const NUMBER_SIZE_MIN: i64 = 12;
const NUMBER_GAP: i64 = 5;
/// Room for tick labels left of, and for ticks and a label below, what is plotted.
const LEFT: i64 = 110;
const BELOW: i64 = 84;
/// Room for the title, and for one row of the legend.
const TITLE_HEIGHT: i64 = 52;
const LEGEND_HEIGHT: i64 = 40;
/// Lines that are no further apart than this, within a stretch of such a width, are drawn in turns.
const CLOSE: i64 = 3 * PX;
const STRETCH: i64 = 16 * PX;
/// Longest name in a legend.
const NAME_CHARS_MAX: usize = 30;

/// One line, or one colour of bars.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// Which colour, and which marker.
    pub(crate) style: usize,
    pub(crate) points: Vec<(u64, u64)>,
}

/// How the points of a panel are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Straight lines from point to point.
    Lines,
    /// A count that stays until it rises.
    Steps,
    /// Bars beside each other; `x` is the index of a category.
    Bars,
}

/// One pair of axes.
#[derive(Debug)]
pub(crate) struct Panel {
    pub(crate) title: String,
    pub(crate) x_label: String,
    /// How many `x` make one unit of the label.
    pub(crate) x_unit: u64,
    pub(crate) shape: Shape,
    pub(crate) series: Vec<Series>,
    /// What is counted by the bars, for [`Shape::Bars`].
    pub(crate) categories: Vec<String>,
    /// Vertical lines, with what they mark.
    pub(crate) marks: Vec<(u64, String)>,
}

/// A name as it stands in a legend: cut where it is long.
pub(crate) fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    let mut short: String = name.chars().take(NAME_CHARS_MAX - 1).collect();
    short.push('…');
    short
}

/// Draws a legend from a height on; gives the height at which it ends.
fn legend(drawing: &mut Drawing, y: i64, series: &[Series], shape: Shape) -> i64 {
    let (mut at, mut row) = (0, 0);
    for one in series {
        let name = shortened(&one.name);
        let needed = 62 + text_width(&name, LABEL_SIZE * PX) / PX;
        if at > 0 && at + needed > WIDTH {
            at = 0;
            row += 1;
        }
        let colour = Colour::Series(one.style);
        let middle = y + row * LEGEND_HEIGHT + 16;
        if shape == Shape::Bars {
            drawing.rect([at + 20, middle - 12, at + 48, middle + 12], colour);
        } else {
            drawing.rect([at, middle - 2, at + 52, middle + 2], colour);
            marker(drawing, one.style, [(at + 26) * PX, middle * PX]);
        }
        let from = [at + 62, middle + 9];
        drawing.text(&name, from, LABEL_SIZE, Align::Left, Colour::Ink);
        at += needed + 30;
    }
    y + (row + 1) * LEGEND_HEIGHT
}

/// A marker that tells series apart without colour.
fn marker(drawing: &mut Drawing, style: usize, [x, y]: [i64; 2]) {
    let colour = Colour::Series(style);
    let r = 8 * PX;
    let long = r * 5 / 4;
    match style % 4 {
        0 => drawing.disc([x, y], r, colour),
        1 => drawing.polygon(
            &[
                [x - r, y - r],
                [x + r, y - r],
                [x + r, y + r],
                [x - r, y + r],
            ],
            colour,
        ),
        2 => drawing.polygon(
            &[[x, y - long], [x + long, y + r], [x - long, y + r]],
            colour,
        ),
        _ => drawing.polygon(
            &[[x, y - long], [x + long, y], [x, y + long], [x - long, y]],
            colour,
        ),
    }
}

/// Where in the drawing the values of a panel lie.
struct Frame {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
    x_end: u64,
    y_end: u64,
}

impl Frame {
    fn x(&self, value: u64) -> i64 {
        self.left * PX + share(value, self.x_end, (self.right - self.left) * PX)
    }

    fn y(&self, value: u64) -> i64 {
        self.bottom * PX - share(value, self.y_end, (self.bottom - self.top) * PX)
    }
}

impl Panel {
    /// The panel as a drawing of [`WIDTH`] and [`HEIGHT`].
    pub(crate) fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new([WIDTH, HEIGHT]);
        drawing.text(&self.title, [0, 32], TITLE_SIZE, Align::Left, Colour::Ink);
        let top = legend(&mut drawing, TITLE_HEIGHT, &self.series, self.shape) + 22;
        let points = || self.series.iter().flat_map(|series| &series.points);
        if points().next().is_none() {
            let text = "no data in this artifact set";
            let middle = [WIDTH / 2, HEIGHT / 2];
            drawing.text(text, middle, TITLE_SIZE, Align::Centre, Colour::Quiet);
            return drawing;
        }
        let most = |value: fn(&(u64, u64)) -> u64| points().map(value).max().unwrap_or_default();
        let highest = most(|point| point.1);
        let (y_step, y_end) = match self.shape {
            // Numbers stand on the bars.
            Shape::Bars => ticks(highest.saturating_add(highest / 10)),
            Shape::Lines | Shape::Steps => ticks(highest),
        };
        let (x_step, x_end) = match self.shape {
            Shape::Bars => (1, 1),
            Shape::Lines | Shape::Steps => {
                let marked = self.marks.iter().map(|mark| mark.0).max();
                let max = most(|point| point.0).max(marked.unwrap_or_default());
                let (step, _) = ticks(max.div_ceil(self.x_unit));
                (step.saturating_mul(self.x_unit), max.max(1))
            }
        };
        let frame = Frame {
            left: LEFT,
            top,
            right: WIDTH - 24,
            bottom: HEIGHT - BELOW,
            x_end,
            y_end,
        };
        self.axes(&mut drawing, &frame, y_step, x_step);
        match self.shape {
            Shape::Bars => self.bars(&mut drawing, &frame),
            Shape::Lines | Shape::Steps => self.lines(&mut drawing, &frame),
        }
        drawing
    }

    fn axes(&self, drawing: &mut Drawing, frame: &Frame, y_step: u64, x_step: u64) {
        for value in multiples(y_step, frame.y_end) {
            let y = (frame.y(value) + PX / 2).div_euclid(PX);
            drawing.rect([frame.left, y - 1, frame.right, y + 1], Colour::Grid);
            let at = [frame.left - 14, y + 9];
            drawing.text(&grouped(value), at, TICK_SIZE, Align::Right, Colour::Quiet);
        }
        drawing.rect(
            [frame.left, frame.bottom - 1, frame.right, frame.bottom + 1],
            Colour::Quiet,
        );
        if self.shape != Shape::Bars {
            for value in multiples(x_step, frame.x_end) {
                let x = (frame.x(value) + PX / 2).div_euclid(PX);
                drawing.rect(
                    [x - 1, frame.bottom, x + 1, frame.bottom + 9],
                    Colour::Quiet,
                );
                let text = grouped(value / self.x_unit);
                let at = [x, frame.bottom + 36];
                drawing.text(&text, at, TICK_SIZE, Align::Centre, Colour::Quiet);
            }
        }
        let middle = [i64::midpoint(frame.left, frame.right), frame.bottom + 74];
        drawing.text(
            &self.x_label,
            middle,
            LABEL_SIZE,
            Align::Centre,
            Colour::Ink,
        );
    }

    fn lines(&self, drawing: &mut Drawing, frame: &Frame) {
        for (row, (at, text)) in (0..).zip(&self.marks) {
            let x = frame.x(*at).div_euclid(PX);
            let mut y = frame.top;
            while y < frame.bottom {
                drawing.rect([x - 1, y, x + 1, (y + 10).min(frame.bottom)], Colour::Quiet);
                y += 18;
            }
            let width = text_width(text, TICK_SIZE * PX) / PX;
            let (from, align) = match x + 12 + width < frame.right {
                true => (x + 12, Align::Left),
                false => (x - 12, Align::Right),
            };
            let to = [from, frame.top + 24 + row * 32];
            drawing.text(text, to, TICK_SIZE, align, Colour::Quiet);
        }
        let path = |series: &Series| {
            let mut path: Vec<[i64; 2]> = Vec::new();
            for &(x, y) in &series.points {
                let point = [frame.x(x), frame.y(y)];
                if let Some(&[_, before]) = path.last()
                    && self.shape == Shape::Steps
                {
                    path.push([point[0], before]);
                }
                path.push(point);
            }
            path
        };
        let paths: Vec<_> = self.series.iter().map(path).collect();
        for (series, path) in self.series.iter().zip(&paths) {
            drawing.line(path.clone(), Colour::Series(series.style));
        }
        for (index, part) in turns(&paths, frame) {
            drawing.line(part, Colour::Series(self.series[index].style));
        }
        for series in &self.series {
            // Some eight markers, at different places for each series, so that lines on top of each other show.
            let stride = series.points.len().div_ceil(8).max(1);
            let first = stride * (series.style % 4) / 4;
            for &(x, y) in series.points.iter().skip(first).step_by(stride) {
                marker(drawing, series.style, [frame.x(x), frame.y(y)]);
            }
        }
    }

    fn bars(&self, drawing: &mut Drawing, frame: &Frame) {
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX).max(1);
        let slot = (frame.right - frame.left) / count(self.categories.len());
        let shown = count(self.series.len());
        let bar = (slot * 9 / 10 / shown).clamp(2, 90);
        let numbers = self.series.iter().flat_map(|it| &it.points);
        let widest = numbers.map(|point| text_width(&grouped(point.1), TICK_SIZE * PX) / PX);
        let size = number_size(bar, widest.max().unwrap_or_default());
        let mut middle = frame.left + slot / 2;
        for (index, category) in (0..).zip(&self.categories) {
            let at = [middle, frame.bottom + 36];
            drawing.text(category, at, TICK_SIZE, Align::Centre, Colour::Quiet);
            let mut left = middle - bar * shown / 2;
            for series in &self.series {
                let found = series.points.iter().find(|point| point.0 == index);
                if let Some(&(_, value)) = found.filter(|point| point.1 > 0) {
                    let top = frame.y(value).div_euclid(PX);
                    let colour = Colour::Series(series.style);
                    drawing.rect([left + 2, top, left + bar - 2, frame.bottom], colour);
                    let at = [left + bar / 2, top - 8];
                    drawing.text(&grouped(value), at, size, Align::Centre, Colour::Ink);
                }
                left += bar;
            }
            middle += slot;
        }
    }
}

/// The size of the numbers on bars of that width, of which the widest is so wide at the size of ticks: none touches its neighbour, as
/// long as it can be read.
fn number_size(bar: i64, widest: i64) -> i64 {
    let fitting = TICK_SIZE * (bar - NUMBER_GAP) / widest.max(1);
    fitting.clamp(NUMBER_SIZE_MIN, TICK_SIZE)
}

/// Where lines hide each other, the parts that are drawn again, so that each line shows in its turn: which line, and
/// its points.
fn turns(paths: &[Vec<[i64; 2]>], frame: &Frame) -> Vec<(usize, Vec<[i64; 2]>)> {
    let mut parts = Vec::new();
    let (mut from, end) = (frame.left * PX, frame.right * PX);
    for turn in 0.. {
        let to = (from + STRETCH).min(end);
        if from >= to {
            break;
        }
        let heights = |path: &Vec<[i64; 2]>| Some([height(path, from)?, height(path, to)?]);
        let lines: Vec<_> = paths.iter().map(heights).collect();
        for (index, line) in lines.iter().enumerate() {
            let Some([start, stop]) = *line else {
                continue;
            };
            let is_close = |other: &Option<[i64; 2]>| {
                other.is_some_and(|[a, b]| (a - start).abs() <= CLOSE && (b - stop).abs() <= CLOSE)
            };
            let together: Vec<_> = (0..lines.len())
                .filter(|&other| is_close(&lines[other]))
                .collect();
            if together.len() > 1 && together[turn % together.len()] == index {
                let within = paths[index]
                    .iter()
                    .filter(|point| from < point[0] && point[0] < to);
                let ends = [[from, start], [to, stop]];
                let part = ends[..1].iter().chain(within).chain(&ends[1..]);
                parts.push((index, part.copied().collect()));
            }
        }
        from = to;
    }
    parts
}

/// How high a line runs at `x`, if it does.
fn height(path: &[[i64; 2]], x: i64) -> Option<i64> {
    let next = path.partition_point(|point| point[0] < x);
    let &[next_x, next_y] = path.get(next)?;
    match next.checked_sub(1).map(|before| path[before]) {
        Some([before_x, before_y]) => {
            Some(before_y + (next_y - before_y) * (x - before_x) / (next_x - before_x))
        }
        None => (next_x == x).then_some(next_y),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_hide_each_other_take_turns_and_others_stay_whole() {
        let frame = Frame {
            left: 0,
            top: 0,
            right: 100,
            bottom: 100,
            x_end: 1,
            y_end: 1,
        };
        let line = |from: i64, to: i64| vec![[0, from * PX], [100 * PX, to * PX]];
        let drawn = |lines: &[(i64, i64)]| {
            let paths: Vec<_> = lines.iter().map(|&(from, to)| line(from, to)).collect();
            let parts = turns(&paths, &frame);
            parts.iter().map(|part| part.0).collect::<Vec<_>>()
        };
        assert!(drawn(&[(0, 100)]).is_empty());
        assert!(drawn(&[(0, 100), (100, 0)]).is_empty());
        assert_eq!(drawn(&[(50, 50), (50, 50)]), [0, 1, 0, 1, 0, 1, 0]);
        assert_eq!(drawn(&[(50, 50), (9, 9), (50, 50)]), [0, 2, 0, 2, 0, 2, 0]);
        assert_eq!(drawn(&[(1, 1), (2, 2), (3, 3)]), [0, 1, 2, 0, 1, 2, 0]);
        // Together at first only.
        assert_eq!(drawn(&[(0, 0), (0, 12)]), [0]);

        let paths = [line(0, 100), line(0, 100)];
        for (index, part) in turns(&paths, &frame) {
            let on_the_line = |point: &[i64; 2]| height(&paths[index], point[0]) == Some(point[1]);
            assert!(part.iter().all(on_the_line), "{part:?}");
        }
    }

    #[test]
    fn a_line_has_a_height_between_its_ends() {
        let path = [[10, 0], [20, 100], [20, 50], [30, 50]];
        for (x, expected) in [
            (9, None),
            (10, Some(0)),
            (15, Some(50)),
            (20, Some(100)),
            (25, Some(50)),
            (30, Some(50)),
            (31, None),
        ] {
            assert_eq!(height(&path, x), expected, "{x}");
        }
        assert_eq!(height(&[], 0), None);
    }

    #[test]
    fn numbers_on_bars_do_not_touch() {
        for number in ["3", "28", "120", "1 712"] {
            let width = |size: i64| text_width(number, size * PX) / PX;
            for bar in [20, 27, 40, 90] {
                let size = number_size(bar, width(TICK_SIZE));
                let is_apart = width(size) + NUMBER_GAP <= bar + 1;
                assert!(
                    is_apart || size == NUMBER_SIZE_MIN,
                    "{number} on {bar}: {size}"
                );
            }
        }
        assert_eq!(number_size(90, 27), TICK_SIZE);
        assert_eq!(number_size(2, 27), NUMBER_SIZE_MIN);
    }

    #[test]
    fn long_names_are_shortened() {
        assert_eq!(shortened(&"x".repeat(99)).chars().count(), NAME_CHARS_MAX);
    }
}
