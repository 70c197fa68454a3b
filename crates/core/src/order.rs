//! Ops in the order of their links, whatever order they came in.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::OpId;
use crate::op::VerifiedOp;

/// The ops in the one order that their links and ids give: parents before children, and of those that could come next
/// the one with the least id. A parent that is not among them holds nobody up.
///
/// So what a [`crate::Log`] with any limits makes of a file of ops is a function of the set of ops in it. Of several
/// copies of one op, which can differ in their signatures, the least envelope is kept.
#[must_use]
pub fn order_by_links(ops: impl IntoIterator<Item = VerifiedOp>) -> Vec<VerifiedOp> {
    let mut by_id: BTreeMap<OpId, VerifiedOp> = BTreeMap::new();
    for op in ops {
        let kept = by_id.entry(op.id()).or_insert_with(|| op.clone());
        if op.envelope() < kept.envelope() {
            *kept = op;
        }
    }
    let mut children: BTreeMap<OpId, Vec<OpId>> = BTreeMap::new();
    let mut waits_for: BTreeMap<OpId, usize> = BTreeMap::new();
    let mut ready: BTreeSet<OpId> = BTreeSet::new();
    for (id, op) in &by_id {
        let here = op.body().parents.iter().filter(|it| by_id.contains_key(it));
        let mut count = 0;
        for parent in here {
            children.entry(*parent).or_default().push(*id);
            count += 1;
        }
        if count == 0 {
            ready.insert(*id);
        } else {
            waits_for.insert(*id, count);
        }
    }
    let mut ordered = Vec::with_capacity(by_id.len());
    while let Some(id) = ready.pop_first() {
        ordered.extend(by_id.remove(&id));
        for child in children.remove(&id).unwrap_or_default() {
            if let Some(count) = waits_for.get_mut(&child) {
                *count -= 1;
                if *count == 0 {
                    ready.insert(child);
                }
            }
        }
    }
    assert!(by_id.is_empty(), "links are hashes, so they have no circle");
    ordered
}
