//! `ecac get`: what the fields of an object say.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Element, Replica, Shown};
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output;
use crate::people::{People, unknown};
use crate::table::{self, Table};
use crate::{text, told};

/// Show what the fields of an object say, and who wrote it
///
/// Where several people wrote at the same time, all of what they wrote is kept and one is shown; the next write of somebody
/// who has seen them ends that. Work that was taken back is not there: `ecac explain OP` says why.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac get motor/7
  ecac get motor/7 status
  ecac get motor/7 status --json | jq .fields.status.value")]
pub(crate) struct Args {
    /// Object
    #[arg(value_name = "OBJECT")]
    object: String,
    /// Field of the object; all of them if none is named
    #[arg(value_name = "FIELD")]
    field: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    let people = People::of(&project);
    let known = replica.fields(&args.object).value;
    if known.is_empty() {
        let objects = replica.objects("");
        let objects = objects.iter().map(String::as_str);
        return Err(unknown(
            "find the object",
            &args.object,
            objects,
            "`ecac ls` lists them",
        ));
    }
    let fields = match &args.field {
        None => known,
        Some(field) if known.contains(field) => vec![field.clone()],
        Some(field) => {
            let known = known.iter().map(String::as_str);
            return Err(unknown(
                "find the field",
                field,
                known,
                "`ecac get OBJECT` lists them",
            ));
        }
    };
    let shown: Vec<Field> = fields
        .into_iter()
        .map(|field| Field::of(&replica, &args.object, field))
        .collect();
    if args.json {
        return output::print_json(&document(&args.object, &shown, &people));
    }
    let mut table = Table::new(["N", "FIELD", "BY", "VALUE"]);
    let mut number = 0;
    let mut push = |field: String, shown: &Shown| {
        number += 1;
        let by = shown.winners.iter().map(|it| people.show(&it.author));
        let by: BTreeSet<String> = by.collect();
        let by: Vec<String> = by.into_iter().collect();
        table.push([number.to_string(), field, by.join(", "), told::value(shown)]);
    };
    for field in &shown {
        if let Some(register) = &field.register {
            push(text::name(&field.name), register);
        }
        for element in &field.elements {
            let name = format!("{}[{}]", text::name(&field.name), text::name(&element.name));
            push(name, &element.shown);
        }
    }
    output::print(table.render(table::terminal_width()).as_bytes())
}

/// What a field shows.
struct Field {
    name: String,
    register: Option<Shown>,
    elements: Vec<Element>,
}

impl Field {
    fn of(replica: &Replica, object: &str, name: String) -> Self {
        Self {
            register: replica.get(object, &name).value,
            elements: replica.set(object, &name).value,
            name,
        }
    }
}

fn document(object: &str, fields: &[Field], people: &People<'_>) -> Json {
    let winners = |shown: &Shown| -> Vec<Json> {
        let winners = shown.winners.iter();
        let winner = |it: &ecac_core::Winner| json!({ "op": it.op, "author": people.json(&it.author), "value": it.value.to_json() });
        winners.map(winner).collect()
    };
    let register = |field: &Field| {
        let shown = field.register.as_ref()?;
        let told = json!({ "value": shown.value.to_json(), "winners": winners(shown) });
        Some((field.name.clone(), told))
    };
    let set = |field: &Field| {
        let element = |it: &Element| {
            let told = json!({ "value": it.shown.value.to_json(), "winners": winners(&it.shown), "tags": it.tags });
            (it.name.clone(), told)
        };
        let elements: BTreeMap<String, Json> = field.elements.iter().map(element).collect();
        (!elements.is_empty()).then(|| (field.name.clone(), elements))
    };
    let registers: BTreeMap<String, Json> = fields.iter().filter_map(register).collect();
    let sets: BTreeMap<String, BTreeMap<String, Json>> = fields.iter().filter_map(set).collect();
    json!({ "format": "ecac-get-v1", "object": object, "fields": registers, "sets": sets })
}
