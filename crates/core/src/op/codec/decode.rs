//! Reading a body: every map in its one order.

use std::collections::BTreeSet;

use minicbor::Decoder;
use minicbor::data::Type;

use super::{Body, CodecError, VERSION, kind, limit};
use crate::Hlc;
use crate::credential::Role;
use crate::id::{OpId, PublicKey};
use crate::limits::{PARENTS_MAX, ROOTS_MAX, SCHEMA_RULES_MAX, TAGS_MAX};
use crate::op::name::Name;
use crate::op::payload::{Genesis, Payload, SchemaRule, Tags};
use crate::op::value::Value;

/// Reads one thing, naming it when it is not there.
macro_rules! read {
    ($input:expr, $method:ident, $what:literal) => {
        $input.$method().map_err(|_| CodecError::Malformed($what))?
    };
}

pub(super) fn read_body(input: &mut Decoder<'_>) -> Result<Body, CodecError> {
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
