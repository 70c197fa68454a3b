//! `ecac add-member`: letting somebody in.

use ecac_artifact::exit;
use ecac_core::credential::Role;
use ecac_core::{PublicKey, Tags};
use ecac_project::Petname;

use super::grant::{self, Wanted};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::{self, People, unknown};
use crate::text;

/// Let somebody in: a credential and a grant in one
///
/// Your issuer key signs a credential that says what DID may do where, and you grant it. The issuer key is made and listed
/// on the way where there is none. You may grant what your own role and scope contain; only a root makes administrators.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac add-member did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK --as tom --role editor --scope repair
  ecac add-member DID --as eve --role policy_admin --scope repair,office --days 30")]
pub(crate) struct Args {
    /// Who, by the did:key that `ecac join` or `ecac whoami` printed
    #[arg(value_name = "DID")]
    did: PublicKey,
    /// What you call them
    #[arg(long = "as", value_name = "NAME")]
    name: Petname,
    /// What they may do: root, issuer_admin, policy_admin, key_admin, editor or reader
    #[arg(long, value_parser = people::role)]
    role: Role,
    /// On what: tags, with commas between them; those of the whole project if none are named
    #[arg(long, value_name = "TAGS", value_parser = people::tags)]
    scope: Option<Tags>,
    /// For how many days
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=36500))]
    days: u64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (mut project, writer, key) = globals.writing()?;
    let taken = project.config().petnames.get(&args.name);
    if taken.is_some_and(|it| *it != args.did) {
        let cause = format!("you call somebody else {}", text::name(args.name.as_str()));
        return Err(Failure::new(
            exit::USAGE,
            "add the member",
            cause,
            "choose another name with --as",
        ));
    }
    let known = people::known_tags(&writer);
    let scope = match &args.scope {
        None => known,
        Some(scope) => {
            if let Some(stranger) = scope.iter().find(|tag| !known.contains(*tag)) {
                let known = known.iter().map(|tag| tag.as_str());
                return Err(unknown(
                    "find the tag",
                    stranger,
                    known,
                    "no field has it, so it would permit nothing; `ecac log` shows the genesis with its tags",
                ));
            }
            scope.clone()
        }
    };
    let wanted = Wanted {
        subject: args.did,
        role: args.role,
        scope: people::texts(&scope),
        days: args.days,
        status: Vec::new(),
    };
    let written = grant::grant(writer, &People::of(&project), &key, globals, wanted)?;
    let named = project.call(args.name.clone(), args.did);
    named.map_err(|error| Failure::of("keep the name", &error))?;
    grant::tell(
        &People::of(&project),
        &args.did,
        args.role,
        &people::texts(&scope),
        &written,
        args.json,
    )
}
