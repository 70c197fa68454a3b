//! Scouting: what a group of ops will need is looked up ahead of them.
//!
//! What admission reads lies far apart in memory, and to wait for it is much of what an op costs. Reads that do not depend on
//! each other are waited for together: so a group is looked up step by step, each step for all its ops. An op by itself has no
//! others to wait with, so each step is then for its parents and its author too. Where an `approach` only reads, [`black_box`]
//! keeps the read, so that what is read is near when the turn of the op comes.

use core::hint::black_box;

use super::{Arrival, Log, Outcome, Waits};
use crate::costs::Costs;
use crate::dag::Index;
use crate::op::Incoming;
use crate::place::{Places, Sight};

/// Ops that are scouted together: so many that their reads wait together, so few that what they read is still near when the
/// last of them is admitted.
pub(crate) const GROUP: usize = 64;

impl Log {
    /// Looks ahead for ops that are about to come, and returns the sight of each that is data. It takes nothing in and decides
    /// nothing.
    pub(crate) fn scout<'a>(
        &self,
        ops: impl Iterator<Item = &'a Incoming<'a>> + Clone,
    ) -> Vec<Option<Sight>> {
        let mut sights = Places::sights(ops.clone().map(|op| &op.body().payload));
        let mut group = ops.clone();
        let alone = group.next().filter(|_| group.next().is_none());
        self.dag.approach(ops.map(Incoming::id));
        if let Some(op) = alone {
            self.dag.approach(op.body().parents.iter().copied());
            self.dag.approach_author(&op.body().author);
        }
        self.places.approach_names(&sights);
        let parents: Vec<Index> = match alone {
            Some(op) => {
                let parents = op.body().parents.iter();
                parents.filter_map(|it| self.dag.find(it)).collect()
            }
            None => Vec::new(),
        };
        let chain = alone.and_then(|op| self.dag.approach_chain(&op.body().author));
        self.places.look_up(&mut sights);
        self.dag.approach_pasts(&parents);
        if let Some(chain) = chain {
            self.authority.approach(chain);
        }
        self.places.approach_sights(&sights);
        for sight in sights.iter().flatten() {
            if let Some(chain) = chain {
                self.places.approach_chain(sight, chain);
                self.places.approach_below(&self.dag, sight);
            }
        }
        for sight in sights.iter().flatten() {
            let field = self.places.field_in_sight(sight);
            black_box(field.and_then(|field| self.authority.tags_of_field(field)));
        }
        sights
    }

    /// Takes an op in as [`Log::ingest`] does, and appends what became of it; this is its sight, if it was
    /// [scouted](Log::scout). Nothing becomes of one that lacks a parent and may not wait.
    pub(crate) fn ingest_scouted(
        &mut self,
        op: &Incoming<'_>,
        sight: Option<Sight>,
        waits: Waits<'_>,
        arrivals: &mut Vec<Arrival>,
        costs: &mut Costs,
    ) {
        let id = op.id();
        if self.fault.get().is_some() {
            return;
        }
        let mut released = arrivals.len();
        if self.holds(&id) {
            let outcome = Outcome::Duplicate;
            arrivals.push(Arrival { op: id, outcome });
            return;
        }
        let Some(outcome) = self.judge(op, sight, waits, costs) else {
            return;
        };
        arrivals.push(Arrival { op: id, outcome });
        while let Some(&Arrival { op, outcome }) = arrivals.get(released) {
            released += 1;
            if outcome == Outcome::Pending || self.waiting.is_empty() {
                continue;
            }
            for child in self.waiting.remove(&op).unwrap_or_default() {
                if let Some(op) = self.pending.remove(&child)
                    && let Some(outcome) = self.judge(&op.into(), None, Waits::All, costs)
                {
                    arrivals.push(Arrival { op: child, outcome });
                }
            }
        }
    }
}
