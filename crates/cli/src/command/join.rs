//! `ecac join`: a directory for a project that others founded.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use ecac_project::{Invitation, KeyUse, Petname, Project};
use serde_json::json;

use crate::edge::{Globals, key_name};
use crate::failure::Failure;
use crate::{input, output, text};

/// Join a project by the line that somebody sent
///
/// Makes `.ecac` here, which holds nothing yet, and prints your did:key: send it back, so that you can be added, and import
/// what you are sent then. Your key is made if there is none.
///
/// With --from you begin with a sealed snapshot (`ecac export --sealed`), whoever gave it to you: what it says that the roots have not sealed
/// begins nothing. What came after it, import, or fetch with `ecac sync`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac join ecac:join/LINE
  ecac join ecac:join/LINE --as van --call office
  ecac join ecac:join/LINE --from for-new-van.sealed")]
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
    /// A sealed snapshot to begin with
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let failed = |error| Failure::of("join the project", &error);
    let key = globals.key(KeyUse::Author, &key_name(&args.key)?)?;
    let (folder, home) = (globals.new_folder(), globals.home()?);
    let project = args.line.project;
    let mut joined = match &args.from {
        None => Project::join(&folder, &home, project, key.name()),
        Some(file) => {
            let carried = read(file)?;
            Project::start_from(&folder, &home, project, key.name(), &carried)
        }
    }
    .map_err(failed)?;
    let ops = match &args.from {
        None => 0,
        Some(_) => joined.read().map_err(failed)?.log().admitted_count(),
    };
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
            "ops": ops,
            "key": key.name(),
            "did": key.public(),
        }));
    }
    let told = format!(
        "joined {} in {}; {}\nsend this back: {}\n",
        text::name(&args.line.name),
        text::path(joined.folder()),
        match &args.from {
            None => "nothing is here yet".to_owned(),
            Some(_) => format!(
                "{} are here, as the roots have sealed them",
                text::count(ops, "op")
            ),
        },
        key.public()
    );
    output::print(told.as_bytes())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = input::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    let what = format!("the sealed snapshot {}", text::path(path));
    read.map_err(|error| Failure::read(&what, &error))?;
    Ok(bytes)
}
