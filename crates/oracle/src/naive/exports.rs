//! The two exports (`docs/protocol.md`, Files and exports).

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::{Role, StatusList};
use ecac_core::{Decision, OpId, Payload, PublicKey, Value};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::kills::Within;
use super::set::Op;
use super::title::Title;
use super::{GrantAt, Oracle, Standing};

/// A write and its value.
type Write = (Op, Value);

impl Oracle {
    /// The state export.
    #[must_use]
    pub fn state(&self) -> Json {
        let is_applied =
            |op: &Op| matches!(self.decisions()[&self.ids[*op]], Decision::Applied { .. });
        let applied: Vec<Op> = self.admitted.iter().filter(is_applied).collect();
        let removes = |op: Op, of: (&str, &str, &str)| {
            let Payload::SetRemove(remove) = &self.bodies[op].payload else {
                return false;
            };
            (&*remove.object, &*remove.field, &*remove.element) == of
        };
        let mut fields: BTreeMap<(&str, &str), Vec<Write>> = BTreeMap::new();
        let mut adds: BTreeMap<(&str, &str, &str), Vec<Write>> = BTreeMap::new();
        for &op in &applied {
            let payload = &self.bodies[op].payload;
            let (Some((object, field)), Some(value)) = (payload.target(), payload.value()) else {
                continue;
            };
            let Some(element) = payload.element() else {
                let writes = fields.entry((&**object, &**field)).or_default();
                writes.push((op, value));
                continue;
            };
            let key = (&**object, &**field, &**element);
            let is_removed = applied
                .iter()
                .any(|other| removes(*other, key) && self.past[*other].contains(op));
            if !is_removed {
                adds.entry(key).or_default().push((op, value));
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
            let tags = writes.iter().map(|(op, _)| self.ids[*op]);
            entry["tags"] = json!(tags.collect::<BTreeSet<OpId>>());
            object_of(object, "sets", &[field, element], entry);
        }
        self.with_behind(
            json!({ "format": "ecac-state-v1", "project": self.project, "objects": objects }),
        )
    }

    /// The writes that no other of them has in its past, and the one to show.
    fn winners(&self, writes: &[Write]) -> Json {
        let undominated = |(op, _): &&Write| {
            let mut others = writes.iter();
            !others.any(|(other, _)| self.past[*other].contains(*op))
        };
        let mut winners: Vec<&Write> = writes.iter().filter(undominated).collect();
        winners.sort_by_key(|(op, _)| self.ids[*op]);
        let shown = winners
            .iter()
            .min_by_key(|(_, value)| *blake3::hash(&value.encode()).as_bytes());
        json!({
            "value": shown.expect("some write is last").1.to_json(),
            "winners": winners.iter().map(|(op, value)| json!({
                "op": self.ids[*op],
                "author": self.bodies[*op].author,
                "value": value.to_json(),
            })).collect::<Vec<_>>(),
        })
    }

    /// The export, which tells of a replica that is behind how far it is.
    fn with_behind(&self, mut export: Json) -> Json {
        let features = self.unknown_features(&self.admitted);
        let unsupported = (self.standing.iter()).filter(|it| **it == Standing::Unsupported);
        let unsupported = unsupported.count();
        if unsupported > 0 || !features.is_empty() {
            export["behind"] = json!({ "features": features, "unsupported": unsupported });
        }
        export
    }

    /// The trust export.
    #[must_use]
    pub fn trust(&self) -> Json {
        let within = Within::new(self, &self.admitted);
        let genesis = self.genesis();
        let mut trust = json!({
            "format": "ecac-trust-v2",
            "project": self.project,
            "name": genesis.map(|genesis| &genesis.name),
            "roots": self.roots(&within),
            "issuer_keys": self.issuer_keys(&within),
            "status_lists": self.status_lists(),
            "equivocations": self.all_equivocations(),
        });
        let names_quorum = genesis.is_some_and(|genesis| {
            let mut features = genesis.features.iter();
            let op = self.at[&self.project];
            features
                .any(|(name, with)| name.as_str() == "quorum" && self.allows("quorum", with, op))
        });
        if names_quorum {
            trust["quorum"] = json!(self.k());
        }
        if self.in_force("seal", &self.admitted) {
            trust["seals"] = self.all_seals(&within).into();
        }
        if self.in_force("device", &self.admitted) {
            trust["devices"] = self.all_devices(&within).into();
        }
        self.with_behind(trust)
    }

    /// The admitted ops by id.
    fn by_id(&self) -> impl Iterator<Item = (&OpId, Op)> {
        let by_id = self.at.iter().map(|(id, op)| (id, *op));
        by_id.filter(|(_, op)| self.admitted.contains(*op))
    }

    fn all_seals(&self, within: &Within<'_>) -> Vec<Json> {
        let entry = |(id, op): (&OpId, Op)| {
            let Payload::Seal(seal) = &self.bodies[op].payload else {
                return None;
            };
            let digest = hex::encode(seal.digest);
            Some(json!({ "op": id, "digest": digest, "final": within.is_full(op) }))
        };
        self.by_id().filter_map(entry).collect()
    }

    /// The links that are not void.
    fn all_devices(&self, within: &Within<'_>) -> Vec<Json> {
        let entry = |(id, op): (&OpId, Op)| {
            let link = self.links.get(&op).filter(|link| link.void.is_none())?;
            let serves = |grant: &GrantAt| {
                let title = Title {
                    grant: *grant,
                    link: Some(op),
                };
                within.carries(op, *grant) && within.kill(title, None).is_none()
            };
            let grants = self.counting().filter(serves);
            let grants = grants.map(|grant| self.ids[self.grants[grant].op]);
            Some(json!({
                "op": id,
                "person": link.person,
                "key": link.key,
                "grants": grants.collect::<BTreeSet<OpId>>(),
            }))
        };
        self.by_id().filter_map(entry).collect()
    }

    /// The grants of `root` that count and are full.
    fn roots(&self, within: &Within<'_>) -> Json {
        let is_root = |grant: &GrantAt| {
            let op = self.grants[*grant].op;
            let by_genesis = self.ids[op] == self.project;
            self.right(*grant).role == Role::Root && (by_genesis || within.is_full(op))
        };
        let mut roots: Vec<GrantAt> = self.counting().filter(is_root).collect();
        roots.sort_by_key(|grant| {
            let made = &self.grants[*grant];
            (self.ids[made.op], *made.subject.as_bytes())
        });
        let (mut active, mut revoked) = (Vec::new(), Vec::new());
        for grant in roots {
            let made = &self.grants[grant];
            let title = Title { grant, link: None };
            let frozen = self.unseen_half(&made.subject, title, &self.admitted);
            let mut entry = json!({
                "subject": made.subject,
                "grant": self.ids[made.op],
                "frozen": frozen.is_some(),
            });
            if let Some(paper) = &self.right(grant).paper {
                let credential = &paper.credential.says;
                entry["credential"] = json!(self.ids[paper.carrier]);
                entry["valid_from"] = json!(credential.valid_from.to_string());
                entry["valid_until"] = json!(credential.valid_until.to_string());
            }
            match within.grant_kill(grant, None) {
                None => active.push(entry),
                Some((reason, denial)) => {
                    entry["reason"] = json!(reason);
                    entry["denial"] = json!(denial);
                    revoked.push(entry);
                }
            }
        }
        json!({ "active": active, "revoked": revoked })
    }

    fn issuer_keys(&self, within: &Within<'_>) -> Json {
        let (mut active, mut revoked) = (Vec::new(), Vec::new());
        for (id, op) in self.by_id() {
            let Some(key) = self.issuer_key(op) else {
                continue;
            };
            let mut entry = json!({
                "issuer": key.issuer,
                "kid": key.kid,
                "public_key": key.public_key,
                "valid_from_ms": key.valid_from_ms,
                "valid_until_ms": key.valid_until_ms,
                "op": id,
            });
            match within.key_kill(op) {
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
        json!({ "active": active, "revoked": revoked })
    }

    fn status_lists(&self) -> Vec<Json> {
        let mut versions: BTreeMap<_, BTreeMap<OpId, &StatusList>> = BTreeMap::new();
        for (op, list) in &self.lists {
            let list = &list.says;
            versions
                .entry((&list.issuer, &list.id, list.purpose))
                .or_default()
                .insert(self.ids[*op], list);
        }
        let sha256 = |bytes: &[u8]| hex::encode(Sha256::digest(bytes));
        let entry = |((issuer, id, purpose), versions): (_, BTreeMap<OpId, &StatusList>)| {
            let mut merged: Vec<u8> = Vec::new();
            for list in versions.values() {
                if merged.len() < list.bytes().len() {
                    merged.resize(list.bytes().len(), 0);
                }
                for (all, byte) in merged.iter_mut().zip(list.bytes()) {
                    *all |= byte;
                }
            }
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

    /// Different admitted ops of one author with one number.
    fn all_equivocations(&self) -> Vec<Json> {
        let mut numbered: BTreeMap<(PublicKey, u64), BTreeSet<OpId>> = BTreeMap::new();
        for op in self.admitted.iter() {
            let body = &self.bodies[op];
            let ops = numbered.entry((body.author, body.seq)).or_default();
            ops.insert(self.ids[op]);
        }
        let equivocations = numbered.into_iter().filter(|(_, ops)| ops.len() > 1);
        equivocations
            .map(|((author, seq), ops)| json!({ "author": author, "seq": seq, "ops": ops }))
            .collect()
    }
}
