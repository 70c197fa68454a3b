//! Scouting: what a group of ops will need is looked up ahead of them.
//!
//! What admission reads lies far apart in memory, and to wait for it is much of what an op costs. Reads that do not depend on
//! each other are waited for together: so a group is looked up step by step, each step for all its ops. Where an `approach`
//! only reads, [`black_box`] keeps the read, so that what is read is near when the turn of the op comes.

use core::hint::black_box;

use super::{Arrival, Log, Outcome, Waits};
use crate::costs::Costs;
use crate::op::VerifiedOp;
use crate::place::Sight;

/// Ops that are scouted together: so many that their reads wait together, so few that what they read is still near when the
/// last of them is admitted.
pub(crate) const GROUP: usize = 64;

impl Log {
    /// Looks ahead for ops that are about to come, and returns the sight of each that is data. It takes nothing in and decides
    /// nothing.
    pub(crate) fn scout<'a>(
        &self,
        ops: impl Iterator<Item = &'a VerifiedOp> + Clone,
    ) -> Vec<Option<Sight>> {
        self.dag.approach(ops.clone().map(VerifiedOp::id));
        let sights = self.places.sights(ops.map(|op| &op.body().payload));
        for sight in sights.iter().flatten() {
            let field = self.places.field_in_sight(sight);
            black_box(field.and_then(|field| self.authority.tags_of_field(field)));
        }
        sights
    }

    /// Takes an op in as [`Log::ingest`] does; this is its sight, if it was [scouted](Log::scout). Nothing becomes of one that
    /// lacks a parent and may not wait.
    pub(crate) fn ingest_scouted(
        &mut self,
        op: VerifiedOp,
        sight: Option<Sight>,
        waits: Waits<'_>,
        costs: &mut Costs,
    ) -> Vec<Arrival> {
        let id = op.id();
        if self.fault.get().is_some() {
            return Vec::new();
        }
        if self.holds(&id) {
            return vec![Arrival {
                op: id,
                outcome: Outcome::Duplicate,
            }];
        }
        let Some(outcome) = self.judge(op, sight, waits, costs) else {
            return Vec::new();
        };
        let mut arrivals = vec![Arrival { op: id, outcome }];
        let mut released = 0;
        while let Some(&Arrival { op, outcome }) = arrivals.get(released) {
            released += 1;
            if outcome == Outcome::Pending || self.waiting.is_empty() {
                continue;
            }
            for child in self.waiting.remove(&op).unwrap_or_default() {
                if let Some(op) = self.pending.remove(&child)
                    && let Some(outcome) = self.judge(op, None, Waits::All, costs)
                {
                    arrivals.push(Arrival { op: child, outcome });
                }
            }
        }
        arrivals
    }
}
