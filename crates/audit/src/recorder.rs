//! Recording: a replica whose every step leaves its entry.

use std::collections::BTreeMap;

use ecac_core::{
    Arrival, Change, Costs, Decision, Log, OpId, ProjectId, PublicKey, Refusal, Rejected, Replay,
    VerifiedOp,
};

use crate::checkpoint::Origin;
use crate::digest::Digest;
use crate::digests::Digests;
use crate::entry::{Entry, Subject};
use crate::log::AuditLog;
use crate::node_key::NodeKey;
use crate::scribe;

/// A replica of one project that records what it does.
///
/// Ops go in one by one; [`Self::seal`] closes the batch, decides, and hands out the entries. Within a batch stand
/// first the arrivals, views and syncs as they happened, then how many arrivals were no op, then the decisions that changed by
/// op id, then the effects likewise, then the checkpoint if there is one. The entries are thus a function of the arrivals and of where the batches end, of
/// nothing else, so that anyone who holds the ops can compute them again.
#[derive(Debug)]
pub struct Recorder {
    log: Log,
    replay: Replay,
    /// Arrivals that were no op of anybody's, and that no entry counts yet.
    rejected: BTreeMap<Refusal, u64>,
    digests: Digests,
    entries: Vec<Entry>,
    /// Ops that were admitted when the last batch was closed.
    decided: usize,
}

impl Recorder {
    /// A replica that holds nothing.
    #[must_use]
    pub fn new(project: ProjectId) -> Self {
        Self {
            log: Log::new(project),
            replay: Replay::new(),
            rejected: BTreeMap::new(),
            digests: Digests::default(),
            entries: Vec::new(),
            decided: 0,
        }
    }

    /// The ops that the replica holds.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Decisions and state as of the last sealed batch.
    #[must_use]
    pub const fn replay(&self) -> &Replay {
        &self.replay
    }

    /// How many digests of states and of heads were computed: what checkpoints and syncs cost.
    #[must_use]
    pub const fn digests_computed(&self) -> u64 {
        self.digests.computed()
    }

    /// Decodes, verifies and takes in an envelope, as [`Log::receive`] does, and records it.
    ///
    /// # Errors
    ///
    /// [`Rejected`] if the bytes are not canonical or the signature is bad; that is counted.
    pub fn receive(
        &mut self,
        envelope: &[u8],
        costs: &mut Costs,
    ) -> Result<Vec<Arrival>, Rejected> {
        match self.log.receive(envelope, costs) {
            Ok(arrivals) => {
                self.record(&arrivals);
                Ok(arrivals)
            }
            Err(rejected) => {
                self.count_rejected(rejected.reason, 1);
                Err(rejected)
            }
        }
    }

    /// Takes in an op whose signature was verified before, as [`Log::ingest`] does, and records it.
    pub fn ingest(&mut self, op: VerifiedOp, costs: &mut Costs) -> Vec<Arrival> {
        let arrivals = self.log.ingest(op, costs);
        self.record(&arrivals);
        arrivals
    }

    /// Counts arrivals that were refused as no op of anybody's.
    pub(crate) fn count_rejected(&mut self, reason: Refusal, more: u64) {
        scribe::count(&mut self.rejected, reason, more);
    }

    /// Records that envelope `digest` was refused as no op of anybody's, as a recorder does that lists each of them.
    pub(crate) fn list_rejected(&mut self, digest: Digest, reason: Refusal) {
        let subject = Subject::Envelope(digest);
        self.entries.push(Entry::Ingested { subject });
        self.entries.push(Entry::Skipped {
            subject,
            reason,
            witness: None,
        });
    }

    /// Records the arrival of an op that is not here, and so cannot be judged.
    pub(crate) fn ingest_absent(&mut self, op: OpId) {
        let subject = Subject::Op(op);
        self.entries.push(Entry::Ingested { subject });
    }

    /// The entries since the last batch was closed.
    pub(crate) fn open_entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Records that `viewer` read what has the digest `object`.
    pub fn viewed(&mut self, object: Digest, viewer: PublicKey) {
        self.entries.push(Entry::Viewed { object, viewer });
    }

    /// Records that `peer` held the same ops as this replica.
    pub fn synced(&mut self, peer: PublicKey) {
        self.entries.push(Entry::Synced {
            peer,
            heads: self.digests.heads(&self.log),
        });
    }

    /// Closes the batch: decides on what arrived, and hands out its entries. None when nothing happened.
    ///
    /// Arrivals that were no op make no batch of their own: the next one counts them.
    #[must_use]
    pub fn seal(&mut self, costs: &mut Costs) -> Vec<Entry> {
        self.close(false, costs)
    }

    /// Closes the batch as [`Self::seal`] does, with the digest of the state after it.
    #[must_use]
    pub fn seal_with_checkpoint(&mut self, costs: &mut Costs) -> Vec<Entry> {
        self.close(true, costs)
    }

    fn close(&mut self, checkpoint: bool, costs: &mut Costs) -> Vec<Entry> {
        let mut changes = self.replay.advance(&self.log, costs);
        changes.sort_by_key(|change| change.op);
        self.digests.advanced(&self.log, &changes);
        let mut entries = core::mem::take(&mut self.entries);
        let decisions: Vec<Entry> = changes.iter().filter_map(decided).collect();
        let news = checkpoint || !entries.is_empty() || !decisions.is_empty();
        if news {
            entries.extend(scribe::of_rejected(core::mem::take(&mut self.rejected)));
        }
        entries.extend(decisions);
        let since = core::mem::replace(&mut self.decided, self.log.admitted_count());
        entries.extend(scribe::of_effects(&self.log, since));
        if checkpoint {
            entries.push(Entry::Checkpoint {
                ops: self.log.admitted_count() as u64,
                state: self.digests.state(&self.log, &self.replay),
            });
        }
        entries
    }

    /// The first arrival is the op that came in, the others are pending ops that it released.
    fn record(&mut self, arrivals: &[Arrival]) {
        for (at, arrival) in arrivals.iter().enumerate() {
            let told = scribe::of_arrival(arrival, at > 0);
            self.entries.extend(told.into_iter().flatten());
        }
    }
}

/// The entry of a decision on an admitted op.
fn decided(change: &Change) -> Option<Entry> {
    let op = change.op;
    match change.decision {
        Decision::Applied { grant } => Some(match change.cause {
            Some(cause) => Entry::Reinstated { op, grant, cause },
            None => Entry::Applied { op, grant },
        }),
        Decision::Denied { reason, denial } => Some(Entry::RolledBack {
            op,
            reason: reason.into(),
            denial,
        }),
        Decision::Refused { .. } | Decision::Pending { .. } | Decision::Unsupported => None,
    }
}

impl AuditLog {
    /// The audit log of a node that takes the items of an op log in, `batch_ops` to a durable batch (not zero), the
    /// last of them with a checkpoint of the state.
    #[must_use]
    pub fn of_op_log(project: ProjectId, items: &[&[u8]], batch_ops: usize, key: &NodeKey) -> Self {
        let mut costs = Costs::default();
        let mut recorder = Recorder::new(project);
        let mut audit = Self::new(Origin {
            project,
            node: key.public(),
        });
        recorder
            .record_op_log(items, batch_ops, &mut audit, key, &mut costs)
            .expect("a node signs its own log");
        audit
    }
}
