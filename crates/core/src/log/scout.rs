//! Scouting: what a group of ops will need is looked up ahead of them.

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
        sights
    }
}
