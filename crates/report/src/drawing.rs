//! A drawing as a list of marks, from which the picture in pixels and the picture in the page are made.

use maud::{Markup, html};

use crate::canvas::{Canvas, Outline, PX, Rgb, text_width};

/// Series of a panel, at most: one colour each.
pub(crate) const SERIES_MAX: usize = 8;
/// Width of a line.
const LINE_WIDTH: i64 = 4 * PX;

/// What a mark is coloured as. The page gives each a colour for light and one for dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Ink,
    Quiet,
    Grid,
    /// One of [`SERIES_MAX`]; higher numbers start again.
    Series(usize),
}

/// The colours of the series on white. They differ in lightness as well.
const SERIES: [Rgb; SERIES_MAX] = [
    Rgb(0, 92, 184),
    Rgb(200, 72, 8),
    Rgb(0, 128, 96),
    Rgb(136, 56, 160),
    Rgb(176, 32, 72),
    Rgb(40, 152, 200),
    Rgb(160, 112, 0),
    Rgb(96, 104, 112),
];
/// The ground of a picture in pixels.
pub(crate) const WHITE: Rgb = Rgb(255, 255, 255);

impl Colour {
    const fn on_white(self) -> Rgb {
        match self {
            Self::Ink => Rgb(24, 29, 39),
            Self::Quiet => Rgb(86, 96, 112),
            Self::Grid => Rgb(226, 230, 236),
            Self::Series(number) => SERIES[number % SERIES_MAX],
        }
    }

    /// The class in the style sheet.
    fn class(self) -> String {
        match self {
            Self::Ink => "ink".to_owned(),
            Self::Quiet => "quiet".to_owned(),
            Self::Grid => "grid".to_owned(),
            Self::Series(number) => format!("s{}", number % SERIES_MAX),
        }
    }
}

/// Where a text stands in relation to its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

#[derive(Debug)]
enum Mark {
    Polygon(Vec<[i64; 2]>),
    Disc([i64; 2], i64),
    Line(Vec<[i64; 2]>),
    Text {
        text: String,
        at: [i64; 2],
        size: i64,
        align: Align,
    },
}

/// Marks on a sheet of a given size, later ones on top. Points are in sub-units of a pixel ([`PX`]).
#[derive(Debug)]
pub(crate) struct Drawing {
    size: [i64; 2],
    marks: Vec<(Mark, Colour)>,
}

impl Drawing {
    /// A drawing of so many pixels.
    pub(crate) const fn new(size: [i64; 2]) -> Self {
        Self {
            size,
            marks: Vec::new(),
        }
    }

    /// A box of whole pixels: left, top, right, bottom.
    pub(crate) fn rect(&mut self, [left, top, right, bottom]: [i64; 4], colour: Colour) {
        let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
        self.polygon(&corners.map(|[x, y]| [x * PX, y * PX]), colour);
    }

    pub(crate) fn polygon(&mut self, points: &[[i64; 2]], colour: Colour) {
        self.marks.push((Mark::Polygon(points.to_vec()), colour));
    }

    pub(crate) fn disc(&mut self, centre: [i64; 2], radius: i64, colour: Colour) {
        self.marks.push((Mark::Disc(centre, radius), colour));
    }

    pub(crate) fn line(&mut self, points: Vec<[i64; 2]>, colour: Colour) {
        self.marks.push((Mark::Line(points), colour));
    }

    /// A line of text of a size in pixels, whose baseline runs through a point in pixels.
    pub(crate) fn text(
        &mut self,
        text: &str,
        at: [i64; 2],
        size: i64,
        align: Align,
        colour: Colour,
    ) {
        let text = Mark::Text {
            text: text.to_owned(),
            at: at.map(|pixels| pixels * PX),
            size: size * PX,
            align,
        };
        self.marks.push((text, colour));
    }

    /// Paints the drawing on a white canvas, with its left upper corner at a point in pixels.
    pub(crate) fn paint(&self, canvas: &mut Canvas, [left, top]: [i64; 2]) {
        let moved = |[x, y]: [i64; 2]| [x + left * PX, y + top * PX];
        let all = |points: &[[i64; 2]]| -> Vec<_> { points.iter().copied().map(moved).collect() };
        for (mark, colour) in &self.marks {
            let colour = colour.on_white();
            let mut outline = Outline::default();
            match mark {
                Mark::Polygon(points) => outline.polygon(&all(points)),
                Mark::Disc(centre, radius) => outline.disc(moved(*centre), *radius),
                Mark::Line(points) => {
                    canvas.fill(&Outline::stroke(&all(points), LINE_WIDTH), colour);
                }
                Mark::Text {
                    text,
                    at,
                    size,
                    align,
                } => {
                    let [x, y] = moved(*at);
                    let width = text_width(text, *size);
                    let x = match align {
                        Align::Left => x,
                        Align::Centre => x - width / 2,
                        Align::Right => x - width,
                    };
                    canvas.text(text, [x, y], *size, colour);
                }
            }
            canvas.fill(&[outline], colour);
        }
    }

    /// The drawing as SVG within the page, whose style sheet knows the classes.
    ///
    /// A text is as wide as it is in pixels, whatever typeface the reader has.
    pub(crate) fn to_svg(&self, label: &str) -> Markup {
        let [width, height] = self.size;
        html! {
            svg role="img" aria-label=(label) viewBox={ "0 0 " (width * PX) " " (height * PX) } {
                @for (mark, colour) in &self.marks { (svg_mark(mark, *colour)) }
            }
        }
    }
}

fn svg_mark(mark: &Mark, colour: Colour) -> Markup {
    let class = colour.class();
    html! {
        @match mark {
            Mark::Polygon(points) => { polygon class=(class) points=(svg_points(points)) {} }
            Mark::Disc([x, y], radius) => { circle class=(class) cx=(x) cy=(y) r=(radius) {} }
            Mark::Line(points) => {
                polyline class={ "line " (class) } stroke-width=(LINE_WIDTH) points=(svg_points(points)) {}
            }
            Mark::Text { text, at: [x, y], size, align } => {
                @let anchor = match align {
                    Align::Left => "start",
                    Align::Centre => "middle",
                    Align::Right => "end",
                };
                text class=(class) x=(x) y=(y) font-size=(size) text-anchor=(anchor)
                    textLength=(text_width(text, *size)) lengthAdjust="spacingAndGlyphs" { (text) }
            }
        }
    }
}

fn svg_points(points: &[[i64; 2]]) -> String {
    let points: Vec<_> = points.iter().map(|[x, y]| format!("{x},{y}")).collect();
    points.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_same_colours_as_the_pixels() {
        let style = include_str!("style.css");
        for (number, Rgb(r, g, b)) in (0..).zip(SERIES) {
            let colour = format!("--s{number}:#{r:02x}{g:02x}{b:02x}");
            assert!(style.contains(&colour), "{colour}");
            assert!(style.contains(&format!(".s{number}{{color:var(--s{number})}}")));
        }
    }

    #[test]
    fn a_text_in_the_page_is_text() {
        let mut drawing = Drawing::new([10, 10]);
        drawing.text("</svg><script>", [5, 5], 8, Align::Centre, Colour::Ink);
        let svg = drawing.to_svg("\"><b>").into_string();
        assert!(svg.contains("&lt;/svg&gt;&lt;script&gt;</text>"), "{svg}");
        assert!(!svg.contains("<script") && !svg.contains("<b>"), "{svg}");
    }

    #[test]
    fn every_element_of_svg_is_closed() {
        // HTML knows no void elements within SVG: what is not closed swallows what follows.
        let mut drawing = Drawing::new([10, 10]);
        drawing.rect([0, 0, 5, 5], Colour::Grid);
        drawing.disc([5, 5], 3, Colour::Series(9));
        drawing.line(vec![[0, 0], [1, 1]], Colour::Quiet);
        drawing.text("a", [1, 1], 8, Align::Left, Colour::Ink);
        let svg = drawing.to_svg("b").into_string();
        let closed = svg.matches("</").count();
        assert_eq!((svg.matches('<').count() - closed, closed), (5, 5), "{svg}");
        assert!(svg.contains("class=\"s1\""), "{svg}");
    }
}
