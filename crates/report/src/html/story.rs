//! The stories of the runs, and who is who in them.

use maud::{Markup, html};

use super::verdict::class;
use super::when::{duration, rfc3339, stretch};
use crate::evidence::RunEvidence;
use crate::ops::Ops;
use crate::story::{CHAPTERS_MAX, Chapter, Line, Scene, Story, tell};
use crate::words::{grouped, sentence, short};

pub(super) fn no_story() -> Markup {
    html! {
        section aria-labelledby="story" {
            h2 id="story" { "Offline revocation" }
            p.gap { "No scenario of this set denied or refused an op, so there is no revocation to tell of." }
        }
    }
}

pub(super) fn story(run: &RunEvidence, index: usize) -> Markup {
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
        li class=(chapter.scene.class()) {
            p.when {
                (when)
                @if chapter.scene != Scene::Here { " · " (chapter.scene.label()) }
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
        @for (kind, verdict) in &line.verdicts { " " span class={ "tag " (class(*kind)) } { (verdict) } }
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
