//! `ecac revoke`: taking grants away, and seeing before what that takes back.

use std::io::{self, IsTerminal as _};

use ecac_artifact::exit;
use ecac_core::credential::Role;
use ecac_core::payload::Revoke;
use ecac_core::{Preview, Replica, Tags};
use serde_json::json;

use crate::color::Paint;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::{self, People};
use crate::told::{self, Teller};
use crate::{output, text};

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
        let (project, replica) = globals.reading()?;
        let people = People::of(&project);
        let key = project
            .key()
            .map_err(|error| Failure::of("open your key", &error))?;
        let revoke = revocation(args, &people)?;
        let preview = foresee(&replica, revoke, &key, now_ms)?;
        let teller = Teller {
            replica: &replica,
            people: &people,
        };
        return tell_preview(args, &teller, &preview);
    }
    let (project, mut writer, key) = globals.writing()?;
    let people = People::of(&project);
    let revoke = revocation(args, &people)?;
    let preview = foresee(&writer, revoke.clone(), &key, now_ms)?;
    let doing = format!("revoke {}", people.show(&revoke.subject));
    let effect = preview.effect.as_ref();
    if told::counts_for_nothing(effect) && !told::waits(effect) {
        let cause = format!(
            "it would count for nothing: {}",
            told::effect(preview.effect.as_ref())
        );
        return Err(Failure::new(
            exit::REFUSED,
            doing,
            cause,
            "nothing was written; `ecac members` shows what they have, and from whom",
        ));
    }
    let teller = Teller {
        replica: &writer,
        people: &people,
    };
    confirm(args, &teller, &preview, &doing)?;
    let authored = writer.author(revoke.clone(), &key, now_ms);
    let authored = authored.map_err(|error| Failure::of(&doing, &error))?;
    let teller = Teller {
        replica: &writer,
        people: &people,
    };
    let mut document = teller.authored_json(&authored);
    let lost = teller.lost(&authored.received, "no longer count");
    writer
        .close()
        .map_err(|error| Failure::of("end the writing", &error))?;
    if args.json {
        document["format"] = json!("ecac-revoke-v1");
        document["person"] = people.json(&revoke.subject);
        return output::print_json(&document);
    }
    let told = format!(
        "revoked {}: {}\n{}  Revoke\n{lost}{}",
        people.show(&revoke.subject),
        told::effect(authored.effect.as_ref()),
        text::op(&authored.op),
        told::waiting(authored.effect.as_ref())
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

fn foresee(
    replica: &Replica,
    revoke: Revoke,
    key: &ecac_project::Key,
    now_ms: u64,
) -> Result<Preview, Failure> {
    let preview = replica.preview(revoke, key.public(), now_ms);
    preview.map_err(|error| Failure::of("revoke", &error.into()))
}

fn tell_preview(args: &Args, teller: &Teller<'_>, preview: &Preview) -> Result<(), Failure> {
    if args.json {
        let mut document = teller.preview_json(preview);
        document["format"] = json!("ecac-revoke-v1");
        document["person"] = teller.people.json(&teller.people.find(&args.who)?);
        return output::print_json(&document);
    }
    let nothing = told::counts_for_nothing(preview.effect.as_ref());
    let word = if told::waits(preview.effect.as_ref()) {
        "would wait for more roots"
    } else if nothing {
        "would count for nothing"
    } else {
        "would count"
    };
    let lost = teller.lost(&preview.received, "would no longer count");
    let lost = if lost.is_empty() {
        "no work that is here would be taken back\n".to_owned()
    } else {
        lost
    };
    let effect = told::effect(preview.effect.as_ref());
    output::print(format!("{word}: {effect}\n{lost}nothing was written\n").as_bytes())
}

/// Asks, where work is taken back.
fn confirm(
    args: &Args,
    teller: &Teller<'_>,
    preview: &Preview,
    doing: &str,
) -> Result<(), Failure> {
    let count = preview.received.rolled_back().count();
    if count == 0 || args.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        let cause = format!(
            "it takes back {}, and nobody is here to be asked",
            text::count(count, "op")
        );
        return Err(Failure::new(
            exit::USAGE,
            doing,
            cause,
            "look at them with --preview, and say --yes",
        ));
    }
    let lost = teller.lost(&preview.received, "would no longer count");
    output::note(&format!(
        "{lost}{} Type `yes` to go on: ",
        Paint::Care.err("Take that back?")
    ));
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.map_err(|error| Failure::read("your answer", &error))?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    Err(Failure::new(
        exit::REFUSED,
        doing,
        "you did not say yes",
        "nothing was written",
    ))
}
