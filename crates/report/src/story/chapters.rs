//! The moments of a run as chapters.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::payload;
use ecac_core::{OpId, Payload, PublicKey};

use super::chapter::{Chapter, Line, PAUSE_MS, Scene};
use super::control::{control, weight};
use super::edits::{Edits, edits};
use super::facts::Facts;
use super::meeting::meeting;
use super::moment::{Moment, What};

/// Ops without a pause longer than this are told together where they are of one kind.
const BREATH_MS: u64 = 60 * 1000;

/// What is told, before the middle of a long story is left out.
pub(super) fn chapters(facts: &Facts<'_>, moments: &[Moment<'_>]) -> Vec<Chapter> {
    let mut chapters = Vec::new();
    let mut open: BTreeMap<Scene, Edits> = BTreeMap::new();
    let mut known: BTreeSet<PublicKey> = BTreeSet::new();
    // A credential is told with the grant that rests on it.
    let granted: BTreeSet<OpId> = moments
        .iter()
        .filter_map(|moment| match moment.what {
            What::Op(_, body) => match body.payload {
                Payload::Grant(payload::Grant { credential, .. }) => Some(credential),
                _ => None,
            },
            What::Meeting(..) => None,
        })
        .collect();
    let mut last_ms = moments.first().map_or(0, |moment| moment.at_ms);
    for moment in moments {
        let pause = moment.at_ms - last_ms >= PAUSE_MS;
        last_ms = moment.at_ms;
        let (op, body) = match moment.what {
            What::Op(op, body) if !granted.contains(&op) => (op, body),
            What::Op(..) => continue,
            What::Meeting(from, to) => {
                flush(facts, &mut open, &mut chapters);
                chapters.push(meeting(facts, moment.at_ms, from, to));
                continue;
            }
        };
        if pause {
            flush(facts, &mut open, &mut chapters);
        }
        if is_edit(&body.payload) {
            let edits = open.entry(moment.scene).or_insert_with(|| Edits {
                from_ms: moment.at_ms,
                ..Edits::default()
            });
            edits.to_ms = moment.at_ms;
            edits.ops.push(op);
            continue;
        }
        flush(facts, &mut open, &mut chapters);
        let (weight, title, line) = control(facts, op, body, &mut known);
        match chapters.last_mut() {
            Some(Chapter {
                to_ms,
                scene,
                title: told,
                lines,
                ..
            }) if *scene == moment.scene
                && moment.at_ms - *to_ms <= BREATH_MS
                && lines.iter().all(|line| line.op.is_some()) =>
            {
                if weight > greatest_weight(facts, lines) {
                    *told = title;
                }
                *to_ms = moment.at_ms;
                lines.push(line);
            }
            _ => chapters.push(Chapter {
                from_ms: moment.at_ms,
                to_ms: moment.at_ms,
                pause_ms: None,
                scene: moment.scene,
                title,
                lines: vec![line],
            }),
        }
    }
    flush(facts, &mut open, &mut chapters);
    chapters
}

fn greatest_weight(facts: &Facts<'_>, lines: &[Line]) -> u8 {
    let ops = lines.iter().filter_map(|line| line.op);
    let bodies = ops.filter_map(|op| facts.ops.get(&op));
    bodies.map(|body| weight(&body.payload)).max().unwrap_or(0)
}

fn flush(facts: &Facts<'_>, open: &mut BTreeMap<Scene, Edits>, chapters: &mut Vec<Chapter>) {
    for (scene, written) in std::mem::take(open) {
        chapters.push(edits(facts, scene, &written));
    }
}

const fn is_edit(payload: &Payload) -> bool {
    matches!(
        payload,
        Payload::SetField(_) | Payload::SetAdd(_) | Payload::SetRemove(_)
    )
}
