//! Quorum: which ops enough roots have signed.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::payload::{Cosign, DeviceRevoke, Grant, Revoke};
use ecac_core::{Payload, PublicKey};

use super::kills::Within;
use super::set::{Op, Set};
use super::{GrantAt, Oracle};

/// A person and a key that signed for them.
type Pair = (PublicKey, PublicKey);

/// The most pairs of which no two have a person or a key in common.
fn most(pairs: &BTreeSet<Pair>) -> usize {
    let persons: BTreeSet<PublicKey> = pairs.iter().map(|(person, _)| *person).collect();
    let mut chosen = BTreeSet::new();
    for person in persons {
        extend(pairs, &mut chosen, person, &mut BTreeSet::new());
    }
    chosen.len()
}

/// Finds a key for one more person; those who have keys may have to take others.
fn extend(
    pairs: &BTreeSet<Pair>,
    chosen: &mut BTreeSet<Pair>,
    person: PublicKey,
    tried: &mut BTreeSet<PublicKey>,
) -> bool {
    for &(_, key) in pairs.iter().filter(|(it, _)| *it == person) {
        if !tried.insert(key) {
            continue;
        }
        let holder = chosen.iter().copied().find(|(_, it)| *it == key);
        if holder.is_none_or(|(other, _)| extend(pairs, chosen, other, tried)) {
            chosen.retain(|(who, it)| *it != key && *who != person);
            chosen.insert((person, key));
            return true;
        }
    }
    false
}

impl Oracle {
    /// How many roots it takes.
    pub(super) fn k(&self) -> usize {
        let named = self.genesis().and_then(|it| {
            let quorum = it
                .features
                .iter()
                .find(|(name, _)| name.as_str() == "quorum");
            let (_, parameters) = quorum?;
            let k = usize::from(*parameters.first()?);
            (parameters.len() == 1 && (1..=it.roots.len()).contains(&k)).then_some(k)
        });
        named.unwrap_or(1)
    }

    /// Whether the grant is of `root`; of one that is void by what its credential says, if it can be read.
    pub(super) fn is_of_root(&self, grant: GrantAt) -> bool {
        let op = self.grants[grant].op;
        match &self.bodies[op].payload {
            Payload::Grant(Grant { credential, .. }) => {
                let carried = self.carried(credential, &self.past[op]);
                carried.is_some_and(|(_, paper)| {
                    paper.is_some_and(|paper| paper.says.role == Role::Root)
                })
            }
            Payload::Genesis(_) => true,
            Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => unreachable!("only genesis and grants grant"),
        }
    }

    /// Whether the grant stands on its signatures.
    pub(super) fn is_on_signatures(&self, grant: GrantAt) -> bool {
        self.k() > 1 && self.is_of_root(grant)
    }

    /// Whether the op is one of those that a `Cosign` may name.
    pub(super) fn is_quorum_op(&self, op: Op) -> bool {
        match &self.bodies[op].payload {
            Payload::Seal(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Revoke(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_) => true,
            Payload::Grant(_) => (0..self.grants.len())
                .any(|grant| self.grants[grant].op == op && self.is_of_root(grant)),
            Payload::Genesis(_)
            | Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::IssuerKey(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => false,
        }
    }

    /// Whether the op is a denial.
    pub(super) fn is_denial(&self, op: Op) -> bool {
        is_denial(&self.bodies[op].payload)
    }

    /// The op that a `Cosign` signs, if it is here.
    pub(super) fn cosigned(&self, op: Op) -> Option<Op> {
        let Payload::Cosign(Cosign { op }) = &self.bodies[op].payload else {
            return None;
        };
        self.at.get(op).copied()
    }

    /// Whether the author of the denial ends itself.
    pub(super) fn ends_itself(&self, denial: Op) -> bool {
        let author = self.bodies[denial].author;
        match &self.bodies[denial].payload {
            Payload::Revoke(Revoke { subject, .. }) => author == *subject,
            Payload::DeviceRevoke(DeviceRevoke { person, key }) => {
                author == *person || author == *key
            }
            Payload::Genesis(_)
            | Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::Device(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => false,
        }
    }

    /// Whether enough roots have signed the op within the set.
    pub(super) fn is_full(&self, op: Op, ops: &Set) -> bool {
        Within::new(self, ops).is_full(op)
    }
}

/// Whether ops of the kind take authority away.
pub(super) const fn is_denial(payload: &Payload) -> bool {
    match payload {
        Payload::Revoke(_)
        | Payload::IssuerKeyRevoke(_)
        | Payload::StatusList(_)
        | Payload::DeviceRevoke(_) => true,
        Payload::Genesis(_)
        | Payload::SetField(_)
        | Payload::SetAdd(_)
        | Payload::SetRemove(_)
        | Payload::Credential(_)
        | Payload::Grant(_)
        | Payload::IssuerKey(_)
        | Payload::Upgrade(_)
        | Payload::Schema(_)
        | Payload::Seal(_)
        | Payload::Cosign(_)
        | Payload::Endorse(_)
        | Payload::Device(_)
        | Payload::ReaderKey(_)
        | Payload::KeyRotate(_)
        | Payload::KeyGrant(_)
        | Payload::SetFieldSealed(_)
        | Payload::SetAddSealed(_)
        | Payload::Unassigned(_) => false,
    }
}

impl Within<'_> {
    /// Whether the op is in the set and enough roots have signed it there.
    pub(super) fn is_full(&self, op: Op) -> bool {
        let k = self.oracle.k();
        self.ops.contains(op) && (k == 1 || self.pairs(op, None) >= k)
    }

    /// How many persons have signed the op in the set, each with a key of their own; without one of the `Cosign`s, if that
    /// is given.
    pub(super) fn pairs(&self, op: Op, without: Option<Op>) -> usize {
        let oracle = self.oracle;
        let counts = |cosign: &Op| {
            oracle.cosigned(*cosign) == Some(op)
                && without != Some(*cosign)
                && !(oracle.is_denial(op) && self.is_stale(*cosign))
        };
        let signed = core::iter::once(op).chain(self.ops.iter().filter(counts));
        let pairs = signed.flat_map(|by| {
            let roots = oracle.warrants[by].iter();
            let roots = roots.filter(|title| oracle.right(title.grant).role == Role::Root);
            roots.map(move |root| (oracle.grants[root.grant].subject, oracle.bodies[by].author))
        });
        most(&pairs.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_person_and_no_key_counts_twice() {
        let key = |number: u8| PublicKey::from_bytes([number; 32]);
        let check = |pairs: &[(u8, u8)], expected| {
            let pairs = pairs.iter().map(|(person, by)| (key(*person), key(*by)));
            assert_eq!(most(&pairs.collect()), expected);
        };
        check(&[], 0);
        check(&[(1, 1)], 1);
        check(&[(1, 1), (1, 9)], 1);
        check(&[(1, 9), (2, 9)], 1);
        check(&[(1, 1), (2, 2)], 2);
        check(&[(1, 8), (1, 9), (2, 8)], 2);
        check(&[(1, 7), (1, 8), (2, 7), (2, 8), (3, 7), (3, 8)], 2);
        check(&[(1, 7), (2, 7), (2, 8), (3, 8), (3, 9)], 3);
    }
}
