//! The trust view: whom the project trusts, and to say what.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::authority::{IssuerKey, Judge};
use crate::costs::Costs;
use crate::id::OpId;
use crate::json;
use crate::log::Log;

/// Exports the trust view of a log as RFC 8785 canonical JSON; its SHA-256 is the trust digest.
///
/// - `roots`: the keys that genesis names;
/// - `issuer_keys.active`: keys that no denial kills; `conflict` marks those that share issuer and key id with
///   another active key of other bytes;
/// - `issuer_keys.revoked`: the others, each with the denial that kills it;
/// - `status_lists`: every list with a version that counts; `sha256` is that of the bitstring that ORs all
///   versions, because a bit once set denies;
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
    let genesis = log.dag.find(&log.project()).map(|_| log.authority.schema());
    json::canonical(&json!({
        "format": "ecac-trust-v1",
        "project": log.project(),
        "name": genesis.map(|genesis| &genesis.name),
        "roots": genesis.map(|genesis| &genesis.roots),
        "issuer_keys": { "active": sorted(active_json), "revoked": sorted(revoked_json.collect()) },
        "status_lists": status_lists(log),
        "equivocations": equivocations(log),
    }))
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
    let list_json = |((issuer, id, purpose), versions): (&(String, String, _), &Vec<_>)| {
        let mut merged: Vec<u8> = Vec::new();
        let mut ops: BTreeMap<OpId, String> = BTreeMap::new();
        for version in versions {
            let version: &crate::authority::CountedList = version;
            let bytes = version.list.bytes();
            merged.resize(merged.len().max(bytes.len()), 0);
            merged
                .iter_mut()
                .zip(bytes)
                .for_each(|(all, byte)| *all |= byte);
            ops.insert(log.dag.id(version.op), hex::encode(Sha256::digest(bytes)));
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
