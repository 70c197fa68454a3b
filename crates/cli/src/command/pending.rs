//! `ecac pending`: what waits for the signatures of more roots, and what each would do.

use std::fmt::Write as _;

use ecac_core::payload::Cosign;
use ecac_core::{DraftError, Foreseen, OpId, Proposal, PublicKey};
use serde_json::{Value as Json, json};

use crate::color::Paint;
use crate::edge::Globals;
use crate::failure::Failure;
use crate::people::People;
use crate::table::{self, Table};
use crate::told::{self, Teller};
use crate::{output, text};

/// List what waits for the signatures of more roots
///
/// Each op that takes several roots and has too few signatures, with who has signed it, and with what it would do here once
/// enough have: which ops of whom it would take back or give back. A revocation that a final seal has passed over waits no more. The
/// signature of a root who has been ended since counts all the same: look at who wrote it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  ecac pending
  ecac pending --json | jq -r '.pending[] | select(.mine) | .op'   what you can sign")]
pub(crate) struct Args {
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// A proposal, what it would do with enough signatures, and whether the user can give one.
struct Waiting {
    proposal: Proposal,
    foreseen: Option<Foreseen>,
    mine: bool,
    /// What is decided of the proposal itself.
    verdict: &'static str,
}

pub(crate) fn run(args: &Args, globals: &Globals) -> Result<(), Failure> {
    let (project, replica) = globals.reading()?;
    let now_ms = globals.now_ms()?;
    let people = People::of(&project);
    let me = project.key().ok().map(|key| key.public());
    let teller = Teller {
        replica: &replica,
        people: &people,
    };
    let mut waiting = Vec::new();
    for proposal in replica.proposals().value {
        let foreseen = match replica.if_cosigned(&proposal.op, now_ms) {
            Err(DraftError::Behind { .. }) => None,
            foreseen => foreseen.map_err(|error| Failure::of("look ahead", &error.into()))?,
        };
        let can = |me: PublicKey| {
            let cosign = Cosign { op: proposal.op };
            let preview = replica.preview(cosign, me, now_ms);
            preview.is_ok_and(|it| !told::counts_for_nothing(it.effect.as_ref()))
        };
        let decision = replica.decision(&proposal.op);
        waiting.push(Waiting {
            verdict: decision.map_or("unknown", |it| it.verdict()),
            mine: me.is_some_and(can),
            proposal,
            foreseen,
        });
    }
    if args.json {
        let pending: Vec<Json> = waiting.iter().map(|it| to_json(it, &teller)).collect();
        return output::print_json(&json!({
            "format": "ecac-pending-v1",
            "quorum": replica.quorum(),
            "pending": pending,
        }));
    }
    output::print(to_text(&waiting, &teller).as_bytes())
}

fn to_json(waiting: &Waiting, teller: &Teller<'_>) -> Json {
    let Proposal {
        op,
        since_ms,
        effect,
        signatures,
        signed,
        quorum,
        ..
    } = &waiting.proposal;
    let people = teller.people;
    let signatures = signatures.iter().map(|it| {
        let roots: Vec<Json> = it.roots.iter().map(|root| people.json(root)).collect();
        json!({ "op": it.op, "by": people.json(&it.key), "roots": roots })
    });
    let signatures: Vec<Json> = signatures.collect();
    let ops = |ops: &[OpId]| -> Vec<Json> { ops.iter().map(|op| teller.op_json(op)).collect() };
    let mut told = teller.op_json(op);
    told["verdict"] = json!(waiting.verdict);
    told["since_ms"] = json!(since_ms);
    told["effect"] = json!(effect);
    told["signatures"] = json!(signatures);
    told["signed"] = json!(signed);
    told["quorum"] = json!(quorum);
    told["mine"] = json!(waiting.mine);
    told["would"] = json!(waiting.foreseen.as_ref().map(|it| json!({
        "effect": it.effect,
        "rolled_back": ops(&it.rolled_back),
        "reinstated": ops(&it.reinstated),
    })));
    told
}

fn to_text(waiting: &[Waiting], teller: &Teller<'_>) -> String {
    if waiting.is_empty() {
        return "nothing waits for the signatures of more roots\n".to_owned();
    }
    let mut table = Table::new(["N", "OP", "SIGNED BY", "YOU CAN SIGN", "WHAT"]);
    let mut details = String::new();
    for (number, it) in waiting.iter().enumerate() {
        let proposal = &it.proposal;
        let signers = proposal
            .signatures
            .iter()
            .map(|it| teller.people.show(&it.key));
        let signers: Vec<String> = signers.collect();
        table.push([
            (number + 1).to_string(),
            text::op(&proposal.op),
            format!(
                "{} ({} of {})",
                signers.join(", "),
                proposal.signed,
                proposal.quorum
            ),
            if it.mine { "yes" } else { "no" }.to_owned(),
            teller.what(&proposal.op),
        ]);
        let _ = write!(details, "\n{}", would(it, teller));
    }
    table.render(table::terminal_width()) + &details
}

fn would(waiting: &Waiting, teller: &Teller<'_>) -> String {
    let op = text::op(&waiting.proposal.op);
    let out = if waiting.verdict == "denied" {
        Paint::Care.out("its author is out; ")
    } else {
        String::new()
    };
    let Some(foreseen) = &waiting.foreseen else {
        return format!("{op}: too few roots are left who could sign, as far as is known here\n");
    };
    let more = waiting
        .proposal
        .quorum
        .saturating_sub(waiting.proposal.signed);
    let lost = teller.listed(&foreseen.rolled_back, Paint::Bad, "would no longer count");
    let given = teller.listed(&foreseen.reinstated, Paint::Good, "would count again");
    format!(
        "{op} {out}with {}: {}\n{lost}{given}",
        text::count(more, "more root"),
        told::effect(Some(&foreseen.effect))
    )
}
