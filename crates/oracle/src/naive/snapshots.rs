//! Snapshots: what a past amounts to (`docs/protocol.md`, Snapshots and seals).

use ecac_core::payload::{SetAdd, SetField, SetRemove};
use ecac_core::{Body, Decision, OpId, Payload, Value};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::Oracle;
use super::set::{Op, Set};

impl Oracle {
    /// The digest of a `Seal` that names these admitted ops as its parents: of the snapshot of its past, decided within it.
    ///
    /// # Panics
    ///
    /// Panics if an op is not here.
    #[must_use]
    pub fn snapshot_digest(&self, parents: &[OpId]) -> [u8; 32] {
        let parents: Vec<Op> = parents.iter().map(|id| self.at[id]).collect();
        let past = self.ancestors(&parents);
        let within = past.iter().map(|op| (self.ids[op], &*self.bodies[op]));
        let within = Self::of(self.project, within);
        sha256(&within.snapshot())
    }

    /// The snapshot of everything.
    fn snapshot(&self) -> Json {
        let binds = self.in_force("carry", &self.admitted);
        let mut order: Vec<Op> = self.admitted.iter().collect();
        order.sort_by_key(|op| (self.bodies[*op].hlc, self.ids[*op]));
        let decisions = self.decisions();
        let entry = |op: &Op| {
            let id = self.ids[*op];
            let mut entry = vec![json!(id), json!(decisions[&id].verdict())];
            let skeleton = self.skeleton(*op).filter(|_| binds);
            entry.extend(skeleton.map(|it| json!(it)));
            debug_assert!(!matches!(decisions[&id], Decision::Refused { .. }));
            Json::Array(entry)
        };
        let ops: Vec<Json> = order.iter().map(entry).collect();
        json!({
            "format": if binds { "ecac-snapshot-v2" } else { "ecac-snapshot-v1" },
            "ops": ops,
            "project": self.project,
            "state": hex::encode(sha256(&self.state())),
            "trust": hex::encode(sha256(&self.trust())),
        })
    }

    /// The digest of the skeleton of a plain data op.
    fn skeleton(&self, op: Op) -> Option<String> {
        let body = &self.bodies[op];
        let mut payload = body.payload.clone();
        match &mut payload {
            Payload::SetField(SetField { value, .. }) | Payload::SetAdd(SetAdd { value, .. }) => {
                *value = Value::Null;
            }
            Payload::SetRemove(SetRemove { .. }) => {}
            Payload::Genesis(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => return None,
        }
        let parents: Set = self.parents[op].iter().copied().collect();
        let is_seen = |parent: &Op| parents.iter().any(|it| self.past[it].contains(*parent));
        let last = parents.iter().filter(|parent| !is_seen(parent));
        let mut last: Vec<OpId> = last.map(|parent| self.ids[parent]).collect();
        last.sort_unstable();
        let skeleton = Body {
            author: body.author,
            seq: body.seq,
            parents: last,
            hlc: body.hlc,
            payload,
        };
        let encoded = skeleton.encode().expect("less than what was signed");
        let domain: &[u8] = b"ECAC_SKELETON_V1";
        Some(blake3::hash(&[domain, &encoded].concat()).to_string())
    }
}

/// The SHA-256 of the RFC 8785 form of a document whose names are ASCII.
fn sha256(document: &Json) -> [u8; 32] {
    Sha256::digest(document.to_string()).into()
}
