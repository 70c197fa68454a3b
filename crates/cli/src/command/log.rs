//! `ecac log`: the ops of an op log in the total order.

use std::fmt::Write as _;

use ecac_core::{Body, Decision, Hlc, OpId, ProjectId, PublicKey, Refusal};
use serde::Serialize;
use serde_json::Value as Json;

use crate::failure::Failure;
use crate::output::{self, Format};
use crate::payload;
use crate::replica::{Replica, Source};
use crate::text;

/// List the ops of an op log and what is decided of each
///
/// Ops stand in the total order: parents first, ties by stamp and op id. Admitted ops are numbered in it;
/// refused and pending ops stand where their stamp puts them, without a number. Items that are no op of
/// anybody's (not canonical, or not signed by their author) come last, by the item's place in the file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac log ops.cborseq                    everything
  ecac log ops.cborseq --limit 20         the first 20
  ecac log ops.cborseq --format json | jq '.ops[] | select(.verdict == \"denied\") | .op'")]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// Lines for people or one JSON document
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// List at most N ops
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let replica = args.source.replay()?;
    let listing = Listing::of(&replica, args.limit.unwrap_or(usize::MAX));
    match args.format {
        Format::Text => output::print(listing.to_text(&replica).as_bytes()),
        Format::Json => output::print_json(&listing),
    }
}

/// The document of `--format json`.
#[derive(Serialize)]
struct Listing<'a> {
    format: &'static str,
    project: ProjectId,
    counts: Counts,
    /// Rows beyond the limit.
    omitted: usize,
    ops: Vec<Row<'a>>,
}

/// What became of the items; `applied`, `denied`, `refused`, `pending` and `duplicate` add up to `items`.
#[derive(Serialize, Default)]
struct Counts {
    items: usize,
    applied: usize,
    denied: usize,
    refused: usize,
    pending: usize,
    duplicate: usize,
}

#[derive(Serialize)]
struct Row<'a> {
    /// Place among the admitted ops in the total order, from 0.
    number: Option<usize>,
    /// Place in the file, from 0.
    item: Option<usize>,
    op: Option<OpId>,
    /// The op id that bytes claim which nobody signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed: Option<OpId>,
    #[serde(flatten)]
    said: Option<Said<'a>>,
    verdict: &'static str,
    reason: Option<&'static str>,
    witness: Option<OpId>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<OpId>,
}

/// What an op says.
#[derive(Serialize)]
struct Said<'a> {
    hlc: Hlc,
    author: PublicKey,
    seq: u64,
    parents: &'a [OpId],
    kind: &'static str,
    payload: Json,
    #[serde(skip)]
    body: &'a Body,
}

impl<'a> Listing<'a> {
    fn of(replica: &'a Replica, limit: usize) -> Self {
        let mut counts = Counts {
            duplicate: replica.duplicates,
            refused: replica.rejected.len(),
            items: replica.items.len() + replica.rejected.len() + replica.duplicates,
            ..Counts::default()
        };
        let mut ops = Vec::new();
        let decided = in_order(replica);
        let rows = decided.len() + replica.rejected.len();
        for (number, id, decision) in decided {
            *match decision {
                Decision::Applied { .. } => &mut counts.applied,
                Decision::Denied { .. } => &mut counts.denied,
                Decision::Refused { .. } => &mut counts.refused,
                Decision::Pending { .. } => &mut counts.pending,
            } += 1;
            if ops.len() < limit {
                ops.push(Row::of(replica, number, id, &decision));
            }
        }
        let left = limit - ops.len();
        for (item, rejected) in replica.rejected.iter().take(left) {
            ops.push(Row::rejected(*item, rejected.claimed, rejected.reason));
        }
        Self {
            format: "ecac-log-v1",
            project: replica.log.project(),
            counts,
            omitted: rows - ops.len(),
            ops,
        }
    }

    fn to_text(&self, replica: &Replica) -> String {
        let mut lines =
            vec![["NUMBER", "OP", "STAMP", "AUTHOR", "VERDICT", "WHAT"].map(str::to_owned)];
        lines.extend(self.ops.iter().map(|row| row.cells(replica)));
        let mut widths = [0; 5];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let [number, op, stamp, author, verdict] = widths;
        let mut text = format!("project {}\n\n", self.project);
        for [a, b, c, d, e, what] in &lines {
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "{a:>number$}  {b:op$}  {c:stamp$}  {d:author$}  {e:verdict$}  {what}"
            );
        }
        if self.omitted > 0 {
            let _ = writeln!(text, "… {} more beyond --limit", self.omitted);
        }
        let Counts {
            items,
            applied,
            denied,
            refused,
            pending,
            duplicate,
        } = &self.counts;
        let _ = writeln!(
            text,
            "\n{items} items: {applied} applied, {denied} denied, {refused} refused, {pending} pending, {duplicate} duplicate"
        );
        text
    }
}

/// Every op that was taken in, with its number if it was admitted.
fn in_order(replica: &Replica) -> Vec<(Option<usize>, OpId, Decision)> {
    let stamp = |id: &OpId| replica.body(id).map(|body| body.hlc);
    let admitted = replica.log.total_order();
    let mut order: Vec<(Option<Hlc>, OpId, Option<usize>)> = Vec::new();
    let numbered = admitted.iter().enumerate();
    order.extend(numbered.map(|(number, op)| (Some(op.body().hlc), op.id(), Some(number))));
    let refused = replica.log.refused().map(|(id, ..)| id);
    let others = refused.chain(replica.log.pending().map(|op| op.id()));
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

impl<'a> Row<'a> {
    fn of(replica: &'a Replica, number: Option<usize>, op: OpId, decision: &Decision) -> Self {
        let missing = match decision {
            Decision::Pending { missing } => missing.iter().copied().collect(),
            _ => Vec::new(),
        };
        let said = replica.body(&op).map(|body| Said {
            hlc: body.hlc,
            author: body.author,
            seq: body.seq,
            parents: &body.parents,
            kind: body.payload.kind(),
            payload: payload::to_json(&body.payload),
            body,
        });
        Self {
            number,
            item: replica.items.get(&op).copied(),
            op: Some(op),
            claimed: None,
            said,
            verdict: decision.verdict(),
            reason: decision.reason(),
            witness: decision.witness(),
            missing,
        }
    }

    const fn rejected(item: usize, claimed: Option<OpId>, reason: Refusal) -> Self {
        Self {
            number: None,
            item: Some(item),
            op: None,
            claimed,
            said: None,
            verdict: "refused",
            reason: Some(reason.name()),
            witness: None,
            missing: Vec::new(),
        }
    }

    fn cells(&self, replica: &Replica) -> [String; 6] {
        let dash = || "-".to_owned();
        let said = self.said.as_ref();
        let verdict = self.reason.map_or_else(
            || self.verdict.to_owned(),
            |reason| format!("{} {reason}", self.verdict),
        );
        let what = match (said, self.item) {
            (Some(said), _) => payload::summary(&said.body.payload, replica),
            (None, Some(item)) => format!("item {item} of the file"),
            (None, None) => dash(),
        };
        [
            self.number.map_or_else(dash, |number| number.to_string()),
            self.op.as_ref().map_or_else(dash, text::op),
            said.map_or_else(dash, |said| text::stamp(&said.hlc)),
            said.map_or_else(dash, |said| text::key(&said.author)),
            verdict,
            what,
        ]
    }
}
