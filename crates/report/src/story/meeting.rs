//! Meetings: what was written elsewhere is brought to the observer.

use std::collections::BTreeMap;

use ecac_artifact::EventKind;
use ecac_core::OpId;

use super::chapter::{Chapter, Line, Scene};
use super::facts::Facts;
use super::meaning::meaning;
use crate::words::{count, listed, verb};

/// What was written elsewhere arrives, and what that means for what the observer had.
pub(super) fn meeting(facts: &Facts<'_>, at_ms: u64, from: u64, to: u64) -> Chapter {
    let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let arrived = facts
        .ops
        .items
        .iter()
        .take(index(to))
        .skip(index(from) - 1)
        .flatten();
    let mut authors: BTreeMap<&str, u64> = BTreeMap::new();
    for op in arrived {
        *authors.entry(facts.ops.author(op)).or_default() += 1;
    }
    let counts: Vec<String> = authors
        .iter()
        .map(|(author, &ops)| format!("{} of {author}", count(ops, "op")))
        .collect();
    let counts: Vec<&str> = counts.iter().map(String::as_str).collect();
    let names: Vec<&str> = authors.keys().copied().collect();
    let mut lines = vec![Line {
        text: format!("Brought to the observer: {}.", listed(&counts)),
        ..Line::default()
    }];
    type Outcome<'e> = (EventKind, Option<&'e str>, Option<OpId>, &'e str);
    let mut outcomes: BTreeMap<Outcome<'_>, u64> = BTreeMap::new();
    for event in facts
        .events
        .iter()
        .filter(|event| (from..=to).contains(&event.n))
    {
        let author = event.op.map_or("somebody", |op| facts.ops.author(&op));
        let outcome = (event.event, event.reason.as_deref(), event.by, author);
        *outcomes.entry(outcome).or_default() += 1;
    }
    // What is lost first: it is what the story is about.
    for (&(kind, reason, by, author), &ops) in outcomes.iter().rev() {
        let cause = by.and_then(|by| Some((by, facts.ops.get(&by)?)));
        let cause = cause.map_or_else(String::new, |(by, body)| {
            format!(" by {}", facts.cause(&by, body))
        });
        lines.push(Line {
            text: format!("{} of {author}{cause}", count(ops, "op")),
            verdicts: vec![(kind, verb(kind).to_owned())],
            meaning: meaning(kind, reason),
            op: by,
        });
    }
    Chapter {
        from_ms: at_ms,
        to_ms: at_ms,
        pause_ms: None,
        scene: Scene::Meeting,
        title: format!("The observer meets {}", listed(&names)),
        lines,
    }
}
