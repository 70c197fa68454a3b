//! `ecac rotate`: a new key for confidential tags.

use std::collections::BTreeSet;

use ecac_artifact::exit;
use ecac_core::{Feature, Name, Payload, Preview, Rehearsal, Replica, Tags};
use serde_json::json;

use crate::deed::Deed;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::handover::{self, Handover, Share};
use crate::people::{People, unknown};
use crate::secrets::{Secrets, tags};
use crate::{feature, output, text};

/// What is tried, in messages.
const DOING: &str = "make a new key";

/// Make a new key for a confidential tag, and give it to its readers
///
/// What is written from here on is under the new key; what was written stays under the old one. After a revocation this happens
/// by itself, with the next write. Do it by hand where a reader key or a machine may have fallen into other hands, after whoever
/// lost it has published another reader key.
///
/// A field with several confidential tags has a key of its own for that set: there is a new key for each set that has TAG and a key.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac rotate hr
  ecac rotate hr --preview")]
pub(crate) struct Args {
    /// Confidential tag
    #[arg(value_name = "TAG")]
    tag: String,
    #[command(flatten)]
    share: Share,
    /// Say what it would do, and do nothing
    #[arg(long)]
    preview: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let now_ms = globals.now_ms()?;
    let rehearse = |secrets: &Secrets, sets: &BTreeSet<Tags>, rehearsal: &mut Rehearsal| {
        let handover = Handover {
            doing: DOING,
            secrets,
            share: args.share,
            now_ms,
        };
        handover.rehearse(rehearsal, &mut |keyring, desk| {
            for tags in sets {
                keyring.rotate(desk, tags)?;
            }
            Ok(())
        })
    };
    if args.preview {
        let (project, replica) = globals.reading()?;
        let sets = sets(&replica, &args.tag, now_ms)?;
        let people = People::of(&project);
        let secrets = Secrets::made(globals, &project, &replica, DOING)?;
        let rehearsal = replica.rehearse(secrets.me(), now_ms);
        let mut rehearsal = rehearsal.map_err(|error| Failure::of(DOING, &error.into()))?;
        rehearse(&secrets, &sets, &mut rehearsal)?;
        let notes = handover::unreached(&replica, &people, rehearsal.previews(), now_ms);
        output::note(&notes);
        return tell(args, rehearsal.previews(), "nothing was written\n");
    }
    let (project, writer, key) = globals.writing()?;
    let sets = sets(&writer, &args.tag, now_ms)?;
    let people = People::of(&project);
    let secrets = Secrets::made(globals, &project, &writer, DOING)?;
    let deed = Deed {
        doing: DOING,
        hint: "`ecac keys` shows which tags are confidential, and who has which key",
        fine: &[],
        yes: true,
    };
    let (mut previews, mut notes) = (Vec::new(), String::new());
    deed.carry_out_on(writer, &people, &key, now_ms, &mut |rehearsal| {
        rehearse(&secrets, &sets, rehearsal)?;
        previews = rehearsal.previews().to_vec();
        notes = handover::unreached(rehearsal.replica(), &people, &previews, now_ms);
        Ok(())
    })?;
    output::note(&notes);
    tell(
        args,
        &previews,
        "it takes hold where it arrives: `ecac export FILE`\n",
    )
}

/// The sets of tags with this one that have a key; the tag alone if none has.
fn sets(replica: &Replica, tag: &str, now_ms: u64) -> Result<BTreeSet<Tags>, Failure> {
    feature::needs(replica, Feature::Confidential, DOING)?;
    let marks = replica.confidential().value;
    let secret: Tags = marks.into_iter().flat_map(|it| it.tags).collect();
    let found = Name::new(tag).ok().filter(|it| secret.contains(it));
    let Some(tag) = found else {
        let known = secret.iter().map(|it| it.as_str());
        let hint = "`ecac keys` shows the confidential tags";
        return Err(unknown("find the confidential tag", tag, known, hint));
    };
    let keys = replica.content_keys(now_ms).value;
    let mut sets: BTreeSet<Tags> = keys.into_iter().map(|it| it.tags).collect();
    sets.retain(|it| it.contains(&tag));
    if sets.is_empty() {
        sets.insert([tag].into());
    }
    Ok(sets)
}

fn tell(args: &Args, previews: &[Preview], after: &str) -> Result<(), Failure> {
    let made = previews.iter().filter_map(|it| {
        if let Payload::KeyRotate(rotate) = &it.body.payload {
            Some((it.op, rotate.tags.clone()))
        } else {
            None
        }
    });
    let made: Vec<_> = made.collect();
    let readers = |key| -> usize {
        let grants = previews.iter().filter_map(|it| {
            if let Payload::KeyGrant(grant) = &it.body.payload {
                (grant.key == key).then_some(grant.shares.len())
            } else {
                None
            }
        });
        grants.sum()
    };
    if made.is_empty() {
        let hint = "please report this";
        return Err(Failure::new(exit::INTERNAL, DOING, "no key was made", hint));
    }
    if args.json {
        let keys = made
            .iter()
            .map(|(key, tags)| json!({ "key": key, "tags": tags, "readers": readers(*key) }));
        return output::print_json(&json!({
            "format": "ecac-rotate-v1",
            "keys": keys.collect::<Vec<_>>(),
            "ops": previews.iter().map(|it| it.op).collect::<Vec<_>>(),
        }));
    }
    let lines = made.iter().map(|(key, of)| {
        let readers = text::count(readers(*key), "reader");
        format!(
            "{}  KeyRotate for {}, given to {readers}\n",
            text::op(key),
            tags(of)
        )
    });
    output::print((lines.collect::<String>() + after).as_bytes())
}
