//! `ecac invite`: one line to paste.

use ecac_artifact::exit;
use ecac_project::Invitation;
use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output;
use crate::people::project_name;

/// Print a line with which somebody can join
///
/// The line says which project it is and who you are. There is no secret in it and it permits nothing: whoever joins sends
/// you their did:key, and `ecac add-member` is what lets them in.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac invite
  ecac invite --json | jq -r .line")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    let key = project
        .key()
        .map_err(|error| Failure::of("open your key", &error))?;
    let name = project_name(&replica).ok_or_else(|| {
        let hint = "import what somebody exported first";
        Failure::new(
            exit::NOT_FOUND,
            "invite somebody",
            "the genesis of the project is not here yet",
            hint,
        )
    })?;
    let invitation = Invitation {
        project: replica.project(),
        inviter: key.public(),
        name,
    };
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-invite-v1",
            "line": invitation.to_string(),
            "project": invitation.project,
            "inviter": invitation.inviter,
            "name": invitation.name,
        }));
    }
    output::print(format!("{invitation}\n").as_bytes())
}
