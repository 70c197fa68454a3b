//! PNG pictures: how many pixels differ, and the box around them.

use std::io::Cursor;

use png::{Decoder, Transformations};

use super::excerpt;
use super::finding::Finding;
use super::position::Position;

/// Pictures of more pixels are not read.
const PIXELS_MAX: u64 = 1 << 23;
/// Longest part of a decoder's error that is shown.
const ERROR_COLUMNS_MAX: usize = 120;

/// A picture as rows of red, green, blue and opacity, eight bits each.
struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<[u8; 4]>,
}

impl Picture {
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let told =
            |error: png::DecodingError| excerpt::escaped(&error.to_string(), ERROR_COLUMNS_MAX);
        let mut decoder = Decoder::new(Cursor::new(bytes));
        decoder
            .set_transformations(Transformations::normalize_to_color8() | Transformations::ALPHA);
        let header = decoder.read_header_info().map_err(told)?;
        let (width, height) = (header.width, header.height);
        if u64::from(width) * u64::from(height) > PIXELS_MAX {
            return Err(format!("{width} by {height} pixels are more than are read"));
        }
        let mut reader = decoder.read_info().map_err(told)?;
        let size = reader.output_buffer_size().unwrap_or_default();
        let mut buffer = vec![0; size];
        let frame = reader.next_frame(&mut buffer).map_err(told)?;
        let bytes = &buffer[..frame.buffer_size()];
        let pixels: Vec<[u8; 4]> = match frame.color_type.samples() {
            2 => bytes
                .as_chunks()
                .0
                .iter()
                .map(|&[grey, alpha]| [grey, grey, grey, alpha])
                .collect(),
            _ => bytes.as_chunks().0.to_vec(),
        };
        match (frame.width, frame.height, pixels.len() as u64) {
            (w, h, n) if (w, h) == (width, height) && n == u64::from(w) * u64::from(h) => {
                Ok(Self {
                    width,
                    height,
                    pixels,
                })
            }
            _ => Err("the picture does not fill its frame".to_owned()),
        }
    }
}

/// Explains two pictures that are not the same file.
pub(super) fn explain(expected: &[u8], actual: &[u8], offset: usize) -> Finding {
    let by_byte = |note: String| Finding {
        position: Position::Byte,
        expected: excerpt::hex(expected, offset),
        actual: excerpt::hex(actual, offset),
        notes: vec![note],
    };
    let (old, new) = match (Picture::read(expected), Picture::read(actual)) {
        (Ok(old), Ok(new)) => (old, new),
        (Ok(_), Err(error)) => return by_byte(format!("the file is no readable PNG: {error}")),
        (Err(error), _) => {
            return by_byte(format!("the expected file is no readable PNG: {error}"));
        }
    };
    if (old.width, old.height) != (new.width, new.height) {
        let size = |picture: &Picture| format!("{} by {} pixels", picture.width, picture.height);
        return Finding {
            position: Position::Byte,
            expected: Some(size(&old)),
            actual: Some(size(&new)),
            notes: Vec::new(),
        };
    }
    let points = (0..old.height).flat_map(|y| (0..old.width).map(move |x| (x, y)));
    let mut differing = points
        .zip(old.pixels.iter().zip(&new.pixels))
        .filter(|(_, (old, new))| old != new);
    let Some(((x, y), (before, after))) = differing.next() else {
        return by_byte("every pixel is the same; the files are encoded differently".to_owned());
    };
    let first = ([x, y], [x, y], 1);
    let ([left, top], [right, bottom], count) =
        differing.fold(first, |(low, high, count), ((x, y), _)| {
            (
                [low[0].min(x), low[1].min(y)],
                [high[0].max(x), high[1].max(y)],
                count + 1,
            )
        });
    let colour = |[r, g, b, a]: [u8; 4]| format!("#{r:02x}{g:02x}{b:02x}{a:02x} at x {x}, y {y}");
    Finding {
        position: Position::Pixels {
            count,
            left,
            top,
            right,
            bottom,
        },
        expected: Some(colour(*before)),
        actual: Some(colour(*after)),
        notes: Vec::new(),
    }
}
