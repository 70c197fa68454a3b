//! Writing in a project: what goes into the store goes into the audit log.

use core::ops::Deref;
use std::collections::BTreeMap;

use ecac_core::{
    Authored, AuthoredBatch, Body, Event, OpId, Payload, Pruned, PublicKey, Received, Regained,
    Replica, SigningKey, VerifiedOp,
};
use ecac_store::{BODIES_MAX, DurableReplica};

use crate::error::Error;
use crate::key::Key;
use crate::refused::RefusedOps;
use crate::trail::Trail;

/// The one writer of a project directory.
///
/// What a call has taken in is in the store and in the audit log when it returns. If the process ends in between, the next writer
/// records it.
#[derive(Debug)]
pub struct Writer {
    replica: DurableReplica,
    trail: Trail,
    refused: RefusedOps,
    known: Vec<Vec<u8>>,
}

impl Deref for Writer {
    type Target = Replica;

    fn deref(&self) -> &Replica {
        &self.replica
    }
}

impl Writer {
    pub(crate) fn on(
        mut replica: DurableReplica,
        refused: RefusedOps,
        trail: impl FnOnce(&Replica, &[Vec<u8>]) -> Result<Trail, Error>,
    ) -> Result<Self, Error> {
        let known = refused.read()?;
        if !known.is_empty() {
            // The store remembers refusals as of its last snapshot only.
            replica.receive(&known)?;
        }
        let trail = trail(&replica, &known)?;
        Ok(Self {
            replica,
            trail,
            refused,
            known,
        })
    }

    /// The store.
    #[must_use]
    pub const fn durable(&self) -> &DurableReplica {
        &self.replica
    }

    /// Writes an op.
    ///
    /// # Errors
    /// [`Error::Store`]: among others that everybody would refuse it, or that a backup was restored; [`Error::Unrecorded`].
    pub fn author(
        &mut self,
        payload: impl Into<Payload>,
        key: &Key,
        now_ms: u64,
    ) -> Result<Authored, Error> {
        let payload = payload.into();
        self.sign(key, |replica, signing| {
            replica.author(payload, signing, now_ms)
        })
    }

    /// Writes a `Seal` of everything that it names as its past, as [`DurableReplica::seal`] does.
    ///
    /// # Errors
    /// As [`Writer::author`].
    pub fn seal(&mut self, key: &Key, now_ms: u64) -> Result<Authored, Error> {
        self.sign(key, |replica, signing| replica.seal(signing, now_ms))
    }

    fn sign(
        &mut self,
        key: &Key,
        author: impl FnOnce(&mut DurableReplica, &SigningKey) -> Result<Authored, ecac_store::Error>,
    ) -> Result<Authored, Error> {
        let signing = key.signing();
        self.finish(key)?;
        let authored = author(&mut self.replica, &signing)?;
        self.record(&authored.received)?;
        Ok(authored)
    }

    /// Writes several ops as [`Replica::preview_all`] drafted them, in one transaction of up to [`BODIES_MAX`] of them after the
    /// other: of each, all ops are written or none.
    ///
    /// # Errors
    /// As of [`Writer::author`]; among others if the key has written since they were drafted. What earlier transactions wrote
    /// stays.
    pub fn author_all(&mut self, bodies: Vec<Body>, key: &Key) -> Result<AuthoredBatch, Error> {
        let mut rest = bodies;
        let mut all = self.author_first(&mut rest, key)?;
        while !rest.is_empty() {
            let more = self.author_first(&mut rest, key)?;
            all.ops.extend(more.ops);
            let first = all.received.events.len();
            all.received.events.extend(more.received.events);
            for mut change in more.received.changes {
                change.because.iter_mut().for_each(|it| *it += first);
                all.received.changes.push(change);
            }
        }
        Ok(all)
    }

    /// Writes the first of the bodies in one transaction, and leaves the others.
    fn author_first(&mut self, bodies: &mut Vec<Body>, key: &Key) -> Result<AuthoredBatch, Error> {
        let rest = bodies.split_off(bodies.len().min(BODIES_MAX));
        let now = core::mem::replace(bodies, rest);
        self.finish(key)?;
        let authored = self.replica.author_all(now, &key.signing())?;
        self.record(&authored.received)?;
        Ok(authored)
    }

    /// Records that the reader opened what these ops have under seal: each as [`crate::view_of`] names it.
    ///
    /// # Errors
    /// [`Error::Audit`], [`Error::Io`]: then nobody should be shown it.
    pub fn viewed(&mut self, ops: &[OpId], reader: PublicKey) -> Result<(), Error> {
        self.trail.viewed(&self.replica, ops, reader)
    }

    /// Finishes what the key was about to sign when a process ended, if that was so. Writing does so by itself; whoever previews
    /// does it before, so that what is previewed is what happens.
    ///
    /// # Errors
    /// As of [`Writer::author`].
    pub fn finish(&mut self, key: &Key) -> Result<(), Error> {
        match self.replica.finish(&key.signing())? {
            Some(finished) => self.record(&finished.received),
            None => Ok(()),
        }
    }

    /// Takes in what others sent: one batch.
    ///
    /// # Errors
    /// [`Error::Store`], [`Error::Unrecorded`].
    pub fn receive(&mut self, envelopes: &[&[u8]]) -> Result<Received, Error> {
        self.take(envelopes, |replica| replica.receive(envelopes))
    }

    /// Takes in one batch that comes parents first: an op that comes before a parent is not kept.
    ///
    /// # Errors
    /// As [`Writer::receive`].
    pub fn receive_in_order(&mut self, envelopes: &[&[u8]]) -> Result<Received, Error> {
        self.take(envelopes, |replica| replica.receive_in_order(envelopes))
    }

    fn take(
        &mut self,
        envelopes: &[&[u8]],
        take: impl FnOnce(&mut DurableReplica) -> Result<Received, ecac_store::Error>,
    ) -> Result<Received, Error> {
        let log = self.replica.log();
        let mut waiting: BTreeMap<OpId, Vec<u8>> = BTreeMap::new();
        for op in log.pending() {
            waiting.insert(op.id(), op.envelope().to_vec());
        }
        let received = take(&mut self.replica)?;
        self.remember(&received, envelopes, &waiting)?;
        self.record(&received)?;
        Ok(received)
    }

    /// Records what is in the store.
    fn record(&mut self, received: &Received) -> Result<(), Error> {
        let recorded = self.trail.record(&self.replica, received);
        recorded.map_err(|error| Error::Unrecorded(Box::new(error)))
    }

    /// Keeps the ops that were refused.
    fn remember(
        &mut self,
        received: &Received,
        envelopes: &[&[u8]],
        waiting: &BTreeMap<OpId, Vec<u8>>,
    ) -> Result<(), Error> {
        let refused = received.events.iter().filter_map(|event| match event {
            Event::Refused { op, .. } => Some(op.id),
            Event::Rejected { .. }
            | Event::Duplicate { .. }
            | Event::Pending { .. }
            | Event::Unsupported { .. }
            | Event::Dropped { .. }
            | Event::Applied { .. }
            | Event::Denied { .. }
            | Event::RolledBack { .. }
            | Event::Reinstated { .. } => None,
        });
        let refused: Vec<OpId> = refused.collect();
        if refused.is_empty() {
            return Ok(());
        }
        let mut at_hand = waiting.clone();
        for envelope in envelopes {
            if let Ok(op) = VerifiedOp::read(envelope, &mut ecac_core::Costs::default()) {
                at_hand.insert(op.id(), envelope.to_vec());
            }
        }
        let new: Vec<Vec<u8>> = refused.iter().filter_map(|id| at_hand.remove(id)).collect();
        self.refused.add(&self.known, &new)?;
        self.known.extend(new);
        Ok(())
    }

    /// Says that the store has all that the key has signed, as [`DurableReplica::vouch`] does.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn vouch(&mut self, key: &Key) -> Result<(), Error> {
        Ok(self.replica.vouch(&key.public())?)
    }

    /// Writes a snapshot, so that the next opening need not decide anything again.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn snapshot(&mut self) -> Result<(), Error> {
        Ok(self.replica.snapshot()?)
    }

    /// Drops the envelopes that sealed work supersedes, as [`DurableReplica::prune`] does.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn prune(&mut self) -> Result<Pruned, Error> {
        Ok(self.replica.prune()?)
    }

    /// Gives back envelopes that were dropped, as [`DurableReplica::regain`] does. The audit log has them, or will have them, as ops that
    /// came once.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, Error> {
        Ok(self.replica.regain(envelopes)?)
    }

    /// Ends the use of the store, with a snapshot where one is due.
    ///
    /// # Errors
    /// [`Error::Store`]; what was taken in is there.
    pub fn close(self) -> Result<(), Error> {
        Ok(self.replica.close()?)
    }
}
