//! `ecac regrant`: letting somebody in again.

use ecac_artifact::exit;
use ecac_core::Standing;

use super::grant::{self, Wanted};
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;

/// Grant somebody again what a denial ended
///
/// The last grant of NAME that was ended or has expired is made once more, with a new credential; only what is written after it
/// counts by it. What they wrote meanwhile stays taken back, unless somebody endorses it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac regrant tom
  ecac regrant tom --days 30")]
pub(crate) struct Args {
    /// Who, by the name that you gave or the did:key
    #[arg(value_name = "NAME")]
    who: String,
    /// For how many days
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=36500))]
    days: u64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, writer, key) = globals.writing()?;
    let people = People::of(&project);
    let person = people.find(&args.who)?;
    let members = writer.members(globals.now_ms()?);
    let member = members.iter().find(|it| it.person == person);
    let is_over = |standing: Standing| match standing {
        Standing::Ended { .. } | Standing::Expired | Standing::Frozen => true,
        Standing::Live | Standing::NotYetValid | Standing::Short => false,
        _ => false,
    };
    let grants = member.map_or(&[][..], |it| &it.grants);
    let last = grants.iter().rev().find(|it| is_over(it.standing));
    let last = last.ok_or_else(|| {
        let cause = "no grant of theirs was ended";
        Failure::new(
            exit::NOT_FOUND,
            format!("grant {} again", people.show(&person)),
            cause,
            "`ecac members` shows what they have",
        )
    })?;
    let (role, scope) = (last.role, last.scope.clone());
    let wanted = Wanted {
        subject: person,
        role,
        scope: scope.clone(),
        days: args.days,
        status: Vec::new(),
    };
    let written = grant::grant(writer, &people, &key, globals, wanted)?;
    grant::tell(&people, &person, role, &scope, &written, args.json)
}
