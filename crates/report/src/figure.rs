//! The three figures: what they show, and the words that go with them.

use std::collections::BTreeMap;

use ecac_artifact::{Metrics, MetricsRow, MetricsStep, Single};

use crate::canvas::Canvas;
use crate::drawing::{Drawing, SERIES_MAX, WHITE};
use crate::evidence::{Evidence, RunEvidence};
use crate::plot::{HEIGHT, Panel, Series, Shape, WIDTH, shortened};
use crate::spell::{Spell, groups, spells};
use crate::words::{count, grouped};

const MARGIN: i64 = 40;
const GAP: i64 = 40;
/// More winners than this share a bar.
const WINNERS_MAX: u64 = 8;
/// The title of the panels of what a denial took back, in two parts.
const OFFLINE: &str = "Ops to take back";
const BY_LENGTH: &str = "by offline length";
const MINUTE_MS: u64 = 60_000;
/// How to read lines on top of each other.
const COINCIDE: &str = " Where lines coincide, they are drawn in turns.";

/// A figure and what is said about it.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) file: Single,
    pub(crate) title: &'static str,
    pub(crate) caption: String,
    /// What it shows, for who cannot see it.
    pub(crate) alt: String,
    /// Title and drawing of each panel.
    pub(crate) panels: Vec<(String, Drawing)>,
    /// All panels in one picture.
    pub(crate) png: Vec<u8>,
}

impl Figure {
    fn new(
        file: Single,
        title: &'static str,
        panels: Vec<Panel>,
        caption: String,
        alt: String,
    ) -> Self {
        let panels: Vec<_> = panels
            .into_iter()
            .map(|panel| (panel.draw(), panel.title))
            .map(|(drawing, title)| (title, drawing))
            .collect();
        Self {
            file,
            title,
            caption,
            alt,
            png: png(&panels),
            panels,
        }
    }
}

/// The panels in rows of two.
fn png(panels: &[(String, Drawing)]) -> Vec<u8> {
    let rows = i64::try_from(panels.len().div_ceil(2)).unwrap_or(i64::MAX);
    let mut canvas = Canvas::new(
        2 * (MARGIN + WIDTH) + GAP,
        2 * MARGIN + rows * (HEIGHT + GAP) - GAP,
        WHITE,
    );
    for (row, pair) in (0..).zip(panels.chunks(2)) {
        for (column, (_, drawing)) in (0..).zip(pair) {
            let corner = [
                MARGIN + column * (WIDTH + GAP),
                MARGIN + row * (HEIGHT + GAP),
            ];
            drawing.paint(&mut canvas, corner);
        }
    }
    canvas.into_png()
}

/// All figures, in the order in which they are shown.
pub(crate) fn all(evidence: &Evidence) -> Vec<Figure> {
    vec![
        replay_cost(evidence),
        rollbacks(evidence),
        winners(evidence),
    ]
}

/// The runs that are drawn, with the number of their colour.
fn drawn(evidence: &Evidence) -> impl Iterator<Item = (usize, &RunEvidence)> {
    evidence.runs.iter().enumerate().take(SERIES_MAX)
}

fn tables(evidence: &Evidence) -> impl Iterator<Item = (usize, &str, &Metrics)> {
    drawn(evidence).filter_map(|(style, run)| Some((style, run.name(), run.metrics.as_ref()?)))
}

/// What a reader has to know about what is not drawn.
fn not_drawn(evidence: &Evidence) -> String {
    let mut text = String::new();
    let hidden = evidence.runs.len().saturating_sub(SERIES_MAX);
    if hidden > 0 {
        text = format!(" Only the first {SERIES_MAX} scenarios are drawn; {hidden} are not.");
    }
    let absent: Vec<_> = drawn(evidence)
        .filter(|(_, run)| run.metrics.is_none())
        .map(|(_, run)| run.name())
        .collect();
    if !absent.is_empty() {
        text.push_str(&format!(" No metrics in this set: {}.", absent.join(", ")));
    }
    text
}

fn over_ops(evidence: &Evidence, title: &str, column: fn(&MetricsRow) -> u64) -> Panel {
    let series = tables(evidence).map(|(style, name, metrics)| {
        let start = column(&MetricsRow::new(MetricsStep::Sample(0)));
        let points = [(0, start)].into_iter().chain(metrics.over_ops(column));
        Series {
            name: name.to_owned(),
            style,
            points: points.collect(),
        }
    });
    Panel {
        title: title.to_owned(),
        x_label: "ops that have arrived".to_owned(),
        x_unit: 1,
        shape: Shape::Lines,
        series: series.collect(),
        categories: Vec::new(),
        marks: Vec::new(),
    }
}

fn replay_cost(evidence: &Evidence) -> Figure {
    let panels = vec![
        over_ops(evidence, "Signatures verified", |row| {
            row.signatures_verified
        }),
        over_ops(evidence, "Bytes hashed", |row| row.bytes_hashed),
        over_ops(evidence, "Ancestor queries", |row| row.ancestor_queries),
        over_ops(evidence, "Admissions and decisions", |row| {
            row.ops_evaluated
        }),
    ];
    let totals: Vec<String> = tables(evidence)
        .map(|(_, name, Metrics { total, .. })| {
            format!(
                "{name}: {} ops cost {} signatures, {} ancestor queries, {} evaluations",
                grouped(total.ops),
                grouped(total.signatures_verified),
                grouped(total.ancestor_queries),
                grouped(total.ops_evaluated)
            )
        })
        .collect();
    let caption = format!(
        "Work against ops, counted and not timed: running totals of the metrics tables. A straight line is work \
         linear in ops; a step is work that a denial causes, because what it meets is decided again.{COINCIDE}{}",
        not_drawn(evidence)
    );
    let alt = format!(
        "Four line charts of counted work against ops. {}.",
        totals.join("; ")
    );
    Figure::new(
        Single::ReplayCost,
        "What replay costs",
        panels,
        caption,
        alt,
    )
}

/// A panel for the spells of each group.
fn offline_panels(spells: &[Spell]) -> Vec<Panel> {
    let mut groups = groups(spells);
    if groups.is_empty() {
        groups.push(Vec::new());
    }
    let several = groups.len() > 1;
    let panel = |group: &Vec<(usize, &Spell)>| {
        let (title, marks) = match &group[..] {
            [(_, only)] => {
                let title = match several {
                    true => format!("{OFFLINE} in {}, {BY_LENGTH}", shortened(&only.name)),
                    false => format!("{OFFLINE}, {BY_LENGTH}"),
                };
                let mark = |at_ms| (at_ms, "the denial is written".to_owned());
                (title, only.denied_ms.map(mark).into_iter().collect())
            }
            _ => (format!("{OFFLINE}, {BY_LENGTH}"), Vec::new()),
        };
        let series = group.iter().map(|(style, spell)| Series {
            name: spell.name.clone(),
            style: *style,
            points: spell.points.clone(),
        });
        Panel {
            title,
            x_label: "offline so far, virtual minutes".to_owned(),
            x_unit: MINUTE_MS,
            shape: Shape::Steps,
            series: series.collect(),
            categories: Vec::new(),
            marks,
        }
    };
    groups.iter().map(panel).collect()
}

fn rollbacks(evidence: &Evidence) -> Figure {
    let mut spells = spells(&evidence.runs);
    let hidden = spells.len().saturating_sub(SERIES_MAX);
    spells.truncate(SERIES_MAX);
    let most = evidence
        .runs
        .iter()
        .filter(|run| run.run.totals.rolled_back > 0)
        .filter_map(|run| Some((run.name(), run.metrics.as_ref()?)))
        .max_by_key(|(_, metrics)| metrics.total.rolled_back);
    let column = |name: &str, style, value: fn(&MetricsRow) -> u64| {
        let points = most.map_or_else(Vec::new, |(_, metrics)| {
            [(0, 0)]
                .into_iter()
                .chain(metrics.over_ops(value))
                .collect()
        });
        Series {
            name: name.to_owned(),
            style,
            points,
        }
    };
    let verdicts = Panel {
        title: most.map_or_else(
            || "Verdicts against ops".to_owned(),
            |(name, _)| format!("Verdicts against ops: {name}"),
        ),
        x_label: "ops that have arrived".to_owned(),
        x_unit: 1,
        shape: Shape::Lines,
        series: vec![
            column("applied", 2, |row| row.applied),
            column("denied", 1, |row| row.denied),
            column("rolled back", 4, |row| row.rolled_back),
            column("refused", 7, |row| row.refused),
        ],
        categories: Vec::new(),
        marks: Vec::new(),
    };
    let told: Vec<String> = spells
        .iter()
        .filter_map(|spell| {
            let (_, ops) = *spell.points.last()?;
            let (minutes, name) = (grouped(spell.length_ms() / MINUTE_MS), &spell.name);
            Some(format!(
                "{name}: {} after {minutes} virtual minutes",
                count(ops, "op")
            ))
        })
        .collect();
    let told = match told.is_empty() {
        true => "no op of this set was taken back".to_owned(),
        false => told.join("; "),
    };
    let hidden = match hidden {
        0 => String::new(),
        more => format!(
            " {} of fewer ops are not drawn.",
            count(more as u64, "denial")
        ),
    };
    let mut panels = offline_panels(&spells);
    let apart = match panels.len() {
        1 => "",
        _ => " Lengths that no one axis could show have panels of their own.",
    };
    let caption = format!(
        "“{OFFLINE}, {BY_LENGTH}”: the ops that a denial took back, counted as the observer had applied them in its offline time. The \
         length is virtual time since the first of them.{apart} By the rule, a denial takes back every op of its target \
         that its author had not seen, so each height is what a meeting at that moment would have cost, once the \
         denial was written. The set holds one run per scenario: the curve is that one run as it grew, not a \
         series of runs of different lengths. “{}”: the running totals of one run, from its metrics table; the fall \
         is the meeting. Rolled back are the denied ops that had been applied before.{COINCIDE}{hidden}",
        verdicts.title
    );
    let alt = format!(
        "Step curves of ops to take back against offline time, and lines of the verdicts against ops. In numbers, \
         {told}."
    );
    panels.push(verdicts);
    Figure::new(
        Single::Rollbacks,
        "What being offline costs",
        panels,
        caption,
        alt,
    )
}

fn winners(evidence: &Evidence) -> Figure {
    let places: Vec<_> = drawn(evidence)
        .filter_map(|(style, run)| Some((style, run.name(), run.winners.as_ref()?)))
        .collect();
    let most = places
        .iter()
        .filter_map(|(_, _, counts)| counts.keys().max());
    let most = most.max().copied().unwrap_or(1).clamp(1, WINNERS_MAX);
    let categories = (1..=most).map(|winners| match winners {
        WINNERS_MAX => format!("{WINNERS_MAX} or more"),
        fewer => fewer.to_string(),
    });
    let series = places.iter().map(|&(style, name, counts)| {
        let mut points: BTreeMap<u64, u64> = BTreeMap::new();
        for (&winners, &places) in counts {
            *points.entry(winners.clamp(1, WINNERS_MAX) - 1).or_default() += places;
        }
        Series {
            name: name.to_owned(),
            style,
            points: points.into_iter().collect(),
        }
    });
    let at_the_end = Panel {
        title: "At the end: places by number of winners".to_owned(),
        x_label: "concurrent winners".to_owned(),
        x_unit: 1,
        shape: Shape::Bars,
        series: series.collect(),
        categories: categories.collect(),
        marks: Vec::new(),
    };
    let over_time = over_ops(evidence, "Places with several winners", |row| row.conflicts);
    let told: Vec<String> = places
        .iter()
        .map(|(_, name, counts)| {
            let several: u64 = counts.range(2..).map(|(_, places)| places).sum();
            let all: u64 = counts.values().sum();
            format!("{name}: {several} of {all} places have several winners at the end")
        })
        .collect();
    let caption = format!(
        "Concurrent writes are all kept. A place is a register or a set element. “{}”: how many places have more \
         than one concurrent winner, as ops arrive. “{}”: how many winners the places have in the state at the \
         end.{COINCIDE}{}",
        over_time.title,
        at_the_end.title,
        not_drawn(evidence)
    );
    let alt = format!(
        "A line chart and a bar chart of concurrent winners. {}.",
        told.join("; ")
    );
    let panels = vec![over_time, at_the_end];
    Figure::new(Single::Winners, "Concurrent winners", panels, caption, alt)
}
