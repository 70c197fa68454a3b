//! `ecac set`: writing a field.

use ecac_core::payload::SetField;

use super::data::{name, value, write};
use crate::edge::Globals;
use crate::failure::Failure;

/// Write a value into a field
///
/// A VALUE that is `null`, `true`, `false`, a whole number, a text in quotation marks or `{"bytes": "<hex>"}` in JSON is that;
/// anything else is text as it stands. Whether you may is judged before anything is signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac set motor/7 status repaired
  ecac set motor/7 hours 120
  ecac set motor/7 serial 0042 --text          the text, not the number")]
pub(crate) struct Args {
    /// Object
    #[arg(value_name = "OBJECT")]
    object: String,
    /// Field of the object
    #[arg(value_name = "FIELD")]
    field: String,
    /// What to write
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    value: String,
    /// VALUE is text, whatever it looks like
    #[arg(long)]
    text: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let set = SetField {
        object: name(&args.object)?,
        field: name(&args.field)?,
        value: value(&args.value, args.text),
    };
    write(set.into(), args.json, globals)
}
