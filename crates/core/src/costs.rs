//! Counted work.

use serde::{Deserialize, Serialize};

/// Work counted while ops are verified and judged: the deterministic stand-in for time.
///
/// Counters only grow; the same calls on the same inputs count the same on every machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    /// Ed25519 signatures verified: ops, credentials and status lists.
    pub signatures_verified: u64,
    /// Bytes hashed for op ids.
    pub bytes_hashed: u64,
    /// Questions "does a happen before b?".
    pub ancestor_queries: u64,
    /// Decisions made, first ones and repeated ones.
    pub ops_evaluated: u64,
}

impl Costs {
    /// Counts the other work, too.
    pub(crate) const fn add(&mut self, other: &Self) {
        self.signatures_verified += other.signatures_verified;
        self.bytes_hashed += other.bytes_hashed;
        self.ancestor_queries += other.ancestor_queries;
        self.ops_evaluated += other.ops_evaluated;
    }

    /// The work counted since `earlier`.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            signatures_verified: self.signatures_verified - earlier.signatures_verified,
            bytes_hashed: self.bytes_hashed - earlier.bytes_hashed,
            ancestor_queries: self.ancestor_queries - earlier.ancestor_queries,
            ops_evaluated: self.ops_evaluated - earlier.ops_evaluated,
        }
    }
}
