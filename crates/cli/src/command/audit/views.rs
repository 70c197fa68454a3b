//! `ecac audit views`: whether reading is recorded.

use clap::ValueEnum;
use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output;

/// Say whether the audit log records which confidential values you open, or change that
///
/// It does not, unless you turn it on, for this directory. Then each value that `ecac get` or `--reveal` opens is recorded before it is
/// shown, as an entry `viewed` with your key and a digest of the id of the op that wrote it. Nothing of the value is in it.
/// Reading takes the place of the one writer then.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac audit views
  ecac audit views on")]
pub(crate) struct Args {
    /// `on` or `off`; without it, it says which
    #[arg(value_enum, value_name = "WHETHER", hide_possible_values = true)]
    whether: Option<Whether>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Whether reading is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Whether {
    On,
    Off,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let mut project = globals.project()?;
    if let Some(whether) = args.whether {
        let kept = project.record_views(whether == Whether::On);
        kept.map_err(|error| Failure::of("keep the setting", &error))?;
    }
    let is_on = project.config().views;
    if args.json {
        return output::print_json(&json!({ "format": "ecac-views-v1", "views": is_on }));
    }
    let told = if is_on {
        "the audit log of this machine records each confidential value that is opened here\n"
    } else {
        "the audit log of this machine does not record what is opened here\n"
    };
    output::print(told.as_bytes())
}
