//! Writing data, for `set`, `add` and `remove`: names, values, and the op.

use ecac_artifact::exit;
use ecac_core::{Name, Payload, Value};
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::told::Teller;
use crate::{output, text};

/// The name of an object, a field or an element.
pub(crate) fn name(text: &str) -> Result<Name, Failure> {
    let doing = "name what to write";
    Name::new(text).map_err(|error| Failure::new(exit::USAGE, doing, error, "choose another name"))
}

/// The value that is meant: one of JSON if it is one that a field can hold, and text otherwise.
pub(crate) fn value(text: &str, is_text: bool) -> Value {
    let plain = || Value::Text(text.to_owned());
    if is_text {
        return plain();
    }
    match serde_json::from_str(text) {
        Ok(Json::Null) => Value::Null,
        Ok(Json::Bool(value)) => Value::Bool(value),
        Ok(Json::String(value)) => Value::Text(value),
        Ok(Json::Number(number)) => match number.as_i64() {
            Some(value) if Value::integer_in_range(value) => Value::Int(value),
            Some(_) | None => plain(),
        },
        Ok(Json::Object(object)) if object.len() == 1 => {
            let digits = object.get("bytes").and_then(Json::as_str);
            let bytes = digits.and_then(|it| hex::decode(it).ok());
            bytes.map_or_else(plain, Value::Bytes)
        }
        Ok(Json::Object(_) | Json::Array(_)) | Err(_) => plain(),
    }
}

/// Writes an op of data, and says so.
pub(crate) fn write(payload: Payload, as_json: bool, globals: &Globals) -> Result<(), Failure> {
    let (project, mut writer, key) = globals.writing()?;
    let now_ms = globals.now_ms()?;
    let authored = writer.author(payload, &key, now_ms);
    let authored = authored.map_err(|error| Failure::of("write", &error))?;
    let people = People::of(&project);
    let teller = Teller {
        replica: &writer,
        people: &people,
    };
    let what = teller.what(&authored.op);
    let mut document = teller.authored_json(&authored);
    writer
        .close()
        .map_err(|error| Failure::of("end the writing", &error))?;
    if as_json {
        document["format"] = json!("ecac-write-v1");
        return output::print_json(&document);
    }
    output::print(format!("{}  {what}\n", text::op(&authored.op)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_json_where_a_field_can_hold_it_and_text_elsewhere() {
        let text = |text: &str| Value::Text(text.to_owned());
        for (given, want) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("-12", Value::Int(-12)),
            ("\"12\"", text("12")),
            ("{\"bytes\": \"00ff\"}", Value::Bytes(vec![0, 255])),
            ("repaired", text("repaired")),
            ("1.5", text("1.5")),
            ("9007199254740992", text("9007199254740992")),
            ("[1]", text("[1]")),
            ("{\"bytes\": 1}", text("{\"bytes\": 1}")),
            ("", text("")),
        ] {
            assert_eq!(value(given, false), want, "{given}");
            assert_eq!(value(given, true), text(given));
        }
    }
}
