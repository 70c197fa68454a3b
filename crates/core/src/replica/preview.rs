//! Previews: what an op would do, without writing it.

use super::author::DraftError;
use super::event::Received;
use super::receive::Intake;
use super::{Drafted, Replica};
use crate::authority::Effect;
use crate::costs::Costs;
use crate::id::{OpId, PublicKey};
use crate::payload::Payload;
use crate::store::StoreError;

/// What an op would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// The op that the author would write: its id does not depend on the signature.
    pub op: OpId,
    /// What it would name as its parents.
    pub parents: Vec<OpId>,
    /// What it acts on and could not name, as [`crate::Parents::unseen`].
    pub unseen: Vec<OpId>,
    /// What an op of trust or policy would do, or that it would count for nothing and why.
    pub effect: Option<Effect>,
    /// What it would do to this replica: what it rolls back, reinstates and shows.
    pub received: Received,
}

impl Replica {
    /// What an op would do, if its author wrote it now: exactly what [`Replica::author`] reports when nothing else comes
    /// between. Nothing changes, and nobody signs.
    ///
    /// The cost is that of a copy of the log and of the decisions.
    ///
    /// ```
    /// use ecac_core::payload::Revoke;
    /// # use ecac_core::{EffectCode, Genesis, Name, Replica, SigningKey, public_key};
    /// # let (key, other) = (SigningKey::from([1; 32]), SigningKey::from([2; 32]));
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let replica = Replica::create(genesis, &key, 1)?;
    /// let revoke = Revoke::of(public_key(&other));
    /// let preview = replica.preview(revoke, public_key(&key), 2)?;
    /// assert_eq!(preview.received.rolled_back().count(), 0);
    /// assert_eq!(preview.effect.map(|it| it.code), Some(EffectCode::NoGrant));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DraftError`] if it could not be written: among others, that everybody would refuse it, and why.
    pub fn preview(
        &self,
        payload: impl Into<Payload>,
        author: PublicKey,
        now_ms: u64,
    ) -> Result<Preview, DraftError> {
        let costs = &mut Costs::default();
        let Drafted { draft, parents } = self.draft(author, payload.into(), now_ms, costs)?;
        let op = draft.id();
        let mut copy = self.copy()?;
        let mut intake = Intake::default();
        copy.take(draft.pretend(), &mut intake);
        let received = copy.decide(intake);
        Ok(Preview {
            op,
            parents: parents.ids,
            unseen: parents.unseen,
            effect: copy.effect(&op),
            received,
        })
    }

    /// A copy to try things in. Nobody else gets one: who writes on two copies signs one number twice.
    fn copy(&self) -> Result<Self, StoreError> {
        Ok(Self {
            log: self.log.branch()?,
            replay: self.replay.clone(),
            costs: self.costs,
            options: self.options,
        })
    }
}
