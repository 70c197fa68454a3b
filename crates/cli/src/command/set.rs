//! `ecac set`: writing a field.

use ecac_seal::Target;

use super::data::{from_stdin, name, value, write};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::handover::Share;

/// Write a value into a field
///
/// A VALUE that is `null`, `true`, `false`, a whole number, a text in quotation marks or `{"bytes": "<hex>"}` in JSON is that;
/// anything else is text as it stands. Whether you may is judged before anything is signed.
///
/// Where the field is confidential, the value is sealed for its readers by the way, and a key is made and given to them first where
/// it takes one: after a revocation, or for a newcomer. What stands on a command line is in the history of your shell; --stdin
/// keeps a value out of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac set motor/7 status repaired
  ecac set motor/7 hours 120
  ecac set motor/7 serial 0042 --text          the text, not the number
  pass show salary | ecac set staff/7 salary --stdin")]
pub(crate) struct Args {
    /// Object
    #[arg(value_name = "OBJECT")]
    object: String,
    /// Field of the object
    #[arg(value_name = "FIELD")]
    field: String,
    /// What to write
    #[arg(
        value_name = "VALUE",
        allow_hyphen_values = true,
        required_unless_present = "stdin"
    )]
    value: Option<String>,
    /// VALUE is text, whatever it looks like
    #[arg(long)]
    text: bool,
    /// Read VALUE from standard input, up to the last line feed
    #[arg(long, conflicts_with = "value")]
    stdin: bool,
    #[command(flatten)]
    share: Share,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let target = Target {
        object: name(&args.object)?,
        field: name(&args.field)?,
        element: None,
    };
    let text = match &args.value {
        Some(text) => text.clone(),
        None => from_stdin()?,
    };
    let value = value(&text, args.text);
    write(&target, value, args.share, args.json, globals)
}
