//! What was taken back: work that was admitted and does not count.

use std::collections::BTreeSet;

use super::Replica;
use super::place::Place;
use super::query::Answer;
use crate::authority::Judge;
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::{OpId, PublicKey};
use crate::reason::DenialReason;
use crate::replay::Decision;

/// A data op that was admitted and is denied: what an `Endorse` can give back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenBack {
    /// The op.
    pub op: OpId,
    /// Who wrote it: the key that signed.
    pub author: PublicKey,
    /// The persons under whose grants it was admitted: the author, or those for whom the device signed.
    pub persons: BTreeSet<PublicKey>,
    /// What it touches.
    pub place: Place,
    /// Its stamp, which is the author's word, in milliseconds since the Unix epoch.
    pub stamp_ms: u64,
    /// Why it does not count.
    pub reason: DenialReason,
    /// The denial that took it back.
    pub denial: OpId,
    /// Who wrote the denial: the key that signed.
    pub denier: PublicKey,
    /// Whether a device signed it whose link was ended by somebody who had not seen it: a lost phone, and perhaps a thief.
    pub by_ended_device: bool,
}

impl Replica {
    /// The work that does not count because of what others did concurrently, each op with what took it back, in order of
    /// admission. Data only: what is denied of trust and policy is granted anew, not given back.
    ///
    /// The cost is that of a walk over the decisions, and of judging each op that is denied.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// use ecac_core::{OpId, Replica};
    ///
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// for lost in replica.taken_back().iter() {
    ///     println!("{} {} by {}", lost.op, lost.reason, lost.denial);
    /// }
    /// ```
    #[must_use]
    pub fn taken_back(&self) -> Answer<Vec<TakenBack>> {
        let denied = (0..self.log.dag.len()).filter(|&op| !self.replay.is_applied(op));
        let taken = denied.filter_map(|op| self.taken(op)).collect();
        self.answer(taken)
    }

    fn taken(&self, op: Index) -> Option<TakenBack> {
        let (dag, authority) = (&self.log.dag, &self.log.authority);
        let place = Place::of(&self.log.body(op)?.payload)?;
        let node = dag.node(op);
        let Decision::Denied { reason, denial } = self.decision(&node.id)? else {
            return None;
        };
        let titles = authority.warrants(op).iter();
        let costs = &mut Costs::default();
        let by_ended_device = Judge::new(dag, authority, costs).has_lost_its_links(op);
        Some(TakenBack {
            op: node.id,
            author: node.author,
            persons: titles
                .map(|title| authority.grants[title.grant].subject)
                .collect(),
            place,
            stamp_ms: node.hlc.physical_ms,
            reason,
            denial,
            denier: dag.node(dag.find(&denial)?).author,
            by_ended_device,
        })
    }
}
