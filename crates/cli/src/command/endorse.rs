//! `ecac endorse`: giving honest work back.

use std::collections::{BTreeMap, BTreeSet};

use ecac_artifact::exit;
use ecac_core::payload::Endorse;
use ecac_core::{
    Effect, Feature, OpId, Place, PlaceChange, Preview, Received, Replica, Shown, TakenBack,
};
use serde_json::{Value as Json, json};

use crate::color::Paint;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::give_back::{Objects, Plan, Wanted};
use crate::op_prefix::OpPrefix;
use crate::people::People;
use crate::review::{self, review};
use crate::table::{self, Table};
use crate::told::{self, Teller};
use crate::when::When;
use crate::{consent, feature, output, text};

/// What is tried, in messages.
const DOING: &str = "endorse";
/// Why work of a lost device stays taken back where all of its person's is given back.
const LOST_DEVICE: &str =
    "a device wrote it whose link was ended: if it is honest, name the op or the device";
/// Most rows of the list for people.
const ROWS_MAX: usize = 50;

/// Give back work that a revocation took back
///
/// What somebody wrote before hearing of a revocation is taken back; who could have written it may endorse it, and it counts again in its
/// place, under the endorser's own authority. On a terminal you are shown what was taken back, by author and object, in the order of
/// time, and asked. Ops that are named, or all of somebody's, are given back without a question; --object and --since narrow what is
/// shown or given back. It gives its author no right to go on: see `ecac regrant`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac endorse --list
  ecac endorse
  ecac endorse --all-of tom --since 2026-01-01 --preview
  ecac endorse --all-of tom --object 'motor/*'
  ecac endorse 1f3a9c0d 77e0b1c2")]
pub(crate) struct Args {
    /// Which ops, by the first digits of their ids
    #[arg(value_name = "OP", conflicts_with_all = ["all_of", "object", "since", "list"])]
    ops: Vec<OpPrefix>,
    /// All that NAME wrote, or a device for NAME; what a device wrote whose link was ended only if NAME is the device
    #[arg(long, value_name = "NAME")]
    all_of: Option<String>,
    /// Only in this object, or in objects that begin so
    #[arg(long, value_name = "OBJECT|BEGINNING*")]
    object: Option<String>,
    /// Only what is stamped then or later: a date, a time as in RFC 3339, or so long ago, such as 7d, 12h or 30m
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// List what was taken back, and do nothing
    #[arg(long, conflicts_with = "preview")]
    list: bool,
    /// Say what it would do, and do nothing
    #[arg(long)]
    preview: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Args {
    /// Whether all of a person's is asked for, and this is by a device that was lost: whoever found it may have written it.
    fn is_spared(&self, op: &TakenBack, teller: &Teller<'_>) -> bool {
        let is_named = |who: &String| {
            let key = teller.people.find(who);
            key.is_ok_and(|key| key == op.author)
        };
        op.by_ended_device && self.all_of.as_ref().is_some_and(|who| !is_named(who))
    }
}

/// One `Endorse`, written or not yet.
struct Step {
    op: OpId,
    ops: BTreeSet<OpId>,
    unseen: Vec<OpId>,
    effect: Option<Effect>,
    received: Received,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let now_ms = globals.now_ms()?;
    let (project, replica) = globals.reading()?;
    feature::needs(&replica, Feature::Endorse, DOING)?;
    let people = People::of(&project);
    let lost = replica.taken_back().value;
    let teller = Teller {
        replica: &replica,
        people: &people,
    };
    let wanted = wanted(args, &lost, &teller, now_ms)?;
    if args.list {
        return list(args, &wanted, &teller);
    }
    let wanted = if args.ops.is_empty() && args.all_of.is_none() {
        ask(&wanted, &teller)?
    } else {
        wanted
    };
    let key = project
        .key()
        .map_err(|error| Failure::of("open your key", &error))?;
    let is_spared = |it: &&TakenBack| args.is_spared(it, &teller);
    let (spared, wanted): (Vec<&TakenBack>, Vec<&TakenBack>) =
        wanted.into_iter().partition(is_spared);
    let mut plan = Plan::of(&replica, &key.public(), now_ms, &wanted);
    let spared = spared.into_iter().map(|it| (it.op, LOST_DEVICE.to_owned()));
    plan.left.extend(spared);
    let mut next = plan.endorse.iter().cloned();
    let previews = replica.preview_all(key.public(), now_ms, &mut |_| next.next().map(Into::into));
    let previews = previews.map_err(|error| Failure::of(DOING, &error.into()))?;
    check(&plan, &previews)?;
    if args.preview {
        let steps = plan.endorse.into_iter().zip(previews);
        let steps: Vec<Step> = steps.map(|(named, it)| Step::foreseen(named, it)).collect();
        return tell(args, &teller, &steps, &plan.left, true);
    }
    drop(replica);
    let (project, mut writer, key) = globals.writing()?;
    let mut steps = Vec::new();
    for named in plan.endorse {
        let authored = writer.author(named.clone(), &key, now_ms);
        let authored = authored.map_err(|error| Failure::of(DOING, &error))?;
        steps.push(Step {
            op: authored.op,
            ops: named.ops,
            unseen: authored.unseen,
            effect: authored.effect,
            received: authored.received,
        });
    }
    let people = People::of(&project);
    let teller = Teller {
        replica: &writer,
        people: &people,
    };
    tell(args, &teller, &steps, &plan.left, false)?;
    writer
        .close()
        .map_err(|error| Failure::of("end the writing", &error))
}

/// What was taken back and is meant.
fn wanted<'a>(
    args: &Args,
    lost: &'a [TakenBack],
    teller: &Teller<'_>,
    now_ms: u64,
) -> Result<Vec<&'a TakenBack>, Failure> {
    if !args.ops.is_empty() {
        return named(args, lost, teller.replica);
    }
    let by = args.all_of.as_ref().map(|who| teller.people.find(who));
    let wanted = Wanted {
        by: by.transpose()?,
        object: args.object.as_deref().map(Objects::of),
        since_ms: args.since.map(|it| it.since_ms(now_ms)),
    };
    let found: Vec<&TakenBack> = lost.iter().filter(|it| wanted.has(it)).collect();
    if found.is_empty() && !args.list {
        let cause = if lost.is_empty() {
            "nothing was taken back here"
        } else {
            "nothing of what was taken back is what you asked for"
        };
        return Err(nothing(cause));
    }
    Ok(found)
}

fn nothing(cause: &str) -> Failure {
    let hint = "`ecac endorse --list` shows what was taken back";
    Failure::new(exit::NOT_FOUND, DOING, cause, hint)
}

/// The ops that are named.
fn named<'a>(
    args: &Args,
    lost: &'a [TakenBack],
    replica: &Replica,
) -> Result<Vec<&'a TakenBack>, Failure> {
    let known: BTreeSet<OpId> = replica.log().ids_since(0).collect();
    let mut named = Vec::new();
    for prefix in &args.ops {
        let op = prefix.find(&known, "the project")?;
        let found = lost.iter().find(|it| it.op == op);
        let found = found.ok_or_else(|| {
            nothing("it was not taken back, or is no work").with_details(vec![format!("op {op}")])
        })?;
        if !named.contains(&found) {
            named.push(found);
        }
    }
    Ok(named)
}

/// What somebody on the terminal chooses.
fn ask<'a>(lost: &[&'a TakenBack], teller: &Teller<'_>) -> Result<Vec<&'a TakenBack>, Failure> {
    if !consent::somebody_is_here() {
        let cause = "nobody is here to be asked what to give back";
        let hint =
            "name ops, or say --all-of NAME; `ecac endorse --list` shows what was taken back";
        return Err(Failure::new(exit::USAGE, DOING, cause, hint));
    }
    let chosen = review(lost, teller, &mut consent::ask)?;
    match chosen {
        Some(chosen) if !chosen.is_empty() => Ok(chosen),
        Some(_) | None => Err(Failure::new(
            exit::REFUSED,
            DOING,
            "you chose nothing",
            "nothing was written",
        )),
    }
}

/// Nothing is written that counts for nothing.
fn check(plan: &Plan, previews: &[Preview]) -> Result<(), Failure> {
    let void = previews
        .iter()
        .find(|it| told::counts_for_nothing(it.effect.as_ref()));
    let cause = match void {
        Some(it) => format!(
            "it would count for nothing: {}",
            told::effect(it.effect.as_ref())
        ),
        None if previews.is_empty() => "you may give back none of it".to_owned(),
        None => return Ok(()),
    };
    let left = plan.left.iter().take(ROWS_MAX);
    let left = left.map(|(op, why)| format!("{}  {why}", text::op(op)));
    let hint = "nothing was written; ask somebody who may write there";
    Err(Failure::new(exit::REFUSED, DOING, cause, hint).with_details(left.collect()))
}

impl Step {
    fn foreseen(named: Endorse, preview: Preview) -> Self {
        Self {
            op: preview.op,
            ops: named.ops,
            unseen: preview.unseen,
            effect: preview.effect,
            received: preview.received,
        }
    }

    fn to_json(&self) -> Json {
        json!({ "op": self.op, "ops": self.ops, "unseen": self.unseen, "effect": self.effect })
    }
}

/// Says what was given back, or would be.
fn tell(
    args: &Args,
    teller: &Teller<'_>,
    steps: &[Step],
    left: &[(OpId, String)],
    is_preview: bool,
) -> Result<(), Failure> {
    let given = steps.iter().flat_map(|it| it.received.reinstated());
    let given: Vec<OpId> = given.collect();
    let changes = changes(steps);
    if args.json {
        let left = left.iter().map(|(op, why)| {
            let mut told = teller.op_json(op);
            told["why"] = json!(why);
            told
        });
        let left: Vec<Json> = left.collect();
        let given: Vec<Json> = given.iter().map(|op| teller.op_json(op)).collect();
        return output::print_json(&json!({
            "format": "ecac-endorse-v1",
            "endorsed": steps.iter().map(Step::to_json).collect::<Vec<_>>(),
            "reinstated": given,
            "changes": changes.iter().map(told::change_json).collect::<Vec<_>>(),
            "left": left,
        }));
    }
    let word = if is_preview {
        "would count again"
    } else {
        "given back"
    };
    let mut said = teller.listed(&given, Paint::Good, word);
    said += &teller.changes(&changes);
    let kept: Vec<OpId> = left.iter().map(|(op, _)| *op).collect();
    said += &teller.listed(&kept, Paint::Care, "not given back");
    for (_, why) in left.iter().take(1) {
        said += &format!("the first because {}\n", text::escape(why));
    }
    if is_preview {
        said += "nothing was written\n";
    }
    output::print(said.as_bytes())
}

/// What places show after all steps that they did not show before.
fn changes(steps: &[Step]) -> Vec<PlaceChange> {
    let mut merged: BTreeMap<Place, PlaceChange> = BTreeMap::new();
    for change in steps.iter().flat_map(|it| &it.received.changes) {
        let after: Option<Shown> = change.after.clone();
        let first = merged.entry(change.place.clone());
        first.or_insert_with(|| change.clone()).after = after;
    }
    let changed = merged.into_values();
    changed.filter(|it| it.before != it.after).collect()
}

/// Lists what was taken back.
fn list(args: &Args, lost: &[&TakenBack], teller: &Teller<'_>) -> Result<(), Failure> {
    if args.json {
        let lost: Vec<Json> = lost.iter().map(|it| to_json(it, teller)).collect();
        return output::print_json(&json!({ "format": "ecac-taken-back-v1", "taken_back": lost }));
    }
    if lost.is_empty() {
        return output::print(b"nothing of it was taken back\n");
    }
    let mut table = Table::new(["N", "WHEN", "OP", "BY", "TAKEN BACK BY", "WHAT"]);
    for (number, it) in lost.iter().enumerate().take(ROWS_MAX) {
        table.push([
            (number + 1).to_string(),
            text::instant(it.stamp_ms),
            text::op(&it.op),
            review::whose(it, teller),
            format!("{} ({})", teller.people.show(&it.denier), it.reason),
            teller.what(&it.op),
        ]);
    }
    let mut said = table.render(table::terminal_width());
    if lost.len() > ROWS_MAX {
        said += &format!(
            "… and {} more; --json has them all\n",
            lost.len() - ROWS_MAX
        );
    }
    output::print(said.as_bytes())
}

fn to_json(lost: &TakenBack, teller: &Teller<'_>) -> Json {
    let persons = lost.persons.iter().map(|it| teller.people.json(it));
    let mut told = teller.op_json(&lost.op);
    told["persons"] = json!(persons.collect::<Vec<_>>());
    told["place"] = told::place_json(&lost.place);
    told["stamp_ms"] = json!(lost.stamp_ms);
    told["reason"] = json!(lost.reason);
    told["denial"] = json!(lost.denial);
    told["denier"] = teller.people.json(&lost.denier);
    told["by_ended_device"] = json!(lost.by_ended_device);
    told
}
