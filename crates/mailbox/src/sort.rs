//! Ops of several packs, parents first.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Costs, Op, OpId, Replica};

/// Ops that were read and that the replica does not hold.
#[derive(Debug, Default)]
pub(crate) struct Waiting {
    /// Each with its parents and its copies: one of them may be the one that its author signed.
    ops: BTreeMap<OpId, (Vec<OpId>, BTreeSet<Vec<u8>>)>,
}

impl Waiting {
    /// Adds a copy of an op; its id, if it is one.
    pub(crate) fn add(&mut self, replica: &Replica, envelope: &[u8]) -> Option<OpId> {
        let op = Op::decode(envelope, &mut Costs::default()).ok()?;
        if !replica.log().holds(&op.id()) {
            let parents = op.body().parents.clone();
            let known = self.ops.entry(op.id());
            let known = known.or_insert_with(|| (parents, BTreeSet::new()));
            known.1.insert(envelope.to_vec());
        }
        Some(op.id())
    }

    /// The envelopes of those whose parents are held or among them, parents first; and the ids of the others.
    pub(crate) fn order(self, replica: &Replica) -> (Vec<Vec<u8>>, BTreeSet<OpId>) {
        let mut children: BTreeMap<OpId, Vec<OpId>> = BTreeMap::new();
        let mut missing: BTreeMap<OpId, usize> = BTreeMap::new();
        let mut ready: Vec<OpId> = Vec::new();
        for (id, (parents, _)) in &self.ops {
            let lacks = |it: &&OpId| !replica.log().holds(it);
            let mut count = 0;
            for parent in parents.iter().filter(lacks) {
                children.entry(*parent).or_default().push(*id);
                count += 1;
            }
            missing.insert(*id, count);
            if count == 0 {
                ready.push(*id);
            }
        }
        let mut waiting = self.ops;
        let mut ordered = Vec::new();
        while let Some(id) = ready.pop() {
            ordered.extend(waiting.remove(&id).into_iter().flat_map(|it| it.1));
            for child in children.remove(&id).unwrap_or_default() {
                if let Some(count) = missing.get_mut(&child) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push(child);
                    }
                }
            }
        }
        (ordered, waiting.into_keys().collect())
    }
}
