//! Quorum and seals: which ops enough roots have signed, and what that does to denials
//! (`docs/policy-model.md`, Quorum, Seals, Endorsements).

use std::collections::{BTreeMap, BTreeSet};

use super::grant::GrantId;
use super::judge::{Judge, View};
use super::title::LinkId;
use crate::dag::{Index, Past};
use crate::id::PublicKey;
use crate::name::Name;

impl Judge<'_> {
    /// Whether the denial ends the grant, if it is given: it is not stale, and if the grant is of root its author ends
    /// itself, or enough roots have signed in time.
    pub(super) fn bites(&mut self, denial: Index, grant: Option<GrantId>, view: View<'_>) -> bool {
        if self.is_stale(denial, view) {
            return false;
        }
        let authority = self.authority;
        let protected = grant.is_some_and(|grant| self.is_on_signatures(grant));
        !protected
            || authority.own_ends.contains(&denial)
            || self.is_full(denial, view) && self.dropping(denial, view).is_empty()
    }

    /// Whether the grant stands on the signatures of several roots.
    pub(super) fn is_on_signatures(&self, grant: GrantId) -> bool {
        self.authority.quorum > 1 && self.authority.grants[grant].is_root()
    }

    /// Whether enough roots have signed the op, which is in the set.
    pub(super) fn is_full(&mut self, op: Index, view: View<'_>) -> bool {
        if self.authority.quorum <= 1 {
            return true;
        }
        if let Some(&known) = self.set.full.get(&op) {
            return known;
        }
        let full = self.pairs(op, None, view) >= self.authority.quorum;
        self.set.full.insert(op, full);
        full
    }

    /// The most pairs of a root and a key that have signed the op, with no root and no key in two of them; `without` one of
    /// the `Cosign`s.
    pub(super) fn pairs(&mut self, op: Index, without: Option<Index>, view: View<'_>) -> usize {
        let mut roots_of: BTreeMap<PublicKey, BTreeSet<PublicKey>> = BTreeMap::new();
        for signed in self.signed(op, without, view) {
            let roots = roots_of.entry(self.dag.node(signed).author).or_default();
            roots.extend(self.roots_behind(signed));
        }
        let edges: Vec<Vec<PublicKey>> = roots_of
            .into_values()
            .map(|roots| roots.into_iter().collect())
            .collect();
        greatest_matching(&edges)
    }

    /// The op, and those of its `Cosign`s in the set that count; `without` one of them.
    fn signed(&mut self, op: Index, without: Option<Index>, view: View<'_>) -> Vec<Index> {
        let authority = self.authority;
        let denial = authority.denials.contains_key(&op);
        let mut signed = vec![op];
        for &cosign in authority.cosigns_of(op) {
            if Some(cosign) != without
                && self.has(cosign, view)
                && !(denial && self.is_stale(cosign, view))
            {
                signed.push(cosign);
            }
        }
        signed
    }

    /// The roots for whom the op's signature can stand.
    fn roots_behind(&self, op: Index) -> BTreeSet<PublicKey> {
        let titles = self.authority.warrants(op).iter();
        let grants = titles.map(|title| &self.authority.grants[title.grant]);
        let roots = grants.filter(|grant| grant.is_root());
        roots.map(|grant| grant.subject).collect()
    }

    /// The seals in the set that enough roots have signed.
    pub(super) fn finals(&mut self, view: View<'_>) -> Vec<Index> {
        if self.authority.seals.is_empty() {
            return Vec::new();
        }
        if let Some(known) = &self.set.finals {
            return known.clone();
        }
        let mut finals = Vec::new();
        for &seal in &self.authority.seals {
            if self.has(seal, view) && self.is_full(seal, view) {
                finals.push(seal);
            }
        }
        self.set.finals = Some(finals.clone());
        finals
    }

    /// Whether a denial, or a `Cosign` of one, counts for nothing because its author had been ended within a final seal's
    /// past that does not have it, and no final seal's past has it where it counts.
    pub(super) fn is_stale(&mut self, op: Index, view: View<'_>) -> bool {
        if self.authority.seals.is_empty() {
            return false;
        }
        if let Some(&known) = self.set.stale.get(&op) {
            return known;
        }
        let stale = !self.binding(op, view) && !self.staling(op, view).is_empty();
        self.set.stale.insert(op, stale);
        stale
    }

    /// Whether the op is in a final seal's past and not stale there.
    fn binding(&mut self, op: Index, view: View<'_>) -> bool {
        self.finals(view)
            .into_iter()
            .any(|seal| self.dag.before(op, seal, self.costs) && !self.is_stale_within(seal, op))
    }

    /// The final seals that do not have the op in their past, and within whose past each of its warrants is killed.
    pub(super) fn staling(&mut self, op: Index, view: View<'_>) -> Vec<Index> {
        let mut finals = self.finals(view);
        finals.retain(|&seal| {
            !self.dag.before(op, seal, self.costs) && self.is_ended_within(seal, op)
        });
        finals
    }

    /// The final seals that have the denial in their past, where too few roots had signed it.
    pub(super) fn dropping(&mut self, denial: Index, view: View<'_>) -> Vec<Index> {
        let mut finals = self.finals(view);
        finals.retain(|&seal| {
            self.dag.before(denial, seal, self.costs) && !self.is_full_within(seal, denial)
        });
        finals
    }

    /// What upholds an op of which every title is killed: the final seal with the least op id in whose past it is applied,
    /// or else the applied `Endorse` with the least op id that names it.
    pub(super) fn upheld(&mut self, op: Index, view: View<'_>) -> Option<Index> {
        let sealed = self.sealing(op, view);
        if let Some(seal) = sealed.into_iter().min_by_key(|&it| self.dag.id(it)) {
            return Some(seal);
        }
        let authority = self.authority;
        let endorsements = authority.endorsements.get(&op)?;
        let mut least: Option<Index> = None;
        for &endorse in endorsements {
            if self.has(endorse, view) && self.decide_in(endorse, view).is_ok() {
                least = least
                    .filter(|&known| self.dag.id(known) < self.dag.id(endorse))
                    .or(Some(endorse));
            }
        }
        least
    }

    /// The final seals in whose past the op is applied.
    pub(super) fn sealing(&mut self, op: Index, view: View<'_>) -> Vec<Index> {
        let mut finals = self.finals(view);
        finals.retain(|&seal| {
            self.dag.before(op, seal, self.costs) && self.is_applied_within(seal, op)
        });
        finals
    }

    /// The final seals that make the op stale among all ops, if it is.
    pub(super) fn stale_ever(&mut self, op: Index) -> Vec<Index> {
        self.ever(|judge, view| {
            if judge.is_stale(op, view) {
                judge.staling(op, view)
            } else {
                Vec::new()
            }
        })
    }

    /// The final seals among all ops that drop the denial.
    pub(super) fn dropped_ever(&mut self, denial: Index) -> Vec<Index> {
        self.ever(|judge, view| judge.dropping(denial, view))
    }

    /// Whether the denial bites the grant among all ops.
    pub(super) fn bites_ever(&mut self, denial: Index, grant: GrantId) -> bool {
        self.ever(|judge, view| judge.bites(denial, Some(grant), view))
    }

    /// The most pairs of a root and a key that have signed the op in the past, which has it.
    pub(crate) fn pairs_in(&mut self, op: Index, past: &Past) -> usize {
        self.in_past(past, |judge, view| judge.pairs(op, None, view))
    }

    /// Whether enough roots have signed the op among all ops.
    pub(crate) fn is_full_ever(&mut self, op: Index) -> bool {
        self.ever(|judge, view| judge.is_full(op, view))
    }

    /// The names of the features that this program does not know and that the genesis, or an `Upgrade` that enough roots
    /// have signed among all ops, names.
    pub(crate) fn unknown_features(&mut self) -> BTreeSet<Name> {
        let mut unknown = BTreeSet::new();
        for (op, name) in self.authority.unknown_features() {
            if op == 0 || self.is_full_ever(op) {
                unknown.insert(name.clone());
            }
        }
        unknown
    }

    /// The op and its `Cosign`s that count among all ops, each with the roots for whom it can stand, and how many of them
    /// count together.
    pub(crate) fn signatures_ever(
        &mut self,
        op: Index,
    ) -> (Vec<(Index, BTreeSet<PublicKey>)>, usize) {
        self.ever(|judge, view| {
            let signed = judge.signed(op, None, view).into_iter();
            let signed = signed.map(|it| (it, judge.roots_behind(it))).collect();
            (signed, judge.pairs(op, None, view))
        })
    }

    /// Whether the op is one that more roots can still sign to some purpose: too few have among all ops, and no final seal
    /// has made it stale, dropped it, or sealed what it would seal.
    pub(crate) fn waits_ever(&mut self, op: Index) -> bool {
        let authority = self.authority;
        self.ever(|judge, view| {
            if judge.is_full(op, view) {
                return false;
            }
            if authority.denials.contains_key(&op) {
                return !judge.is_stale(op, view) && judge.dropping(op, view).is_empty();
            }
            let finals = judge.finals(view).into_iter();
            let mut later = finals.filter(|&seal| judge.dag.before(op, seal, judge.costs));
            !authority.seals.contains(&op) || later.next().is_none()
        })
    }

    /// Whether the `Cosign` brings a pair of a root and a key more.
    pub(super) fn adds_a_pair(&mut self, cosign: Index, signed: Index) -> bool {
        self.ever(|judge, view| {
            judge.pairs(signed, None, view) > judge.pairs(signed, Some(cosign), view)
        })
    }

    /// Whether each title of the op is killed, and no final seal's past has it applied.
    pub(super) fn has_fallen(&mut self, op: Index) -> bool {
        let warrants = self.authority.warrants(op);
        self.ever(|judge, view| {
            judge.all_killed(warrants, op, view) && judge.sealing(op, view).is_empty()
        })
    }

    /// Whether the link carries the grant among all ops.
    pub(crate) fn carries_ever(&mut self, link: LinkId, grant: GrantId) -> bool {
        let authority = self.authority;
        authority.grants[grant].right().is_some()
            && authority.carries_but_short(link, grant, self.dag, self.costs)
            && (!authority.grants[grant].is_root() || self.is_full_ever(authority.links[link].op))
    }

    /// Whether the `DeviceRevoke` reaches the grant of its person.
    pub(super) fn reaches_link(&mut self, op: Index, grant: GrantId) -> bool {
        let authority = self.authority;
        let found = authority.link_revocations.iter().find_map(|(names, ends)| {
            let it = ends.iter().find(|it| it.op == op)?;
            Some((names.0, &it.reach))
        });
        let right = authority.grants[grant].right();
        found.is_some_and(|(person, reach)| {
            right.is_some_and(|(role, scope)| reach.holds(role, scope))
                || !authority
                    .own_for(op, &person, grant, self.dag, self.costs)
                    .is_empty()
        })
    }

    /// Whether the op is applied in the past of a final seal among all ops.
    pub(crate) fn is_sealed_ever(&mut self, op: Index) -> bool {
        self.ever(|judge, view| !judge.sealing(op, view).is_empty())
    }

    /// Whether enough roots have signed the op once `by` is admitted, which is one of them, and not before.
    pub(super) fn fills(&mut self, op: Index, by: Index) -> bool {
        let mut is_full = |until| {
            let mut judge = Judge::until(self.dag, self.authority, Some(until), self.costs);
            judge.is_full_ever(op)
        };
        is_full(by + 1) && (op == by || !is_full(by))
    }

    /// Whether the op is applied in the past of the seal.
    pub(crate) fn seals(&mut self, seal: Index, op: Index) -> bool {
        if !self.dag.before(op, seal, self.costs) {
            return false;
        }
        self.costs.ops_evaluated += 1;
        self.is_applied_within(seal, op)
    }

    /// The final seals among the ops that were admitted before `until`.
    pub(crate) fn finals_until(&mut self, until: Index) -> Vec<Index> {
        Judge::until(self.dag, self.authority, Some(until), self.costs).finals_ever()
    }

    /// The final seals among all ops.
    pub(crate) fn finals_ever(&mut self) -> Vec<Index> {
        self.ever(Self::finals)
    }

    fn is_applied_within(&mut self, seal: Index, op: Index) -> bool {
        if let Some(&known) = self.within.applied.get(&(seal, op)) {
            return known;
        }
        let applied = self.inside(seal, |judge, view| judge.decide_in(op, view).is_ok());
        self.within.applied.insert((seal, op), applied);
        applied
    }

    fn is_ended_within(&mut self, seal: Index, op: Index) -> bool {
        if let Some(&known) = self.within.ended.get(&(seal, op)) {
            return known;
        }
        let warrants = self.authority.warrants(op);
        let ended = self.inside(seal, |judge, view| judge.all_killed(warrants, op, view));
        self.within.ended.insert((seal, op), ended);
        ended
    }

    fn is_stale_within(&mut self, seal: Index, op: Index) -> bool {
        if let Some(&known) = self.within.stale.get(&(seal, op)) {
            return known;
        }
        let stale = self.inside(seal, |judge, view| judge.is_stale(op, view));
        self.within.stale.insert((seal, op), stale);
        stale
    }

    fn is_full_within(&mut self, seal: Index, op: Index) -> bool {
        if let Some(&known) = self.within.full.get(&(seal, op)) {
            return known;
        }
        let full = self.inside(seal, |judge, view| judge.is_full(op, view));
        self.within.full.insert((seal, op), full);
        full
    }
}

/// The size of the greatest matching between the elements and what each can be matched with (augmenting paths).
fn greatest_matching(edges: &[Vec<PublicKey>]) -> usize {
    fn augment(
        from: usize,
        edges: &[Vec<PublicKey>],
        tried: &mut BTreeSet<PublicKey>,
        matched: &mut BTreeMap<PublicKey, usize>,
    ) -> bool {
        for root in &edges[from] {
            if !tried.insert(*root) {
                continue;
            }
            let other = matched.get(root).copied();
            if other.is_none_or(|other| augment(other, edges, tried, matched)) {
                matched.insert(*root, from);
                return true;
            }
        }
        false
    }
    let mut matched = BTreeMap::new();
    for from in 0..edges.len() {
        augment(from, edges, &mut BTreeSet::new(), &mut matched);
    }
    matched.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matching_takes_no_root_and_no_key_twice() {
        let check = |edges: &[&[u8]], want: usize| {
            let edges: Vec<Vec<PublicKey>> = edges
                .iter()
                .map(|roots| {
                    let key = |root: &u8| PublicKey::from_bytes([*root; 32]);
                    roots.iter().map(key).collect()
                })
                .collect();
            assert_eq!(greatest_matching(&edges), want);
        };
        check(&[], 0);
        check(&[&[]], 0);
        check(&[&[1], &[1]], 1);
        check(&[&[1, 2]], 1);
        check(&[&[1, 2], &[1]], 2);
        check(&[&[1, 2], &[1, 3], &[1], &[2]], 3);
    }
}
