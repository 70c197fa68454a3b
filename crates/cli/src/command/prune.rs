//! `ecac prune`: dropping what sealed work supersedes.

use ecac_core::{Feature, OpId, Pruned, Replica};
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::table::{self, Table};
use crate::{consent, feature, output, text};

/// What is tried, in messages.
const DOING: &str = "prune the project";
/// Places that are listed before it is asked.
const PLACES_SHOWN: usize = 20;

/// Drop what was written over, behind a final seal
///
/// A value that was written over is kept because what covers it could be taken back. Behind a final seal (`ecac seal`) that cannot
/// happen any more, and `prune` drops it: the file becomes shorter. What counts, who wrote when and where, and every decision stay;
/// nothing that was denied is dropped, nor an op of trust or policy, nor a confidential value.
///
/// What is gone is gone here: this project can neither show those values nor hand those ops on, and a newcomer cannot begin from it
/// alone. It comes back (`ecac import --older`) from who has it; so somebody has to keep everything: prune on phones, and not on the machine of a root. `ecac verify-store`, `log` and
/// `explain` say what was dropped.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac prune --preview
  ecac prune
  ecac prune --yes --json | jq .bytes")]
pub(crate) struct Args {
    /// Say what would be dropped, and drop nothing
    #[arg(long)]
    preview: bool,
    /// Do not ask
    #[arg(long, conflicts_with = "preview")]
    yes: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    if args.preview {
        let (_, replica) = globals.reading()?;
        feature::needs(&replica, Feature::Seal, DOING)?;
        let (pruned, places) = (replica.prunable(), Places::of(&replica));
        if args.json {
            let ops = replica.log().admitted_count();
            return output::print_json(&document(pruned, &places, ops, None));
        }
        let told = format!("{}nothing was dropped\n", would(pruned, &places));
        return output::print(told.as_bytes());
    }
    let (_, mut writer, _) = globals.writing()?;
    feature::needs(&writer, Feature::Seal, DOING)?;
    let failed = |error| Failure::of(DOING, &error);
    let (pruned, places) = (writer.durable().prunable(), Places::of(&writer));
    consent::dropping(DOING, pruned.ops, &would(pruned, &places), args.yes)?;
    let dropped = writer.prune().map_err(failed)?;
    let ops = writer.log().admitted_count();
    let file = writer.durable().store().file().to_owned();
    writer.close().map_err(failed)?;
    let length = std::fs::metadata(&file).ok().filter(|it| it.is_file());
    let length = length.map(|it| it.len());
    if args.json {
        return output::print_json(&document(dropped, &places, ops, length));
    }
    if dropped.ops == 0 {
        return output::print(would(dropped, &places).as_bytes());
    }
    let length = length.map_or_else(String::new, |it| format!("; the store has {it} bytes now"));
    let told = format!(
        "dropped what {} wrote, {} bytes{length}\n",
        text::count(dropped.ops, "op"),
        dropped.bytes
    );
    output::print(told.as_bytes())
}

/// How many ops at which places would be dropped, the places in their order.
struct Places(Vec<(String, usize)>);

impl Places {
    fn of(replica: &Replica) -> Self {
        let log = replica.log();
        let mut places: std::collections::BTreeMap<String, usize> = [].into();
        let ops: Vec<OpId> = replica.superseded();
        for op in ops.iter().filter_map(|op| log.get(op)) {
            if let Some((object, field)) = op.body().payload.target() {
                let place = format!("{}.{}", text::name(object), text::name(field));
                *places.entry(place).or_default() += 1;
            }
        }
        Self(places.into_iter().collect())
    }
}

fn would(pruned: Pruned, places: &Places) -> String {
    if pruned.ops == 0 {
        return "there is nothing to drop: what was written over is in no final seal, or is dropped already\n".to_owned();
    }
    let mut table = Table::new(["FIELD", "VALUES"]);
    for (place, count) in places.0.iter().take(PLACES_SHOWN) {
        table.push([place.clone(), count.to_string()]);
    }
    let more = places.0.len().saturating_sub(PLACES_SHOWN);
    let more = if more == 0 {
        String::new()
    } else {
        format!("… and {}\n", text::count(more, "more field"))
    };
    format!(
        "{} can be dropped, {} bytes: what was written over, or removed, and is sealed\n{}{more}it could not be shown or handed on \
         any more, and a newcomer could not begin from this machine alone\n",
        text::count(pruned.ops, "op"),
        pruned.bytes,
        table.render(table::terminal_width()),
    )
}

fn document(pruned: Pruned, places: &Places, ops: usize, store_bytes: Option<u64>) -> Json {
    let places = places
        .0
        .iter()
        .map(|(place, count)| json!({ "field": place, "ops": count }));
    json!({
        "format": "ecac-prune-v1",
        "ops": ops,
        "dropped": pruned.ops,
        "bytes": pruned.bytes,
        "places": places.collect::<Vec<_>>(),
        "store_bytes": store_bytes,
    })
}
