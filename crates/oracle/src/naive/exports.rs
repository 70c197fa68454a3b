//! The two exports, from the definitions of ENGINE section 4.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::StatusList;
use ecac_core::{Decision, OpId, Payload, PublicKey, Value};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::{Oracle, Set, View};

/// A write and its value.
type Write<'a> = (OpId, &'a Value);

impl Oracle {
    /// The state export.
    pub fn state(&self) -> Json {
        let is_applied = |op: &&OpId| matches!(self.decisions[*op], Decision::Applied { .. });
        let applied: Vec<OpId> = self.past.keys().filter(is_applied).copied().collect();
        let mut fields: BTreeMap<(&str, &str), Vec<Write<'_>>> = BTreeMap::new();
        let mut adds: BTreeMap<(&str, &str, &str), Vec<Write<'_>>> = BTreeMap::new();
        for &op in &applied {
            match &self.bodies[&op].payload {
                Payload::SetField {
                    object,
                    field,
                    value,
                } => {
                    fields.entry((object, field)).or_default().push((op, value));
                }
                Payload::SetAdd {
                    object,
                    field,
                    element,
                    value,
                } => {
                    let removed = applied.iter().any(|remove| {
                        matches!(&self.bodies[remove].payload,
                            Payload::SetRemove { object: o, field: f, element: e }
                                if o == object && f == field && e == element)
                            && self.past[remove].contains(&op)
                    });
                    if !removed {
                        adds.entry((object, field, element))
                            .or_default()
                            .push((op, value));
                    }
                }
                _ => {}
            }
        }
        let mut objects = json!({});
        let mut object_of = |object: &str, part: &str, path: &[&str], entry: Json| {
            let object = &mut objects[object];
            if object.is_null() {
                *object = json!({ "fields": {}, "sets": {} });
            }
            let mut at = &mut object[part];
            for step in path {
                at = &mut at[*step];
            }
            *at = entry;
        };
        for ((object, field), writes) in fields {
            object_of(object, "fields", &[field], self.winners(&writes));
        }
        for ((object, field, element), writes) in adds {
            let mut entry = self.winners(&writes);
            entry["tags"] = json!(writes.iter().map(|(op, _)| *op).collect::<Set>());
            object_of(object, "sets", &[field, element], entry);
        }
        json!({ "format": "ecac-state-v1", "project": self.project, "objects": objects })
    }

    /// The writes that no other of them has in its past, and the one to show.
    fn winners(&self, writes: &[Write<'_>]) -> Json {
        let undominated = |(op, _): &&Write<'_>| {
            !writes
                .iter()
                .any(|(other, _)| self.past[other].contains(op))
        };
        let mut winners: Vec<&Write<'_>> = writes.iter().filter(undominated).collect();
        winners.sort_by_key(|(op, _)| *op);
        let shown = winners
            .iter()
            .min_by_key(|(_, value)| *blake3::hash(&value.encode()).as_bytes());
        json!({
            "value": shown.expect("some write is last").1.to_json(),
            "winners": winners.iter().map(|(op, value)| json!({
                "op": op,
                "author": self.bodies[op].author,
                "value": value.to_json(),
            })).collect::<Vec<_>>(),
        })
    }

    /// The trust export.
    pub fn trust(&self) -> Json {
        let (mut active, mut revoked) = (Vec::new(), Vec::new());
        for op in self.past.keys() {
            let Payload::IssuerKey {
                issuer,
                kid,
                public_key,
                valid_from_ms,
                valid_until_ms,
            } = &self.bodies[op].payload
            else {
                continue;
            };
            let mut entry = json!({
                "issuer": issuer,
                "kid": kid,
                "public_key": public_key,
                "valid_from_ms": valid_from_ms,
                "valid_until_ms": valid_until_ms,
                "op": op,
            });
            match self.key_kill(
                *op,
                View {
                    judged: None,
                    within: None,
                },
            ) {
                None => active.push(entry),
                Some((reason, denial)) => {
                    entry["reason"] = json!(reason);
                    entry["denial"] = json!(denial);
                    revoked.push(entry);
                }
            }
        }
        let listed = active.clone();
        for entry in &mut active {
            let differs = |other: &Json| {
                other["issuer"] == entry["issuer"]
                    && other["kid"] == entry["kid"]
                    && other["public_key"] != entry["public_key"]
            };
            entry["conflict"] = listed.iter().any(differs).into();
        }
        let genesis = self.genesis();
        json!({
            "format": "ecac-trust-v1",
            "project": self.project,
            "name": genesis.map(|genesis| &genesis.name),
            "roots": genesis.map(|genesis| &genesis.roots),
            "issuer_keys": { "active": active, "revoked": revoked },
            "status_lists": self.status_lists(),
            "equivocations": self.all_equivocations(),
        })
    }

    fn status_lists(&self) -> Vec<Json> {
        let mut versions: BTreeMap<_, BTreeMap<OpId, &StatusList>> = BTreeMap::new();
        for (op, list) in &self.lists {
            versions
                .entry((&list.issuer, &list.id, list.purpose))
                .or_default()
                .insert(*op, list);
        }
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let entry = |((issuer, id, purpose), versions): (_, BTreeMap<OpId, &StatusList>)| {
            let longest = versions
                .values()
                .map(|list| list.bytes().len())
                .max()
                .unwrap_or(0);
            let byte = |at: usize| {
                versions
                    .values()
                    .filter_map(|list| list.bytes().get(at))
                    .fold(0, |all, it| all | it)
            };
            let merged: Vec<u8> = (0..longest).map(byte).collect();
            json!({
                "issuer": issuer,
                "id": id,
                "purpose": purpose,
                "sha256": sha256(&merged),
                "bits_set": merged.iter().map(|byte| byte.count_ones()).sum::<u32>(),
                "versions": versions.iter().map(|(op, list)| json!({
                    "op": op,
                    "sha256": sha256(list.bytes()),
                })).collect::<Vec<_>>(),
            })
        };
        versions.into_iter().map(entry).collect()
    }

    fn all_equivocations(&self) -> Vec<Json> {
        let authors: BTreeSet<PublicKey> =
            self.past.keys().map(|op| self.bodies[op].author).collect();
        let groups = authors.into_iter().flat_map(|author| {
            let groups = self.equivocations(author).into_iter();
            groups.map(move |(seq, ops)| json!({ "author": author, "seq": seq, "ops": ops }))
        });
        groups.collect()
    }
}
