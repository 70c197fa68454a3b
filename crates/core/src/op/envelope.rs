//! The envelope: COSE_Sign1 (RFC 9052 section 4.2) around the body bytes.
//!
//! The frame is fixed, tag 18 included: protected header `{1: -8}` (alg EdDSA), empty unprotected header,
//! the body as payload, a 64-byte Ed25519 signature. Any COSE library that is given `ECAC_OP_V1` as external
//! AAD can check it.

use core::ops::Range;

use minicbor::data::Tag;
use minicbor::{Decoder, Encoder};

use crate::id::OP_DOMAIN;
use crate::limits::ENVELOPE_BYTES_MAX;
use crate::wire::CodecError;

/// CBOR tag of COSE_Sign1.
const TAG_COSE_SIGN1: u64 = 18;
/// `{1: -8}`: alg EdDSA (RFC 9053 section 2.2).
const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x27];

/// The first bytes of every envelope: tag 18, array of four, the protected header, an empty map.
pub const ENVELOPE_PREFIX: [u8; 7] = [0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0];

/// What is signed, up to the CBOR head of the body ([`to_be_signed`]).
pub(super) const SIGNED_PREFIX: &[u8; 27] = b"\x84\x6aSignature1\x43\xa1\x01\x27\x4aECAC_OP_V1";

/// The CBOR head of the 64-byte signature.
const SIGNATURE_HEAD: [u8; 2] = [0x58, 0x40];
/// That head, and the signature.
const SIGNATURE_BYTES: usize = SIGNATURE_HEAD.len() + 64;

/// The envelope of a signed body, and where in it the body lies.
///
/// Writing into memory cannot fail, so the results of the encoder carry nothing.
pub(super) fn encode(body: &[u8], signature: &[u8; 64]) -> (Vec<u8>, Range<usize>) {
    let mut out = Vec::with_capacity(ENVELOPE_PREFIX.len() + 9 + body.len() + SIGNATURE_BYTES);
    out.extend(ENVELOPE_PREFIX);
    let mut encoder = Encoder::new(&mut out);
    let written = encoder
        .bytes(body)
        .and_then(|encoder| encoder.bytes(signature));
    debug_assert!(written.is_ok());
    let end = out.len() - SIGNATURE_BYTES;
    (out, end - body.len()..end)
}

/// Where in an envelope the body lies; the signature is the last 64 bytes.
pub(super) fn decode(envelope: &[u8]) -> Result<Range<usize>, CodecError> {
    if envelope.len() > ENVELOPE_BYTES_MAX {
        return Err(CodecError::Limit {
            what: "envelope",
            limit: ENVELOPE_BYTES_MAX,
        });
    }
    if let Some(body) = body_of_known(envelope)
        && let Some(at) = canonical(envelope, body.len())
    {
        return Ok(at);
    }
    // It is not what it should be; why, is found out item by item.
    let malformed = |_| CodecError::Envelope;
    let mut input = Decoder::new(envelope);
    if input.tag().map_err(malformed)? != Tag::new(TAG_COSE_SIGN1)
        || input.array().map_err(malformed)? != Some(4)
        || input.bytes().map_err(malformed)? != PROTECTED
        || input.map().map_err(malformed)? != Some(0)
    {
        return Err(CodecError::Envelope);
    }
    let body = input.bytes().map_err(malformed)?;
    let signature = input.bytes().map_err(malformed)?;
    let signature: [u8; 64] = signature.try_into().map_err(|_| CodecError::Envelope)?;
    let (again, _) = encode(body, &signature);
    let offset = again
        .iter()
        .zip(envelope)
        .take_while(|(a, b)| a == b)
        .count();
    Err(CodecError::NotCanonical { offset })
}

/// The body in an envelope that was decoded before.
pub(super) fn body_of_known(envelope: &[u8]) -> Option<&[u8]> {
    let rest = envelope.strip_prefix(&ENVELOPE_PREFIX)?;
    Decoder::new(rest).bytes().ok()
}

/// Where the body lies in an envelope that was decoded before.
pub(super) fn body_at(envelope: &[u8]) -> Option<Range<usize>> {
    let length = body_of_known(envelope)?.len();
    let end = envelope.len().checked_sub(SIGNATURE_BYTES)?;
    Some(end.checked_sub(length)?..end)
}

/// What is signed ([`to_be_signed`]), in parts, of an envelope in which the body ends there.
pub(super) fn signed_parts(envelope: &[u8], body_end: usize) -> [&[u8]; 2] {
    [SIGNED_PREFIX, &envelope[ENVELOPE_PREFIX.len()..body_end]]
}

/// Where a body of that length lies in the envelope, if all around it but the 64 bytes of the signature is what
/// [`encode`] writes: the same comparison without the copy.
fn canonical(envelope: &[u8], length: usize) -> Option<Range<usize>> {
    let mut head = [0; 9];
    let mut unused = &mut head[..];
    Encoder::new(&mut unused).bytes_len(length as u64).ok()?;
    let head_length = 9 - unused.len();
    let start = ENVELOPE_PREFIX.len() + head_length;
    let end = start + length;
    let same = envelope.len() == end + SIGNATURE_BYTES
        && envelope.starts_with(&ENVELOPE_PREFIX)
        && envelope[ENVELOPE_PREFIX.len()..start] == head[..head_length]
        && envelope[end..].starts_with(&SIGNATURE_HEAD);
    same.then_some(start..end)
}

/// What is signed: the Sig_structure of RFC 9052 section 4.4, with `ECAC_OP_V1` as external AAD.
pub(super) fn to_be_signed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 40);
    let mut encoder = Encoder::new(&mut out);
    let written = encoder
        .array(4)
        .and_then(|encoder| encoder.str("Signature1"))
        .and_then(|encoder| encoder.bytes(&PROTECTED))
        .and_then(|encoder| encoder.bytes(OP_DOMAIN))
        .and_then(|encoder| encoder.bytes(body));
    debug_assert!(written.is_ok());
    out
}
