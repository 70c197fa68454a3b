//! What came out of each run, in numbers.

use ecac_artifact::{EventKind, Totals};
use maud::{Markup, html};

use super::verdict::class;
use crate::evidence::{Evidence, RunEvidence};
use crate::words::{grouped, short};

pub(super) fn outcome(evidence: &Evidence) -> Markup {
    html! {
        section aria-labelledby="outcome" {
            h2 id="outcome" { "Outcome" }
            div.scroll tabindex="0" role="region" aria-label="Outcome of every scenario" {
                table {
                    caption {
                        "One row per scenario. Every op that arrived was applied, denied (admitted, then struck by "
                        "what others did concurrently), refused (never entered the log), or waits for parents. "
                        "Rolled back are the denied ops that the observer had applied before."
                    }
                    thead {
                        tr {
                            th scope="col" { "Scenario" }
                            @for name in COLUMNS {
                                th.n scope="col" { (name) }
                            }
                            th scope="col" { "State digest" }
                        }
                    }
                    tbody {
                        @for run in &evidence.runs { (outcome_row(run)) }
                    }
                }
            }
            @for run in &evidence.runs { (gaps(run)) }
        }
    }
}

/// The numbers of a row of the outcome.
const COLUMNS: [&str; 7] = [
    "Seed",
    "Ops",
    "Applied",
    "Denied",
    "Rolled back",
    "Refused",
    "Pending",
];

fn outcome_row(run: &RunEvidence) -> Markup {
    let totals = &run.run.totals;
    let numbers = [
        run.run.seed.to_string(),
        grouped(totals.ops),
        grouped(totals.applied),
        grouped(totals.denied),
        grouped(totals.rolled_back),
        grouped(totals.refused),
        grouped(totals.pending),
    ];
    html! {
        tr {
            th scope="row" { (run.name()) (verdict_bar(&run.run.totals)) }
            @for (name, number) in COLUMNS.into_iter().zip(numbers) { td.n data-name=(name) { (number) } }
            td data-name="State digest" { span.hash title=(totals.state_sha256) { (short(&totals.state_sha256)) "…" } }
        }
    }
}

/// The verdicts as a bar; the numbers stand beside it.
fn verdict_bar(totals: &Totals) -> Markup {
    let denied_at_once = totals.denied.saturating_sub(totals.rolled_back);
    let parts = [
        (EventKind::Applied, totals.applied),
        (EventKind::RolledBack, totals.rolled_back),
        (EventKind::Denied, denied_at_once),
        (EventKind::Refused, totals.refused),
        (EventKind::Pending, totals.pending),
    ];
    html! {
        div.bar aria-hidden="true" {
            @for (kind, ops) in parts {
                @if ops > 0 { span class=(class(kind)) style={ "flex:" (ops) } {} }
            }
        }
    }
}

/// What the set should hold of a run and does not.
fn gaps(run: &RunEvidence) -> Markup {
    let asked = u64::from(run.run.ops) != run.run.totals.ops;
    html! {
        @if !run.absent.is_empty() {
            p.gap {
                strong { (run.name()) ": " }
                "this set lacks " (run.absent.join(", "))
                ". The row above is what the manifest says; what rests on these files is left out below."
            }
        }
        @if asked {
            p.gap {
                strong { (run.name()) ": " }
                (grouped(run.run.ops.into())) " ops were asked for, " (grouped(run.run.totals.ops)) " arrived."
            }
        }
    }
}
