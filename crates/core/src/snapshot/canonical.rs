//! Snapshots: what a `Seal` is about (`docs/protocol.md`, Snapshots and seals).

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::json;
use crate::log::Log;
use crate::replay::Replay;
use crate::trust::export_trust;

/// The snapshot of these ops and their pasts, decided within them, as RFC 8785 canonical JSON; its SHA-256 is the digest of
/// a `Seal` that names them as its parents. Whoever cosigns a seal compares.
///
/// `None` if one of the ops is not admitted, or if an envelope that was dropped here has a value that shows in it. The cost is
/// that of a replay of those ops.
#[must_use]
pub fn snapshot(log: &Log, parents: &[OpId], costs: &mut Costs) -> Option<Vec<u8>> {
    let parents: Option<Vec<Index>> = parents.iter().map(|id| log.dag.find(id)).collect();
    let past = log.dag.past_of(&parents?);
    let mut sealed = Log::new(log.project());
    let mut hollow: Vec<Index> = Vec::new();
    for at in 0..log.dag.len() {
        if log.dag.contains(&past, at, costs) {
            sealed.ingest(log.op_or_hollow(at)?, costs);
            if log.is_hollow(at) {
                hollow.extend(sealed.dag.find(&log.dag.id(at)));
            }
        }
    }
    let replay = Replay::of(&sealed, costs);
    let shows = |&op: &Index| {
        let place = sealed.places.touched(op).map(|(place, _)| place);
        place.is_some_and(|place| replay.state().winners(&sealed, place).contains(&op))
    };
    if hollow.iter().any(shows) {
        return None;
    }
    let verdict = |at: Index| {
        if replay.is_applied(at) {
            "applied"
        } else {
            "denied"
        }
    };
    let ops: Vec<_> = sealed
        .dag
        .total_order()
        .into_iter()
        .map(|at| json!([sealed.dag.id(at), verdict(at)]))
        .collect();
    let state = Sha256::digest(replay.state().export(&sealed));
    let trust = Sha256::digest(export_trust(&sealed, costs));
    Some(json::canonical(&json!({
        "format": "ecac-snapshot-v1",
        "project": sealed.project(),
        "ops": ops,
        "state": hex::encode(state),
        "trust": hex::encode(trust),
    })))
}
