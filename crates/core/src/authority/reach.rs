//! Reach: which grants, keys and links any denial touches, and which ops were admitted under them.
//!
//! What no denial touches, by itself or through what it rests on, lives in every set of ops, and is not judged at all. What
//! is touched may still live.

use super::grant::GrantId;
use super::issuer_key::KeyId;
use super::register::Authority;
use super::stretches::{Stretches, WarrantsId};
use super::title::{LinkId, Title};
use crate::dag::{Dag, Index, Past};

/// What a denial can touch.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reached {
    Grant(GrantId),
    Key(KeyId),
    Link(LinkId),
}

impl Authority {
    /// Whether any denial touches what the title rests on.
    pub(super) fn is_touched(&self, title: Title) -> bool {
        self.grants[title.grant].touched || title.link.is_some_and(|link| self.links[link].touched)
    }

    /// Whether a denial touches each of the titles.
    pub(super) fn all_touched(&self, titles: &[Title]) -> bool {
        !titles.is_empty() && titles.iter().all(|&title| self.is_touched(title))
    }

    /// Marks what a denial touches, and what rests on that.
    pub(super) fn touch(&mut self, first: Vec<Reached>) {
        let mut todo = first;
        while let Some(reached) = todo.pop() {
            let (made, sets) = match reached {
                Reached::Grant(id) => {
                    if core::mem::replace(&mut self.grants[id].touched, true) {
                        continue;
                    }
                    (self.made_under[id].clone(), self.sets_with[id].clone())
                }
                Reached::Link(id) => {
                    if core::mem::replace(&mut self.links[id].touched, true) {
                        continue;
                    }
                    (self.made_through[id].clone(), self.sets_through[id].clone())
                }
                Reached::Key(id) => {
                    if !core::mem::replace(&mut self.keys[id].touched, true) {
                        let resting = self.grants_by_key[id].iter();
                        let fallen = resting.filter(|&&grant| self.keys_are_touched(grant));
                        todo.extend(fallen.map(|&grant| Reached::Grant(grant)));
                    }
                    continue;
                }
            };
            for op in made {
                if let Ok(link) = self.links.binary_search_by_key(&op, |link| link.op) {
                    todo.push(Reached::Link(link));
                } else if self.all_touched(self.warrants(op)) {
                    todo.extend(self.key_by_op(op).map(Reached::Key));
                    let grants = self.grants_by_op(op).iter();
                    todo.extend(grants.map(|&grant| Reached::Grant(grant)));
                }
            }
            for set in sets {
                if self.all_touched(&self.warrants[set as usize]) {
                    self.touched_sets.insert(set);
                }
            }
        }
    }

    /// Whether the grant rests on a credential of which a denial touches every key.
    pub(super) fn keys_are_touched(&self, grant: GrantId) -> bool {
        let vouched = self.grants[grant].vouched();
        vouched.is_some_and(|it| it.keys.iter().all(|&key| self.keys[key].touched))
    }

    /// The ops outside of the denial's past that were admitted under a grant which the denial ends, by itself or through
    /// an issuer key or the grant's author, in a project that [is plain](Self::is_plain): what an earlier denial in its
    /// past had ended is left out, since the later one ends nothing more.
    pub(crate) fn reached_by(&self, denial: Index, dag: &Dag) -> Vec<Index> {
        let past = dag.past(denial);
        let mut grants = self.struck.get(&denial).cloned().unwrap_or_default();
        let mut known = std::collections::BTreeSet::new();
        let mut sets = std::collections::BTreeSet::new();
        while let Some(grant) = grants.pop() {
            if !known.insert(grant) {
                continue;
            }
            sets.extend(self.sets_with[grant].iter().copied());
            for &op in &self.made_under[grant] {
                grants.extend(self.grants_by_op(op));
                let key = self.key_by_op(op);
                grants.extend(key.into_iter().flat_map(|key| self.grants_by_key(key)));
            }
        }
        let under = sets.into_iter().map(|set| &self.under[set as usize]);
        let mut ops: Vec<Index> = under.flat_map(|it| it.outside(dag, &past)).collect();
        ops.sort_unstable();
        ops
    }

    /// The denials from the position on.
    pub(crate) fn denials_from(&self, first: Index) -> impl Iterator<Item = Index> {
        self.denials.range(first..).copied()
    }

    /// The earlier ops whose decisions the op can turn: none but those of which a denial touches every title.
    pub(crate) fn turned_by(&self, op: Index, dag: &Dag) -> Vec<Index> {
        if !self.turning.contains(&op) {
            return self.endorsed.get(&op).cloned().unwrap_or_default();
        }
        let nothing = Past::default();
        let touched = self.touched_sets.iter();
        let under = touched.map(|&set| &self.under[set as usize]);
        let mut ops: Vec<Index> = under.flat_map(|it| it.outside(dag, &nothing)).collect();
        ops.retain(|&earlier| earlier < op);
        ops.sort_unstable();
        ops
    }

    /// The number of the set of titles.
    pub(super) fn intern(&mut self, titles: Box<[Title]>) -> WarrantsId {
        if let Some(&known) = self.warrant_ids.get(&titles) {
            return known;
        }
        let id = u32::try_from(self.warrants.len())
            .expect("fewer than 2^32 sets of grants fit in memory");
        for title in &titles {
            self.sets_with[title.grant].push(id);
            if let Some(link) = title.link {
                self.sets_through[link].push(id);
            }
        }
        if self.all_touched(&titles) {
            self.touched_sets.insert(id);
        }
        self.warrant_ids.insert(titles.clone(), id);
        self.warrants.push(titles);
        self.under.push(Stretches::default());
        id
    }
}
