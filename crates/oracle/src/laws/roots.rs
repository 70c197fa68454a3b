//! Roots where a quorum is needed.

use std::collections::BTreeSet;

use ecac_core::{Decision, Log, OpId, Payload, PublicKey, payload};
use serde_json::Value as Json;

use super::law::{Breach, Law, ensure};
use super::said::Said;

/// Counts the keys behind whatever ended a grant of root, and behind each grant of root that serves.
pub(super) fn check(log: &Log, said: &Said) -> Result<(), Breach> {
    let trust: Json = serde_json::from_slice(&said.trust).unwrap_or_default();
    let k = trust["quorum"].as_u64().unwrap_or(1);
    if k == 1 {
        return Ok(());
    }
    let signers = |id: &OpId| {
        let by: BTreeSet<PublicKey> = log
            .admitted()
            .filter(|op| {
                op.id() == *id || matches!(&op.body().payload, Payload::Cosign(it) if it.op == *id)
            })
            .map(|op| op.body().author)
            .collect();
        u64::try_from(by.len()).unwrap_or(u64::MAX)
    };
    let id_of = |json: &Json| -> Option<OpId> { json.as_str()?.parse().ok() };
    for root in trust["roots"]["revoked"].as_array().into_iter().flatten() {
        let denial = id_of(&root["denial"]);
        let is_holders = denial.and_then(|id| log.get(&id)).is_some_and(|op| {
            let author = op.body().author;
            matches!(&op.body().payload, Payload::Revoke(it) if it.subject == author)
        });
        let enough = denial.is_some_and(|id| signers(&id) >= k);
        ensure(Law::QuorumHolds, is_holders || enough, || {
            format!("too few have signed what ends {root}")
        })?;
    }
    let is_root_grant = |id: &OpId| {
        let grant = log.get(id);
        let grant = grant.as_ref().map(|op| &op.body().payload);
        let Some(Payload::Grant(payload::Grant { credential, .. })) = grant else {
            return false;
        };
        let carrier = log.get(credential);
        let carried = carrier.as_ref().map(|op| &op.body().payload);
        let Some(Payload::Credential(it)) = carried else {
            return false;
        };
        ecac_core::credential::Credential::parse(&it.jwt)
            .is_ok_and(|it| it.role == ecac_core::credential::Role::Root)
    };
    for (op, decision) in &said.replayed.decisions {
        let Decision::Applied { grant: witness } = decision else {
            continue;
        };
        let stands = !is_root_grant(witness) || signers(witness) >= k;
        ensure(Law::QuorumHolds, stands, || {
            format!("{op} rests on {witness}, which too few have signed")
        })?;
    }
    Ok(())
}
