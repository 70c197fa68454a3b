//! The one-page report: HTML without script and without anything to fetch.
//!
//! Every text goes through `maud`, which escapes it; the style sheet and the pictures are the only parts that do
//! not come from text.

mod meetings;
mod outcome;
mod story;
mod verdict;
mod when;

use ecac_artifact::{Digest, EventKind, Part};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::evidence::Evidence;
use crate::figure::Figure;
use crate::words::{grouped, short};
use meetings::meetings;
use outcome::outcome;
use story::{no_story, story};

const STYLE: &str = include_str!("style.css");
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
                    (meetings(evidence))
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

fn figure_item(figure: &Figure) -> Markup {
    html! {
        figure {
            div.panels {
                @for (title, drawing) in &figure.panels { (drawing.to_svg(title)) }
            }
            figcaption {
                strong { (figure.title) ". " } (figure.caption) " As one picture: " code { (figure.file.name()) } "."
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
                .find(|event| event.event == EventKind::RolledBack)?
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
                        @if let Some(run) = run { "It prints the digest that begins " code { (short(&run.run.totals.state_sha256)) } ", as in the table above." }
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
            figure.file.name(),
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
