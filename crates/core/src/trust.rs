//! The trust view: whom the project trusts, and to say what.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::authority::{CountedList, Grant, IssuerKey, Judge, Kill, Title};
use crate::costs::Costs;
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::json;
use crate::log::Log;
use crate::payload::Payload;

/// Exports the trust view of a log as RFC 8785 canonical JSON; its SHA-256 is the trust digest.
///
/// - `roots.active`: grants of `root`, by genesis and by credential, that count and that no denial kills; `frozen` if
///   the subject has signed two ops with one number and the grant had not seen both;
/// - `roots.revoked`: the others that count, each with the denial that kills it;
/// - `issuer_keys.active`: keys that no denial kills; `conflict` marks those that share issuer and key id with
///   another active key of other bytes;
/// - `issuer_keys.revoked`: the others, each with the denial that kills it;
/// - `status_lists`: every list with a version that counts; `sha256` is that of the bitstring that ORs all
///   versions, because a bit once set denies;
/// - `quorum`, `seals`, `devices`: where the project uses them;
/// - `equivocations`: ops that an author signed with one sequence number.
#[must_use]
pub fn export_trust(log: &Log, costs: &mut Costs) -> Vec<u8> {
    let (mut active, mut revoked) = (Vec::new(), Vec::new());
    for (id, key) in log.authority.keys.iter().enumerate() {
        match Judge::new(&log.dag, &log.authority, costs).key_killed_ever(id) {
            None => active.push(key),
            Some(kill) => revoked.push((key, kill)),
        }
    }
    let mut active_json: Vec<(OpId, Json)> = Vec::new();
    for key in &active {
        let conflicts = |other: &&&IssuerKey| {
            other.issuer == key.issuer && other.kid == key.kid && other.public_key != key.public_key
        };
        let mut entry = key_json(log, key);
        entry["conflict"] = active.iter().any(|other| conflicts(&other)).into();
        active_json.push((log.dag.id(key.op), entry));
    }
    let revoked_json = revoked.into_iter().map(|(key, kill)| {
        let mut entry = key_json(log, key);
        entry["denial"] = json!(log.dag.id(kill.denial));
        entry["reason"] = json!(kill.reason);
        (log.dag.id(key.op), entry)
    });
    let founder = log.get(&log.project());
    let genesis = founder.as_ref().and_then(|op| op.body().payload.genesis());
    let mut document = json!({
        "format": "ecac-trust-v2",
        "project": log.project(),
        "name": genesis.map(|genesis| &genesis.name),
        "roots": roots(log, costs),
        "issuer_keys": { "active": sorted(active_json), "revoked": sorted(revoked_json.collect()) },
        "status_lists": status_lists(log),
        "equivocations": equivocations(log),
    });
    beyond_one_root(log, &mut document, costs);
    json::tell_behind(&mut document, log.behind().as_ref());
    json::canonical(&document)
}

/// What the project says of quorum, seals and devices, as far as it uses them.
fn beyond_one_root(log: &Log, document: &mut Json, costs: &mut Costs) {
    let authority = &log.authority;
    let everything = log.dag.everything();
    if let Some(quorum) = authority.quorum() {
        document["quorum"] = quorum.into();
    }
    if log.seen(&everything, costs).in_force(Feature::Seal) {
        let finals = Judge::new(&log.dag, authority, costs).finals_ever();
        let seals = authority.seals().iter().filter_map(|&at| {
            let body = log.body(at)?;
            let Payload::Seal(seal) = &body.payload else {
                return None;
            };
            let (digest, is_final) = (hex::encode(seal.digest), finals.contains(&at));
            let op = log.dag.id(at);
            let entry = json!({ "op": op, "digest": digest, "final": is_final });
            Some((op, entry))
        });
        document["seals"] = sorted(seals.collect()).into();
    }
    if log.seen(&everything, costs).in_force(Feature::Device) {
        let mut devices = Vec::new();
        for (id, link) in authority.links.iter().enumerate() {
            if link.void.is_some() {
                continue;
            }
            let mut judge = Judge::new(&log.dag, authority, costs);
            let mut grants: BTreeSet<OpId> = BTreeSet::new();
            for &grant in authority.grants_of(&link.person) {
                let title = Title {
                    grant,
                    link: Some(id),
                };
                if judge.carries_ever(id, grant) && judge.title_killed_ever(title).is_none() {
                    grants.insert(log.dag.id(authority.grants[grant].op));
                }
            }
            let op = log.dag.id(link.op);
            let entry =
                json!({ "op": op, "person": link.person, "key": link.key, "grants": grants });
            devices.push((op, entry));
        }
        document["devices"] = sorted(devices).into();
    }
}

/// The grants of `root` that count, by the op that makes them and the key.
fn roots(log: &Log, costs: &mut Costs) -> Json {
    let mut roots: BTreeMap<(OpId, PublicKey), (Json, Option<Kill>)> = BTreeMap::new();
    for (id, grant) in log.authority.grants.iter().enumerate() {
        let short = grant.hands_on_root
            && !Judge::new(&log.dag, &log.authority, costs).is_full_ever(grant.op);
        if grant.is_root() && !short {
            let kill = Judge::new(&log.dag, &log.authority, costs).grant_killed_ever(id);
            let place = (log.dag.id(grant.op), grant.subject);
            roots.insert(place, (root_json(log, grant), kill));
        }
    }
    let (mut active, mut revoked) = (Vec::new(), Vec::new());
    for (mut entry, kill) in roots.into_values() {
        match kill {
            None => active.push(entry),
            Some(kill) => {
                entry["denial"] = json!(log.dag.id(kill.denial));
                entry["reason"] = json!(kill.reason);
                revoked.push(entry);
            }
        }
    }
    json!({ "active": active, "revoked": revoked })
}

fn root_json(log: &Log, grant: &Grant) -> Json {
    let seen = log.dag.own(&grant.subject, &log.dag.past(grant.op)).surplus;
    let mut entry = json!({
        "subject": grant.subject,
        "grant": log.dag.id(grant.op),
        "frozen": seen != log.dag.surplus(&grant.subject),
    });
    if let Some(vouched) = grant.vouched() {
        entry["credential"] = json!(log.dag.id(vouched.carrier));
        entry["valid_from"] = json!(vouched.credential.valid_from.to_string());
        entry["valid_until"] = json!(vouched.credential.valid_until.to_string());
    }
    entry
}

/// The entries by the op that makes them.
fn sorted(mut entries: Vec<(OpId, Json)>) -> Vec<Json> {
    entries.sort_by_key(|(op, _)| *op);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

fn key_json(log: &Log, key: &IssuerKey) -> Json {
    json!({
        "issuer": key.issuer,
        "kid": key.kid,
        "public_key": key.public_key,
        "valid_from_ms": key.valid_from_ms,
        "valid_until_ms": key.valid_until_ms,
        "op": log.dag.id(key.op),
    })
}

fn status_lists(log: &Log) -> Vec<Json> {
    let list_json = |((issuer, id, purpose), versions): (
        &(String, String, _),
        &Vec<CountedList>,
    )| {
        let mut merged: Vec<u8> = Vec::new();
        let mut ops: BTreeMap<OpId, String> = BTreeMap::new();
        for version in versions {
            let bytes = version.bits.bytes();
            merged.resize(merged.len().max(bytes.len()), 0);
            merged
                .iter_mut()
                .zip(&bytes)
                .for_each(|(all, byte)| *all |= byte);
            ops.insert(log.dag.id(version.op), hex::encode(Sha256::digest(&bytes)));
        }
        let set: u32 = merged.iter().map(|byte| byte.count_ones()).sum();
        json!({
            "issuer": issuer,
            "id": id,
            "purpose": purpose,
            "sha256": hex::encode(Sha256::digest(&merged)),
            "bits_set": set,
            "versions": ops.iter().map(|(op, digest)| json!({ "op": op, "sha256": digest })).collect::<Vec<_>>(),
        })
    };
    log.authority.lists.iter().map(list_json).collect()
}

fn equivocations(log: &Log) -> Vec<Json> {
    let groups = log.dag.equivocators().flat_map(|(author, forks)| {
        forks.iter().map(move |(seq, ops)| {
            let mut ops: Vec<OpId> = ops.iter().map(|&op| log.dag.id(op)).collect();
            ops.sort_unstable();
            json!({ "author": author, "seq": seq, "ops": ops })
        })
    });
    groups.collect()
}
