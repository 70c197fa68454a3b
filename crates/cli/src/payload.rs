//! What an op says, in a line for people: the parts that the engine tells, put into words and quoted.

use ecac_core::payload::Part;
use ecac_core::{Payload, PublicKey, Value};

use crate::text;

/// Bytes of a value of bytes that a line shows.
const BYTES_SHOWN: usize = 16;

/// The kind and what it is about, in one line without control characters; `carried` is the JWT of the credential that a
/// grant refers to, where it is at hand, and `who` is what keys are called.
pub(crate) fn line(
    payload: &Payload,
    carried: Option<&str>,
    who: &dyn Fn(&PublicKey) -> String,
) -> String {
    let parts = payload.describe(carried);
    let words = parts.iter().map(|part| words(part, who));
    let words: Vec<String> = core::iter::once(payload.kind().to_owned())
        .chain(words)
        .collect();
    words.join(" ")
}

/// The kind and the place, of an op whose value is not known.
pub(crate) fn place_line(payload: &Payload) -> String {
    let parts = payload.describe(None);
    let place = parts.iter().filter(|it| matches!(it, Part::Place { .. }));
    let words = place.map(|part| words(part, &|_| String::new()));
    let words: Vec<String> = core::iter::once(payload.kind().to_owned())
        .chain(words)
        .collect();
    words.join(" ")
}

fn words(part: &Part, who: &dyn Fn(&PublicKey) -> String) -> String {
    match part {
        Part::Word(word) => (*word).to_owned(),
        Part::Name(name) => text::name(name),
        Part::Names(names) => text::list(names.iter().map(String::as_str)),
        Part::Place {
            object,
            field,
            element,
        } => {
            let place = format!("{}.{}", text::name(object), text::name(field));
            match element {
                None => place,
                Some(element) => format!("{place}[{}]", text::name(element)),
            }
        }
        Part::Escaped(text) => text::escape(text),
        Part::Key(key) => who(key),
        Part::Op(op) => text::op(op),
        Part::Instant(instant) => text::timestamp(instant),
        Part::Value(value) => shown(value),
        Part::Number(number) => number.to_string(),
        Part::Count(number, noun) => text::count(*number, noun),
    }
}

/// A value in a line.
pub(crate) fn shown(value: &Value) -> String {
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
        Value::Sealed(sealed) => format!(
            "sealed under {}, {} bytes",
            text::op(&sealed.key),
            sealed.ciphertext.len()
        ),
    }
}
