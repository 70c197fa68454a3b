//! `ecac keys`: who can read which confidential tags, and since when.

mod give;
mod publish;

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Action, ContentKeyInfo, Feature, NotAllowed, PublicKey, Replica, Tags};
use serde_json::{Value as Json, json};

use crate::edge::Globals;
use crate::failure::Failure;
use crate::output::{self, Form, Format};
use crate::people::People;
use crate::secrets::{Secrets, tags};
use crate::table::{self, Table};
use crate::{feature, text};

/// Show who can read which confidential tags, and since when
///
/// The first table has a row for each set of confidential tags and each reader, person or device: from when on the keys are that
/// they hold, how many of all there are, and how they stand. Who was put out keeps the keys that they had, and reads nothing that
/// is written from then on by anybody who knows. The second table has the keys themselves: a key is in use while everybody who
/// holds it may read; the next write after that makes a new one.
///
/// All of this follows from the log; only the column HERE is about the reader key on this machine.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  ecac keys
  ecac keys --format json | jq '.readers[] | select(.may_read)'
  ecac keys publish
  ecac keys give tom"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Publish(publish::Args),
    Give(give::Args),
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    match &args.command {
        Some(Command::Publish(args)) => publish::run(args, globals),
        Some(Command::Give(args)) => give::run(args, globals),
        None => report(args, globals),
    }
}

fn report(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    feature::needs(&replica, Feature::Confidential, "show who can read what")?;
    let now_ms = globals.now_ms()?;
    let people = People::of(&project);
    let secrets = Secrets::at_hand(&project, &replica)?;
    let keys = replica.content_keys(now_ms).value;
    let mut readers = Standing::all(&replica, &keys, now_ms);
    readers.sort_by_cached_key(|it| (it.tags.clone(), people.show(&it.who), it.who));
    match args.form.format() {
        Format::Json => {
            let readers: Vec<Json> = readers.iter().map(|it| it.json(&people)).collect();
            let key = |key: &ContentKeyInfo| {
                let holders: Vec<Json> = key.holders.iter().map(|it| people.json(it)).collect();
                json!({
                    "key": key.key,
                    "tags": key.tags,
                    "made_by": people.json(&key.made_by),
                    "made_ms": key.made_ms,
                    "holders": holders,
                    "fresh": key.is_fresh,
                    "here": secrets.holds(&replica, &key.key),
                })
            };
            let keys: Vec<Json> = keys.iter().map(key).collect();
            output::print_json(&json!({
                "format": "ecac-readers-v1",
                "readers": readers,
                "keys": keys,
            }))
        }
        Format::Text => {
            let mut told = readers_table(&readers, &people);
            if keys.is_empty() {
                told += "there is no key yet: the first confidential write makes one\n";
            } else {
                told += "\n";
                told += &keys_table(&keys, &people, &|key| secrets.holds(&replica, &key.key));
            }
            output::print(told.as_bytes())
        }
    }
}

fn readers_table(readers: &[Standing], people: &People<'_>) -> String {
    let mut table = Table::new(["N", "TAGS", "WHO", "SINCE", "KEYS", "STANDING"]);
    for (number, reader) in readers.iter().enumerate() {
        table.push([
            (number + 1).to_string(),
            tags(&reader.tags),
            people.show(&reader.who),
            reader
                .since_ms
                .map_or_else(|| "-".to_owned(), text::instant),
            format!("{} of {}", reader.held, reader.of),
            reader.words(),
        ]);
    }
    table.render(table::terminal_width())
}

fn keys_table(
    keys: &[ContentKeyInfo],
    people: &People<'_>,
    is_here: &dyn Fn(&ContentKeyInfo) -> bool,
) -> String {
    let mut last: BTreeMap<&Tags, &ContentKeyInfo> = BTreeMap::new();
    for key in keys.iter().filter(|it| it.is_fresh) {
        last.insert(&key.tags, key);
    }
    let mut table = Table::new(["N", "KEY", "TAGS", "MADE", "BY", "HERE", "STANDING"]);
    for (number, key) in keys.iter().enumerate() {
        let is_last = last.get(&key.tags).is_some_and(|it| it.key == key.key);
        let standing = match (key.is_fresh, is_last) {
            (false, _) => "ended: somebody who holds it may not read any more",
            (true, true) => "in use",
            (true, false) => "replaced by a later one",
        };
        table.push([
            (number + 1).to_string(),
            text::op(&key.key),
            tags(&key.tags),
            text::instant(key.made_ms),
            people.show(&key.made_by),
            if is_here(key) { "yes" } else { "no" }.to_owned(),
            format!("{standing}; {}", text::count(key.holders.len(), "holder")),
        ]);
    }
    table.render(table::terminal_width())
}

/// How a reader stands with a set of tags.
struct Standing {
    tags: Tags,
    who: PublicKey,
    /// Stamp of the earliest key that they hold.
    since_ms: Option<u64>,
    held: usize,
    of: usize,
    /// Whether there is a reader key of theirs to which keys can be sealed.
    is_published: bool,
    why_not: Option<NotAllowed>,
}

impl Standing {
    /// Everybody who holds a key of the tags, or may read them.
    fn all(replica: &Replica, keys: &[ContentKeyInfo], now_ms: u64) -> Vec<Self> {
        let mut sets: BTreeSet<Tags> = keys.iter().map(|it| it.tags.clone()).collect();
        let marks = replica.confidential().value;
        for tag in marks.into_iter().flat_map(|it| it.tags) {
            if !sets.iter().any(|it| it.contains(&tag)) {
                sets.insert([tag].into());
            }
        }
        let mut all = Vec::new();
        for tags in sets {
            let keys: Vec<&ContentKeyInfo> = keys.iter().filter(|it| it.tags == tags).collect();
            let may = replica.who_can(Action::Read, &tags, now_ms).value;
            let may = may.into_iter().map(|(reader, _)| reader);
            let holders = keys.iter().flat_map(|it| &it.holders).copied();
            let readers: BTreeSet<PublicKey> = may.chain(holders).collect();
            for who in readers {
                let held = keys.iter().filter(|it| it.holders.contains(&who));
                all.push(Self {
                    since_ms: held.clone().map(|it| it.made_ms).min(),
                    held: held.count(),
                    of: keys.len(),
                    is_published: replica.reader_key(&who).is_some(),
                    why_not: replica.can(&who, Action::Read, &tags, now_ms).value.err(),
                    tags: tags.clone(),
                    who,
                });
            }
        }
        all
    }

    fn words(&self) -> String {
        if let Some(why) = &self.why_not {
            return format!("out ({}): reads nothing new", why.reason);
        }
        match (self.held, self.is_published) {
            (0, true) if self.of > 0 => "may read, and waits for a key".to_owned(),
            (0, true) => "may read, once there is a key".to_owned(),
            (_, false) => "may read, and has published no reader key".to_owned(),
            (held, true) if held < self.of => "reads, but not what is under other keys".to_owned(),
            (_, true) => "reads".to_owned(),
        }
    }

    fn json(&self, people: &People<'_>) -> Json {
        json!({
            "tags": self.tags,
            "reader": people.json(&self.who),
            "since_ms": self.since_ms,
            "held": self.held,
            "of": self.of,
            "published": self.is_published,
            "may_read": self.why_not.is_none(),
            "reason": self.why_not.as_ref().map(|it| it.reason),
        })
    }
}
