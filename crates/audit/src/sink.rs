//! Where a recorder's batches go.

use ecac_core::Costs;

use crate::checkpoint::Checkpoint;
use crate::disk::{Directory, DiskError, DiskLog};
use crate::entry::Entry;
use crate::log::{AuditLog, CommitError};
use crate::node_key::NodeKey;
use crate::recorder::Recorder;

/// A log that takes batches: in memory or on disk, the same bytes for the same batches.
pub trait Sink {
    /// Why it takes one not.
    type Error;

    /// Appends `entries`, which are not empty, and one head that `key` signs and that covers them.
    ///
    /// # Errors
    ///
    /// Those of the log.
    fn commit(&mut self, entries: Vec<Entry>, key: &NodeKey) -> Result<Checkpoint, Self::Error>;
}

impl Sink for AuditLog {
    type Error = CommitError;

    fn commit(&mut self, entries: Vec<Entry>, key: &NodeKey) -> Result<Checkpoint, CommitError> {
        self.commit_batch(entries, key)?;
        let checkpoint = self.checkpoint().cloned();
        checkpoint.ok_or(CommitError::EmptyBatch)
    }
}

impl<D: Directory> Sink for DiskLog<D> {
    type Error = DiskError;

    fn commit(&mut self, entries: Vec<Entry>, key: &NodeKey) -> Result<Checkpoint, DiskError> {
        self.commit_batch(&entries, key).cloned()
    }
}

impl Recorder {
    /// Closes the batch as [`Self::seal`] does, and commits it; `None` when nothing happened.
    ///
    /// # Errors
    ///
    /// Those of the sink; the entries are lost then, and the recorder is to be made anew from the log.
    pub fn seal_into<S: Sink>(
        &mut self,
        sink: &mut S,
        key: &NodeKey,
        costs: &mut Costs,
    ) -> Result<Option<Checkpoint>, S::Error> {
        commit(sink, self.seal(costs), key)
    }

    /// Closes the batch as [`Self::seal_with_checkpoint`] does, and commits it.
    ///
    /// # Errors
    ///
    /// As of [`Self::seal_into`].
    pub fn seal_with_checkpoint_into<S: Sink>(
        &mut self,
        sink: &mut S,
        key: &NodeKey,
        costs: &mut Costs,
    ) -> Result<Option<Checkpoint>, S::Error> {
        commit(sink, self.seal_with_checkpoint(costs), key)
    }

    /// Takes the items of an op log in and commits what that gives: `batch_ops` (not zero) to a durable batch, the last
    /// of them with a checkpoint of the state.
    ///
    /// # Errors
    ///
    /// As of [`Self::seal_into`].
    pub fn record_op_log<S: Sink>(
        &mut self,
        items: &[&[u8]],
        batch_ops: usize,
        sink: &mut S,
        key: &NodeKey,
        costs: &mut Costs,
    ) -> Result<(), S::Error> {
        let last = items.len().div_ceil(batch_ops);
        for (number, batch) in (1..).zip(items.chunks(batch_ops)) {
            for item in batch {
                // What is rejected is counted.
                let _ = self.receive(item, costs);
            }
            if number == last {
                self.seal_with_checkpoint_into(sink, key, costs)?;
            } else {
                self.seal_into(sink, key, costs)?;
            }
        }
        Ok(())
    }
}

fn commit<S: Sink>(
    sink: &mut S,
    entries: Vec<Entry>,
    key: &NodeKey,
) -> Result<Option<Checkpoint>, S::Error> {
    if entries.is_empty() {
        return Ok(None);
    }
    sink.commit(entries, key).map(Some)
}
