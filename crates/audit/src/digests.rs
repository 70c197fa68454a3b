//! The digests that checkpoints and syncs state, computed again only where what they cover has changed.

use std::collections::BTreeSet;

use ecac_core::{Change, Decision, Log, OpId, Replay};

use crate::digest::Digest;

/// Digests of a replica's state and of the heads of its DAG.
///
/// A log may state either any number of times over, and whoever verifies it has to follow; so a digest of what has not
/// changed costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    state: Option<Digest>,
    heads: Option<Digest>,
    /// The admitted ops that are nobody's parent, as of the first `admitted` ones.
    ends: BTreeSet<OpId>,
    admitted: usize,
    computed: u64,
}

impl Digests {
    /// Takes note of what an advance of the replay changed.
    pub(crate) fn advanced(&mut self, log: &Log, changes: &[Change]) {
        if changes.iter().any(|change| moves_state(log, change)) {
            self.state = None;
        }
    }

    /// SHA-256 digest of the state export.
    pub(crate) fn state(&mut self, log: &Log, replay: &Replay) -> Digest {
        let computed = &mut self.computed;
        *self.state.get_or_insert_with(|| {
            *computed += 1;
            Digest::of(&replay.state().export(log))
        })
    }

    /// SHA-256 digest of the ids of the DAG's heads, in ascending order.
    pub(crate) fn heads(&mut self, log: &Log) -> Digest {
        if self.admitted < log.admitted_count() {
            for op in log.admitted_since(self.admitted) {
                for parent in &op.body().parents {
                    self.ends.remove(parent);
                }
                self.ends.insert(op.id());
            }
            self.admitted = log.admitted_count();
            self.heads = None;
        }
        let (ends, computed) = (&self.ends, &mut self.computed);
        *self.heads.get_or_insert_with(|| {
            *computed += 1;
            let ids: Vec<u8> = ends.iter().flat_map(|id| *id.as_bytes()).collect();
            Digest::of(&ids)
        })
    }

    /// How many digests were computed.
    pub(crate) const fn computed(&self) -> u64 {
        self.computed
    }
}

/// Whether the state export can differ because of the change: only data ops that count, or counted, are in it.
fn moves_state(log: &Log, change: &Change) -> bool {
    let counts = matches!(change.decision, Decision::Applied { .. });
    (counts || change.was_applied)
        && log
            .get(&change.op)
            .is_some_and(|op| op.body().payload.target().is_some())
}
