//! The one-page report: HTML without script and without anything to fetch.
//!
//! Every text goes through `maud`, which escapes it; the style sheet and the pictures are the only parts that do
//! not come from text.

use ecac_artifact::{Digest, Part};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::evidence::{Evidence, RunEvidence};
use crate::figure::Figure;
use crate::manifest::Summary;
use crate::ops::Ops;
use crate::plot::grouped;
use crate::story::{CHAPTERS_MAX, Chapter, Line, Place, Story, sentence, tell};
use crate::timeline::Kind;

const STYLE: &str = include_str!("style.css");
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// How many digits of an id are shown where the whole id is not needed.
const SHORT_DIGITS: usize = 12;

/// The page.
pub(crate) fn page(evidence: &Evidence, figures: &[Figure]) -> String {
    let manifest = &evidence.manifest;
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content={ "ecac-report " (env!("CARGO_PKG_VERSION")) };
                link rel="icon" href="data:,";
                title { "ECAC evaluation report, commit " (short(&manifest.commit)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (header(evidence))
                main {
                    (outcome(evidence))
                    @for (index, run) in evidence.with_denials().enumerate() { (story(run, index)) }
                    @if evidence.with_denials().next().is_none() { (no_story()) }
                    section aria-labelledby="figures" {
                        h2 id="figures" { "Figures" }
                        @for figure in figures { (figure_item(figure)) }
                    }
                    (verify(evidence))
                    (limits())
                    (digests(evidence, figures))
                }
                footer {
                    p {
                        "Made by a pure function of the files listed above: no clock, no network, no script, no float "
                        "that decides a byte. Source: " span.hash { (env!("CARGO_PKG_REPOSITORY")) } "."
                    }
                }
            }
        }
    };
    markup.into_string()
}

fn header(evidence: &Evidence) -> Markup {
    let manifest = &evidence.manifest;
    let dirty = manifest.commit.ends_with("-dirty");
    html! {
        header {
            h1 { "Eventually consistent access control: what the scenarios did" }
            p.lead {
                "Replicas that are offline for days keep a signed log of edits and of permissions. When they meet, "
                "every replica with the same log computes the same state, from which every unauthorised edit has "
                "been removed. This page tells what that meant in the runs of one artifact set, and how to check it."
            }
            @if dirty {
                p.gap { strong { "Not citable: " } "the source differed from the commit." }
            }
            dl.facts {
                dt { "Commit" } dd { span.hash { (manifest.commit) } }
                dt { "Version, toolchain" } dd { (manifest.version) ", Rust " (manifest.toolchain) }
                dt { "Schema" } dd { span.hash { (manifest.schema_sha256) } }
                dt { "Cargo.lock" } dd { span.hash { (manifest.cargo_lock_sha256) } }
                dt { "Trust digest" } dd { span.hash { (manifest.trust_sha256) } }
                dt { "Audit log head" } dd { span.hash { (manifest.audit_head) } }
                @if let Some(verdict) = audit_verdict(evidence) { dt { "Audit verdict" } dd { (verdict) } }
            }
            nav aria-label="Contents" {
                ul {
                    li { a href="#outcome" { "Outcome" } }
                    li { a href="#story" { "Offline revocation" } }
                    li { a href="#figures" { "Figures" } }
                    li { a href="#verify" { "How to verify" } }
                    li { a href="#limits" { "What is not proven" } }
                    li { a href="#digests" { "Digests" } }
                }
            }
        }
    }
}

fn audit_verdict(evidence: &Evidence) -> Option<&str> {
    let lines = evidence.audit.as_deref()?.lines();
    lines
        .filter_map(|line| line.strip_prefix("verdict: "))
        .next()
}

fn outcome(evidence: &Evidence) -> Markup {
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
    let summary = &run.run.summary;
    let numbers = [
        run.run.seed.to_string(),
        grouped(summary.ops),
        grouped(summary.applied),
        grouped(summary.denied),
        grouped(summary.rolled_back),
        grouped(summary.refused),
        grouped(summary.pending),
    ];
    html! {
        tr {
            th scope="row" { (run.name()) (verdict_bar(&run.run.summary)) }
            @for (name, number) in COLUMNS.into_iter().zip(numbers) { td.n data-name=(name) { (number) } }
            td data-name="State digest" { span.hash title=(summary.state_sha256) { (short(&summary.state_sha256)) "…" } }
        }
    }
}

/// The verdicts as a bar; the numbers stand beside it.
fn verdict_bar(summary: &Summary) -> Markup {
    let denied_at_once = summary.denied.saturating_sub(summary.rolled_back);
    let parts = [
        (Kind::Applied, summary.applied),
        (Kind::RolledBack, summary.rolled_back),
        (Kind::Denied, denied_at_once),
        (Kind::Refused, summary.refused),
        (Kind::Pending, summary.pending),
    ];
    html! {
        div.bar aria-hidden="true" {
            @for (kind, ops) in parts {
                @if ops > 0 { span class=(kind.class()) style={ "flex:" (ops) } {} }
            }
        }
    }
}

/// What the set should hold of a run and does not.
fn gaps(run: &RunEvidence) -> Markup {
    let asked = run.run.ops != run.run.summary.ops;
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
                (grouped(run.run.ops)) " ops were asked for, " (grouped(run.run.summary.ops)) " arrived."
            }
        }
    }
}

fn no_story() -> Markup {
    html! {
        section aria-labelledby="story" {
            h2 id="story" { "Offline revocation" }
            p.gap { "No scenario of this set denied or refused an op, so there is no revocation to tell of." }
        }
    }
}

fn story(run: &RunEvidence, index: usize) -> Markup {
    let id = match index {
        0 => "story".to_owned(),
        more => format!("story-{}", more + 1),
    };
    let told = match (&run.ops, &run.timeline) {
        (Some(ops), Some(events)) => tell(ops, events).map(|story| (ops, story)),
        _ => None,
    };
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { "What happened in " (run.name()) }
            @if let Some((ops, story)) = told {
                (chapters(&story))
                (cast(ops))
            } @else {
                p.gap { "The op log or the timeline of this run is absent, so its story cannot be told." }
            }
        }
    }
}

fn chapters(story: &Story) -> Markup {
    let start = rfc3339(story.start_ms);
    html! {
        @if !story.losses.is_empty() {
            p { strong { "In short: " } (story.losses.join("; ")) "." }
        }
        p {
            "Virtual time, from " (start) " on, as the authors stamped their ops. The "
            strong { "observer" } " is the replica that took in this op log in its order; its verdicts are the "
            "timeline. An edit by whoever had not seen all that the observer had is told under "
            em { "elsewhere" } ": the observer learns of it when they meet."
        }
        ol.story {
            li.heads aria-hidden="true" { span { "At the observer" } span { "Elsewhere" } }
            @for (index, chapter) in story.chapters.iter().enumerate() {
                @if index == CHAPTERS_MAX / 2 && story.left_out > 0 {
                    li.pause { (grouped(story.left_out as u64)) " chapters are left out here" }
                }
                @if let Some(pause_ms) = chapter.pause_ms {
                    li.pause { (duration(pause_ms)) " pass" }
                }
                (chapter_item(chapter, story.start_ms))
            }
        }
    }
}

fn chapter_item(chapter: &Chapter, start_ms: u64) -> Markup {
    let when = stretch(start_ms, chapter.from_ms, chapter.to_ms);
    // What the title says already is not said again.
    let rest: Vec<&Line> = match &chapter.lines[..] {
        [only] if only.text == chapter.title => Vec::new(),
        lines => lines.iter().collect(),
    };
    html! {
        li class=(chapter.place.class()) {
            p.when {
                (when)
                @if chapter.place != Place::Here { " · " (chapter.place.label()) }
            }
            h3 {
                (sentence(&chapter.title))
                @if rest.is_empty() { @for line in &chapter.lines { (marks(line)) } }
            }
            @if rest.is_empty() { @for line in &chapter.lines { (why(line)) } }
            @else { ul { @for line in rest { li { (sentence(&line.text)) (marks(line)) (why(line)) } } } }
        }
    }
}

/// What became of it, and the id of the op.
fn marks(line: &Line) -> Markup {
    html! {
        @for (kind, verdict) in &line.verdicts { " " span class={ "tag " (kind.class()) } { (verdict) } }
        @if let Some(op) = line.op { " " code title=(op) { (short(&op.to_string())) } }
    }
}

fn why(line: &Line) -> Markup {
    html! { @if let Some(meaning) = &line.meaning { span.why { (meaning) } } }
}

fn cast(ops: &Ops) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="Who is who" {
            table.digests {
                caption {
                    "Who is who. The key is the identity. The name is the word with which all of an author's texts "
                    "begin, else the role; it is for reading only."
                }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Roles" } th scope="col" { "Key" } } }
                tbody {
                    @for (key, author) in ops.cast() {
                        tr {
                            th scope="row" { (author.label) }
                            td {
                                @if author.roles.is_empty() { "none" }
                                @for (index, role) in author.roles.iter().enumerate() {
                                    @if index > 0 { ", " } (role.replace('_', " "))
                                }
                            }
                            td { span.hash { (key) } }
                        }
                    }
                }
            }
        }
    }
}

fn figure_item(figure: &Figure) -> Markup {
    html! {
        figure {
            div.panels {
                @for (title, drawing) in &figure.panels { (drawing.to_svg(title)) }
            }
            figcaption {
                strong { (figure.title) ". " } (figure.caption) " As one picture: " code { (figure.summary.name()) } "."
                span.unseen { " " (figure.alt) }
            }
        }
    }
}

fn verify(evidence: &Evidence) -> Markup {
    let run = evidence.with_denials().next().or(evidence.runs.first());
    let log = run.map_or_else(
        || "SCENARIO-SEED-ops.cborseq".to_owned(),
        |run| format!("{}-{}{}", run.name(), run.run.seed, Part::Ops.suffix()),
    );
    let taken_back = run
        .and_then(|run| {
            run.timeline
                .as_ref()?
                .iter()
                .find(|event| event.event == Kind::RolledBack)?
                .op
        })
        .map_or_else(|| "OP_ID".to_owned(), |op| op.to_string());
    html! {
        section aria-labelledby="verify" {
            h2 id="verify" { "How to verify" }
            p { "Each step needs less of our code than the one before." }
            ol {
                li {
                    p { "In a clone of the source: build it again in a clean tree, run everything, and compare every byte with the golden set. With --cited the very commit above is built." }
                    (commands("cargo xtask verify-golden\ncargo xtask verify-golden --cited"))
                }
                li {
                    p {
                        "In the directory of the artifacts: recompute a state from its op log alone. "
                        @if let Some(run) = run { "It prints the digest that begins " code { (short(&run.run.summary.state_sha256)) } ", as in the table above." }
                    }
                    (commands(&format!("ecac dump-state-json {log} | sha256sum")))
                    p { "Ask for the reasons of one op; this is one that was taken back, if any was:" }
                    (commands(&format!("ecac explain {log} {taken_back}")))
                }
                li {
                    p { "There also: check the sums without any of our programs." }
                    (commands("sha256sum -c SHA256SUMS"))
                }
            }
        }
    }
}

/// Commands to copy: a line is never broken, so what is wider than the page scrolls.
fn commands(lines: &str) -> Markup {
    html! { pre tabindex="0" role="region" aria-label="Commands" { code { (lines) } } }
}

fn limits() -> Markup {
    html! {
        section aria-labelledby="limits" {
            h2 id="limits" { "What is not proven" }
            ul {
                li {
                    "This page proves nothing by itself. It was drawn from the files below, after checking that they "
                    "agree on commit, scenario, seed, schema, totals and digests; it verified no signature and "
                    "replayed no log. The commands above do."
                }
                li { "Sums show that files belong together, not who made them. Authorship needs a signed bundle." }
                li {
                    "The scenarios are simulations: one seed, one process, virtual time, a made-up network. That the "
                    "rule holds for every history is the business of the tests, not of these runs."
                }
                li {
                    "Costs are counted, not timed. How fast a machine replays is not in this set, on purpose: it "
                    "would differ from machine to machine."
                }
                li {
                    "A revocation rests on what its author had seen. The expiry of a credential rests on the clock "
                    "of whoever uses it."
                }
                li { "A denied edit was readable by whoever had it. Taking it back removes it from the state, not from memory." }
            }
        }
    }
}

fn digests(evidence: &Evidence, figures: &[Figure]) -> Markup {
    let rows = evidence.digests.iter();
    let mut rows: Vec<(&str, Digest, usize)> = rows
        .map(|(name, &(digest, length))| (name.as_str(), digest, length))
        .collect();
    rows.extend(figures.iter().map(|figure| {
        (
            figure.summary.name(),
            Digest::of(&figure.png),
            figure.png.len(),
        )
    }));
    rows.sort_unstable();
    html! {
        section aria-labelledby="digests" {
            h2 id="digests" { "Digests" }
            div.scroll tabindex="0" role="region" aria-label="Digests of all files" {
                table.digests {
                    caption {
                        "SHA-256 of every file that this page rests on, and of the figures. This page, SHA256SUMS and "
                        "the archive cannot be among them, because they contain this page or its sum."
                    }
                    thead {
                        tr { th scope="col" { "File" } th.n scope="col" { "Bytes" } th scope="col" { "SHA-256" } }
                    }
                    tbody {
                        @for (name, digest, length) in rows {
                            tr {
                                th scope="row" { code { (name) } }
                                td.n data-name="Bytes" { (grouped(length as u64)) }
                                td { span.hash { (digest) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(SHORT_DIGITS).collect()
}

fn rfc3339(at_ms: u64) -> String {
    let seconds = i64::try_from(at_ms / 1000).ok();
    let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| format!("{at_ms} ms after the Unix epoch"))
}

/// “day 2, 03:10:10 to 03:12:00”, counted from the start.
fn stretch(start_ms: u64, from_ms: u64, to_ms: u64) -> String {
    let time = |at_ms: u64| {
        let elapsed_ms = at_ms.saturating_sub(start_ms);
        let (day, seconds) = (elapsed_ms / DAY_MS + 1, elapsed_ms % DAY_MS / 1000);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        (day, format!("{hours:02}:{minutes:02}:{seconds:02}"))
    };
    let ((from_day, from), (to_day, to)) = (time(from_ms), time(to_ms));
    match (from_day == to_day, from == to) {
        (true, true) => format!("day {from_day}, {from}"),
        (true, false) => format!("day {from_day}, {from} to {to}"),
        (false, _) => format!("day {from_day}, {from} to day {to_day}, {to}"),
    }
}

fn duration(length_ms: u64) -> String {
    let minutes = length_ms / 60_000;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{} h", grouped(hours)),
        (hours, minutes) => format!("{} h {minutes} min", grouped(hours)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_from_the_start() {
        for (from_ms, to_ms, want) in [
            (0, 0, "day 1, 00:00:00"),
            (0, 1_000, "day 1, 00:00:00 to 00:00:01"),
            (
                1_000,
                DAY_MS + 3_661_000,
                "day 1, 00:00:01 to day 2, 01:01:01",
            ),
        ] {
            assert_eq!(stretch(7, from_ms + 7, to_ms + 7), want);
        }
        assert_eq!(duration(3_600_000 * 24 + 59_000), "24 h");
        assert_eq!(duration(59_000), "0 min");
        assert_eq!(rfc3339(1_767_225_600_000), "2026-01-01T00:00:00Z");
        assert_eq!(
            rfc3339(u64::MAX),
            "18446744073709551615 ms after the Unix epoch"
        );
    }
}
