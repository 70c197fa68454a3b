//! Findings: what a judge remembers of signatures and seals.

use std::collections::BTreeMap;

use crate::dag::Index;

/// What has been found out in one set of ops.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) finals: Option<Vec<Index>>,
    pub(super) stale: BTreeMap<Index, bool>,
    pub(super) full: BTreeMap<Index, bool>,
}

/// What has been found out in the pasts of seals; it never changes.
#[derive(Debug, Default)]
pub(super) struct Within {
    pub(super) applied: BTreeMap<(Index, Index), bool>,
    pub(super) ended: BTreeMap<(Index, Index), bool>,
    pub(super) stale: BTreeMap<(Index, Index), bool>,
    pub(super) full: BTreeMap<(Index, Index), bool>,
}
