//! `ecac ls`: which objects there are.

use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::{output, text};

/// List the objects of the project
///
/// Those of which at least one field shows something, by the order of their names; with PREFIX those that begin so.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac ls
  ecac ls motor/")]
pub(crate) struct Args {
    /// What the names begin with
    #[arg(value_name = "PREFIX", default_value = "")]
    prefix: String,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (_, replica) = globals.reading()?;
    let objects = replica.objects(&args.prefix);
    if args.json {
        return output::print_json(&json!({ "format": "ecac-ls-v1", "objects": objects.value }));
    }
    if objects.is_empty() {
        output::note(
            "note: there is no such object yet; `ecac set OBJECT FIELD VALUE` makes one\n",
        );
    }
    let lines = objects.iter().map(|name| text::escape(name) + "\n");
    output::print(lines.collect::<String>().as_bytes())
}
