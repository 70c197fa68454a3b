//! Strikes: which grants a denial that is registered ends by itself, and what a new grant meets of denials.

use super::aim::Reached;
use super::grant::GrantId;
use super::pages::Pages;
use super::register::Authority;
use super::revocation::Revocation;
use super::status_list::{Bit, ListKey};
use crate::costs::Costs;
use crate::dag::{Dag, Index};
use crate::id::PublicKey;
use crate::tight;

/// Bits that are looked at faster than an earlier version is found.
const FEW_BITS: u64 = 16;
/// Versions of a status list that are tried for one that the next has seen.
const VERSIONS: usize = 16;

impl Authority {
    /// The op makes a grant, a key or a link, which rests on what the op was admitted under.
    pub(super) fn makes(&mut self, at: Index) {
        for title in self.warrants(at).to_vec() {
            let mut made = vec![&mut self.made_under[title.grant]];
            made.extend(title.link.map(|link| &mut self.made_through[link]));
            for made in made {
                if made.last() != Some(&at) {
                    made.push(at);
                }
            }
        }
    }

    /// The new grant meets the revocations of its subject that it has not seen.
    pub(super) fn meet_revocations(&mut self, id: GrantId, dag: &Dag, costs: &mut Costs) {
        let authority = self;
        let (op, subject) = (authority.grants[id].op, authority.grants[id].subject);
        let ends = authority.revocation_ends.get(&subject);
        let mut killers: Vec<Index> = Vec::new();
        if ends.is_some_and(|ends| ends.iter().any(|&end| !dag.before(end, op, costs))) {
            for it in authority.revocations_of(&subject) {
                if it.kills(&authority.grants[id])
                    && !dag.before(it.op, op, costs)
                    && !killers.iter().any(|&known| dag.before(known, it.op, costs))
                {
                    killers.push(it.op);
                }
            }
        }
        if killers.is_empty() {
            tight::push(authority.open.entry(subject).or_default(), id);
        }
        authority.grants[id].killers = killers;
    }

    /// The new revocation strikes the grants of the subject that no revocation in its past ends.
    pub(super) fn strike(
        &mut self,
        subject: PublicKey,
        revocation: &Revocation,
        dag: &Dag,
        costs: &mut Costs,
    ) {
        let at = revocation.op;
        let authority = self;
        let ends = authority.revocation_ends.entry(subject).or_default();
        let all_seen = ends.iter().all(|&end| dag.before(end, at, costs));
        ends.retain(|&end| !dag.before(end, at, costs));
        ends.push(at);
        let candidates = if all_seen {
            authority.open.get(&subject).cloned().unwrap_or_default()
        } else {
            authority.grants_of(&subject).to_vec()
        };
        let mut struck = Vec::new();
        for id in candidates {
            let grant = &mut authority.grants[id];
            let repeats = |&known: &Index| dag.before(known, at, costs);
            if revocation.kills(grant) && !grant.killers.iter().any(repeats) {
                grant.killers.push(at);
                struck.push(id);
            }
        }
        if let Some(open) = authority.open.get_mut(&subject) {
            open.retain(|id| !struck.contains(id));
        }
        authority.touch(struck.iter().map(|&id| Reached::Grant(id)).collect(), at);
        authority.struck.insert(at, struck);
    }

    /// The new version of the list strikes the grants that hang on a bit which it sets and no version in its past does.
    pub(super) fn withdraw(
        &mut self,
        at: Index,
        (key, new): (&ListKey, &Pages),
        dag: &Dag,
        costs: &mut Costs,
    ) {
        let authority = self;
        // What an earlier version sets that this one had seen, this one strikes no more.
        let versions = authority.lists.get(key).into_iter().flatten();
        let worth = if new.count_new(None) > FEW_BITS {
            VERSIONS
        } else {
            0
        };
        let mut latest = versions.rev().take(worth);
        let earlier = latest.find(|it| dag.before(it.op, at, costs));
        let earlier = earlier.map(|it| &it.bits);
        let mut struck = Vec::new();
        let mut strike = |bit: &mut Bit| {
            if !bit.setters.iter().any(|&it| dag.before(it, at, costs)) {
                bit.setters.push(at);
                struck.extend(bit.grants.iter().copied());
            }
        };
        if let Some(bits) = authority.bits.get_mut(key) {
            if new.count_new(earlier) < bits.len() as u64 {
                new.each_new(earlier, |index| {
                    if let Some(bit) = bits.get_mut(&index) {
                        strike(bit);
                    }
                });
            } else {
                for (&index, bit) in bits {
                    if new.get(index) == Some(true) {
                        strike(bit);
                    }
                }
            }
        }
        let all = authority.bits_set.entry(key.clone()).or_default();
        new.add_to(all);
        authority.touch(struck.iter().map(|&id| Reached::Grant(id)).collect(), at);
        authority.struck.insert(at, struck);
    }
}
