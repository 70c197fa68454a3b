//! The one canonical encoding of an op body: deterministic CBOR (RFC 8949 section 4.2.1).
//!
//! `docs/protocol.cddl` describes the bytes. Decoding reads every map in its one order and then compares the
//! input with its own re-encoding, so that a wide integer, a foreign order or an indefinite length cannot pass:
//! two different byte strings never decode to the same op.

use std::collections::BTreeSet;

use minicbor::data::Type;
use minicbor::{Decoder, Encoder};
use unicode_normalization::is_nfc;

use super::name::{Name, NameError};
use super::payload::{Genesis, Payload, SchemaRule, Tags};
use super::value::Value;
use crate::Hlc;
use crate::credential::Role;
use crate::id::{OpId, PublicKey};
use crate::limits::{
    INTEGER_MAX, PARENTS_MAX, PAYLOAD_BYTES_MAX, ROOTS_MAX, SCHEMA_RULES_MAX, TAGS_MAX,
};

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

/// Writing into memory cannot fail; the error type of the encoder says so.
type Out<'a> = Encoder<&'a mut Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

impl From<minicbor::encode::Error<core::convert::Infallible>> for CodecError {
    fn from(_: minicbor::encode::Error<core::convert::Infallible>) -> Self {
        Self::Malformed("encoder")
    }
}

fn write_body(out: &mut Out<'_>, body: &Body) -> Result<(), CodecError> {
    out.map(6)?;
    out.u8(0)?.u8(VERSION)?;
    out.u8(1)?.bytes(body.author.as_bytes())?;
    out.u8(2)?.u64(body.seq)?;
    out.u8(3)?.array(body.parents.len() as u64)?;
    for parent in &body.parents {
        out.bytes(parent.as_bytes())?;
    }
    out.u8(4)?.array(3)?;
    out.u64(body.hlc.physical_ms)?
        .u32(body.hlc.logical)?
        .u32(body.hlc.node)?;
    out.u8(5)?;
    let start = out.writer().len();
    write_payload(out, &body.payload)?;
    limit("payload", out.writer().len() - start, PAYLOAD_BYTES_MAX)
}

fn write_payload(out: &mut Out<'_>, payload: &Payload) -> Written {
    match payload {
        Payload::Genesis(genesis) => write_genesis(out, genesis),
        Payload::SetField {
            object,
            field,
            value,
        } => {
            out.map(4)?.u8(0)?.u8(kind::SET_FIELD)?;
            out.u8(1)?.str(object)?.u8(2)?.str(field)?.u8(3)?;
            write_value(out, value)
        }
        Payload::SetAdd {
            object,
            field,
            element,
            value,
        } => {
            out.map(5)?.u8(0)?.u8(kind::SET_ADD)?;
            out.u8(1)?
                .str(object)?
                .u8(2)?
                .str(field)?
                .u8(3)?
                .str(element)?
                .u8(4)?;
            write_value(out, value)
        }
        Payload::SetRemove {
            object,
            field,
            element,
        } => {
            out.map(4)?.u8(0)?.u8(kind::SET_REMOVE)?;
            out.u8(1)?
                .str(object)?
                .u8(2)?
                .str(field)?
                .u8(3)?
                .str(element)?;
            Ok(())
        }
        Payload::Credential { jwt } => write_jwt(out, kind::CREDENTIAL, jwt),
        Payload::StatusList { jwt } => write_jwt(out, kind::STATUS_LIST, jwt),
        Payload::Grant {
            subject,
            credential,
        } => {
            out.map(3)?.u8(0)?.u8(kind::GRANT)?;
            out.u8(1)?
                .bytes(subject.as_bytes())?
                .u8(2)?
                .bytes(credential.as_bytes())?;
            Ok(())
        }
        Payload::Revoke {
            subject,
            role,
            scope,
        } => {
            out.map(2 + u64::from(role.is_some()) + u64::from(scope.is_some()))?;
            out.u8(0)?
                .u8(kind::REVOKE)?
                .u8(1)?
                .bytes(subject.as_bytes())?;
            if let Some(role) = role {
                out.u8(2)?.str(role.name())?;
            }
            if let Some(scope) = scope {
                out.u8(3)?;
                write_tags(out, scope)?;
            }
            Ok(())
        }
        Payload::IssuerKey {
            issuer,
            kid,
            public_key,
            valid_from_ms,
            valid_until_ms,
        } => {
            out.map(6)?.u8(0)?.u8(kind::ISSUER_KEY)?;
            out.u8(1)?
                .str(issuer)?
                .u8(2)?
                .str(kid)?
                .u8(3)?
                .bytes(public_key.as_bytes())?;
            out.u8(4)?
                .u64(*valid_from_ms)?
                .u8(5)?
                .u64(*valid_until_ms)?;
            Ok(())
        }
        Payload::IssuerKeyRevoke {
            issuer,
            kid,
            reason,
        } => {
            out.map(4)?.u8(0)?.u8(kind::ISSUER_KEY_REVOKE)?;
            out.u8(1)?
                .str(issuer)?
                .u8(2)?
                .str(kid)?
                .u8(3)?
                .str(reason)?;
            Ok(())
        }
    }
}

fn write_genesis(out: &mut Out<'_>, genesis: &Genesis) -> Written {
    out.map(5)?.u8(0)?.u8(kind::GENESIS)?;
    out.u8(1)?
        .str(&genesis.name)?
        .u8(2)?
        .bytes(&genesis.nonce)?;
    out.u8(3)?.array(genesis.roots.len() as u64)?;
    for root in &genesis.roots {
        out.bytes(root.as_bytes())?;
    }
    out.u8(4)?.array(genesis.schema.len() as u64)?;
    for rule in &genesis.schema {
        out.array(3)?.str(&rule.object)?.str(&rule.field)?;
        write_tags(out, &rule.tags)?;
    }
    Ok(())
}

fn write_jwt(out: &mut Out<'_>, kind: u8, jwt: &str) -> Written {
    out.map(2)?.u8(0)?.u8(kind)?.u8(1)?.str(jwt)?;
    Ok(())
}

fn write_tags(out: &mut Out<'_>, tags: &Tags) -> Written {
    out.array(tags.len() as u64)?;
    for tag in tags {
        out.str(tag)?;
    }
    Ok(())
}

fn write_value(out: &mut Out<'_>, value: &Value) -> Written {
    match value {
        Value::Null => out.null()?,
        Value::Bool(value) => out.bool(*value)?,
        Value::Int(value) => out.i64(*value)?,
        Value::Text(value) => out.str(value)?,
        Value::Bytes(value) => out.bytes(value)?,
    };
    Ok(())
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
}

/// Reads one thing, naming it when it is not there.
macro_rules! read {
    ($input:expr, $method:ident, $what:literal) => {
        $input.$method().map_err(|_| CodecError::Malformed($what))?
    };
}

fn read_body(input: &mut Decoder<'_>) -> Result<Body, CodecError> {
    expect_map(input, 6, "body")?;
    expect_key(input, 0)?;
    let version = read!(input, u8, "version");
    if version != VERSION {
        return Err(CodecError::Version(version));
    }
    expect_key(input, 1)?;
    let author = PublicKey::from_bytes(read_fixed(input, "author")?);
    expect_key(input, 2)?;
    let seq = read!(input, u64, "seq");
    expect_key(input, 3)?;
    let parents = read_array(input, "parents", PARENTS_MAX, |input| {
        read_fixed(input, "parent").map(OpId::from_bytes)
    })?;
    expect_key(input, 4)?;
    expect_array(input, 3, "hlc")?;
    let hlc = Hlc {
        physical_ms: read!(input, u64, "hlc"),
        logical: read!(input, u32, "hlc"),
        node: read!(input, u32, "hlc"),
    };
    expect_key(input, 5)?;
    let payload = read_payload(input)?;
    Ok(Body {
        author,
        seq,
        parents,
        hlc,
        payload,
    })
}

fn read_payload(input: &mut Decoder<'_>) -> Result<Payload, CodecError> {
    let entries = match input.map() {
        Ok(Some(entries @ 1..=8)) => entries,
        _ => return Err(CodecError::Malformed("payload")),
    };
    expect_key(input, 0)?;
    let kind = read!(input, u8, "payload type");
    let want = |count: u64| {
        if entries == count {
            Ok(())
        } else {
            Err(CodecError::Malformed("payload"))
        }
    };
    match kind {
        kind::GENESIS => want(5).and_then(|()| read_genesis(input)),
        kind::SET_FIELD => {
            want(4)?;
            let (object, field) = read_target(input)?;
            expect_key(input, 3)?;
            Ok(Payload::SetField {
                object,
                field,
                value: read_value(input)?,
            })
        }
        kind::SET_ADD => {
            want(5)?;
            let (object, field) = read_target(input)?;
            let element = read_name(input, 3, "element")?;
            expect_key(input, 4)?;
            Ok(Payload::SetAdd {
                object,
                field,
                element,
                value: read_value(input)?,
            })
        }
        kind::SET_REMOVE => {
            want(4)?;
            let (object, field) = read_target(input)?;
            Ok(Payload::SetRemove {
                object,
                field,
                element: read_name(input, 3, "element")?,
            })
        }
        kind::CREDENTIAL => want(2).and_then(|()| {
            Ok(Payload::Credential {
                jwt: read_jwt(input)?,
            })
        }),
        kind::STATUS_LIST => want(2).and_then(|()| {
            Ok(Payload::StatusList {
                jwt: read_jwt(input)?,
            })
        }),
        kind::GRANT => {
            want(3)?;
            expect_key(input, 1)?;
            let subject = PublicKey::from_bytes(read_fixed(input, "subject")?);
            expect_key(input, 2)?;
            let credential = OpId::from_bytes(read_fixed(input, "credential")?);
            Ok(Payload::Grant {
                subject,
                credential,
            })
        }
        kind::REVOKE => read_revoke(input, entries),
        kind::ISSUER_KEY => {
            want(6)?;
            let issuer = read_name(input, 1, "issuer")?;
            let kid = read_name(input, 2, "kid")?;
            expect_key(input, 3)?;
            let public_key = PublicKey::from_bytes(read_fixed(input, "public key")?);
            expect_key(input, 4)?;
            let valid_from_ms = read!(input, u64, "valid_from");
            expect_key(input, 5)?;
            let valid_until_ms = read!(input, u64, "valid_until");
            Ok(Payload::IssuerKey {
                issuer,
                kid,
                public_key,
                valid_from_ms,
                valid_until_ms,
            })
        }
        kind::ISSUER_KEY_REVOKE => {
            want(4)?;
            let issuer = read_name(input, 1, "issuer")?;
            let kid = read_name(input, 2, "kid")?;
            Ok(Payload::IssuerKeyRevoke {
                issuer,
                kid,
                reason: read_name(input, 3, "reason")?,
            })
        }
        other => Err(CodecError::PayloadType(other)),
    }
}

fn read_genesis(input: &mut Decoder<'_>) -> Result<Payload, CodecError> {
    let name = read_name(input, 1, "project name")?;
    expect_key(input, 2)?;
    let nonce = read_fixed(input, "nonce")?;
    expect_key(input, 3)?;
    let roots = read_array(input, "roots", ROOTS_MAX, |input| {
        read_fixed(input, "root").map(PublicKey::from_bytes)
    })?;
    expect_key(input, 4)?;
    let schema = read_array(input, "schema", SCHEMA_RULES_MAX, |input| {
        expect_array(input, 3, "schema rule")?;
        let object = name_of(read!(input, str, "object pattern"), "object pattern")?;
        let field = name_of(read!(input, str, "field pattern"), "field pattern")?;
        Ok(SchemaRule {
            object,
            field,
            tags: read_tags(input)?,
        })
    })?;
    let roots = ascending(roots, "roots")?;
    Ok(Payload::Genesis(Genesis {
        name,
        nonce,
        roots,
        schema: ascending(schema, "schema rules")?,
    }))
}

fn read_revoke(input: &mut Decoder<'_>, entries: u64) -> Result<Payload, CodecError> {
    expect_key(input, 1)?;
    let subject = PublicKey::from_bytes(read_fixed(input, "subject")?);
    let (mut role, mut scope) = (None, None);
    for _ in 2..entries {
        match read!(input, u8, "key") {
            2 if role.is_none() && scope.is_none() => {
                let text = read!(input, str, "role");
                role = Some(
                    text.parse::<Role>()
                        .map_err(|_| CodecError::Malformed("role"))?,
                );
            }
            3 if scope.is_none() => scope = Some(read_tags(input)?),
            _ => return Err(CodecError::Order("payload keys")),
        }
    }
    Ok(Payload::Revoke {
        subject,
        role,
        scope,
    })
}

fn read_target(input: &mut Decoder<'_>) -> Result<(Name, Name), CodecError> {
    Ok((
        read_name(input, 1, "object")?,
        read_name(input, 2, "field")?,
    ))
}

fn read_name(input: &mut Decoder<'_>, key: u8, what: &'static str) -> Result<Name, CodecError> {
    expect_key(input, key)?;
    name_of(input.str().map_err(|_| CodecError::Malformed(what))?, what)
}

fn name_of(text: &str, what: &'static str) -> Result<Name, CodecError> {
    Name::new(text).map_err(|error| CodecError::Name { what, error })
}

fn read_jwt(input: &mut Decoder<'_>) -> Result<String, CodecError> {
    expect_key(input, 1)?;
    Ok(read!(input, str, "JWT").to_owned())
}

fn read_tags(input: &mut Decoder<'_>) -> Result<Tags, CodecError> {
    let tags = read_array(input, "tags", TAGS_MAX, |input| {
        name_of(read!(input, str, "tag"), "tag")
    })?;
    ascending(tags, "tags")
}

fn read_value(input: &mut Decoder<'_>) -> Result<Value, CodecError> {
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

fn read_fixed<const N: usize>(
    input: &mut Decoder<'_>,
    what: &'static str,
) -> Result<[u8; N], CodecError> {
    let bytes = input.bytes().map_err(|_| CodecError::Malformed(what))?;
    bytes.try_into().map_err(|_| CodecError::Malformed(what))
}

/// Reads an array whose declared length is compared with the limit before anything is allocated.
fn read_array<T>(
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
    (0..length).map(|_| element(input)).collect()
}

/// The elements as a set, if they came strictly ascending.
fn ascending<T: Ord>(elements: Vec<T>, what: &'static str) -> Result<BTreeSet<T>, CodecError> {
    if elements.is_sorted_by(|a, b| a < b) {
        Ok(elements.into_iter().collect())
    } else {
        Err(CodecError::Order(what))
    }
}

fn expect_key(input: &mut Decoder<'_>, key: u8) -> Result<(), CodecError> {
    match input.u8() {
        Ok(found) if found == key => Ok(()),
        Ok(_) => Err(CodecError::Order("map keys")),
        Err(_) => Err(CodecError::Malformed("map key")),
    }
}

fn expect_map(input: &mut Decoder<'_>, length: u64, what: &'static str) -> Result<(), CodecError> {
    match input.map() {
        Ok(Some(found)) if found == length => Ok(()),
        _ => Err(CodecError::Malformed(what)),
    }
}

fn expect_array(
    input: &mut Decoder<'_>,
    length: u64,
    what: &'static str,
) -> Result<(), CodecError> {
    match input.array() {
        Ok(Some(found)) if found == length => Ok(()),
        _ => Err(CodecError::Malformed(what)),
    }
}
