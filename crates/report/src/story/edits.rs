//! Edits of one stretch, told by author.

use std::collections::BTreeMap;

use ecac_artifact::EventKind;
use ecac_core::OpId;

use super::chapter::{Chapter, Line, Scene};
use super::facts::Facts;
use super::meaning::meaning;
use crate::words::{count, listed, verb};

/// Edits of one stretch in one place.
#[derive(Default)]
pub(super) struct Edits {
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) ops: Vec<OpId>,
}

/// Edits of one stretch in one place, told by author.
pub(super) fn edits(facts: &Facts<'_>, scene: Scene, edits: &Edits) -> Chapter {
    let mut authors: BTreeMap<&str, Vec<OpId>> = BTreeMap::new();
    for &op in &edits.ops {
        authors.entry(facts.ops.author(&op)).or_default().push(op);
    }
    let names: Vec<&str> = authors.keys().copied().collect();
    let who = listed(&names);
    let title = match scene {
        Scene::Refused if names.len() == 1 => format!("{who} tries to go on"),
        Scene::Refused => format!("{who} try to go on"),
        _ if names.len() == 1 => format!("{who} writes"),
        _ => format!("{who} write"),
    };
    let lines = authors.into_iter().map(|(author, ops)| {
        let mut fates: BTreeMap<(EventKind, Option<&str>), u64> = BTreeMap::new();
        for fate in ops.iter().filter_map(|op| facts.fate(op)) {
            *fates
                .entry((fate.event, fate.reason.as_deref()))
                .or_default() += 1;
        }
        let whole = fates.len() == 1;
        let verdicts = fates
            .iter()
            .map(|(&(kind, _), &count)| {
                let verb = match (scene, kind) {
                    (Scene::Here, EventKind::RolledBack) => "applied, later taken back",
                    (Scene::Elsewhere, EventKind::Applied) => "applied once they arrive",
                    _ => verb(kind),
                };
                let text = if whole {
                    verb.to_owned()
                } else {
                    format!("{count} {verb}")
                };
                (kind, text)
            })
            .collect();
        let reasons = fates.keys().filter(|(kind, _)| *kind == EventKind::Refused);
        let meaning = reasons
            .filter_map(|(kind, reason)| meaning(*kind, *reason))
            .next();
        Line {
            text: format!("{author}: {}", count(ops.len() as u64, "edit")),
            verdicts,
            meaning,
            op: None,
        }
    });
    Chapter {
        from_ms: edits.from_ms,
        to_ms: edits.to_ms,
        pause_ms: None,
        scene,
        title,
        lines: lines.collect(),
    }
}
