//! `ecac dump-state-json`: the state export.

use ecac_artifact::exit;
use ecac_core::OpId;
use serde_json::{Value as Json, json};

use crate::consent;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::Destination;
use crate::replica::Source;
use crate::secrets::{self, Lens};

/// What is tried, in messages.
const DOING: &str = "reveal the state";

/// Write the state that an op log or the project amounts to, as canonical JSON
///
/// Without LOG it is that of the project here or above. The form is that of RFC 8785. These are the bytes whose SHA-256 is the state digest: no newline follows them.
///
/// Confidential values stay sealed. With --reveal those that you can open stand there as they are, in the state of the project here
/// or above; you are asked, and a script says --yes. These are other bytes, of another digest, and FILE is for you alone.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |arg| arg.required(false)), after_help = "Examples:
  ecac dump-state-json                       the project here or above
  ecac dump-state-json ops.cborseq | sha256sum
  ecac dump-state-json ops.cborseq --out state.json
  ecac dump-state-json ops.cborseq | jq .objects
  ecac dump-state-json --reveal --yes | jq .objects")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    destination: Destination,
    /// Open the confidential values that you can open
    #[arg(long, conflicts_with_all = ["paths", "project"])]
    reveal: bool,
    /// Do not ask
    #[arg(long, requires = "reveal")]
    yes: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let destination = args.destination.claim()?;
    if !args.reveal {
        let replica = args.source.replay_in(globals)?;
        let state = replica.replay.state().export(&replica.log);
        return destination.write(&state);
    }
    consent::reveal(DOING, args.yes)?;
    let (project, replica) = globals.reading()?;
    let defect =
        |error: serde_json::Error| Failure::new(exit::INTERNAL, DOING, error, "please report this");
    let mut state: Json = serde_json::from_slice(&replica.state()).map_err(defect)?;
    let lens = Lens::new(&project, &replica);
    reveal(&mut state["objects"], &lens, &replica)?;
    state["format"] = json!("ecac-revealed-state-v1");
    let (opened, me) = lens.finish();
    drop(replica);
    secrets::record(globals, &project, &opened, me)?;
    let state = serde_json::to_vec(&state).map_err(defect)?;
    destination.write_privately(&state)
}

/// Puts what can be opened into the places that show it: where there are winners, in them and in what is displayed.
fn reveal(state: &mut Json, lens: &Lens<'_>, replica: &ecac_core::Replica) -> Result<(), Failure> {
    let Some(members) = state.as_object_mut() else {
        return Ok(());
    };
    let Some(winners) = members.get_mut("winners").and_then(Json::as_array_mut) else {
        return members
            .values_mut()
            .try_for_each(|it| reveal(it, lens, replica));
    };
    let mut opened = Vec::new();
    for winner in winners {
        let op = winner["op"].as_str().and_then(|it| it.parse::<OpId>().ok());
        let held = op.and_then(|op| replica.log().get(&op));
        let value = held.as_ref().and_then(|it| it.body().payload.value());
        let (Some(op), Some(value)) = (op, value) else {
            continue;
        };
        if let Ok(plain) = lens.value(&op, &value)? {
            let plain = plain.to_json();
            opened.push((winner["value"].take(), plain.clone()));
            winner["value"] = plain;
        }
    }
    let displayed = opened
        .into_iter()
        .find(|(sealed, _)| members.get("value") == Some(sealed));
    if let Some((_, plain)) = displayed {
        members.insert("value".to_owned(), plain);
    }
    Ok(())
}
