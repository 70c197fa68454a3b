//! `ecac whoami`: who you are, and in which project.

use ecac_core::Member;
use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::{People, did, project_name};
use crate::{output, text};

/// Say who you are here
///
/// Prints your did:key, which you give to whoever is to add you, the project, and what you may do in it. Before there is a
/// project, `ecac key list` has your keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac whoami
  ecac whoami --json | jq -r .did")]
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
    let now_ms = globals.now_ms()?;
    let me = key.public();
    let members = replica.members(now_ms);
    let mine = members.iter().find(|it| it.person == me);
    let grants = mine.map_or(&[][..], |it| &it.grants);
    let is_mine = |member: &&Member| member.devices.iter().any(|it| it.key == me);
    let persons: Vec<&Member> = members.iter().filter(is_mine).collect();
    let people = People::of(&project);
    let name = project_name(&replica);
    if args.json {
        let grants: Vec<_> = grants
            .iter()
            .map(|it| super::members::grant_json(it, &people))
            .collect();
        return output::print_json(&json!({
            "format": "ecac-whoami-v1",
            "did": me,
            "key": key.name(),
            "project": replica.project(),
            "name": name,
            "grants": grants,
            "device_of": persons.iter().map(|it| people.json(&it.person)).collect::<Vec<_>>(),
        }));
    }
    let mut told = format!("{}\nkey      {}\n", did(&key), key.name());
    let name = name.map_or_else(|| "not known yet".to_owned(), |it| text::name(&it));
    told += &format!("project  {name} {}\n", replica.project());
    for grant in grants {
        let standing = super::members::standing(&grant.standing);
        let scope = super::members::scope(grant);
        told += &format!("{}  {scope}  {standing}\n", grant.role);
    }
    for member in &persons {
        let linked = member.devices.iter().filter(|it| it.key == me);
        for linked in linked {
            let standing = super::device::standing(linked);
            told += &format!("a device of {}  {standing}\n", people.show(&member.person));
        }
    }
    if grants.is_empty() && persons.is_empty() {
        told += "nothing is granted to you here as far as is known\n";
    }
    output::print(told.as_bytes())
}
