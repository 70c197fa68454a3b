//! `ecac join`: a directory for a project that others founded.

use ecac_project::{Invitation, KeyUse, Petname, Project};
use serde_json::json;

use crate::edge::{Globals, key_name};
use crate::failure::Failure;
use crate::{output, text};

/// Join a project by the line that somebody sent
///
/// Makes `.ecac` here, which holds nothing yet, and prints your did:key: send it back, so that you can be added, and import
/// what you are sent then. Your key is made if there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac join ecac:join/LINE
  ecac join ecac:join/LINE --as van --call office")]
pub(crate) struct Args {
    /// The line of `ecac invite`
    #[arg(value_name = "LINE")]
    line: Invitation,
    /// Which of your keys signs here
    #[arg(long = "as", value_name = "KEY", default_value = "me")]
    key: String,
    /// What you call the one who invites you
    #[arg(long, value_name = "NAME")]
    call: Option<Petname>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let failed = |error| Failure::of("join the project", &error);
    let key = globals.key(KeyUse::Author, &key_name(&args.key)?)?;
    let (folder, home) = (globals.new_folder(), globals.home()?);
    let project = args.line.project;
    let mut joined = Project::join(&folder, &home, project, key.name()).map_err(failed)?;
    if let Some(name) = &args.call {
        joined
            .call(name.clone(), args.line.inviter)
            .map_err(failed)?;
    }
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-join-v1",
            "project": project,
            "name": args.line.name,
            "folder": joined.folder(),
            "key": key.name(),
            "did": key.public(),
        }));
    }
    let told = format!(
        "joined {} in {}; nothing is here yet\nsend this back: {}\n",
        text::name(&args.line.name),
        text::path(joined.folder()),
        key.public()
    );
    output::print(told.as_bytes())
}
