//! Heads of CBOR items (RFC 8949 section 3) where ops are read and written by the million, and a call of the codec for each
//! costs more than the item. Every number takes as few bytes as it needs (section 4.2.1).

/// Major types, in the upper three bits of the first byte.
pub(crate) const UINT: u8 = 0;
pub(crate) const BYTES: u8 = 2 << 5;
pub(crate) const ARRAY: u8 = 4 << 5;

/// Appends the head of an item of that major type with this number.
#[inline]
pub(crate) fn push_head(bytes: &mut Vec<u8>, major: u8, number: u64) {
    if let Ok(number) = u8::try_from(number) {
        if number < 24 {
            bytes.push(major | number);
        } else {
            bytes.extend_from_slice(&[major | 24, number]);
        }
    } else if let Ok(number) = u16::try_from(number) {
        let [a, b] = number.to_be_bytes();
        bytes.extend_from_slice(&[major | 25, a, b]);
    } else if let Ok(number) = u32::try_from(number) {
        let [a, b, c, d] = number.to_be_bytes();
        bytes.extend_from_slice(&[major | 26, a, b, c, d]);
    } else {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        bytes.extend_from_slice(&[major | 27, a, b, c, d, e, f, g, h]);
    }
}

/// Takes the head of an item of that major type, and returns its number; `None` if that is not what comes next, or if it is
/// written longer than it need be.
#[inline]
pub(crate) fn take_head(bytes: &mut &[u8], major: u8) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    let small = first.checked_sub(major)?;
    if small < 24 {
        *bytes = rest;
        return Some(small.into());
    }
    let (number, rest) = take_long(small, rest)?;
    *bytes = rest;
    Some(number)
}

fn take_long(small: u8, rest: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest, least) = match small {
        24 => {
            let (number, rest) = rest.split_first_chunk()?;
            (u8::from_be_bytes(*number).into(), rest, 24)
        }
        25 => {
            let (number, rest) = rest.split_first_chunk()?;
            (u16::from_be_bytes(*number).into(), rest, 1 << 8)
        }
        26 => {
            let (number, rest) = rest.split_first_chunk()?;
            (u32::from_be_bytes(*number).into(), rest, 1 << 16)
        }
        27 => {
            let (number, rest) = rest.split_first_chunk()?;
            (u64::from_be_bytes(*number), rest, 1 << 32)
        }
        _ => return None,
    };
    (number >= least).then_some((number, rest))
}

#[cfg(test)]
mod tests {
    use minicbor::Encoder;

    use super::*;

    /// What the codec writes for these.
    fn head(major: u8, number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let out = &mut Encoder::new(&mut bytes);
        match major {
            UINT => out.u64(number),
            BYTES => out.bytes_len(number),
            _ => out.array(number),
        }
        .unwrap();
        bytes
    }

    #[test]
    fn heads_are_those_of_the_codec() {
        let edges = [0, 24, 1 << 8, 1 << 16, 1 << 32];
        let around = edges.map(|edge: u64| [edge.saturating_sub(1), edge, edge + 1]);
        for number in around.into_iter().flatten().chain([u64::MAX - 1, u64::MAX]) {
            for major in [UINT, BYTES, ARRAY] {
                let want = head(major, number);
                let mut bytes = Vec::new();
                push_head(&mut bytes, major, number);
                assert_eq!(bytes, want, "{major:#x} {number}");
                bytes.push(7);
                let mut rest = &bytes[..];
                assert_eq!(take_head(&mut rest, major), Some(number));
                assert_eq!(rest, [7]);
                for cut in 0..want.len() {
                    assert_eq!(take_head(&mut &want[..cut], major), None, "{number}");
                }
                for other in [UINT, BYTES, ARRAY].into_iter().filter(|it| *it != major) {
                    assert_eq!(take_head(&mut &want[..], other), None, "{number}");
                }
            }
        }
    }

    #[test]
    fn no_head_is_longer_than_it_need_be_and_none_is_without_a_number() {
        for long in [
            &[24, 23][..],
            &[25, 0, 255],
            &[26, 0, 0, 255, 255],
            &[27, 0, 0, 0, 0, 255, 255, 255, 255],
            &[28],
            &[31],
        ] {
            for major in [UINT, BYTES, ARRAY] {
                let mut bytes = long.to_vec();
                bytes[0] |= major;
                assert_eq!(take_head(&mut &bytes[..], major), None, "{bytes:?}");
            }
        }
    }
}
