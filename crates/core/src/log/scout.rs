//! Scouting: what a group of ops will need is looked up ahead of them.
//!
//! What admission reads lies far apart in memory, and to wait for it is much of what an op costs. Reads that do not depend on
//! each other are waited for together: so a group is looked up step by step, each step for all its ops. Where an `approach`
//! only reads, [`black_box`] keeps the read, so that what is read is near when the turn of the op comes.

use core::hint::black_box;

use super::Log;
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
        let payloads = ops.clone().map(|op| &op.body().payload);
        let sights = self.places.sights(payloads);
        self.dag.approach(ops.map(VerifiedOp::id));
        for sight in sights.iter().flatten() {
            let field = self.places.field_in_sight(sight);
            black_box(field.and_then(|field| self.authority.tags_of_field(field)));
        }
        sights
    }
}
