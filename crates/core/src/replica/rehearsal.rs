//! Rehearsals: several ops, one after the other, on a copy under no signature.

use super::author::DraftError;
use super::preview::Preview;
use super::{Drafted, Replica};
use crate::costs::Costs;
use crate::id::PublicKey;
use crate::op::{Body, Draft};
use crate::payload::Payload;
use crate::sealed::Sealed;

/// Ops that an author is about to write: each is judged as if those before it were written, and its id may be named by those
/// after it. Nothing is signed, and nothing changes in the replica that it is of.
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
/// let mut rehearsal = replica.rehearse(public_key(&key), 2)?;
/// for status in ["in", "out"] {
///     rehearsal.add(SetField::new("order/1", "status", Value::Text(status.into()))?)?;
/// }
/// let bodies = rehearsal.finish().into_iter().map(|it| it.body).collect();
/// assert_eq!(replica.author_all(bodies, &key)?.ops.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Rehearsal {
    copy: Replica,
    author: PublicKey,
    now_ms: u64,
    previews: Vec<Preview>,
}

impl Replica {
    /// A rehearsal of ops that the author would write now. The cost is that of one copy of the log and of the decisions.
    ///
    /// # Errors
    /// [`DraftError::Store`] if the store of the ops has failed.
    pub fn rehearse(&self, author: PublicKey, now_ms: u64) -> Result<Rehearsal, DraftError> {
        Ok(Rehearsal {
            copy: self.copy()?,
            author,
            now_ms,
            previews: Vec::new(),
        })
    }
}

impl Rehearsal {
    /// The replica as it would be after the ops so far.
    #[must_use]
    pub const fn replica(&self) -> &Replica {
        &self.copy
    }

    /// What the ops so far would do.
    #[must_use]
    pub fn previews(&self) -> &[Preview] {
        &self.previews
    }

    /// Adds an op, and says what it would do.
    ///
    /// # Errors
    /// [`DraftError`] if it could not be written; then the rehearsal is as it was.
    pub fn add(&mut self, payload: impl Into<Payload>) -> Result<&Preview, DraftError> {
        let costs = &mut Costs::default();
        let (author, now_ms) = (self.author, self.now_ms);
        let drafted = self.copy.draft(author, payload.into(), now_ms, costs)?;
        Ok(self.pretend(drafted))
    }

    /// Adds a sealed write, as [`Replica::author_sealed`] writes one.
    ///
    /// # Errors
    /// As [`Rehearsal::add`]; [`DraftError::Unsealed`] if the payload is no sealed write, or `seal` gives nothing, or a value
    /// under another key.
    pub fn add_sealed(
        &mut self,
        payload: impl Into<Payload>,
        seal: &mut dyn FnMut(&Body) -> Option<Sealed>,
    ) -> Result<&Preview, DraftError> {
        let costs = &mut Costs::default();
        let (author, now_ms) = (self.author, self.now_ms);
        let drafted = self.copy.draft(author, payload.into(), now_ms, costs)?;
        let drafted = drafted.sealed(seal, costs)?;
        Ok(self.pretend(drafted))
    }

    fn pretend(&mut self, drafted: Drafted) -> &Preview {
        let preview = self.copy.pretend(drafted);
        let at = self.previews.len();
        self.previews.push(preview);
        &self.previews[at]
    }

    /// What the ops would do, in their order; [`Replica::author_all`] writes their bodies.
    #[must_use]
    pub fn finish(self) -> Vec<Preview> {
        self.previews
    }
}

impl Drafted {
    /// The draft with the value that `seal` gives for it.
    pub(super) fn sealed(
        self,
        seal: &mut dyn FnMut(&Body) -> Option<Sealed>,
        costs: &mut Costs,
    ) -> Result<Self, DraftError> {
        let mut body = self.draft.body().clone();
        let sealed = seal(&body).ok_or(DraftError::Unsealed)?;
        if !body.payload.put_sealed(sealed) {
            return Err(DraftError::Unsealed);
        }
        let draft = Draft::new(body, costs).map_err(|error| DraftError::Encoding { error })?;
        Ok(Self { draft, ..self })
    }
}
