//! Reach: which grants, keys and links any denial touches, and which ops were admitted under them.
//!
//! What no denial touches, by itself or through what it rests on, lives in every set of ops, and is not judged at all. What
//! is touched may still live.

use std::collections::BTreeSet;

use super::aim::{Aim, Reached};
use super::grant::GrantId;
use super::register::Authority;
use super::title::{LinkId, Title};
use super::warrants::{Warrants, WarrantsId};
use crate::dag::{Dag, Index, narrow};

impl Authority {
    /// Whether any denial touches what the title rests on.
    pub(super) fn is_touched(&self, title: Title) -> bool {
        self.grants[title.grant].touched || title.link.is_some_and(|link| self.links[link].touched)
    }

    /// Whether a denial touches each of the titles.
    pub(super) fn all_touched(&self, titles: &[Title]) -> bool {
        !titles.is_empty() && titles.iter().all(|&title| self.is_touched(title))
    }

    /// Marks what a denial touches, and what rests on that, where it comes to be by the op.
    pub(super) fn touch(&mut self, first: Vec<Reached>, by: Index) {
        let mut todo = first;
        while let Some(reached) = todo.pop() {
            let touched = match reached {
                Reached::Grant(id) => &mut self.grants[id].touched,
                Reached::Link(id) => &mut self.links[id].touched,
                Reached::Key(id) => &mut self.keys[id].touched,
            };
            if core::mem::replace(touched, true) {
                continue;
            }
            self.note_touched(reached);
            let (made, sets) = match reached {
                Reached::Grant(id) => (self.made_under[id].clone(), self.sets_with[id].clone()),
                Reached::Link(id) => (self.made_through[id].clone(), self.sets_through[id].clone()),
                Reached::Key(id) => {
                    let resting = self.grants_by_key[id].iter();
                    let fallen = resting.filter(|&&grant| self.keys_are_touched(grant));
                    todo.extend(fallen.map(|&grant| Reached::Grant(grant)));
                    continue;
                }
            };
            for op in made {
                if let Some(link) = self.link_by_op(op) {
                    todo.push(Reached::Link(link));
                } else if self.all_touched(self.warrants(op)) {
                    todo.extend(self.key_by_op(op).map(Reached::Key));
                    let grants = self.grants_by_op(op).iter();
                    todo.extend(grants.map(|&grant| Reached::Grant(grant)));
                }
            }
            for set in sets {
                self.warrants[set as usize].touched = true;
                if self.all_touched(&self.warrants[set as usize].titles) {
                    self.touched_sets.entry(set).or_insert(by);
                }
            }
        }
    }

    /// Notes whose title is touched, for whoever remembers that none was.
    fn note_touched(&mut self, reached: Reached) {
        match reached {
            Reached::Grant(id) if self.links.is_empty() => {
                self.touched.subjects.push(self.grants[id].subject);
            }
            Reached::Grant(_) | Reached::Link(_) => self.touched.others += 1,
            // What rests on it is touched by itself.
            Reached::Key(_) => {}
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
        let struck = self.struck.get(&denial).into_iter().flatten();
        let struck = struck.map(|&grant| Reached::Grant(grant)).collect();
        let sets = self.resting_on(struck).into_iter();
        let under = sets.map(|set| &self.warrants[set as usize].under);
        let mut ops: Vec<Index> = under.flat_map(|it| it.outside(dag, &past)).collect();
        ops.sort_unstable();
        ops
    }

    /// The sets of titles that have what is given, or what was made under it.
    pub(super) fn resting_on(&self, first: Vec<Reached>) -> BTreeSet<WarrantsId> {
        let mut todo = first;
        let mut known = BTreeSet::new();
        let mut resting = BTreeSet::new();
        while let Some(reached) = todo.pop() {
            if !known.insert(reached) {
                continue;
            }
            let (made, sets) = match reached {
                Reached::Grant(id) => (&self.made_under[id], &self.sets_with[id]),
                Reached::Link(id) => (&self.made_through[id], &self.sets_through[id]),
                Reached::Key(id) => {
                    todo.extend(self.grants_by_key(id).iter().map(|&it| Reached::Grant(it)));
                    continue;
                }
            };
            resting.extend(sets);
            for &op in made {
                todo.extend(self.link_by_op(op).map(Reached::Link));
                todo.extend(self.key_by_op(op).map(Reached::Key));
                todo.extend(self.grants_by_op(op).iter().map(|&it| Reached::Grant(it)));
            }
        }
        resting
    }

    /// The link that the op makes.
    fn link_by_op(&self, op: Index) -> Option<LinkId> {
        self.links.binary_search_by_key(&op, |link| link.op).ok()
    }

    /// What the denial ends if it counts, but for what its past has against it and what rests on that.
    pub(super) fn aimed_at(&self, denial: Index) -> Vec<Reached> {
        match &self.denials[&denial] {
            Aim::Subject(subject) => {
                let of = self.revocations_of(subject);
                let revocation = of.binary_search_by_key(&denial, |it| it.op);
                let revocation = revocation.map(|at| &of[at]);
                let grants = self.grants_of(subject).iter().copied();
                let ended =
                    grants.filter(|&id| revocation.is_ok_and(|it| it.kills(&self.grants[id])));
                ended.map(Reached::Grant).collect()
            }
            Aim::Key(issuer, kid) => {
                let keys = self.keys_named(issuer, kid).iter();
                keys.map(|&key| Reached::Key(key)).collect()
            }
            Aim::List => self.grants_by_list_op(denial).map(Reached::Grant).collect(),
            Aim::Link(person, key) => {
                let links = self.links_of(key).iter().copied();
                let theirs = links.filter(|&link| self.links[link].person == *person);
                theirs.map(Reached::Link).collect()
            }
        }
    }

    /// The denials from the position on.
    pub(crate) fn denials_from(&self, first: Index) -> impl Iterator<Item = Index> {
        self.denials.range(first..).map(|(&denial, _)| denial)
    }

    /// The number of the set of titles, under which the op is admitted.
    pub(super) fn intern(&mut self, titles: Box<[Title]>, dag: &Dag, by: Index) -> WarrantsId {
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
            self.touched_sets.insert(id, by);
        }
        self.warrant_ids.insert(titles.clone(), id);
        let grants = titles.iter().map(|title| self.grants[title.grant].op);
        let least = grants.min_by_key(|&op| dag.id(op)).unwrap_or(0);
        let touched = titles.iter().any(|&title| self.is_touched(title));
        let papers = titles.iter().filter_map(|title| {
            let vouched = self.grants[title.grant].vouched()?;
            Some((
                vouched.credential.valid_from,
                vouched.credential.valid_until,
            ))
        });
        let papers: Vec<_> = papers.collect();
        let mut set = Warrants::new(titles, narrow(least), touched);
        for (valid_from, valid_until) in papers {
            set.bound(valid_from, valid_until);
        }
        self.warrants.push(set);
        id
    }
}
