//! `ecac remove`: removing an element from a set.

use ecac_core::payload::SetRemove;

use super::data::{name, write_bare};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::unknown;

/// Remove an element from a set
///
/// What is removed is what is known here: an element that somebody else adds at the same time stays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac remove motor/7 parts bearing
  ecac remove motor/7 parts bearing --json")]
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
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let remove = SetRemove {
        object: name(&args.object)?,
        field: name(&args.field)?,
        element: name(&args.element)?,
    };
    let (_, replica) = globals.reading()?;
    let present = replica.set(&args.object, &args.field);
    if !present.iter().any(|it| it.name == args.element) {
        let known = present.iter().map(|it| it.name.as_str());
        return Err(unknown(
            "find the element",
            &args.element,
            known,
            "`ecac get OBJECT FIELD` lists them",
        ));
    }
    drop(replica);
    write_bare(remove.into(), args.json, globals)
}
