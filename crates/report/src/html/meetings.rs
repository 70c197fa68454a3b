//! What the sessions of the runs came to whose replicas sync over a network.

use ecac_artifact::Meetings;
use maud::{Markup, html};

use crate::evidence::Evidence;
use crate::words::grouped;

/// The numbers of a row.
const COLUMNS: [&str; 8] = [
    "Partitions",
    "Rounds",
    "Time to agree",
    "Sessions",
    "Frames",
    "Bytes",
    "Ops brought",
    "Rolled back",
];

/// The table, where there is a run to tell of.
pub(super) fn meetings(evidence: &Evidence) -> Markup {
    let runs = evidence.runs.iter();
    let rows: Vec<(&str, Meetings)> = runs
        .filter_map(|it| Some((it.name(), it.run.meetings?)))
        .collect();
    html! {
        @if !rows.is_empty() {
            div.scroll tabindex="0" role="region" aria-label="Meetings of every scenario with a network" {
                table {
                    caption {
                        "What it took to agree: sessions over a simulated network that delays frames and loses some. Rounds and "
                        "virtual time are counted from when the network became whole again until all replicas held the same, in all. "
                        "Ops are counted where they came and were new; rolled back ones at each replica that had applied them."
                    }
                    thead {
                        tr {
                            th scope="col" { "Scenario" }
                            @for name in COLUMNS { th.n scope="col" { (name) } }
                        }
                    }
                    tbody { @for (name, met) in &rows { (row(name, met)) } }
                }
            }
        }
    }
}

fn row(name: &str, met: &Meetings) -> Markup {
    let numbers = [
        grouped(met.partitions),
        grouped(met.rounds),
        format!("{} ms", grouped(met.converge_ms)),
        grouped(met.sessions),
        grouped(met.frames),
        grouped(met.frame_bytes),
        grouped(met.ops),
        grouped(met.rolled_back),
    ];
    html! {
        tr {
            th scope="row" { (name) }
            @for (name, number) in COLUMNS.into_iter().zip(numbers) { td.n data-name=(name) { (number) } }
        }
    }
}
