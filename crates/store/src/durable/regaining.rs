//! Envelopes that were dropped come back (`docs/pruning.md`).

use ecac_core::Regained;

use super::DurableReplica;
use crate::error::Error;

impl DurableReplica {
    /// Gives back envelopes that were dropped here, or never came with a sealed snapshot, as [`ecac_core::Replica::regain`] does.
    ///
    /// Some of them are put back in each transaction, so that it takes little memory; if the process ends in between, the next call
    /// puts back the rest.
    ///
    /// # Errors
    /// [`Error::Regain`]: then nothing has changed. Any other: as [`DurableReplica::receive`].
    pub fn regain<B: AsRef<[u8]> + Sync>(&mut self, envelopes: &[B]) -> Result<Regained, Error> {
        self.check_writes()?;
        let mut regained = Regained::default();
        let mut found = Vec::new();
        for (position, number) in self.replica.regainable(envelopes)? {
            let envelope = envelopes[number].as_ref();
            found.push((position as u64, envelope));
            regained.ops += 1;
            regained.bytes += envelope.len() as u64;
        }
        self.store.regain_all(&found)?;
        regained.others = envelopes.len() - found.len();
        Ok(regained)
    }
}
