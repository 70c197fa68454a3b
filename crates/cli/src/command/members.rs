//! `ecac members`: who has been granted what.

use ecac_core::credential::Role;
use ecac_core::{Granted, Standing};
use serde_json::{Value as Json, json};

use super::device;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::table::{self, Table};
use crate::{output, text};

/// List who has been granted what, and what has become of it
///
/// By person: each grant that counts, or did until something ended it, has a row with the role, the tags, whether it gives
/// anything now, until when, and who made it; below them each device that signs for the person. People have the names that you
/// gave them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac members
  ecac members --json | jq -r '.members[].person.did'")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    let people = People::of(&project);
    let members = replica.members(globals.now_ms()?);
    if args.json {
        let members: Vec<Json> = members
            .iter()
            .map(|member| {
                let grants: Vec<Json> = member.grants.iter().map(|it| grant_json(it, &people)).collect();
                let devices: Vec<Json> = member.devices.iter().map(|it| device::to_json(it, &people)).collect();
                json!({ "person": people.json(&member.person), "live": member.is_live(), "grants": grants, "devices": devices })
            })
            .collect();
        return output::print_json(&json!({ "format": "ecac-members-v1", "members": members }));
    }
    let mut table = Table::new(["N", "WHO", "ROLE", "STANDING", "UNTIL", "BY", "SCOPE"]);
    let mut number: usize = 0;
    for member in members.iter() {
        for grant in &member.grants {
            number += 1;
            let until = grant.valid_until.as_ref();
            table.push([
                number.to_string(),
                people.show(&member.person),
                grant.role.to_string(),
                standing(&grant.standing),
                until.map_or_else(|| "-".to_owned(), text::timestamp),
                people.show(&grant.by),
                scope(grant),
            ]);
        }
        for linked in &member.devices {
            number += 1;
            table.push([
                number.to_string(),
                format!("  {}", people.show(&linked.key)),
                "device".to_owned(),
                device::standing(linked),
                "-".to_owned(),
                people.show(&linked.by),
                format!("of {}", people.show(&member.person)),
            ]);
        }
    }
    if number == 0 {
        output::note(
            "note: nothing is here yet: import what somebody exported, `ecac import FILE`\n",
        );
    }
    output::print(table.render(table::terminal_width()).as_bytes())
}

/// The tags of a grant in a line.
pub(crate) fn scope(grant: &Granted) -> String {
    if grant.role == Role::Root {
        "everything".to_owned()
    } else {
        text::list(grant.scope.iter().map(String::as_str))
    }
}

/// What has become of a grant, in words.
pub(crate) fn standing(standing: &Standing) -> String {
    match standing {
        Standing::Live => "live".to_owned(),
        Standing::NotYetValid => "not yet valid".to_owned(),
        Standing::Expired => "expired".to_owned(),
        Standing::Short => "too few roots signed".to_owned(),
        Standing::Ended { reason, denial } => format!("ended: {reason} {}", text::op(denial)),
        Standing::Frozen => "frozen".to_owned(),
        other => format!("{other:?}"),
    }
}

/// A grant for machines.
pub(crate) fn grant_json(grant: &Granted, people: &People<'_>) -> Json {
    let (name, reason, denial) = match grant.standing {
        Standing::Live => ("live", None, None),
        Standing::NotYetValid => ("not_yet_valid", None, None),
        Standing::Expired => ("expired", None, None),
        Standing::Short => ("short", None, None),
        Standing::Ended { reason, denial } => ("ended", Some(reason), Some(denial)),
        Standing::Frozen => ("frozen", None, None),
        _ => ("other", None, None),
    };
    json!({
        "grant": grant.grant,
        "role": grant.role,
        "scope": grant.scope,
        "by": people.json(&grant.by),
        "since_ms": grant.since_ms,
        "valid_from": grant.valid_from,
        "valid_until": grant.valid_until,
        "issuer": grant.issuer,
        "standing": name,
        "reason": reason,
        "denial": denial,
    })
}
