//! Bearing: which ops that a `Cosign` may name can come to something else by ops that are admitted later.

use std::collections::BTreeSet;

use super::register::Authority;
use crate::dag::Index;

impl Authority {
    /// The first op by which the project has more than the rules of grants and denials, if any is.
    pub(crate) fn first_beyond_plain(&self) -> Option<Index> {
        let quorum = (self.quorum > 1).then_some(0);
        let endorsements = self.endorsements.values().flatten().copied();
        let others = [
            self.seals.first().copied(),
            self.links.first().map(|link| link.op),
            endorsements.min(),
        ];
        quorum.or_else(|| others.into_iter().flatten().min())
    }

    /// The ops that a `Cosign` may name, but for `Upgrade`s.
    pub(crate) fn proposals(&self) -> BTreeSet<Index> {
        let upgrades: BTreeSet<Index> = self.features.iter().map(|named| named.op).collect();
        self.quorum_ops.difference(&upgrades).copied().collect()
    }

    /// Whether the op can change what another op of trust or policy does.
    pub(crate) fn acts(&self, op: Index) -> bool {
        self.quorum_ops.contains(&op)
            || self.turning.contains_key(&op)
            || self.endorsed.contains_key(&op)
            || self.grants_by_op.contains_key(&op)
            || self.key_by_op(op).is_some()
    }

    /// The ops that those admitted after the first `since` bear upon, where no seal has become final: what is cosigned, the
    /// denials of what is granted, linked and listed, and the links of whom is granted something.
    pub(crate) fn borne_upon(&self, since: Index) -> BTreeSet<Index> {
        let mut ops = BTreeSet::new();
        for (&signed, cosigns) in &self.cosigns {
            if cosigns.last().is_some_and(|&last| last >= since) {
                ops.insert(signed);
                if let Ok(link) = self.links.binary_search_by_key(&signed, |link| link.op) {
                    let link = &self.links[link];
                    ops.extend(self.unlinking(&link.person, &link.key));
                }
            }
        }
        let grants = &self.grants[self.grants.partition_point(|it| it.op < since)..];
        if !grants.is_empty() {
            ops.extend(self.key_revocations.values().flatten());
            ops.extend(self.list_by_op.keys());
        }
        let subjects: BTreeSet<_> = grants.iter().map(|grant| grant.subject).collect();
        for subject in &subjects {
            let revocations = self.revocations_of(subject).iter();
            ops.extend(revocations.map(|revocation| revocation.op));
        }
        let links = self.links.iter();
        let granted = links.filter(|link| subjects.contains(&link.person));
        ops.extend(granted.map(|link| link.op));
        for ((person, _), ends) in &self.link_revocations {
            if subjects.contains(person) {
                ops.extend(ends.iter().map(|end| end.op));
            }
        }
        for link in &self.links[self.links.partition_point(|it| it.op < since)..] {
            ops.extend(self.unlinking(&link.person, &link.key));
        }
        for key in &self.keys[self.keys.partition_point(|it| it.op < since)..] {
            let named = self
                .key_revocations
                .get(&(key.issuer.clone(), key.kid.clone()));
            ops.extend(named.into_iter().flatten());
        }
        ops
    }
}
