//! What a batch did to the project, told to people and to machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ecac_core::{
    Authored, Effect, EffectCode, Event, Mention, OpId, Payload, Place, PlaceChange, Preview,
    Received, Replica, Shown,
};
use serde_json::{Value as Json, json};

use crate::color::Paint;
use crate::people::People;
use crate::table::{self, Table};
use crate::{payload, text};

/// Most rows of one table that people are shown.
const ROWS_MAX: usize = 50;

/// Who tells: the replica after the batch, and the names of people.
pub(crate) struct Teller<'a> {
    pub(crate) replica: &'a Replica,
    pub(crate) people: &'a People<'a>,
}

impl Teller<'_> {
    /// The op in one line.
    pub(crate) fn what(&self, op: &OpId) -> String {
        match self.replica.log().get(op) {
            Some(op) => {
                let said = &op.body().payload;
                let carried = carried(self.replica, said);
                payload::line(said, carried.as_deref(), &|key| self.people.show(key))
            }
            None => "an op that is not kept".to_owned(),
        }
    }

    /// What takes the op back as soon as it is here: the reason and the denial, in words. Nothing if nothing does.
    pub(crate) fn overruled(&self, received: &Received, op: &OpId) -> Option<String> {
        let Some(Event::Denied { reason, denial, .. }) = received.of(op) else {
            return None;
        };
        let what = self.what(denial);
        Some(format!("{reason} by {} {what}", text::op(denial)))
    }

    fn who(&self, mention: &Mention) -> String {
        let author = mention.author.as_ref();
        author.map_or_else(|| "-".to_owned(), |key| self.people.show(key))
    }

    /// An op, who wrote it, and what it says, for machines.
    pub(crate) fn op_json(&self, id: &OpId) -> Json {
        let op = self.replica.log().get(id);
        let body = op.as_ref().map(|op| op.body());
        json!({
            "op": id,
            "author": body.map(|body| self.people.json(&body.author)),
            "kind": body.map(|body| body.payload.kind()),
            "payload": body.map(|body| body.payload.members()),
        })
    }

    /// The ops that lose their effect, for machines.
    pub(crate) fn lost_json(&self, received: &Received) -> Vec<Json> {
        received.rolled_back().map(|op| self.op_json(&op)).collect()
    }

    /// The ops that count again, for machines.
    pub(crate) fn given_json(&self, received: &Received) -> Vec<Json> {
        received.reinstated().map(|op| self.op_json(&op)).collect()
    }

    /// The ops that lose their effect: a row each, with a line before them.
    pub(crate) fn lost(&self, received: &Received, line: &str) -> String {
        let ops: Vec<OpId> = received.rolled_back().collect();
        self.listed(&ops, Paint::Bad, line)
    }

    /// The ops that count again: likewise.
    pub(crate) fn given(&self, received: &Received, line: &str) -> String {
        let ops: Vec<OpId> = received.reinstated().collect();
        self.listed(&ops, Paint::Good, line)
    }

    /// A row for each op, with a line before them that says what becomes of them and whose they are; nothing for none.
    pub(crate) fn listed(&self, ops: &[OpId], paint: Paint, line: &str) -> String {
        let mut table = Table::new(["N", "OP", "BY", "WHAT"]);
        let mut by: BTreeMap<String, usize> = BTreeMap::new();
        for (number, op) in ops.iter().enumerate() {
            let held = self.replica.log().get(op);
            let author = held.map(|op| op.body().author);
            let who = author.map_or_else(|| "-".to_owned(), |key| self.people.show(&key));
            *by.entry(who.clone()).or_default() += 1;
            if number < ROWS_MAX {
                table.push([(number + 1).to_string(), text::op(op), who, self.what(op)]);
            }
        }
        let count = ops.len();
        if count == 0 {
            return String::new();
        }
        let by: Vec<String> = by
            .iter()
            .map(|(who, count)| format!("{count} by {who}"))
            .collect();
        let line = paint.out(&format!("{} {line}", text::count(count, "op")));
        let mut told = format!(
            "{line} ({}):\n{}",
            by.join(", "),
            table.render(table::terminal_width())
        );
        if count > ROWS_MAX {
            let _ = writeln!(told, "… and {} more; --json has them all", count - ROWS_MAX);
        }
        told
    }

    /// A batch for machines: events, what places show, and what is missing.
    pub(crate) fn received_json(&self, received: &Received) -> Json {
        let events: Vec<Json> = received
            .events
            .iter()
            .map(|it| self.event_json(it))
            .collect();
        let changes: Vec<Json> = received.changes.iter().map(change_json).collect();
        json!({
            "counts": counts(received),
            "events": events,
            "changes": changes,
            "missing": received.missing,
        })
    }

    fn event_json(&self, event: &Event) -> Json {
        let mut told = json!({ "event": event.name(), "op": event.op() });
        if let Some(mention) = event.mention() {
            told["author"] = json!(mention.author.map(|it| self.people.json(&it)));
            told["kind"] = json!(mention.kind);
            told["place"] = json!(mention.place.as_ref().map(place_json));
        }
        if let Some((reason, meaning)) = event.reason() {
            told["reason"] = reason.into();
            told["meaning"] = meaning.into();
        }
        match event {
            Event::Rejected {
                position, claimed, ..
            } => {
                told["position"] = (*position).into();
                told["claimed"] = json!(claimed);
            }
            Event::Refused { witness, .. } => told["witness"] = json!(witness),
            Event::Pending { missing, .. } => told["missing"] = json!(missing),
            Event::Applied { grant, .. } => told["grant"] = json!(grant),
            Event::Denied { denial, .. } => told["denial"] = json!(denial),
            Event::RolledBack { denial, cause, .. } => {
                told["denial"] = json!(denial);
                told["cause"] = json!(cause);
            }
            Event::Reinstated { grant, cause, .. } => {
                told["grant"] = json!(grant);
                told["cause"] = json!(cause);
            }
            Event::Duplicate { .. } | Event::Unsupported { .. } | Event::Dropped { .. } => {}
        }
        told
    }

    /// A batch for people: how many of what, what does not count and why, and what places show.
    pub(crate) fn received(&self, received: &Received) -> String {
        let mut told = String::new();
        let counts: Vec<String> = counts(received)
            .iter()
            .map(|(name, count)| painted(name, &format!("{count} {}", name.replace('_', " "))))
            .collect();
        let counts = if counts.is_empty() {
            "nothing came".to_owned()
        } else {
            counts.join(", ")
        };
        let _ = writeln!(told, "{counts}");
        let mut table = Table::new(["N", "OP", "BY", "EVENT", "WHY"]);
        let mut rows = 0;
        for event in &received.events {
            if matches!(event, Event::Applied { .. } | Event::Duplicate { .. }) {
                continue;
            }
            rows += 1;
            if rows > ROWS_MAX {
                continue;
            }
            let op = event
                .op()
                .map_or_else(|| "-".to_owned(), |op| text::op(&op));
            let who = event
                .mention()
                .map_or_else(|| "-".to_owned(), |it| self.who(it));
            table.push([
                rows.to_string(),
                op,
                who,
                event.name().replace('_', " "),
                self.why(event),
            ]);
        }
        if rows > 0 {
            let _ = write!(told, "\n{}", table.render(table::terminal_width()));
        }
        if rows > ROWS_MAX {
            let _ = writeln!(told, "… and {} more; --json has them all", rows - ROWS_MAX);
        }
        told + &self.changes(&received.changes)
    }

    fn why(&self, event: &Event) -> String {
        let by = |op: &OpId| format!("{} {}", text::op(op), self.what(op));
        match event {
            Event::Rejected {
                position, reason, ..
            } => format!("item {position}: {}", reason.meaning()),
            Event::Refused {
                reason, witness, ..
            } => match witness {
                Some(op) => format!("{}: {} (see {})", reason, reason.meaning(), text::op(op)),
                None => format!("{}: {}", reason, reason.meaning()),
            },
            Event::Pending { missing, .. } => {
                let missing: Vec<String> = missing.iter().map(text::op).collect();
                if missing.is_empty() {
                    "waits for ancestors that wait themselves".to_owned()
                } else {
                    format!("waits for {}", missing.join(", "))
                }
            }
            Event::Denied { op, reason, denial } => {
                format!("{}, {reason} by {}", self.what(&op.id), by(denial))
            }
            Event::RolledBack {
                op, reason, cause, ..
            } => format!("{}, {reason} by {}", self.what(&op.id), by(cause)),
            Event::Reinstated { op, cause, .. } => {
                format!("{}, by {}", self.what(&op.id), by(cause))
            }
            Event::Unsupported { .. } => {
                "this program does not know its kind: upgrade it".to_owned()
            }
            Event::Dropped { .. } => {
                "there is no room for more that waits; import it again later".to_owned()
            }
            Event::Applied { .. } | Event::Duplicate { .. } => String::new(),
        }
    }

    /// The places that show something else.
    pub(crate) fn changes(&self, changes: &[PlaceChange]) -> String {
        if changes.is_empty() {
            return String::new();
        }
        let mut table = Table::new(["N", "PLACE", "BEFORE", "AFTER"]);
        for (number, change) in changes.iter().enumerate().take(ROWS_MAX) {
            let show = |shown: &Option<Shown>| shown.as_ref().map_or_else(|| "-".to_owned(), value);
            table.push([
                (number + 1).to_string(),
                place(&change.place),
                show(&change.before),
                show(&change.after),
            ]);
        }
        let mut told = format!("\n{}", table.render(table::terminal_width()));
        if changes.len() > ROWS_MAX {
            let _ = writeln!(
                told,
                "… and {} more; --json has them all",
                changes.len() - ROWS_MAX
            );
        }
        told
    }

    /// An op that was written, for machines.
    pub(crate) fn authored_json(&self, authored: &Authored) -> Json {
        let Authored {
            op,
            unseen,
            effect,
            received,
            ..
        } = authored;
        self.written_json(Some(op), unseen, effect.as_ref(), received)
    }

    /// What an op would do, for machines: what [`Teller::authored_json`] says of it once it is written.
    pub(crate) fn preview_json(&self, preview: &Preview) -> Json {
        let Preview {
            op,
            unseen,
            effect,
            received,
            ..
        } = preview;
        self.written_json(Some(op), unseen, effect.as_ref(), received)
    }

    /// What an op does, for machines, without a `format`.
    pub(crate) fn written_json(
        &self,
        op: Option<&OpId>,
        unseen: &[OpId],
        effect: Option<&Effect>,
        received: &Received,
    ) -> Json {
        json!({
            "op": op,
            "unseen": unseen,
            "effect": effect,
            "rolled_back": self.lost_json(received),
            "reinstated": self.given_json(received),
        })
    }
}

/// How many events there are of each name that occurs.
fn counts(received: &Received) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for event in &received.events {
        *counts.entry(event.name()).or_default() += 1;
    }
    counts
}

fn painted(event: &str, words: &str) -> String {
    match event {
        "applied" | "reinstated" => Paint::Good.out(words),
        "denied" | "rolled_back" | "refused" | "rejected" => Paint::Bad.out(words),
        "pending" | "unsupported" | "dropped" => Paint::Care.out(words),
        _ => words.to_owned(),
    }
}

/// The JWT of the credential that the payload refers to, if it is a grant of one that is here.
pub(crate) fn carried(replica: &Replica, said: &Payload) -> Option<String> {
    let Payload::Grant(ecac_core::payload::Grant { credential, .. }) = said else {
        return None;
    };
    let op = replica.log().get(credential)?;
    Some(op.body().payload.credential()?.to_owned())
}

/// A place in a line.
pub(crate) fn place(place: &Place) -> String {
    let named = format!("{}.{}", text::name(&place.object), text::name(&place.field));
    match &place.element {
        None => named,
        Some(element) => format!("{named}[{}]", text::name(element)),
    }
}

pub(crate) fn place_json(place: &Place) -> Json {
    json!({ "object": place.object, "field": place.field, "element": place.element })
}

/// A place that shows something else, for machines.
pub(crate) fn change_json(change: &PlaceChange) -> Json {
    let value = |shown: &Option<Shown>| shown.as_ref().map(|it| it.value.to_json());
    json!({
        "place": place_json(&change.place),
        "before": value(&change.before),
        "after": value(&change.after),
        "conflict": change.after.as_ref().is_some_and(Shown::is_conflict),
    })
}

/// What a place shows, and whether others wrote something else at the same time.
pub(crate) fn value(shown: &Shown) -> String {
    let value = payload::shown(&shown.value);
    match shown.winners.len() {
        0 | 1 => value,
        more => format!("{value} (one of {more} at once)"),
    }
}

/// What an op of trust or policy does, in words.
pub(crate) fn effect(effect: Option<&Effect>) -> &'static str {
    effect.map_or("does nothing that this program knows", |it| {
        it.code.meaning()
    })
}

/// Whether the effect is one that counts for something.
pub(crate) fn counts_for_nothing(effect: Option<&Effect>) -> bool {
    effect.is_none_or(|it| it.code.counts() != Some(true))
}

/// Whether the op does nothing until more roots have signed it.
pub(crate) fn waits(effect: Option<&Effect>) -> bool {
    effect.is_some_and(|it| it.code == EffectCode::Short)
}

/// What to do about an op that waits, as a line of its own.
pub(crate) const WAITING: &str = "it waits for more roots: send it to them, `ecac export FILE`, and they sign it, `ecac pending`\n";
