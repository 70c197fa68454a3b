//! Desks: where ops are put that somebody writes, signed at once or rehearsed.

use ecac_core::{AuthorError, Authored, Body, OpId, Payload, Rehearsal, Replica, Sealed, Signer};

/// Where a [`crate::Keyring`] puts the ops that it makes, one after the other.
pub trait Desk {
    /// The replica as it is after the ops that were put here.
    fn replica(&self) -> &Replica;

    /// Puts an op, and says its id.
    ///
    /// # Errors
    /// [`AuthorError`] if it cannot be written.
    fn put(&mut self, payload: Payload) -> Result<OpId, AuthorError>;

    /// Puts a sealed write, whose value `seal` gives, as [`Replica::author_sealed`] does.
    ///
    /// # Errors
    /// [`AuthorError`] if it cannot be written.
    fn put_sealed(
        &mut self,
        payload: Payload,
        seal: &mut dyn FnMut(&Body) -> Option<Sealed>,
    ) -> Result<OpId, AuthorError>;
}

impl Desk for Rehearsal {
    fn replica(&self) -> &Replica {
        Self::replica(self)
    }

    fn put(&mut self, payload: Payload) -> Result<OpId, AuthorError> {
        Ok(self.add(payload)?.op)
    }

    fn put_sealed(
        &mut self,
        payload: Payload,
        seal: &mut dyn FnMut(&Body) -> Option<Sealed>,
    ) -> Result<OpId, AuthorError> {
        Ok(self.add_sealed(payload, seal)?.op)
    }
}

/// A replica that signs each op at once.
pub(crate) struct Signing<'a> {
    pub(crate) replica: &'a mut Replica,
    pub(crate) signer: &'a dyn Signer,
    pub(crate) now_ms: u64,
    /// What was written.
    pub(crate) written: &'a mut Vec<Authored>,
}

impl Signing<'_> {
    fn keep(&mut self, authored: Authored) -> OpId {
        let op = authored.op;
        self.written.push(authored);
        op
    }
}

impl Desk for Signing<'_> {
    fn replica(&self) -> &Replica {
        self.replica
    }

    fn put(&mut self, payload: Payload) -> Result<OpId, AuthorError> {
        let authored = self.replica.author(payload, self.signer, self.now_ms)?;
        Ok(self.keep(authored))
    }

    fn put_sealed(
        &mut self,
        payload: Payload,
        seal: &mut dyn FnMut(&Body) -> Option<Sealed>,
    ) -> Result<OpId, AuthorError> {
        let (signer, now_ms) = (self.signer, self.now_ms);
        let authored = self.replica.author_sealed(payload, seal, signer, now_ms)?;
        Ok(self.keep(authored))
    }
}
