//! What an op says, in a line for people and in JSON for machines.

use ecac_core::credential::{Credential, StatusList};
use ecac_core::{Payload, SchemaRule, Value};
use serde_json::{Value as Json, json};

use crate::replica::Replica;
use crate::text;

/// Bytes of a value of bytes that a line shows.
const BYTES_SHOWN: usize = 16;

/// The kind and a summary, in one line without control characters.
pub(crate) fn summary(payload: &Payload, replica: &Replica) -> String {
    format!("{} {}", payload.kind(), detail(payload, replica))
}

fn detail(payload: &Payload, replica: &Replica) -> String {
    let name = text::name;
    match payload {
        Payload::Genesis(genesis) => format!(
            "{} with {} and {}",
            name(&genesis.name),
            count(genesis.roots.len(), "root"),
            count(genesis.schema.len(), "schema rule"),
        ),
        Payload::SetField {
            object,
            field,
            value,
        } => format!("{}.{} = {}", name(object), name(field), shown(value)),
        Payload::SetAdd {
            object,
            field,
            element,
            value,
        } => format!(
            "{}.{}[{}] = {}",
            name(object),
            name(field),
            name(element),
            shown(value)
        ),
        Payload::SetRemove {
            object,
            field,
            element,
        } => format!("{}.{}[{}]", name(object), name(field), name(element)),
        Payload::Credential { jwt } => credential(jwt),
        Payload::Grant {
            subject,
            credential,
        } => {
            let carried = replica.body(credential).map(|body| &body.payload);
            let right = match carried {
                Some(Payload::Credential { jwt }) => Credential::parse(jwt).ok(),
                _ => None,
            };
            let right = right.map_or_else(
                || "unreadable".to_owned(),
                |it| format!("{} {}", it.role, text::list(scope(&it))),
            );
            format!(
                "{} {right} by credential {}",
                text::key(subject),
                text::op(credential)
            )
        }
        Payload::Revoke {
            subject,
            role,
            scope,
        } => format!(
            "{} {} {}",
            text::key(subject),
            role.map_or("every role", ecac_core::credential::Role::name),
            scope.as_ref().map_or_else(
                || "everywhere".to_owned(),
                |tags| text::list(tags.iter().map(|tag| tag.as_str()))
            ),
        ),
        Payload::IssuerKey {
            issuer,
            kid,
            public_key,
            valid_from_ms,
            valid_until_ms,
        } => format!(
            "{} {} = {} from {} until {}",
            name(issuer),
            name(kid),
            text::key(public_key),
            text::instant(*valid_from_ms),
            text::instant(*valid_until_ms),
        ),
        Payload::IssuerKeyRevoke {
            issuer,
            kid,
            reason,
        } => format!("{} {}: {}", name(issuer), name(kid), name(reason)),
        Payload::StatusList { jwt } => status_list(jwt),
    }
}

fn credential(jwt: &str) -> String {
    match Credential::parse(jwt) {
        Err(error) => format!("unreadable: {}", text::escape(&error.to_string())),
        Ok(it) => format!(
            "{} {} {} by {} {} from {} until {}",
            text::key(&it.subject),
            it.role,
            text::list(scope(&it)),
            text::name(&it.issuer),
            text::name(&it.kid),
            it.valid_from,
            it.valid_until,
        ),
    }
}

fn scope(credential: &Credential) -> impl Iterator<Item = &str> {
    credential.scope.iter().map(String::as_str)
}

fn status_list(jwt: &str) -> String {
    match StatusList::parse(jwt) {
        Err(error) => format!("unreadable: {}", text::escape(&error.to_string())),
        Ok(list) => {
            let set: u64 = list
                .bytes()
                .iter()
                .map(|byte| u64::from(byte.count_ones()))
                .sum();
            format!(
                "{} {} by {} {}: {set} of {} bits set",
                list.purpose,
                text::name(&list.id),
                text::name(&list.issuer),
                text::name(&list.kid),
                list.bit_count(),
            )
        }
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Text(value) => text::name(value),
        Value::Bytes(bytes) => match bytes.get(..BYTES_SHOWN) {
            Some(head) if bytes.len() > BYTES_SHOWN => {
                format!("{} bytes {}…", bytes.len(), hex::encode(head))
            }
            _ => format!("{} bytes {}", bytes.len(), hex::encode(bytes)),
        },
    }
}

fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Everything that the payload says; keys as `did:key`, values as in the state export.
pub(crate) fn to_json(payload: &Payload) -> Json {
    match payload {
        Payload::Genesis(genesis) => json!({
            "name": genesis.name,
            "nonce": hex::encode(genesis.nonce),
            "roots": genesis.roots,
            "schema": genesis.schema.iter().map(rule).collect::<Vec<_>>(),
        }),
        Payload::SetField {
            object,
            field,
            value,
        } => json!({ "object": object, "field": field, "value": value.to_json() }),
        Payload::SetAdd {
            object,
            field,
            element,
            value,
        } => json!({
            "object": object,
            "field": field,
            "element": element,
            "value": value.to_json(),
        }),
        Payload::SetRemove {
            object,
            field,
            element,
        } => json!({ "object": object, "field": field, "element": element }),
        Payload::Credential { jwt } | Payload::StatusList { jwt } => json!({ "jwt": jwt }),
        Payload::Grant {
            subject,
            credential,
        } => json!({ "subject": subject, "credential": credential }),
        Payload::Revoke {
            subject,
            role,
            scope,
        } => json!({ "subject": subject, "role": role, "scope": scope }),
        Payload::IssuerKey {
            issuer,
            kid,
            public_key,
            valid_from_ms,
            valid_until_ms,
        } => json!({
            "issuer": issuer,
            "kid": kid,
            "public_key": public_key,
            "valid_from_ms": valid_from_ms,
            "valid_until_ms": valid_until_ms,
        }),
        Payload::IssuerKeyRevoke {
            issuer,
            kid,
            reason,
        } => json!({ "issuer": issuer, "kid": kid, "reason": reason }),
    }
}

fn rule(rule: &SchemaRule) -> Json {
    json!({ "object": rule.object, "field": rule.field, "tags": rule.tags })
}
