//! The structure of CBOR data (RFC 8949 section 3), no more than is needed to find where an item ends.

/// Deepest nesting that is followed.
const DEPTH_MAX: usize = 64;

/// The head of a data item: its major type and its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// Major type, 0 to 7.
    pub(super) major: u8,
    /// The number, length, count, tag or simple value.
    pub(super) argument: u64,
    /// Bytes that the head takes.
    pub(super) length: usize,
}

/// Major type of byte strings.
pub(super) const BYTES: u8 = 2;
/// Major type of arrays.
pub(super) const ARRAY: u8 = 4;
/// Major type of maps.
pub(super) const MAP: u8 = 5;
/// Major type of tags.
pub(super) const TAG: u8 = 6;

/// The head at the start of `bytes`; nothing if it is truncated, reserved or of indefinite length.
pub(super) fn head(bytes: &[u8]) -> Option<Head> {
    let (first, rest) = bytes.split_first()?;
    let following = match first & 0x1f {
        0..=23 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let argument = match following {
        0 => u64::from(first & 0x1f),
        _ => rest
            .get(..following)?
            .iter()
            .fold(0, |value, byte| (value << 8) | u64::from(*byte)),
    };
    Some(Head {
        major: first >> 5,
        argument,
        length: 1 + following,
    })
}

/// How many bytes the data item at the start of `bytes` takes; nothing if it is not whole, or not definite.
pub(super) fn item_length(bytes: &[u8]) -> Option<usize> {
    nested_length(bytes, DEPTH_MAX)
}

fn nested_length(bytes: &[u8], depth: usize) -> Option<usize> {
    let head = head(bytes)?;
    let inner_items = match head.major {
        2 | 3 => {
            let end = head
                .length
                .checked_add(usize::try_from(head.argument).ok()?)?;
            return (end <= bytes.len()).then_some(end);
        }
        ARRAY => head.argument,
        MAP => head.argument.checked_mul(2)?,
        TAG => 1,
        _ => 0,
    };
    let mut end = head.length;
    for _ in 0..inner_items {
        // Each item takes at least one byte, so a count beyond the input ends here.
        end += nested_length(bytes.get(end..)?, depth.checked_sub(1)?)?;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_the_examples_of_rfc_8949() {
        // Appendix A of RFC 8949; each is one item.
        for item in [
            "00",
            "1818",
            "1903e8",
            "1a000f4240",
            "1b000000e8d4a51000",
            "20",
            "f97e00",
            "fb3ff199999999999a",
            "f4",
            "f6",
            "f8ff",
            "c11a514b67b0",
            "d74401020304",
            "40",
            "4401020304",
            "60",
            "6449455446",
            "80",
            "83010203",
            "8301820203820405",
            "a0",
            "a201020304",
            "a26161016162820203",
            "826161a161626163",
        ] {
            let mut bytes = hex::decode(item).unwrap();
            let length = bytes.len();
            for cut in 0..length {
                assert_eq!(item_length(&bytes[..cut]), None, "{item} cut to {cut}");
            }
            bytes.push(0);
            assert_eq!(item_length(&bytes), Some(length), "{item}");
        }
    }

    #[test]
    fn what_has_no_definite_end() {
        let deep = [[0x81; 100].as_slice(), &[0]].concat();
        for bytes in [
            &b""[..],
            &[0x1c],
            &[0x5f, 0xff],
            &[0x9f, 0xff],
            &[0xff],
            &[0xbb; 9],
            &[0x9b; 9],
            &deep,
        ] {
            assert_eq!(item_length(bytes), None, "{bytes:x?}");
        }
    }
}
