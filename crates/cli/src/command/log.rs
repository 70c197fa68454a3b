//! `ecac log`: the ops of an op log in the total order.

mod filter;

use std::fmt::Write as _;

use ecac_core::{Body, Decision, Effect, EffectCode, Hlc, OpId, ProjectId, PublicKey, Refusal};
use serde::Serialize;
use serde_json::Value as Json;

use self::filter::Filter;
use crate::command::decisions;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::input::Position;
use crate::output::{self, Form, Format};
use crate::payload;
use crate::people::People;
use crate::replica::{Replica, Source};
use crate::table::{self, Table};
use crate::text;

/// List the ops of op logs and what is decided of each
///
/// Ops stand in the total order: parents first, ties by stamp and op id. Admitted ops are numbered in it;
/// refused and pending ops stand where their stamp puts them, without a number. Items that are no op of
/// anybody's (not canonical, or not signed by their author) come last, by their position in the logs.
///
/// A verdict says whether an op is in order, not what it does: an op of trust or policy that counts for nothing stands as
/// VOID, with the reason (`--void` lists those), and one that a denial has ended as such. What a denial reaches stands behind an
/// arrow; it does so also where the denial is denied itself.
///
/// Filters of one kind add up, and those of different kinds must all hold: `--verdict denied --verdict refused
/// --object doc/1` lists what does not count of what was written into one object.
///
/// Without LOG the ops of the project here or above are listed, and people have the names that you gave them.
///
/// On a terminal the table fits its width: what does not fit stands below, further in. Elsewhere, unless --width is given, an op
/// is one line, however long.
#[derive(Debug, clap::Args)]
#[command(mut_arg("paths", |arg| arg.required(false)), after_help = "Examples:
  ecac log                                  the project here or above
  ecac log ops.cborseq                      everything
  ecac log ops.cborseq --limit 20           the first 20
  ecac log ops.cborseq --verdict denied --reason revoked --author z6Mkph4K
  ecac log ops.cborseq --void               lists, revocations and grants that do nothing
  ecac log mine.cborseq theirs.cborseq      what both logs together amount to
  gunzip -c ops.gz | ecac log - --object doc/1
  ecac log ops.cborseq --json | jq '.ops[] | select(.verdict == \"denied\") | .op'")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    #[command(flatten)]
    form: Form,
    /// List at most N ops
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Fit the table into N columns (at least 24), whatever standard output is
    #[arg(long, value_name = "N")]
    width: Option<usize>,
    #[command(flatten)]
    filter: filter::Args,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let replica = args.source.replay_in(globals)?;
    let filter = args.filter.of(&replica, &args.source.logs.label())?;
    let limit = args.limit.unwrap_or(usize::MAX);
    let listing = Listing::of(&replica, &filter, limit);
    match args.form.format() {
        Format::Text => {
            let width = args.width.or_else(table::terminal_width);
            let project = args.source.project_in(globals);
            let people = project.as_ref().map(People::of);
            let who = |key: &PublicKey| match &people {
                Some(people) => people.show(key),
                None => text::key(key),
            };
            output::print(listing.to_text(&replica, width, &who).as_bytes())
        }
        Format::Json => output::print_json(&listing),
    }
}

/// The document of `--format json`.
#[derive(Serialize)]
struct Listing<'a> {
    format: &'static str,
    project: ProjectId,
    /// The logs, as they were named.
    logs: Vec<&'a str>,
    /// Of everything, whatever the filters.
    counts: Counts,
    /// How many rows there are without filters and limit.
    rows: usize,
    /// How many of them the filters let through.
    matching: usize,
    /// Matching rows beyond the limit.
    omitted: usize,
    ops: Vec<Row>,
}

/// What became of the items; all but `void` and `dropped` add up to `items` and `dropped`.
#[derive(Serialize, Default)]
struct Counts {
    items: usize,
    applied: usize,
    denied: usize,
    refused: usize,
    pending: usize,
    unsupported: usize,
    duplicate: usize,
    /// Ops of trust or policy that have never counted for anything; they are among the applied and denied ones.
    void: usize,
    /// Ops whose envelopes the project has dropped; they are among the applied ones, and are no items.
    dropped: usize,
}

#[derive(Serialize)]
struct Row {
    /// Position among the admitted ops in the total order, from 0.
    number: Option<usize>,
    /// Where it stands: the number of the log, and of the item in it.
    #[serde(flatten)]
    position: Option<Position>,
    op: Option<OpId>,
    /// The op id that bytes claim which nobody signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<OpId>,
    #[serde(flatten)]
    said: Option<Said>,
    verdict: &'static str,
    reason: Option<&'static str>,
    witness: Option<OpId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<OpId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    effect: Option<Effect>,
    /// Whether its envelope was dropped, and with it its value.
    #[serde(skip_serializing_if = "core::ops::Not::not")]
    dropped: bool,
}

/// What an op says.
#[derive(Serialize)]
struct Said {
    hlc: Hlc,
    author: PublicKey,
    seq: u64,
    parents: Vec<OpId>,
    kind: &'static str,
    payload: Json,
    #[serde(skip)]
    body: Body,
}

impl<'a> Listing<'a> {
    fn of(replica: &'a Replica, filter: &Filter, limit: usize) -> Self {
        let mut counts = Counts {
            duplicate: replica.duplicates,
            refused: replica.rejected.len(),
            items: replica.items.len() + replica.rejected.len() + replica.duplicates,
            dropped: replica.dropped_count(),
            ..Counts::default()
        };
        let decided = in_order(replica);
        for (_, _, decision) in &decided {
            *match decision {
                Decision::Applied { .. } => &mut counts.applied,
                Decision::Denied { .. } => &mut counts.denied,
                Decision::Refused { .. } => &mut counts.refused,
                Decision::Pending { .. } => &mut counts.pending,
                Decision::Unsupported => &mut counts.unsupported,
            } += 1;
        }
        let rows = decided.len() + replica.rejected.len();
        let ops = decided
            .iter()
            .map(|(number, id, decision)| Row::of(replica, *number, *id, decision));
        let rejected = replica.rejected.iter().map(|(number, rejected)| {
            let position = replica.files.position(*number);
            Row::rejected(position, rejected.claimed, rejected.reason)
        });
        let matches = |row: &Row| {
            let body = row.said.as_ref().map(|said| &said.body);
            let effect = row.effect.as_ref().map(|effect| effect.code);
            filter.admits(row.verdict, row.reason, effect, body)
        };
        let ops: Vec<Row> = ops.collect();
        counts.void = ops.iter().filter(|row| row.is_void()).count();
        let mut ops: Vec<Row> = ops.into_iter().chain(rejected).filter(matches).collect();
        let matching = ops.len();
        ops.truncate(limit);
        Self {
            format: "ecac-log-v1",
            project: replica.log.project(),
            logs: replica.files.names().collect(),
            counts,
            rows,
            matching,
            omitted: matching - ops.len(),
            ops,
        }
    }

    fn to_text(
        &self,
        replica: &Replica,
        width: Option<usize>,
        who: &dyn Fn(&PublicKey) -> String,
    ) -> String {
        let mut table = Table::new(["NUMBER", "OP", "STAMP", "AUTHOR", "VERDICT", "WHAT"]);
        for row in &self.ops {
            table.push(row.cells(replica, who));
        }
        let mut text = format!("project {}\n\n{}", self.project, table.render(width));
        // Writing to a String cannot fail.
        if self.omitted > 0 {
            let _ = writeln!(text, "… {} more beyond --limit", self.omitted);
        }
        let Counts {
            items,
            applied,
            denied,
            refused,
            pending,
            unsupported,
            duplicate,
            void,
            dropped,
        } = &self.counts;
        let _ = writeln!(
            text,
            "\n{} of {} shown\n{}: {applied} applied, {denied} denied, {refused} refused, {pending} pending, {unsupported} unsupported, {duplicate} duplicate",
            self.ops.len(),
            self.rows,
            text::count(*items, "item"),
        );
        if *dropped > 0 {
            let _ = writeln!(
                text,
                "{} dropped here (`ecac prune`): what {} wrote cannot be shown until `ecac sync --older` takes it back, and what follows from {} stands",
                was(*dropped),
                if *dropped == 1 { "it" } else { "they" },
                if *dropped == 1 { "it" } else { "them" },
            );
        }
        if *void > 0 {
            let _ = writeln!(
                text,
                "warning: {} of trust or policy {} for nothing; --void lists them",
                text::count(*void, "op"),
                if *void == 1 { "counts" } else { "count" },
            );
        }
        text
    }
}

/// What the payload says; without a value, if that was dropped.
fn members(body: &Body, dropped: bool) -> Json {
    let mut members = body.payload.members();
    if let Some(members) = members.as_object_mut().filter(|_| dropped) {
        members.remove("value");
    }
    members
}

fn was(count: usize) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!(
        "the {} of {} {verb}",
        if count == 1 { "envelope" } else { "envelopes" },
        text::count(count, "op")
    )
}

/// What a denial reaches.
fn reach(effect: &Effect) -> String {
    let noun = if matches!(
        effect.code,
        EffectCode::Revokes | EffectCode::Withdraws | EffectCode::WithinReach
    ) {
        "grant"
    } else if matches!(effect.code, EffectCode::RevokesKey | EffectCode::Conflicts) {
        "key"
    } else {
        return String::new();
    };
    format!(" → {} {}", effect.code, text::count(effect.on.len(), noun))
}

/// Every op that was taken in, with its number if it was admitted.
fn in_order(replica: &Replica) -> Vec<(Option<usize>, OpId, Decision)> {
    let stamp = |id: &OpId| replica.body(id).map(|body| body.hlc);
    let mut admitted: Vec<(Hlc, OpId)> = replica
        .log
        .admitted_or_remains()
        .map(|op| (op.body().hlc, op.id()))
        .collect();
    admitted.sort_unstable();
    let mut order: Vec<(Option<Hlc>, OpId, Option<usize>)> = Vec::new();
    let numbered = admitted.into_iter().enumerate();
    order.extend(numbered.map(|(number, (hlc, id))| (Some(hlc), id, Some(number))));
    let refused = replica.log.refused().map(|(id, ..)| id);
    let held = replica.log.pending().chain(replica.log.unsupported());
    let others = refused.chain(held.map(|op| op.id()));
    order.extend(others.map(|id| (stamp(&id), id, None)));
    // Stamps grow along parent links, so that sorting by them keeps the total order of the admitted ops.
    order.sort_by_key(|&(stamp, id, _)| (stamp, id));
    order
        .into_iter()
        .filter_map(|(_, id, number)| {
            Some((number, id, replica.replay.decision(&replica.log, &id)?))
        })
        .collect()
}

impl Row {
    fn of(replica: &Replica, number: Option<usize>, op: OpId, decision: &Decision) -> Self {
        let dropped = replica.is_dropped(&op);
        let said = replica.body(&op).map(|body| Said {
            hlc: body.hlc,
            author: body.author,
            seq: body.seq,
            parents: body.parents.clone(),
            kind: body.payload.kind(),
            payload: members(&body, dropped),
            body,
        });
        Self {
            number,
            position: replica
                .items
                .get(&op)
                .map(|number| replica.files.position(*number)),
            op: Some(op),
            claimed: None,
            said,
            verdict: decision.verdict(),
            reason: decision.reason(),
            witness: decision.witness(),
            missing: decisions::absent(decision).unwrap_or_default(),
            effect: replica.effect(&op),
            dropped,
        }
    }

    fn rejected(position: Position, claimed: Option<OpId>, reason: Refusal) -> Self {
        Self {
            number: None,
            position: Some(position),
            op: None,
            claimed,
            said: None,
            verdict: "refused",
            reason: Some(reason.name()),
            witness: None,
            missing: Vec::new(),
            effect: None,
            dropped: false,
        }
    }

    fn is_void(&self) -> bool {
        let code = self.effect.as_ref().map(|effect| effect.code);
        code.is_some_and(EffectCode::is_void)
    }

    fn cells(&self, replica: &Replica, who: &dyn Fn(&PublicKey) -> String) -> [String; 6] {
        let dash = || "-".to_owned();
        let said = self.said.as_ref();
        let mut verdict = self.reason.map_or_else(
            || self.verdict.to_owned(),
            |reason| format!("{} {reason}", self.verdict),
        );
        if let Some(effect) = &self.effect {
            if effect.code.is_void() {
                verdict.push_str(&format!(" VOID {}", effect.code));
            } else if effect.code == EffectCode::Ended {
                verdict.push_str(" (ended)");
            } else if effect.code.counts().is_none() {
                verdict.push_str(&format!(" NOT KNOWN {}", effect.code));
            }
        }
        let what = match (said, self.position) {
            (Some(said), _) if self.dropped => {
                let what = payload::place_line(&said.body.payload);
                format!("{what} (dropped)")
            }
            (Some(said), _) => {
                let reach = self.effect.as_ref().map_or_else(String::new, reach);
                let said = &said.body.payload;
                payload::line(said, replica.carried_by(said).as_deref(), who) + &reach
            }
            (None, Some(Position { log, item })) => {
                format!("item {item} of {}", replica.files.label(log))
            }
            (None, None) => dash(),
        };
        [
            self.number.map_or_else(dash, |number| number.to_string()),
            self.op.as_ref().map_or_else(dash, text::op),
            said.map_or_else(dash, |said| text::stamp(&said.hlc)),
            said.map_or_else(dash, |said| who(&said.author)),
            verdict,
            what,
        ]
    }
}
