//! Losses: what was not applied in the end, and because of what.

use std::collections::BTreeMap;

use ecac_artifact::EventKind;
use ecac_core::OpId;

use super::facts::Facts;
use crate::words::{count, verb};

/// Losses that are told before the story.
const LOSSES_MAX: usize = 6;

/// The gravest first.
pub(super) fn losses(facts: &Facts<'_>) -> Vec<String> {
    let mut losses: BTreeMap<(EventKind, Option<OpId>, &str), u64> = BTreeMap::new();
    for event in facts.events {
        if matches!(
            event.event,
            EventKind::RolledBack | EventKind::Denied | EventKind::Refused
        ) {
            let author = event.op.map_or("somebody", |op| facts.ops.author(&op));
            *losses.entry((event.event, event.by, author)).or_default() += 1;
        }
    }
    let told = losses.iter().rev().map(|(&(kind, by, author), &ops)| {
        let cause = by.and_then(|by| Some((by, facts.ops.get(&by)?)));
        let cause = cause.map_or_else(String::new, |(by, body)| {
            format!(" because of {}", facts.cause(&by, body))
        });
        let was = if ops == 1 { "was" } else { "were" };
        format!(
            "{} of {author} {was} {}{cause}",
            count(ops, "op"),
            verb(kind)
        )
    });
    told.take(LOSSES_MAX).collect()
}
