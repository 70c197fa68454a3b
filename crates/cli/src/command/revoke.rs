//! `ecac revoke`: taking grants away, and seeing before what that takes back.

use ecac_core::Tags;
use ecac_core::credential::Role;
use ecac_core::payload::Revoke;
use serde_json::json;

use crate::deed::{self, Deed};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::output;
use crate::people::{self, People};
use crate::told::{self, Teller};

/// Take grants away, and see before what work that takes back
///
/// A revocation ends the grants of NAME, of the role and scope if they are named. What they write without knowing of it is
/// taken back wherever it arrives; what you have seen of it stays. With --preview nothing is written: it says which ops of
/// whom would be taken back here. Where work is taken back, you are asked; a script says --yes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac revoke tom --preview
  ecac revoke tom
  ecac revoke tom --role editor --scope repair --yes")]
pub(crate) struct Args {
    /// Who, by the name that you gave or the did:key
    #[arg(value_name = "NAME")]
    who: String,
    /// Only grants of this role
    #[arg(long, value_parser = people::role)]
    role: Option<Role>,
    /// Only grants whose scope has one of these tags, with commas between them
    #[arg(long, value_name = "TAGS", value_parser = people::tags)]
    scope: Option<Tags>,
    /// Say what it would do, and do nothing
    #[arg(long, conflicts_with = "yes")]
    preview: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let now_ms = globals.now_ms()?;
    if args.preview {
        return preview(args, globals, now_ms);
    }
    let (project, writer, key) = globals.writing()?;
    let people = People::of(&project);
    let revoke = revocation(args, &people)?;
    let person = revoke.subject;
    let deed = Deed {
        doing: &format!("revoke {}", people.show(&person)),
        hint: "`ecac members` shows what they have, and from whom",
        fine: &[],
        yes: args.yes,
    };
    let mut revoke = Some(revoke.into());
    let mut done = deed.carry_out(writer, &people, &key, now_ms, &mut |_| revoke.take())?;
    if args.json {
        done.document["format"] = json!("ecac-revoke-v1");
        done.document["person"] = people.json(&person);
        return output::print_json(&done.document);
    }
    let told = format!(
        "revoked {}: {}\n{}{}{}",
        people.show(&person),
        done.effect,
        done.line("Revoke"),
        done.lost,
        if done.waits {
            told::WAITING
        } else {
            "it takes hold where it arrives: `ecac export FILE`, and send it\n"
        }
    );
    output::print(told.as_bytes())
}

fn revocation(args: &Args, people: &People<'_>) -> Result<Revoke, Failure> {
    Ok(Revoke {
        subject: people.find(&args.who)?,
        role: args.role,
        scope: args.scope.clone(),
    })
}

fn preview(args: &Args, globals: &Globals, now_ms: u64) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    let people = People::of(&project);
    let key = project
        .key()
        .map_err(|error| Failure::of("open your key", &error))?;
    let revoke = revocation(args, &people)?;
    let person = revoke.subject;
    let preview = replica.preview(revoke, key.public(), now_ms);
    let preview = preview.map_err(|error| Failure::of("revoke", &error.into()))?;
    let teller = Teller {
        replica: &replica,
        people: &people,
    };
    if args.json {
        let mut document = teller.preview_json(&preview);
        document["format"] = json!("ecac-revoke-v1");
        document["person"] = people.json(&person);
        return output::print_json(&document);
    }
    output::print(deed::preview_text(&teller, &preview).as_bytes())
}
