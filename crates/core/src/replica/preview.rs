//! Previews: what an op would do, without writing it.

use super::author::DraftError;
use super::event::Received;
use super::receive::Intake;
use super::{Drafted, Replica};
use crate::authority::Effect;
use crate::costs::Costs;
use crate::id::{OpId, PublicKey};
use crate::op::Body;
use crate::payload::Payload;
use crate::store::StoreError;

/// What an op would do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Preview {
    /// The op that the author would write: its id does not depend on the signature.
    pub op: OpId,
    /// What would be signed, with [`Preview::parents`] in it: [`Replica::author_all`] takes it.
    pub body: Body,
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
        let drafted = self.draft(author, payload.into(), now_ms, costs)?;
        Ok(self.copy()?.pretend(drafted))
    }

    /// What several ops would do, if their author wrote them now, one after the other: `next` is shown the previews so far,
    /// whose ids an op may name, and says what comes next, or that this is all. [`Replica::author_all`] writes them.
    ///
    /// The cost is that of one copy of the log and of the decisions.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let mut replica = Replica::create(genesis, &key, 1)?;
    /// let writes = ["in", "out"].map(|it| SetField::new("order/1", "status", Value::Text(it.into())));
    /// let [first, second] = writes;
    /// let mut writes = [first?, second?].into_iter();
    /// let previews = replica.preview_all(public_key(&key), 2, &mut |_| writes.next().map(Into::into))?;
    /// assert_eq!(previews[1].parents, [previews[0].op]);
    ///
    /// let bodies = previews.into_iter().map(|it| it.body).collect();
    /// let written = replica.author_all(bodies, &key)?;
    /// assert_eq!(written.received.changes.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DraftError`] of the first op that could not be written.
    pub fn preview_all(
        &self,
        author: PublicKey,
        now_ms: u64,
        next: &mut dyn FnMut(&[Preview]) -> Option<Payload>,
    ) -> Result<Vec<Preview>, DraftError> {
        let mut rehearsal = self.rehearse(author, now_ms)?;
        while let Some(payload) = next(rehearsal.previews()) {
            rehearsal.add(payload)?;
        }
        Ok(rehearsal.finish())
    }

    /// Takes in what was drafted on this copy, under no signature.
    pub(super) fn pretend(&mut self, drafted: Drafted) -> Preview {
        let Drafted { draft, parents } = drafted;
        let (op, body) = (draft.id(), draft.body().clone());
        let mut intake = Intake::default();
        self.take(draft.pretend(), &mut intake);
        let received = self.decide(intake);
        Preview {
            op,
            body,
            parents: parents.ids,
            unseen: parents.unseen,
            effect: self.effect(&op),
            received,
        }
    }

    /// A copy to try things in. Nobody else gets one: who writes on two copies signs one number twice.
    pub(super) fn copy(&self) -> Result<Self, StoreError> {
        Ok(Self {
            log: self.log.branch()?,
            replay: self.replay.clone(),
            costs: self.costs,
            options: self.options,
        })
    }
}
