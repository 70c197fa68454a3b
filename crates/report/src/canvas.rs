//! A picture in memory, drawn so that every machine gets the same pixels.
//!
//! Coordinates are whole numbers of 1/256 pixel. Outlines are computed in integers, square roots included, and are
//! handed to `zeno`, which multiplies by 256 at once and fills in 24.8 fixed point: all values are below 2^24, so
//! the `f32` that carries them is exact. Coverage is mixed into 8-bit colours in integers. No float is rounded on
//! the way, so neither the processor nor the optimiser has a say.

use std::sync::LazyLock;

use ttf_parser::{Face, OutlineBuilder};
use zeno::{Command, Fill, Mask, Vector};

/// Sub-units of a pixel.
pub(crate) const PX: i64 = 256;

static FONT: LazyLock<Face<'static>> = LazyLock::new(|| {
    let bytes = include_bytes!("../fonts/Roboto-Regular.ttf");
    Face::parse(bytes, 0).expect("the bundled font is a font")
});

/// A colour without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rgb(pub(crate) u8, pub(crate) u8, pub(crate) u8);

/// Closed outlines: what lies within any of them is filled.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    commands: Vec<Segment>,
}

#[derive(Debug, Clone, Copy)]
enum Segment {
    Move([i64; 2]),
    Line([i64; 2]),
    Quad([i64; 2], [i64; 2]),
    Cubic([i64; 2], [i64; 2], [i64; 2]),
    Close,
}

impl Segment {
    fn points(&self) -> ([[i64; 2]; 3], usize) {
        match *self {
            Self::Move(a) | Self::Line(a) => ([a; 3], 1),
            Self::Quad(a, b) => ([a, b, b], 2),
            Self::Cubic(a, b, c) => ([a, b, c], 3),
            Self::Close => ([[0; 2]; 3], 0),
        }
    }
}

impl Outline {
    pub(crate) fn polygon(&mut self, points: &[[i64; 2]]) {
        for (index, &point) in points.iter().enumerate() {
            self.commands.push(match index {
                0 => Segment::Move(point),
                _ => Segment::Line(point),
            });
        }
        self.commands.push(Segment::Close);
    }

    /// A stroke of the given width along the points, with round joins and ends: outlines to be filled as one.
    pub(crate) fn stroke(points: &[[i64; 2]], width: i64) -> Vec<Self> {
        let piece = |draw: &dyn Fn(&mut Self)| {
            let mut outline = Self::default();
            draw(&mut outline);
            outline
        };
        let discs = points
            .iter()
            .map(|&point| piece(&|outline| outline.disc(point, width / 2)));
        let segments = points.windows(2).filter_map(|pair| {
            let [from, to] = [pair[0], pair[1]];
            let along = [to[0] - from[0], to[1] - from[1]];
            let square = along[0] * along[0] + along[1] * along[1];
            let length = square.cast_unsigned().isqrt().cast_signed();
            if length == 0 {
                return None;
            }
            let across = [
                -along[1] * width / 2 / length,
                along[0] * width / 2 / length,
            ];
            let moved = |point: [i64; 2], sign: i64| {
                [point[0] + sign * across[0], point[1] + sign * across[1]]
            };
            let corners = [moved(from, -1), moved(to, -1), moved(to, 1), moved(from, 1)];
            Some(piece(&|outline| outline.polygon(&corners)))
        });
        discs.chain(segments).collect()
    }

    /// A disc, as a polygon of 24 corners.
    pub(crate) fn disc(&mut self, centre: [i64; 2], radius: i64) {
        // Cosine and sine of 0°, 15°, … 75°, times 10 000.
        const QUADRANT: [[i64; 2]; 6] = [
            [10_000, 0],
            [9_659, 2_588],
            [8_660, 5_000],
            [7_071, 7_071],
            [5_000, 8_660],
            [2_588, 9_659],
        ];
        let mut corners = Vec::with_capacity(24);
        for quarter in 0..4 {
            for [x, y] in QUADRANT {
                let [x, y] = match quarter {
                    0 => [x, y],
                    1 => [-y, x],
                    2 => [-x, -y],
                    _ => [y, -x],
                };
                corners.push([
                    centre[0] + x * radius / 10_000,
                    centre[1] + y * radius / 10_000,
                ]);
            }
        }
        self.polygon(&corners);
    }

    /// The least box of whole pixels around all points: left, top, right, bottom.
    fn bounds(&self) -> Option<[i64; 4]> {
        let mut bounds: Option<[i64; 4]> = None;
        for segment in &self.commands {
            let (points, count) = segment.points();
            for [x, y] in &points[..count] {
                let (x, y) = (x.div_euclid(PX), y.div_euclid(PX));
                let b = bounds.get_or_insert([x, y, x, y]);
                *b = [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
            }
        }
        bounds.map(|[left, top, right, bottom]| [left, top, right + 1, bottom + 1])
    }
}

/// Collects a glyph's outline in sub-units.
struct Glyph<'a> {
    outline: &'a mut Outline,
    origin: [i64; 2],
    size: i64,
}

impl Glyph<'_> {
    /// Font units come as whole or half numbers; the y axis points up.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "twice a font unit is a small whole number"
    )]
    fn point(&self, x: f32, y: f32) -> [i64; 2] {
        let scaled = |twice: i64| twice * self.size / (2 * i64::from(FONT.units_per_em()));
        let twice = |value: f32| (value * 2.0) as i64;
        [
            self.origin[0] + scaled(twice(x)),
            self.origin[1] - scaled(twice(y)),
        ]
    }
}

impl OutlineBuilder for Glyph<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let to = self.point(x, y);
        self.outline.commands.push(Segment::Move(to));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.point(x, y);
        self.outline.commands.push(Segment::Line(to));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (by, to) = (self.point(x1, y1), self.point(x, y));
        self.outline.commands.push(Segment::Quad(by, to));
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let by = [self.point(x1, y1), self.point(x2, y2)];
        let to = self.point(x, y);
        self.outline.commands.push(Segment::Cubic(by[0], by[1], to));
    }
    fn close(&mut self) {
        self.outline.commands.push(Segment::Close);
    }
}

/// The width of a text, at a size, both in sub-units.
pub(crate) fn text_width(text: &str, size: i64) -> i64 {
    text.chars().map(|letter| advance(letter, size)).sum()
}

fn advance(letter: char, size: i64) -> i64 {
    let glyph = FONT.glyph_index(letter).unwrap_or_default();
    let units = FONT.glyph_hor_advance(glyph).unwrap_or_default();
    i64::from(units) * size / i64::from(FONT.units_per_em())
}

/// The picture.
#[derive(Debug)]
pub(crate) struct Canvas {
    width: i64,
    height: i64,
    pixels: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(width: i64, height: i64, Rgb(r, g, b): Rgb) -> Self {
        let count = usize::try_from(width * height).expect("a picture has a size");
        Self {
            width,
            height,
            pixels: [r, g, b].repeat(count),
        }
    }

    /// Fills what any of the outlines covers. Where several cover a part of a pixel, the greatest part counts: a
    /// sum would thicken the joins of a stroke.
    pub(crate) fn fill(&mut self, outlines: &[Outline], colour: Rgb) {
        let masks: Vec<_> = outlines
            .iter()
            .filter_map(|outline| self.mask(outline))
            .collect();
        let sheet = masks.iter().map(|(area, _)| *area).reduce(|a, b| {
            [
                a[0].min(b[0]),
                a[1].min(b[1]),
                a[2].max(b[2]),
                a[3].max(b[3]),
            ]
        });
        let Some([left, top, right, bottom]) = sheet else {
            return;
        };
        let index = |pixels: i64| usize::try_from(pixels).expect("the masks lie within the sheet");
        let stride = index(right - left);
        let mut sheet = vec![0; stride * index(bottom - top)];
        for ([mask_left, mask_top, mask_right, _], coverage) in masks {
            let width = index(mask_right - mask_left);
            let rows = sheet.chunks_exact_mut(stride).skip(index(mask_top - top));
            for (row, covers) in rows.zip(coverage.chunks_exact(width)) {
                let start = index(mask_left - left);
                for (pixel, &cover) in row[start..start + width].iter_mut().zip(covers) {
                    *pixel = cover.max(*pixel);
                }
            }
        }
        for (y, row) in (top..).zip(sheet.chunks_exact(stride)) {
            for (x, &cover) in (left..).zip(row) {
                self.mix(x, y, colour, cover);
            }
        }
    }

    /// How much of each pixel an outline covers, and the area of pixels: left, top, right, bottom.
    fn mask(&self, outline: &Outline) -> Option<([i64; 4], Vec<u8>)> {
        let [left, top, right, bottom] = outline.bounds()?;
        let ([left, top], [right, bottom]) = (
            [left.max(-PX), top.max(-PX)],
            [right.min(self.width + PX), bottom.min(self.height + PX)],
        );
        let side = |pixels: i64| u32::try_from(pixels).ok().filter(|&pixels| pixels > 0);
        let (width, height) = (side(right - left)?, side(bottom - top)?);
        #[expect(
            clippy::cast_precision_loss,
            reason = "the value is below 2^24, so it is exact"
        )]
        let vector = |point: [i64; 2]| {
            let [x, y] = [point[0] - left * PX, point[1] - top * PX];
            Vector::new(x as f32 / 256.0, y as f32 / 256.0)
        };
        let commands: Vec<Command> = outline
            .commands
            .iter()
            .map(|segment| match *segment {
                Segment::Move(to) => Command::MoveTo(vector(to)),
                Segment::Line(to) => Command::LineTo(vector(to)),
                Segment::Quad(by, to) => Command::QuadTo(vector(by), vector(to)),
                Segment::Cubic(a, b, to) => Command::CurveTo(vector(a), vector(b), vector(to)),
                Segment::Close => Command::Close,
            })
            .collect();
        let mut coverage = vec![0; width as usize * height as usize];
        Mask::new(&commands[..])
            .style(Fill::NonZero)
            .size(width, height)
            .render_into(&mut coverage, None);
        Some(([left, top, right, bottom], coverage))
    }

    /// Writes a line of text from the left end of its baseline on.
    pub(crate) fn text(&mut self, text: &str, [mut x, y]: [i64; 2], size: i64, colour: Rgb) {
        let mut outline = Outline::default();
        for letter in text.chars() {
            let glyph = FONT.glyph_index(letter).unwrap_or_default();
            let mut builder = Glyph {
                outline: &mut outline,
                origin: [x, y],
                size,
            };
            FONT.outline_glyph(glyph, &mut builder);
            x += advance(letter, size);
        }
        self.fill(&[outline], colour);
    }

    fn mix(&mut self, x: i64, y: i64, Rgb(r, g, b): Rgb, cover: u8) {
        if cover == 0 || !(0..self.width).contains(&x) || !(0..self.height).contains(&y) {
            return;
        }
        let at = usize::try_from((y * self.width + x) * 3).expect("the pixel is in the picture");
        // Sixteen levels are as smooth to the eye, and the file is two fifths smaller.
        let cover = (u32::from(cover) + 8) / 17 * 17;
        for (old, new) in self.pixels[at..at + 3].iter_mut().zip([r, g, b]) {
            let mixed = u32::from(*old) * (255 - cover) + u32::from(new) * cover;
            *old = u8::try_from((mixed + 127) / 255).expect("a mean of bytes is a byte");
        }
    }

    /// The picture as a PNG: eight bits of red, green and blue, fixed filter and compression, no further chunk.
    pub(crate) fn into_png(self) -> Vec<u8> {
        let mut file = Vec::new();
        let side = |pixels: i64| u32::try_from(pixels).expect("a side fits in 32 bits");
        let mut encoder = png::Encoder::new(&mut file, side(self.width), side(self.height));
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder.set_filter(png::Filter::NoFilter);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&self.pixels))
            .expect("a picture in memory is written to memory");
        file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Rgb = Rgb(255, 255, 255);
    const BLACK: Rgb = Rgb(0, 0, 0);

    fn pixel(canvas: &Canvas, x: usize, y: usize) -> u8 {
        canvas.pixels[(y * 20 + x) * 3]
    }

    #[test]
    fn coverage_is_what_the_geometry_says() {
        let mut canvas = Canvas::new(20, 20, WHITE);
        let mut outline = Outline::default();
        // From 2.5 to 6 across, 3 to 5 down: half a pixel at the left edge.
        let corners = [
            [2 * PX + 128, 3 * PX],
            [6 * PX, 3 * PX],
            [6 * PX, 5 * PX],
            [2 * PX + 128, 5 * PX],
        ];
        outline.polygon(&corners);
        canvas.fill(&[outline], BLACK);
        assert_eq!(pixel(&canvas, 1, 3), 255);
        assert!((115..=140).contains(&pixel(&canvas, 2, 3)));
        assert_eq!([pixel(&canvas, 3, 3), pixel(&canvas, 5, 4)], [0, 0]);
        assert_eq!([pixel(&canvas, 6, 3), pixel(&canvas, 3, 5)], [255, 255]);
    }

    #[test]
    fn overlapping_parts_of_a_stroke_do_not_cancel() {
        let mut canvas = Canvas::new(20, 20, WHITE);
        let points = [[4, 10], [10, 10], [10, 4], [4, 10]].map(|[x, y]| [x * PX, y * PX]);
        canvas.fill(&Outline::stroke(&points, 4 * PX), BLACK);
        for (x, y) in [(4, 10), (7, 10), (10, 9), (10, 6), (8, 7)] {
            assert_eq!(pixel(&canvas, x, y), 0, "{x} {y}");
        }
    }

    #[test]
    fn a_line_through_many_points_is_as_thick_as_one_through_two() {
        let pixels = |points: &[[i64; 2]]| {
            let mut canvas = Canvas::new(20, 20, WHITE);
            canvas.fill(&Outline::stroke(points, 4 * PX), BLACK);
            canvas.pixels
        };
        let y = 10 * PX + 77;
        let many: Vec<_> = (4..=16).map(|x| [x * PX, y]).collect();
        assert_eq!(pixels(&many), pixels(&[[4 * PX, y], [16 * PX, y]]));
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let mut canvas = Canvas::new(20, 20, WHITE);
        canvas.text("WWWWWW", [-8 * PX, 14 * PX], 18 * PX, BLACK);
        let mut outline = Outline::default();
        outline.polygon(&[[-5, -5], [2, -5], [2, 2], [-5, 2]].map(|[x, y]| [x * PX, y * PX]));
        canvas.fill(&[outline], BLACK);
        let across = [[-9 * PX, 0], [40 * PX, 40 * PX]];
        canvas.fill(&Outline::stroke(&across, PX), BLACK);
        canvas.fill(&Outline::stroke(&[[900 * PX, 900 * PX]], PX), BLACK);
        assert_eq!(pixel(&canvas, 0, 0), 0);
        assert!(canvas.into_png().starts_with(b"\x89PNG"));
    }
}
