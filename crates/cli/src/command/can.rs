//! `ecac can`: who may what.

use ecac_artifact::exit;
use ecac_core::{Action, Tags};
use ecac_project::suggest;
use serde_json::json;

use crate::color::Paint;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::output;
use crate::people::{self, People};
use crate::text;

/// Say whether somebody may do something, and why not
///
/// ACTION is edit, present, grant_user, grant_administrator, revoke_user, revoke_administrator, trust, found or link. For `edit` name
/// object and field; for granting, the scope that is handed on. The answer is about an op that had seen all that is here.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac can tom edit motor/7 status
  ecac can me grant_user --scope repair
  ecac can tom edit motor/7 status --json | jq .allowed")]
pub(crate) struct Args {
    /// Who, by the name that you gave, `me`, or the did:key
    #[arg(value_name = "NAME")]
    who: String,
    /// What
    #[arg(value_name = "ACTION", value_parser = action)]
    action: Action,
    /// In which object
    #[arg(value_name = "OBJECT", requires = "field")]
    object: Option<String>,
    /// In which field of it
    #[arg(value_name = "FIELD")]
    field: Option<String>,
    /// On what: tags, with commas between them
    #[arg(long, value_name = "TAGS", value_parser = people::tags, conflicts_with = "object")]
    scope: Option<Tags>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

fn action(name: &str) -> Result<Action, String> {
    name.parse::<Action>().map_err(|_| {
        let names: Vec<&str> = Action::ALL.iter().map(|it| it.name()).collect();
        let meant = suggest(name, names.iter().copied());
        let meant = meant.map_or_else(String::new, |it| format!("; did you mean {it}?"));
        format!("an action is one of {}{meant}", names.join(", "))
    })
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    let people = People::of(&project);
    let person = people.find(&args.who)?;
    let tags = match (&args.object, &args.field, &args.scope) {
        (Some(object), Some(field), _) => replica.tags(object, field).value,
        (_, _, Some(scope)) => scope.clone(),
        _ if args.action == Action::Edit => {
            let hint = "`ecac can NAME edit OBJECT FIELD`";
            return Err(Failure::new(
                exit::USAGE,
                "answer",
                "to edit what is not said",
                hint,
            ));
        }
        _ => Tags::new(),
    };
    let answer = replica
        .can(&person, args.action, &tags, globals.now_ms()?)
        .value;
    if args.json {
        let warrants = answer.as_ref().ok().map(|it| {
            let warrants = it.warrants.iter();
            warrants
                .map(|it| json!({ "grant": it.grant, "link": it.link }))
                .collect::<Vec<_>>()
        });
        let why = answer.as_ref().err();
        return output::print_json(&json!({
            "format": "ecac-can-v1",
            "person": people.json(&person),
            "action": args.action.name(),
            "tags": tags.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "allowed": answer.is_ok(),
            "warrants": warrants,
            "reason": why.map(|it| it.reason),
            "meaning": why.map(|it| it.reason.meaning()),
            "witness": why.and_then(|it| it.witness),
        }));
    }
    let told = match answer {
        Ok(allowed) => {
            let grants: Vec<String> = allowed
                .warrants
                .iter()
                .map(|it| text::op(&it.grant))
                .collect();
            format!(
                "{}: by grant {}\n",
                Paint::Good.out("yes"),
                grants.join(", ")
            )
        }
        Err(why) => {
            let shown = why
                .witness
                .map_or_else(String::new, |op| format!(" See {}.", text::op(&op)));
            format!(
                "{}: {}: {}{shown}\n",
                Paint::Bad.out("no"),
                why.reason,
                why.reason.meaning()
            )
        }
    };
    output::print(told.as_bytes())
}
