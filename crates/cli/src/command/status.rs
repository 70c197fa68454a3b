//! `ecac status`: where the project stands, and what to do next.

mod publish;

use ecac_core::Feature;
use serde_json::json;

use crate::edge::Globals;
use crate::failure::Failure;
use crate::{output, people, text};

/// From so many ops that count and that no final seal has, a seal is suggested.
const UNSEALED_MANY: usize = 100;

/// Say where the project stands, and what to do next
///
/// Counts what is here by verdict, and names what waits: signatures, work that was taken back, absent ancestors, and a seal where 100
/// ops or more are not sealed. `ecac status publish` withdraws credentials by number: a status list is a document with a bit for each
/// credential that names it; a bit that is set withdraws it for good.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  ecac status
  ecac status --json | jq .sealing
  ecac status publish https://shop.example/status
  ecac status publish https://shop.example/status --bits 7,12"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Publish(publish::Args),
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    match &args.command {
        Some(Command::Publish(args)) => publish::run(args, globals),
        None => report(args, globals),
    }
}

/// Where the project stands.
fn report(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (_, replica) = globals.reading()?;
    let log = replica.log();
    let applied = replica.applied_count();
    let denied = log.admitted_count() - applied;
    let holdings = replica.holdings();
    let (proposals, lost) = (replica.proposals().len(), replica.taken_back().len());
    let (sealing, seals) = (replica.sealing().value, replica.uses(Feature::Seal));
    let is_suggested = seals && sealing.unsealed >= UNSEALED_MANY;
    let missing = replica.missing();
    let dropped = log.pruned_count();
    let name = people::project_name(&replica);
    if args.json {
        return output::print_json(&json!({
            "format": "ecac-project-v1",
            "project": replica.project(),
            "name": name,
            "ops": {
                "applied": applied,
                "denied": denied,
                "pending": holdings.pending_ops,
                "unsupported": holdings.unsupported_ops,
                "dropped": dropped,
            },
            "missing": missing,
            "quorum": replica.quorum(),
            "waiting": proposals,
            "taken_back": lost,
            "sealing": {
                "used": seals,
                "seals": sealing.finals,
                "unsealed": sealing.unsealed,
                "since_ms": sealing.since_ms,
                "suggested": is_suggested,
            },
        }));
    }
    let name = name.map_or_else(|| "not known yet".to_owned(), |it| text::name(&it));
    let mut said = format!(
        "project  {name} {}\n{} count, {denied} taken back or denied\n",
        replica.project(),
        text::count(applied, "op")
    );
    let mut say = |condition: bool, line: String| {
        if condition {
            said += &line;
        }
    };
    say(
        holdings.pending_ops > 0,
        format!(
            "{} wait for {} that are not here: ask whoever wrote them, and import\n",
            text::count(holdings.pending_ops, "op"),
            text::count(missing.len(), "ancestor")
        ),
    );
    say(
        proposals > 0,
        format!(
            "{} for the signatures of more roots: `ecac pending`\n",
            waits(proposals)
        ),
    );
    say(
        lost > 0 && replica.uses(Feature::Endorse),
        format!(
            "{} taken back and can be given back: `ecac endorse --list`\n",
            were(lost)
        ),
    );
    say(
        dropped > 0,
        format!(
            "{} dropped here: a newcomer cannot begin from this machine alone\n",
            were(dropped)
        ),
    );
    let since = sealing.since_ms.map_or_else(String::new, |ms| {
        format!(", the oldest of {}", text::instant(ms))
    });
    say(
        seals,
        format!(
            "{} not sealed{since}{}\n",
            are(sealing.unsealed),
            if is_suggested {
                ": a root should seal them, `ecac seal`"
            } else {
                ""
            }
        ),
    );
    output::print(said.as_bytes())
}

fn waits(count: usize) -> String {
    let verb = if count == 1 { "waits" } else { "wait" };
    format!("{} {verb}", text::count(count, "op"))
}

fn were(count: usize) -> String {
    let verb = if count == 1 { "was" } else { "were" };
    format!("{} {verb}", text::count(count, "op"))
}

fn are(count: usize) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} {verb}", text::count(count, "op"))
}
