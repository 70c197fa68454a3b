//! `ecac get`: what the fields of an object say.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Element, Replica, Shown};
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::{People, unknown};
use crate::secrets::{self, Lens};
use crate::table::{self, Table};
use crate::{output, text};

/// Show what the fields of an object say, and who wrote it
///
/// Where several people wrote at the same time, all of what they wrote is kept and one is shown; the next write of somebody
/// who has seen them ends that. Work that was taken back is not there: `ecac explain OP` says why.
///
/// A confidential value is opened with your reader key, where somebody gave you the key that it is under; otherwise it says
/// `<redacted: no key of TAG since …>`: `ecac keys` shows who has it.
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
    let lens = Lens::new(&project, &replica);
    if args.json {
        let document = document(&args.object, &shown, &people, &lens)?;
        let (opened, me) = lens.finish();
        drop(replica);
        secrets::record(globals, &project, &opened, me)?;
        return output::print_json(&document);
    }
    let mut table = Table::new(["N", "FIELD", "BY", "VALUE"]);
    let mut number = 0;
    let mut push = |field: String, shown: &Shown| -> Result<(), Failure> {
        number += 1;
        let by = shown.winners.iter().map(|it| people.show(&it.author));
        let by: BTreeSet<String> = by.collect();
        let by: Vec<String> = by.into_iter().collect();
        table.push([number.to_string(), field, by.join(", "), lens.line(shown)?]);
        Ok(())
    };
    for field in &shown {
        if let Some(register) = &field.register {
            push(text::name(&field.name), register)?;
        }
        for element in &field.elements {
            let name = format!("{}[{}]", text::name(&field.name), text::name(&element.name));
            push(name, &element.shown)?;
        }
    }
    let (opened, me) = lens.finish();
    drop(replica);
    secrets::record(globals, &project, &opened, me)?;
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

fn document(
    object: &str,
    fields: &[Field],
    people: &People<'_>,
    lens: &Lens<'_>,
) -> Result<Json, Failure> {
    let with_winners = |shown: &Shown| -> Result<Json, Failure> {
        let mut winners: Vec<Json> = Vec::new();
        for winner in &shown.winners {
            let mut told = lens.winner_json(&winner.op, &winner.value)?;
            told["op"] = json!(winner.op);
            told["author"] = people.json(&winner.author);
            winners.push(told);
        }
        let mut told = lens.json(shown)?;
        told["winners"] = json!(winners);
        Ok(told)
    };
    let mut registers: BTreeMap<&str, Json> = BTreeMap::new();
    let mut sets: BTreeMap<&str, BTreeMap<&str, Json>> = BTreeMap::new();
    for field in fields {
        if let Some(shown) = &field.register {
            registers.insert(&field.name, with_winners(shown)?);
        }
        for element in &field.elements {
            let mut told = with_winners(&element.shown)?;
            told["tags"] = json!(element.tags);
            let set = sets.entry(&field.name).or_default();
            set.insert(&element.name, told);
        }
    }
    Ok(json!({ "format": "ecac-get-v1", "object": object, "fields": registers, "sets": sets }))
}
