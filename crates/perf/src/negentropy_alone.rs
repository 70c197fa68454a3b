//! Reconciliation by the crate `negentropy` alone: what it takes to find what each side lacks, by times and ids and nothing else.
//!
//! It knows no chains of authors, so it asks about every op; and when it has found what is missing, that has still to be sent.

use anyhow::{Result, ensure};
use ecac_core::OpId;
use negentropy::{Id, Negentropy, NegentropyStorageBase as _, NegentropyStorageVector};

use crate::clock::timed;

/// An op by what both protocols order it by: physical milliseconds, and its id.
pub type Item = (u64, OpId);

/// What it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Processor time of both sides, from their items to the difference.
    pub cpu_ns: u64,
    /// Messages to and fro.
    pub round_trips: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Ids that the one who began has beyond the other one.
    pub had: usize,
    /// Ids that the one who began lacks.
    pub lacked: usize,
}

/// Finds the difference of two sets.
///
/// # Errors
/// What the crate reports.
pub fn find(beginning: &[Item], answering: &[Item]) -> Result<Found> {
    let (cpu_ns, found) = timed(|| -> Result<Found> {
        let mut client = Negentropy::owned(storage(beginning)?, 0)?;
        let mut server = Negentropy::owned(storage(answering)?, 0)?;
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let mut found = Found {
            cpu_ns: 0,
            round_trips: 0,
            bytes: 0,
            had: 0,
            lacked: 0,
        };
        let mut next = Some(client.initiate()?);
        while let Some(query) = next {
            let answer = server.reconcile(&query)?;
            found.round_trips += 1;
            found.bytes += (query.len() + answer.len()) as u64;
            next = client.reconcile_with_ids(&answer, &mut have, &mut need)?;
            ensure!(found.round_trips < 1_000, "negentropy comes to no end");
        }
        (found.had, found.lacked) = (have.len(), need.len());
        Ok(found)
    });
    Ok(Found { cpu_ns, ..found? })
}

fn storage(items: &[Item]) -> Result<NegentropyStorageVector> {
    let mut storage = NegentropyStorageVector::with_capacity(items.len());
    for (ms, id) in items {
        storage.insert(*ms, Id::from_byte_array(*id.as_bytes()))?;
    }
    storage.seal()?;
    ensure!(storage.size()? == items.len(), "an id comes twice");
    Ok(storage)
}
