//! Writing data, for `set`, `add` and `remove`: names, values, and the op.

use std::io::{self, Read as _};

use ecac_artifact::exit;
use ecac_core::limits::PAYLOAD_BYTES_MAX;
use ecac_core::{Action, Name, Payload, Value};
use ecac_project::{Key, Project, Writer};
use ecac_seal::Target;
use serde_json::{Value as Json, json};

use crate::deed::{self, Deed};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::handover::{self, Handover, Share};
use crate::people::People;
use crate::secrets::Secrets;
use crate::told::Teller;
use crate::{output, text};

/// What is tried, in messages.
const DOING: &str = "write";

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

/// What stands on standard input, without a line feed at its end: it stays out of the history of the shell and of the list of
/// processes.
pub(crate) fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let most = PAYLOAD_BYTES_MAX as u64 + 1;
    let read = io::stdin().lock().take(most).read_to_string(&mut text);
    read.map_err(|error| Failure::read("the value on standard input", &error))?;
    let end = text.strip_suffix('\n').map(str::len);
    text.truncate(end.unwrap_or(text.len()));
    Ok(text)
}

/// Writes a value, under seal where the field is confidential, and says so.
pub(crate) fn write(
    target: &Target,
    value: Value,
    share: Share,
    as_json: bool,
    globals: &Globals,
) -> Result<(), Failure> {
    let (project, writer, key) = globals.writing()?;
    if writer.secret_tags(&target.object, &target.field).is_empty() {
        let payload = target.plain(value);
        return write_plainly(payload, &project, writer, &key, as_json, globals);
    }
    let now_ms = globals.now_ms()?;
    let people = People::of(&project);
    let secrets = Secrets::made(globals, &project, &writer, DOING)?;
    let handover = Handover {
        doing: DOING,
        secrets: &secrets,
        share,
        now_ms,
    };
    let deed = Deed {
        doing: DOING,
        hint: "`ecac keys` shows who can read what",
        fine: &[],
        yes: true,
    };
    let mut notes = String::new();
    let done = deed.carry_out_on(writer, &people, &key, now_ms, &mut |rehearsal| {
        handover.rehearse(rehearsal, &mut |keyring, desk| {
            keyring.write(desk, target, &value)
        })?;
        let previews = rehearsal.previews();
        notes = handover::unreached(rehearsal.replica(), &people, previews, now_ms);
        Ok(())
    })?;
    output::note(&notes);
    if as_json {
        let mut document = done.document;
        document["format"] = json!("ecac-write-v1");
        document["with"] = json!(before_last(&done.ops));
        return output::print_json(&document);
    }
    output::print(done.lines.as_bytes())
}

/// The ops that a write took before it.
fn before_last(ops: &[ecac_core::Written]) -> Vec<ecac_core::OpId> {
    let before = ops.split_last().map_or(&[][..], |(_, before)| before);
    before.iter().map(|it| it.op).collect()
}

/// Writes an op of data without a value, and says so.
pub(crate) fn write_bare(
    payload: Payload,
    as_json: bool,
    globals: &Globals,
) -> Result<(), Failure> {
    let (project, writer, key) = globals.writing()?;
    write_plainly(payload, &project, writer, &key, as_json, globals)
}

fn write_plainly(
    payload: Payload,
    project: &Project,
    mut writer: Writer,
    key: &Key,
    as_json: bool,
    globals: &Globals,
) -> Result<(), Failure> {
    let now_ms = globals.now_ms()?;
    let people = People::of(project);
    foresee(&payload, &people, &writer, key, now_ms)?;
    let authored = writer.author(payload, key, now_ms);
    let authored = authored.map_err(|error| Failure::of(DOING, &error))?;
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

/// Whether the write would count, looked at closely only where its author may not write there by all that is here. What would be
/// refused is told of when it is tried.
fn foresee(
    payload: &Payload,
    people: &People<'_>,
    writer: &Writer,
    key: &Key,
    now_ms: u64,
) -> Result<(), Failure> {
    let Some((object, field)) = payload.target() else {
        return Ok(());
    };
    let tags = writer.tags(object, field).value;
    let may = writer.can(&key.public(), Action::Edit, &tags, now_ms);
    if may.value.is_ok() {
        return Ok(());
    }
    let preview = writer.preview(payload.clone(), key.public(), now_ms);
    let teller = Teller {
        replica: writer,
        people,
    };
    preview.map_or(Ok(()), |preview| deed::counts(DOING, &teller, &preview))
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
