//! `ecac keys give`: keys for somebody who lacks them.

use ecac_artifact::exit;
use ecac_core::{Payload, Preview, Rehearsal};
use serde_json::json;

use crate::deed::Deed;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::handover::{Handover, Share};
use crate::output;
use crate::people::People;
use crate::secrets::Secrets;

/// Give somebody every key that you have, they may read, and they lack
///
/// With these keys they read what was written before they came, and what was written while they were out. A confidential write does
/// so by itself for newcomers, who hold no key of its tags yet. Whoever was put out gets nothing. Who lost a reader key publishes
/// another one, and is given with --again what was sealed to the lost one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac keys give tom
  ecac keys give tom --preview
  ecac keys give tom --again")]
pub(crate) struct Args {
    /// Who, by the name that you gave or the did:key
    #[arg(value_name = "NAME")]
    who: String,
    /// Also the keys that they were given before
    #[arg(long)]
    again: bool,
    /// Say what it would do, and do nothing
    #[arg(long)]
    preview: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let doing = "give keys";
    let now_ms = globals.now_ms()?;
    let rehearse = |secrets: &Secrets,
                    people: &People<'_>,
                    rehearsal: &mut Rehearsal|
     -> Result<(), Failure> {
        let person = people.find(&args.who)?;
        let handover = Handover {
            doing,
            secrets,
            share: Share::default(),
            now_ms,
        };
        handover.rehearse(rehearsal, &mut |keyring, desk| {
            keyring.hand_on(desk, &person, args.again)
        })?;
        if !rehearsal.previews().is_empty() {
            return Ok(());
        }
        let who = people.show(&person);
        let (cause, hint) = if rehearsal.replica().reader_key(&person).is_none() {
            (
                format!("{who} has published no reader key"),
                "ask them for `ecac keys publish`, and import what they export",
            )
        } else {
            (
                format!("there is no key that you can open, {who} may read, and {who} lacks"),
                "`ecac keys` shows who has which",
            )
        };
        Err(Failure::new(exit::REFUSED, doing, cause, hint))
    };
    if args.preview {
        let (project, replica) = globals.reading()?;
        let people = People::of(&project);
        let secrets = Secrets::at_hand(&project, &replica)?;
        let rehearsal = replica.rehearse(secrets.me(), now_ms);
        let mut rehearsal = rehearsal.map_err(|error| Failure::of(doing, &error.into()))?;
        rehearse(&secrets, &people, &mut rehearsal)?;
        return tell(
            args,
            &people,
            rehearsal.previews(),
            "would give",
            "nothing was written\n",
        );
    }
    let (project, writer, key) = globals.writing()?;
    let people = People::of(&project);
    let secrets = Secrets::at_hand(&project, &writer)?;
    let deed = Deed {
        doing,
        hint: "`ecac keys` shows who has which",
        fine: &[],
        yes: true,
    };
    let mut previews = Vec::new();
    deed.carry_out_on(writer, &people, &key, now_ms, &mut |rehearsal| {
        rehearse(&secrets, &people, rehearsal)?;
        previews = rehearsal.previews().to_vec();
        Ok(())
    })?;
    let sent = "they read with them once this is there: `ecac export FILE`\n";
    tell(args, &people, &previews, "gave", sent)
}

fn tell(
    args: &Args,
    people: &People<'_>,
    previews: &[Preview],
    verb: &str,
    after: &str,
) -> Result<(), Failure> {
    let person = people.find(&args.who)?;
    let given = previews.iter().filter_map(|it| {
        if let Payload::KeyGrant(grant) = &it.body.payload {
            Some(grant.key)
        } else {
            None
        }
    });
    let keys: Vec<_> = given.collect();
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-give-keys-v1",
            "person": people.json(&person),
            "keys": keys,
            "ops": previews.iter().map(|it| it.op).collect::<Vec<_>>(),
        }));
    }
    let keys: Vec<String> = keys.iter().map(crate::text::op).collect();
    let who = people.show(&person);
    let count = crate::text::count(keys.len(), "key");
    output::print(format!("{verb} {who} {count}: {}\n{after}", keys.join(", ")).as_bytes())
}
