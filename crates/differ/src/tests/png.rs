//! Pictures, and what pretends to be one.

use png::{BitDepth, ColorType, Compression, Encoder};

use super::{check, check_form};
use crate::explain;

/// A picture of 5 by 4 pixels, grey but for the given points.
pub(super) fn picture(points: &[(usize, usize)], compression: Compression) -> Vec<u8> {
    let mut pixels = [[128_u8; 3]; 20];
    for (x, y) in points {
        pixels[y * 5 + x] = [255, 0, 16];
    }
    encode(5, 4, ColorType::Rgb, compression, pixels.as_flattened())
}

fn encode(
    width: u32,
    height: u32,
    colour: ColorType,
    compression: Compression,
    bytes: &[u8],
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, width, height);
    encoder.set_color(colour);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(bytes).unwrap();
    writer.finish().unwrap();
    file
}

fn facts(expected: &[u8], actual: &[u8]) -> String {
    let explanation = explain("fig.png", expected, actual);
    check_form(&explanation);
    explanation.to_string()
}

#[test]
fn pixels_are_counted_and_boxed() {
    let expected = picture(&[(0, 0)], Compression::High);
    let actual = picture(&[(0, 0), (1, 3), (4, 2)], Compression::High);
    let offset = crate::offset::first_difference(&expected, &actual).unwrap();
    let text = facts(&expected, &actual);
    let facts: Vec<_> = text.lines().skip(1).take(4).collect();
    assert_eq!(
        facts,
        [
            "  position  2 pixels in the box x 1 to 4, y 2 to 3",
            &format!("  byte      {offset}"),
            "  expected  #808080ff at x 4, y 2",
            "  actual    #ff0010ff at x 4, y 2",
        ],
        "{text}"
    );
}

#[test]
fn the_same_pixels_in_another_encoding() {
    let expected = picture(&[(2, 2)], Compression::High);
    let text = facts(&expected, &picture(&[(2, 2)], Compression::NoCompression));
    assert!(text.contains("every pixel is the same"), "{text}");
}

#[test]
fn every_colour_type_is_read() {
    let grey = |colour, bytes: &[u8]| encode(2, 1, colour, Compression::High, bytes);
    for (expected, actual) in [
        (
            grey(ColorType::Grayscale, &[7, 7]),
            grey(ColorType::Grayscale, &[7, 8]),
        ),
        (
            grey(ColorType::GrayscaleAlpha, &[7, 255, 7, 255]),
            grey(ColorType::Rgba, &[7, 7, 7, 255, 8, 8, 8, 255]),
        ),
    ] {
        let text = facts(&expected, &actual);
        assert!(
            text.contains("1 pixel in the box x 1 to 1, y 0 to 0"),
            "{text}"
        );
        assert!(
            text.contains("#070707ff") && text.contains("#080808ff"),
            "{text}"
        );
    }
}

#[test]
fn another_size() {
    let expected = picture(&[], Compression::High);
    let actual = encode(4, 5, ColorType::Rgb, Compression::High, &[128; 60]);
    let text = facts(&expected, &actual);
    assert!(text.contains("expected  5 by 4 pixels"), "{text}");
    assert!(text.contains("actual    4 by 5 pixels"), "{text}");
}

#[test]
fn what_is_no_picture_is_said_to_be_none() {
    let picture = picture(&[], Compression::High);
    check(
        "fig.png",
        &picture,
        b"\x89PNG\r\n\x1a\n",
        "
  position  within the file
  byte      8
  expected  00 00 00 0d 49 48 44 52 00 00 00 05 00 00 00 04…
  actual    (nothing)
  note      the file is no readable PNG: unexpected end of file
  note      the file ends at byte 8, expected 86",
    );
    let text = facts(b"", &picture);
    assert!(
        text.contains("the expected file is no readable PNG"),
        "{text}"
    );
}

#[test]
fn a_picture_that_claims_to_be_huge_is_not_read() {
    let mut huge = picture(&[], Compression::High);
    huge[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
    let mut checksum = u32::MAX;
    for byte in &huge[12..29] {
        checksum ^= u32::from(*byte);
        for _ in 0..8 {
            checksum = (checksum >> 1) ^ (0xedb8_8320 & (checksum & 1).wrapping_neg());
        }
    }
    huge[29..33].copy_from_slice(&(!checksum).to_be_bytes());
    let text = facts(&picture(&[], Compression::High), &huge);
    assert!(
        text.contains("65536 by 65536 pixels are more than are"),
        "{text}"
    );
}
