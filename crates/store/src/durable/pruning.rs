//! Dropping what sealed work supersedes (`docs/pruning.md`).

use ecac_core::Pruned;

use super::DurableReplica;
use crate::error::Error;

impl DurableReplica {
    /// What [`DurableReplica::prune`] would drop.
    #[must_use]
    pub fn prunable(&self) -> Pruned {
        self.prunable_at().1
    }

    fn prunable_at(&self) -> (Vec<u64>, Pruned) {
        let log = self.replica.log();
        let mut pruned = Pruned::default();
        let mut positions = Vec::new();
        for op in self.replica.superseded() {
            // What was dropped before has no envelope.
            if let (Some(at), Some(envelope)) = (log.position(&op), self.replica.envelope(&op)) {
                positions.push(at as u64);
                pruned.ops += 1;
                pruned.bytes += envelope.len() as u64;
            }
        }
        (positions, pruned)
    }

    /// Drops the envelopes that [`ecac_core::Replica::prune`] would drop, for good; ids, links and decisions stay. A snapshot is written
    /// first, which tells from then on what is known of the ops without their envelopes: it is no convenience any more. The file
    /// becomes shorter when it is closed.
    ///
    /// Some envelopes are dropped in each transaction, so that it takes little memory; if the process ends in between, the next call
    /// drops the rest.
    ///
    /// # Errors
    /// As [`DurableReplica::receive`].
    pub fn prune(&mut self) -> Result<Pruned, Error> {
        self.check_writes()?;
        let (positions, pruned) = self.prunable_at();
        self.check_fault()?;
        if positions.is_empty() {
            return Ok(pruned);
        }
        if self.store.snapshot_ops() != Some(self.store.ops()) {
            self.snapshot()?;
        }
        self.store.drop_all(&positions)?;
        Ok(pruned)
    }
}
