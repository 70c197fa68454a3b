//! The one canonical encoding of an op body: deterministic CBOR (RFC 8949 section 4.2.1).
//!
//! `docs/protocol.cddl` describes the bytes. Decoding reads every map in its one order and then compares the
//! input with its own re-encoding, so that a wide integer, a foreign order or an indefinite length cannot pass:
//! two different byte strings never decode to the same op.

mod decode;
mod encode;

use minicbor::{Decoder, Encoder};
use unicode_normalization::is_nfc;

use super::name::NameError;
use super::payload::Payload;
use super::value::Value;
use crate::Hlc;
use crate::id::{OpId, PublicKey};
use crate::limits::{
    INTEGER_MAX, PARENTS_MAX, PAYLOAD_BYTES_MAX, ROOTS_MAX, SCHEMA_RULES_MAX, TAGS_MAX,
};
use decode::read_body;
use encode::write_body;

/// Version of the op format.
const VERSION: u8 = 1;

/// Payload type numbers; frozen by `docs/protocol.cddl`.
mod kind {
    pub(super) const GENESIS: u8 = 0;
    pub(super) const SET_FIELD: u8 = 1;
    pub(super) const SET_ADD: u8 = 2;
    pub(super) const SET_REMOVE: u8 = 3;
    pub(super) const CREDENTIAL: u8 = 4;
    pub(super) const GRANT: u8 = 5;
    pub(super) const REVOKE: u8 = 6;
    pub(super) const ISSUER_KEY: u8 = 7;
    pub(super) const ISSUER_KEY_REVOKE: u8 = 8;
    pub(super) const STATUS_LIST: u8 = 9;
}

/// Why bytes are not the canonical encoding of an op. Each is a refusal `non_canonical`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Not the CBOR that is expected at this place.
    #[error("malformed CBOR in {0}")]
    Malformed(&'static str),
    /// An unknown version of the format.
    #[error("op version {0} is not known")]
    Version(u8),
    /// An unknown payload type.
    #[error("payload type {0} is not known")]
    PayloadType(u8),
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
    /// A name that is empty, too long or not NFC.
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

/// The signed body of an op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// Who signs.
    pub author: PublicKey,
    /// Position in the author's chain, from 0.
    pub seq: u64,
    /// Ops seen, strictly ascending; empty for genesis only; at most [`PARENTS_MAX`].
    pub parents: Vec<OpId>,
    /// Stamp.
    pub hlc: Hlc,
    /// What the op says.
    pub payload: Payload,
}

impl Body {
    /// The canonical encoding.
    ///
    /// # Errors
    /// [`CodecError`] for a body that breaks a limit or an order: what is encoded can always be decoded.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        self.check()?;
        let mut out = Vec::with_capacity(256);
        write_body(&mut Encoder::new(&mut out), self)?;
        Ok(out)
    }

    /// The body that `bytes` encode.
    ///
    /// # Errors
    /// [`CodecError`] for anything but the one canonical encoding of a body within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let body = read_body(&mut Decoder::new(bytes))?;
        let again = body.encode()?;
        if again == bytes {
            return Ok(body);
        }
        let common = again.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        Err(CodecError::NotCanonical { offset: common })
    }

    /// The rules that the types do not already state.
    fn check(&self) -> Result<(), CodecError> {
        limit("parents", self.parents.len(), PARENTS_MAX)?;
        if !self.parents.is_sorted_by(|a, b| a < b) {
            return Err(CodecError::Order("parents"));
        }
        if matches!(self.payload, Payload::Genesis(_)) != self.parents.is_empty() {
            return Err(CodecError::Parentless);
        }
        range("seq", self.seq)?;
        range("hlc", self.hlc.physical_ms)?;
        match &self.payload {
            Payload::Genesis(genesis) => {
                count("roots", genesis.roots.len(), ROOTS_MAX)?;
                limit("schema rules", genesis.schema.len(), SCHEMA_RULES_MAX)?;
                genesis
                    .schema
                    .iter()
                    .try_for_each(|rule| count("tags", rule.tags.len(), TAGS_MAX))
            }
            Payload::SetField { value, .. } | Payload::SetAdd { value, .. } => check_value(value),
            Payload::Credential { jwt } | Payload::StatusList { jwt } => {
                if jwt.is_empty() || !jwt.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(CodecError::JwtNotAscii);
                }
                limit("JWT", jwt.len(), PAYLOAD_BYTES_MAX)
            }
            Payload::Revoke {
                scope: Some(scope), ..
            } => count("tags", scope.len(), TAGS_MAX),
            Payload::IssuerKey {
                valid_from_ms,
                valid_until_ms,
                ..
            } => {
                range("valid_until", *valid_until_ms)?;
                if valid_from_ms < valid_until_ms {
                    Ok(())
                } else {
                    Err(CodecError::Range("key window"))
                }
            }
            _ => Ok(()),
        }
    }
}

fn check_value(value: &Value) -> Result<(), CodecError> {
    match value {
        Value::Int(value) if !Value::integer_in_range(*value) => Err(CodecError::Range("integer")),
        Value::Text(text) if !is_nfc(text) => Err(CodecError::NotNfc),
        _ => Ok(()),
    }
}

fn limit(what: &'static str, length: usize, limit: usize) -> Result<(), CodecError> {
    if length > limit {
        Err(CodecError::Limit { what, limit })
    } else {
        Ok(())
    }
}

/// A count that is neither zero nor beyond the limit.
fn count(what: &'static str, length: usize, max: usize) -> Result<(), CodecError> {
    if length == 0 {
        Err(CodecError::Range(what))
    } else {
        limit(what, length, max)
    }
}

fn range(what: &'static str, value: u64) -> Result<(), CodecError> {
    if value > INTEGER_MAX {
        Err(CodecError::Range(what))
    } else {
        Ok(())
    }
}
