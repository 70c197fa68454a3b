//! Payloads of a type that no version known here defines: held and handed on, not judged.

use minicbor::Decoder;
use minicbor::data::Type;
use serde_json::{Value as Json, json};

use super::describe::Part;
use super::kind::Kind;
use crate::limits::UNASSIGNED_LEVELS_MAX;
use crate::wire::{CodecError, Out, Written, expect_key, read};

/// A payload of a type that this program does not know, in its one encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unassigned {
    kind: u16,
    /// The whole encoded map, key 0 included.
    bytes: Vec<u8>,
}

impl Unassigned {
    /// The payload that the bytes of one map encode.
    ///
    /// # Errors
    /// [`CodecError`] if they are not the one encoding of such a payload, or if the type is one that is known.
    pub fn new(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut input = Decoder::new(bytes);
        let payload = Self::read(&mut input)?;
        if input.position() == bytes.len() {
            Ok(payload)
        } else {
            Err(CodecError::NotCanonical {
                offset: input.position(),
            })
        }
    }

    /// The number of the type.
    #[must_use]
    pub const fn kind(&self) -> u16 {
        self.kind
    }

    /// The encoded map.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads the payload from its map on. Its form is judged here as deep as it goes, since nothing encodes it again.
    pub(super) fn read(input: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let start = input.position();
        let Ok(Some(1..)) = input.map() else {
            return Err(CodecError::Malformed("payload"));
        };
        expect_key(input, 0)?;
        let kind = read!(input, u16, "payload type");
        if Kind::numbered(kind).is_some() {
            return Err(CodecError::Malformed("payload"));
        }
        input.set_position(start);
        skip_payload(input)?;
        let bytes = input.input()[start..input.position()].to_owned();
        Ok(Self { kind, bytes })
    }

    /// Writes what was read.
    pub(super) fn write(&self, out: &mut Out<'_>) -> Written {
        out.writer_mut().extend_from_slice(&self.bytes);
        Ok(())
    }

    pub(super) fn describe(&self) -> Vec<Part> {
        vec![
            Part::Word("of type"),
            Part::Number(u64::from(self.kind)),
            Part::Word("with"),
            Part::Count(self.bytes.len(), "byte"),
        ]
    }

    pub(super) fn members(&self) -> Json {
        json!({ "type": self.kind, "cbor": hex::encode(&self.bytes) })
    }
}

const WHAT: &str = "payload of a type that is not assigned";

/// Passes a map whose keys are unsigned integers.
fn skip_payload(input: &mut Decoder<'_>) -> Result<(), CodecError> {
    let length = container(input)?;
    let mut last: Option<u64> = None;
    for _ in 0..length {
        let at = input.position();
        let key = read!(input, u64, "payload key");
        shortest(input, at, key)?;
        if last.is_some_and(|last| last >= key) {
            return Err(CodecError::Order("payload keys"));
        }
        last = Some(key);
        skip_item(input, 1)?;
    }
    Ok(())
}

/// Passes one item in deterministic encoding (RFC 8949 section 4.2.1) without floating-point numbers, tags and simple
/// values but truth values and null; `level` arrays and maps are open around it.
fn skip_item(input: &mut Decoder<'_>, level: usize) -> Result<(), CodecError> {
    let malformed = |_| CodecError::Malformed(WHAT);
    let at = input.position();
    match input.datatype().map_err(malformed)? {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
            let value = input.u64().map_err(malformed)?;
            shortest(input, at, value)
        }
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::Int => {
            let value = i128::from(input.int().map_err(malformed)?);
            let argument = if value < 0 { -1 - value } else { value };
            let argument = u64::try_from(argument).map_err(|_| CodecError::Malformed(WHAT))?;
            shortest(input, at, argument)
        }
        Type::Bool => input.bool().map(|_| ()).map_err(malformed),
        Type::Null => input.null().map_err(malformed),
        Type::Bytes => {
            let length = input.bytes().map_err(malformed)?.len();
            shortest_string(input, at, length)
        }
        Type::String => {
            let length = input.str().map_err(malformed)?.len();
            shortest_string(input, at, length)
        }
        Type::Array | Type::Map if level >= UNASSIGNED_LEVELS_MAX => Err(CodecError::Limit {
            what: "levels of a payload",
            limit: UNASSIGNED_LEVELS_MAX,
        }),
        Type::Array => {
            let length = container(input)?;
            (0..length).try_for_each(|_| skip_item(input, level + 1))
        }
        Type::Map => {
            let length = container(input)?;
            let mut last: Option<Vec<u8>> = None;
            for _ in 0..length {
                let start = input.position();
                skip_item(input, level + 1)?;
                let key = input.input()[start..input.position()].to_owned();
                if last.is_some_and(|last| last >= key) {
                    return Err(CodecError::Order("map keys"));
                }
                last = Some(key);
                skip_item(input, level + 1)?;
            }
            Ok(())
        }
        Type::F16
        | Type::F32
        | Type::F64
        | Type::Simple
        | Type::Undefined
        | Type::BytesIndef
        | Type::StringIndef
        | Type::ArrayIndef
        | Type::MapIndef
        | Type::Tag
        | Type::Break
        | Type::Unknown(_) => Err(CodecError::Malformed(WHAT)),
    }
}

/// Opens an array or a map of definite length whose head is the shortest.
fn container(input: &mut Decoder<'_>) -> Result<u64, CodecError> {
    let at = input.position();
    let length = match input.datatype() {
        Ok(Type::Array) => input.array(),
        Ok(Type::Map) => input.map(),
        _ => return Err(CodecError::Malformed(WHAT)),
    };
    match length {
        Ok(Some(length)) => shortest(input, at, length).map(|()| length),
        _ => Err(CodecError::Malformed(WHAT)),
    }
}

/// Errs unless the head from `at` to here is the shortest one for its argument.
fn shortest(input: &Decoder<'_>, at: usize, argument: u64) -> Result<(), CodecError> {
    head_has(input.position() - at, at, argument)
}

/// The same for a string of that length, whose content lies between its head and here.
fn shortest_string(input: &Decoder<'_>, at: usize, length: usize) -> Result<(), CodecError> {
    head_has(input.position() - at - length, at, length as u64)
}

const fn head_has(found: usize, offset: usize, argument: u64) -> Result<(), CodecError> {
    let want = match argument {
        0..24 => 1,
        24..0x100 => 2,
        0x100..0x1_0000 => 3,
        0x1_0000..0x1_0000_0000 => 5,
        _ => 9,
    };
    if found == want {
        Ok(())
    } else {
        Err(CodecError::NotCanonical { offset })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_encoding_is_passed() {
        let check = |bytes: &str, sound: bool| {
            let bytes = hex::decode(bytes).unwrap();
            assert_eq!(Unassigned::new(&bytes).is_ok(), sound, "{bytes:02x?}");
        };
        // Type 22 alone; 65,535; with one of each allowed item.
        check("a10016", true);
        check("a10019ffff", true);
        check(
            "a800160120021bffffffffffffffff033bffffffffffffffff04f505f606830102830761610843010203",
            false,
        );
        check(
            "a700160120021bffffffffffffffff033bffffffffffffffff04f505f60642ffff",
            true,
        );
        check("a2001601a2016161026162", true);
        // A type that is assigned, or none.
        check("a10000", false);
        check("a10010", false);
        check("a10015", false);
        check("a10111", false);
        check("a1001a00010000", false);
        // Wide heads, of a type, an integer, a string, an array, a map.
        check("a100190018", false);
        check("a20016011801", false);
        check("a20016013800", false);
        check("a2001601780161", false);
        check("a2001601580161", false);
        check("a20016019801 00".replace(' ', "").as_str(), false);
        check("a2001601b8010000", false);
        check("b8010016", false);
        // Keys out of order or twice, at the top and inside; keys that are no unsigned integers.
        check("a3001602000100", false);
        check("a3001601000100", false);
        check("a2001601a202000100", false);
        check("a20016206161", false);
        check("a20016616100", false);
        // Indefinite lengths, tags, floats, undefined, other simple values.
        check("bf0016ff", false);
        check("a20016019fff", false);
        check("a20016015f4100ff", false);
        check("a2001601c000", false);
        check("a2001601f90000", false);
        check("a2001601f7", false);
        check("a2001601e0", false);
        // Text that is no UTF-8; bytes that end early; bytes behind the end.
        check("a200160161ff", false);
        check("a2001601", false);
        check("a1001100", false);
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| {
            let mut bytes = vec![0xa2, 0x00, 0x16, 0x01];
            bytes.resize(4 + levels, 0x81);
            bytes.push(0x00);
            Unassigned::new(&bytes).is_ok()
        };
        assert!(nested(UNASSIGNED_LEVELS_MAX - 1));
        assert!(!nested(UNASSIGNED_LEVELS_MAX));
        assert!(!nested(60_000));
    }
}
