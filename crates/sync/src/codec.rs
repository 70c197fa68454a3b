//! Reading and writing deterministic CBOR (RFC 8949 section 4.2.1) with limits.

use minicbor::{Decoder, Encoder};

use ecac_core::{OpId, PublicKey};

/// Why bytes are no frame or no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not the CBOR that is expected.
    #[error("not the expected CBOR")]
    Shape,
    /// A length or a count beyond its limit.
    #[error("a length is beyond its limit")]
    Limit,
    /// Elements that are not strictly ascending.
    #[error("elements are not in strictly ascending order")]
    Order,
    /// Another encoding than the deterministic one, or bytes that follow it.
    #[error("not the deterministic encoding")]
    NotDeterministic,
}

impl From<minicbor::decode::Error> for Malformed {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Shape
    }
}

/// Writing into memory cannot fail; the error type of the encoder says so.
pub(crate) type Out<'a> = Encoder<&'a mut Vec<u8>>;
pub(crate) type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

/// The bytes that are written.
pub(crate) fn encoded(write: impl FnOnce(&mut Out<'_>) -> Written) -> Vec<u8> {
    encoded_within(0, write)
}

/// The same, in memory for so many bytes: for what is long, and of which the length is known.
pub(crate) fn encoded_within(
    capacity: usize,
    write: impl FnOnce(&mut Out<'_>) -> Written,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity);
    let written = write(&mut Encoder::new(&mut bytes));
    assert!(written.is_ok(), "writing into memory cannot fail");
    bytes
}

/// The length of an array, which is at most `max`.
pub(crate) fn array(input: &mut Decoder<'_>, max: usize) -> Result<usize, Malformed> {
    let length = input.array()?.ok_or(Malformed::NotDeterministic)?;
    let length = usize::try_from(length).map_err(|_| Malformed::Limit)?;
    if length > max {
        return Err(Malformed::Limit);
    }
    Ok(length)
}

/// An array of that length.
pub(crate) fn array_of(input: &mut Decoder<'_>, length: usize) -> Result<(), Malformed> {
    match array(input, length) {
        Ok(found) if found == length => Ok(()),
        Ok(_) => Err(Malformed::Shape),
        Err(error) => Err(error),
    }
}

pub(crate) fn bytes<'a>(input: &mut Decoder<'a>, max: usize) -> Result<&'a [u8], Malformed> {
    let bytes = input.bytes()?;
    if bytes.len() > max {
        return Err(Malformed::Limit);
    }
    Ok(bytes)
}

pub(crate) fn fixed<const N: usize>(input: &mut Decoder<'_>) -> Result<[u8; N], Malformed> {
    bytes(input, N)?.try_into().map_err(|_| Malformed::Shape)
}

pub(crate) fn op_id(input: &mut Decoder<'_>) -> Result<OpId, Malformed> {
    fixed(input).map(OpId::from_bytes)
}

pub(crate) fn author(input: &mut Decoder<'_>) -> Result<PublicKey, Malformed> {
    fixed(input).map(PublicKey::from_bytes)
}

/// Whether each element is greater than the one before.
pub(crate) fn ascending<T: Ord>(elements: &[T]) -> Result<(), Malformed> {
    if elements.windows(2).all(|pair| pair[0] < pair[1]) {
        Ok(())
    } else {
        Err(Malformed::Order)
    }
}
