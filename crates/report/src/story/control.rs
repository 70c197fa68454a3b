//! Ops that are no edits: what they say, and what comes of it.

use std::collections::{BTreeMap, BTreeSet};

use ecac_artifact::EventKind;
use ecac_core::payload;
use ecac_core::{Body, OpId, Payload, PublicKey};

use super::chapter::Line;
use super::facts::Facts;
use crate::words::{count, listed, verb};

/// An op that is no edit: how weighty it is, a title, and a line.
pub(super) fn control(
    facts: &Facts<'_>,
    op: OpId,
    body: &Body,
    known: &mut BTreeSet<PublicKey>,
) -> (u8, String, Line) {
    let who = facts.ops.label(&body.author);
    let text = match &body.payload {
        Payload::Genesis(genesis) => format!(
            "{who} founds the project “{}” with {}",
            genesis.name.as_str().escape_debug(),
            count(genesis.roots.len() as u64, "root key"),
        ),
        Payload::Credential(_) => format!("{who} carries a credential into the log"),
        Payload::Grant(payload::Grant {
            subject,
            credential,
        }) => {
            let again = if known.insert(*subject) { "" } else { " again" };
            let role = facts.ops.role_granted(credential).unwrap_or("unreadable");
            let role = role.replace('_', " ");
            let subject = facts.ops.label(subject);
            format!("{who} grants {subject} the role {role}{again}")
        }
        Payload::Revoke(payload::Revoke { subject, .. }) => {
            format!("{who} revokes {}", facts.ops.label(subject))
        }
        Payload::IssuerKey(_) => format!("{who} trusts the key of an issuer"),
        Payload::IssuerKeyRevoke(_) => format!("{who} revokes the key of an issuer"),
        Payload::StatusList(_) => format!("{who} publishes a status list"),
        other => format!("{who}: {}", other.kind()),
    };
    let mut effects: BTreeMap<(EventKind, &str), u64> = BTreeMap::new();
    for event in facts.effects.get(&op).into_iter().flatten() {
        let author = event.op.map_or("somebody", |op| facts.ops.author(&op));
        *effects.entry((event.event, author)).or_default() += 1;
    }
    let effects: Vec<String> = effects
        .iter()
        .rev()
        .map(|(&(kind, author), ops)| format!("{} of {author} {}", count(*ops, "op"), verb(kind)))
        .collect();
    let effects: Vec<&str> = effects.iter().map(String::as_str).collect();
    let fate = facts.fate(&op);
    let verdicts = fate
        .filter(|fate| fate.event != EventKind::Applied)
        .map(|fate| (fate.event, verb(fate.event).to_owned()))
        .into_iter()
        .collect();
    let title = match &body.payload {
        Payload::Genesis(_) => "The project is founded".to_owned(),
        _ => text.clone(),
    };
    let line = Line {
        text,
        verdicts,
        meaning: (!effects.is_empty()).then(|| format!("What it will mean: {}.", listed(&effects))),
        op: Some(op),
    };
    (weight(&body.payload), title, line)
}

/// Which of several ops gives a chapter its title.
pub(super) const fn weight(payload: &Payload) -> u8 {
    match payload {
        Payload::Genesis(_) => 5,
        Payload::Revoke(_) | Payload::IssuerKeyRevoke(_) => 4,
        Payload::StatusList(_) => 3,
        Payload::Grant(_) => 2,
        _ => 1,
    }
}
