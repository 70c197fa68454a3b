//! Reading and writing parts of payloads, and why bytes are not the canonical encoding of an op.
//!
//! Readers take every map in its one order. What they let pass all the same (wide integers, indefinite lengths)
//! shows when the op's reader compares the input with its own re-encoding.

use std::collections::BTreeSet;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use unicode_normalization::is_nfc;

use crate::id::{OpId, PublicKey};
use crate::limits::{
    FEATURE_PARAMETERS_BYTES_MAX, INTEGER_MAX, SEALED_BYTES_MAX, SEALED_BYTES_MIN, TAGS_MAX,
};
use crate::name::{Name, NameError, Tags};
use crate::sealed::Sealed;
use crate::value::Value;

/// Why bytes are not the canonical encoding of an op. Each is a refusal `non_canonical`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not the CBOR that is expected at this place.
    #[error("malformed CBOR in {0}")]
    Malformed(&'static str),
    /// An unknown version of the format.
    #[error("op version {0} is not known")]
    Version(u8),
    /// A count or a length beyond its limit.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What is too long or too many.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// An integer outside of its range.
    #[error("{0} is out of range")]
    Range(&'static str),
    /// Elements that are not strictly ascending (unsorted or duplicate).
    #[error("{0} are not in strictly ascending order")]
    Order(&'static str),
    /// A name that is empty, too long, not NFC, or has control characters.
    #[error("{what}: {error}")]
    Name {
        /// Which name.
        what: &'static str,
        /// What is wrong with it.
        error: NameError,
    },
    /// Text that is not in normalisation form C.
    #[error("text is not in Unicode normalisation form C")]
    NotNfc,
    /// A JWT with characters other than printable ASCII.
    #[error("a JWT is printable ASCII")]
    JwtNotAscii,
    /// A genesis with parents, or another payload without.
    #[error("exactly the genesis has no parents")]
    Parentless,
    /// The re-encoding differs: a wide integer, an indefinite length or trailing bytes.
    #[error("not the canonical encoding (first difference at byte {offset})")]
    NotCanonical {
        /// Offset of the first differing byte.
        offset: usize,
    },
    /// The envelope around the body is not the fixed COSE_Sign1 frame.
    #[error("not a COSE_Sign1 of alg EdDSA with empty unprotected header and 64-byte signature")]
    Envelope,
}

impl From<minicbor::encode::Error<core::convert::Infallible>> for CodecError {
    fn from(_: minicbor::encode::Error<core::convert::Infallible>) -> Self {
        Self::Malformed("encoder")
    }
}

/// Writing into memory cannot fail; the error type of the encoder says so.
pub(crate) type Out<'a> = Encoder<&'a mut Vec<u8>>;
pub(crate) type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

/// Reads one thing, naming it when it is not there.
macro_rules! read {
    ($input:expr, $method:ident, $what:literal) => {
        $input
            .$method()
            .map_err(|_| $crate::wire::CodecError::Malformed($what))?
    };
}
pub(crate) use read;

pub(crate) fn limit(what: &'static str, length: usize, limit: usize) -> Result<(), CodecError> {
    if length > limit {
        Err(CodecError::Limit { what, limit })
    } else {
        Ok(())
    }
}

/// A count that is neither zero nor beyond the limit.
pub(crate) fn count(what: &'static str, length: usize, max: usize) -> Result<(), CodecError> {
    if length == 0 {
        Err(CodecError::Range(what))
    } else {
        limit(what, length, max)
    }
}

pub(crate) fn range(what: &'static str, value: u64) -> Result<(), CodecError> {
    if value > INTEGER_MAX {
        Err(CodecError::Range(what))
    } else {
        Ok(())
    }
}

pub(crate) fn expect_key(input: &mut Decoder<'_>, key: u8) -> Result<(), CodecError> {
    match input.u8() {
        Ok(found) if found == key => Ok(()),
        Ok(_) => Err(CodecError::Order("map keys")),
        Err(_) => Err(CodecError::Malformed("map key")),
    }
}

/// A payload has as many entries as its type asks for.
pub(crate) fn expect_entries(found: u64, want: u64) -> Result<(), CodecError> {
    if found == want {
        Ok(())
    } else {
        Err(CodecError::Malformed("payload"))
    }
}

pub(crate) fn expect_map(
    input: &mut Decoder<'_>,
    length: u64,
    what: &'static str,
) -> Result<(), CodecError> {
    match input.map() {
        Ok(Some(found)) if found == length => Ok(()),
        _ => Err(CodecError::Malformed(what)),
    }
}

pub(crate) fn expect_array(
    input: &mut Decoder<'_>,
    length: u64,
    what: &'static str,
) -> Result<(), CodecError> {
    match input.array() {
        Ok(Some(found)) if found == length => Ok(()),
        _ => Err(CodecError::Malformed(what)),
    }
}

pub(crate) fn read_fixed<const N: usize>(
    input: &mut Decoder<'_>,
    what: &'static str,
) -> Result<[u8; N], CodecError> {
    let bytes = input.bytes().map_err(|_| CodecError::Malformed(what))?;
    bytes.try_into().map_err(|_| CodecError::Malformed(what))
}

/// A key and the public key under it.
pub(crate) fn read_public_key(
    input: &mut Decoder<'_>,
    key: u8,
    what: &'static str,
) -> Result<PublicKey, CodecError> {
    expect_key(input, key)?;
    read_fixed(input, what).map(PublicKey::from_bytes)
}

/// A key and the op id under it.
pub(crate) fn read_op_id(
    input: &mut Decoder<'_>,
    key: u8,
    what: &'static str,
) -> Result<OpId, CodecError> {
    expect_key(input, key)?;
    read_fixed(input, what).map(OpId::from_bytes)
}

/// A key and the name under it.
pub(crate) fn read_name(
    input: &mut Decoder<'_>,
    key: u8,
    what: &'static str,
) -> Result<Name, CodecError> {
    expect_key(input, key)?;
    name_here(input, what)
}

/// The name that comes next.
pub(crate) fn name_here(input: &mut Decoder<'_>, what: &'static str) -> Result<Name, CodecError> {
    let text = input.str().map_err(|_| CodecError::Malformed(what))?;
    Name::new(text).map_err(|error| CodecError::Name { what, error })
}

/// Reads an array whose declared length is compared with the limit before anything is allocated.
pub(crate) fn read_array<T>(
    input: &mut Decoder<'_>,
    what: &'static str,
    max: usize,
    mut element: impl FnMut(&mut Decoder<'_>) -> Result<T, CodecError>,
) -> Result<Vec<T>, CodecError> {
    let Ok(Some(declared)) = input.array() else {
        return Err(CodecError::Malformed(what));
    };
    let length = usize::try_from(declared).unwrap_or(usize::MAX);
    limit(what, length, max)?;
    let mut elements = Vec::with_capacity(length);
    for _ in 0..length {
        elements.push(element(input)?);
    }
    Ok(elements)
}

/// The elements as a set, if they came strictly ascending.
pub(crate) fn ascending<T: Ord>(
    elements: Vec<T>,
    what: &'static str,
) -> Result<BTreeSet<T>, CodecError> {
    if elements.is_sorted_by(|a, b| a < b) {
        Ok(elements.into_iter().collect())
    } else {
        Err(CodecError::Order(what))
    }
}

pub(crate) fn read_tags(input: &mut Decoder<'_>) -> Result<Tags, CodecError> {
    let tags = read_array(input, "tags", TAGS_MAX, |input| name_here(input, "tag"))?;
    ascending(tags, "tags")
}

pub(crate) fn write_tags(out: &mut Out<'_>, tags: &Tags) -> Written {
    out.array(tags.len() as u64)?;
    for tag in tags {
        out.str(tag)?;
    }
    Ok(())
}

/// The parameters of a feature.
pub(crate) fn read_parameters(input: &mut Decoder<'_>) -> Result<Vec<u8>, CodecError> {
    let parameters = read!(input, bytes, "feature parameters");
    check_parameters(parameters)?;
    Ok(parameters.to_owned())
}

pub(crate) fn check_parameters(parameters: &[u8]) -> Result<(), CodecError> {
    limit(
        "feature parameters",
        parameters.len(),
        FEATURE_PARAMETERS_BYTES_MAX,
    )
}

pub(crate) fn read_value(input: &mut Decoder<'_>) -> Result<Value, CodecError> {
    let kind = input
        .datatype()
        .map_err(|_| CodecError::Malformed("value"))?;
    Ok(match kind {
        Type::Null => {
            read!(input, null, "value");
            Value::Null
        }
        Type::Bool => Value::Bool(read!(input, bool, "value")),
        Type::String => Value::Text(read!(input, str, "value").to_owned()),
        Type::Bytes => Value::Bytes(read!(input, bytes, "value").to_owned()),
        _ => Value::Int(read!(input, i64, "value")),
    })
}

pub(crate) fn write_value(out: &mut Out<'_>, value: &Value) -> Written {
    match value {
        Value::Null => out.null()?,
        Value::Bool(value) => out.bool(*value)?,
        Value::Int(value) => out.i64(*value)?,
        Value::Text(value) => out.str(value)?,
        Value::Bytes(value) => out.bytes(value)?,
        Value::Sealed(value) => return write_sealed(out, value),
    };
    Ok(())
}

/// A value that only readers can open.
pub(crate) fn read_sealed(input: &mut Decoder<'_>) -> Result<Sealed, CodecError> {
    expect_array(input, 3, "sealed value")?;
    Ok(Sealed {
        key: read_fixed(input, "key").map(OpId::from_bytes)?,
        nonce: read_fixed(input, "nonce")?,
        ciphertext: read!(input, bytes, "ciphertext").to_owned(),
    })
}

pub(crate) fn write_sealed(out: &mut Out<'_>, value: &Sealed) -> Written {
    out.array(3)?.bytes(value.key.as_bytes())?;
    out.bytes(&value.nonce)?.bytes(&value.ciphertext)?;
    Ok(())
}

pub(crate) fn check_sealed(value: &Sealed) -> Result<(), CodecError> {
    if value.ciphertext.len() < SEALED_BYTES_MIN {
        return Err(CodecError::Malformed("ciphertext"));
    }
    limit("ciphertext", value.ciphertext.len(), SEALED_BYTES_MAX)
}

/// The value that comes next in an op that was decoded before, plain or sealed.
pub(crate) fn read_any_value(input: &mut Decoder<'_>) -> Result<Value, CodecError> {
    match input.datatype() {
        Ok(Type::Array) => read_sealed(input).map(Value::Sealed),
        Ok(_) | Err(_) => read_value(input),
    }
}

pub(crate) fn check_value(value: &Value) -> Result<(), CodecError> {
    match value {
        Value::Int(value) if !Value::integer_in_range(*value) => Err(CodecError::Range("integer")),
        Value::Text(text) if !is_nfc(text) => Err(CodecError::NotNfc),
        Value::Sealed(_) => Err(CodecError::Malformed("value")),
        Value::Int(_) | Value::Text(_) | Value::Null | Value::Bool(_) | Value::Bytes(_) => Ok(()),
    }
}

impl Value {
    /// The canonical CBOR of the value; its BLAKE3 picks the displayed winner of a register.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing into a vector cannot fail.
        let written = write_value(&mut Encoder::new(&mut out), self);
        debug_assert!(written.is_ok());
        out
    }

    /// The value of which these bytes are the canonical CBOR; `None` if they are not, or it is a sealed one.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let value = read_value(&mut Decoder::new(bytes)).ok()?;
        let is_sound = check_value(&value).is_ok() && value.encode() == bytes;
        is_sound.then_some(value)
    }
}
