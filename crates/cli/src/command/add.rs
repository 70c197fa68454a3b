//! `ecac add`: adding an element to a set.

use ecac_core::Value;
use ecac_seal::Target;

use super::data::{name, value, write};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::handover::Share;

/// Add an element to a set
///
/// A field can hold a set, whose elements are names with a value each (null where none is given). Adds and removals of
/// different people at the same time do not undo each other: a removal takes away what its author had seen. Where the field is
/// confidential, the value is sealed as `ecac set` seals it; the names of elements are not secret.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac add motor/7 parts bearing
  ecac add motor/7 parts bearing 2")]
pub(crate) struct Args {
    /// Object
    #[arg(value_name = "OBJECT")]
    object: String,
    /// Field of the object
    #[arg(value_name = "FIELD")]
    field: String,
    /// Element of the set
    #[arg(value_name = "ELEMENT")]
    element: String,
    /// What stands beside the element
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: Option<String>,
    /// VALUE is text, whatever it looks like
    #[arg(long)]
    text: bool,
    #[command(flatten)]
    share: Share,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let value = args
        .value
        .as_deref()
        .map_or(Value::Null, |text| value(text, args.text));
    let target = Target {
        object: name(&args.object)?,
        field: name(&args.field)?,
        element: Some(name(&args.element)?),
    };
    write(&target, value, args.share, args.json, globals)
}
