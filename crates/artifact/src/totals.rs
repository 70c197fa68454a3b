//! The totals of a run.

use serde::{Deserialize, Serialize};

/// What came out of a run, in numbers. `applied`, `denied`, `refused` and `pending` add up to `ops`; the members are
/// sorted by name, as they stand in `manifest.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Ops that count.
    pub applied: u64,
    /// Ops that were admitted and are denied.
    pub denied: u64,
    /// Ops that arrived.
    pub ops: u64,
    /// Ops that wait for parents.
    pub pending: u64,
    /// Ops that never entered the DAG.
    pub refused: u64,
    /// Denied ops that the observer had applied before.
    pub rolled_back: u64,
    /// SHA-256 of the state export, lower-case hexadecimal.
    pub state_sha256: String,
}
