//! What happened in a run, as a person would tell it: who wrote what while who did not know, where they met, and
//! what that took back.
//!
//! Everything is derived from the op log (who, what, when written, knowing what) and the timeline (which verdict
//! fell when). An op that descends from all that the observer had is written *at the observer*; any other is
//! written *elsewhere*, and the observer learns of it when it is brought. A run of ops that are brought is a
//! *meeting*.

mod chapter;
mod chapters;
mod control;
mod edits;
mod facts;
mod losses;
mod meaning;
mod meeting;
mod moment;

pub(crate) use chapter::{Chapter, Line, Scene};

use ecac_artifact::Event;
use ecac_core::OpId;

use crate::ops::Ops;
use chapter::PAUSE_MS;
use chapters::chapters;
use facts::Facts;
use losses::losses;
use moment::moments;

/// Chapters that are told; of a longer story the middle is left out.
pub(crate) const CHAPTERS_MAX: usize = 48;

/// The story of a run.
#[derive(Debug)]
pub(crate) struct Story {
    /// When the first op was written, ms since the Unix epoch.
    pub(crate) start_ms: u64,
    /// What was not applied in the end, and because of what; the gravest first.
    pub(crate) losses: Vec<String>,
    pub(crate) chapters: Vec<Chapter>,
    /// Chapters left out after the first half of [`CHAPTERS_MAX`].
    pub(crate) left_out: usize,
}

/// Tells the story of a run.
pub(crate) fn tell(ops: &Ops, events: &[Event<OpId>]) -> Option<Story> {
    let facts = Facts::new(ops, events);
    let moments = moments(&facts);
    let start_ms = moments.first()?.at_ms;
    let mut chapters = chapters(&facts, &moments);
    let mut end_ms = start_ms;
    for chapter in &mut chapters {
        let pause_ms = chapter.from_ms.saturating_sub(end_ms);
        chapter.pause_ms = (pause_ms >= PAUSE_MS).then_some(pause_ms);
        end_ms = end_ms.max(chapter.to_ms);
    }
    let left_out = chapters.len().saturating_sub(CHAPTERS_MAX);
    if left_out > 0 {
        chapters.drain(CHAPTERS_MAX / 2..CHAPTERS_MAX / 2 + left_out);
    }
    Some(Story {
        start_ms,
        losses: losses(&facts),
        chapters,
        left_out,
    })
}
