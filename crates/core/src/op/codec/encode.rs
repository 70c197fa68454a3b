//! Writing a body.

use minicbor::Encoder;

use super::{Body, CodecError, VERSION, kind, limit};
use crate::limits::PAYLOAD_BYTES_MAX;
use crate::op::payload::{Genesis, Payload, Tags};
use crate::op::value::Value;

/// Writing into memory cannot fail; the error type of the encoder says so.
type Out<'a> = Encoder<&'a mut Vec<u8>>;
type Written = Result<(), minicbor::encode::Error<core::convert::Infallible>>;

impl From<minicbor::encode::Error<core::convert::Infallible>> for CodecError {
    fn from(_: minicbor::encode::Error<core::convert::Infallible>) -> Self {
        Self::Malformed("encoder")
    }
}

pub(super) fn write_body(out: &mut Out<'_>, body: &Body) -> Result<(), CodecError> {
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
