//! A replica that survives: the engine's, on a store.

mod pruning;
mod regaining;

use core::ops::Deref;
use std::path::PathBuf;

use ecac_core::{
    AuthorError, Authored, AuthoredBatch, Body, DraftError, Event, OpId, Payload, PublicKey,
    Received, Refusal, Replica, Signer,
};

use crate::error::{Error, Spot};
use crate::inner::Changes;
use crate::marker::{self, BODIES_MAX, Marker, Marking};
use crate::reader::Reader;
use crate::store::Store;

/// Ops after which a first snapshot is written.
const SNAPSHOT_OPS_MIN: u64 = 4096;
/// A snapshot is due when a quarter of its ops has been added, so that all of them together cost a few times the last one.
const SNAPSHOT_SHARE: u64 = 4;
/// When a replica is closed, a snapshot is due after a sixty-fourth.
const SNAPSHOT_SHARE_CLOSING: u64 = 64;
/// But not for fewer than so many ops.
const SNAPSHOT_OPS_CLOSING: u64 = 256;

/// A [`Replica`] on a [`Store`]: what it has taken in or written is on the disk when the call returns.
///
/// Each batch is one transaction: after a crash it is there whole, or not at all. What was refused is remembered as of the last
/// snapshot only: a refused op that comes again is refused again, for the same reason.
///
/// ```
/// use ecac_core::payload::SetField;
/// use ecac_core::{Genesis, Name, SigningKey, Value, public_key};
/// use ecac_store::DurableReplica;
///
/// let key = SigningKey::from([1; 32]);
/// let genesis = Genesis {
///     name: Name::new("shop")?,
///     nonce: [0; 16],
///     roots: [public_key(&key)].into(),
///     schema: [].into(),
///     features: [].into(),
/// };
/// let directory = tempfile::tempdir()?;
/// let file = directory.path().join("shop.ecac");
/// let mut replica = DurableReplica::create(&file, genesis, &key, 1_767_225_600_000)?;
/// let repaired = SetField::new("order/1", "status", Value::Text("repaired".into()))?;
/// replica.author(repaired, &key, 1_767_225_600_001)?;
/// let digest = replica.state_digest();
/// replica.close()?;
///
/// let replica = DurableReplica::open(&file)?;
/// assert_eq!(replica.state_digest(), digest);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct DurableReplica {
    replica: Replica,
    store: Store,
    markers: Option<PathBuf>,
}

const fn is_send<T: Send>() {}
const _: () = is_send::<DurableReplica>();

impl Deref for DurableReplica {
    type Target = Replica;

    fn deref(&self) -> &Replica {
        &self.replica
    }
}

impl DurableReplica {
    /// The replica of what the store has. Commits what an earlier version of this program could not judge, and this one has
    /// admitted.
    pub(crate) fn of(
        replica: Replica,
        store: Store,
        markers: Option<PathBuf>,
    ) -> Result<Self, Error> {
        let mut replica = Self {
            replica,
            store,
            markers,
        };
        if replica.store.has_appended() && !replica.store.reads_only() {
            replica.commit_held()?;
        }
        Ok(replica)
    }

    /// Reads what is committed, from other threads, while this replica goes on.
    #[must_use]
    pub fn reader(&self) -> Reader {
        self.store.reader()
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Takes in a batch, as [`Replica::receive`] does, and commits it.
    ///
    /// # Errors
    /// [`Error`]: nothing of the batch is in the store. Open it again: this replica takes in nothing more.
    pub fn receive<B: AsRef<[u8]> + Sync>(&mut self, envelopes: &[B]) -> Result<Received, Error> {
        self.check_writes()?;
        let received = self.replica.receive(envelopes);
        self.commit(&received.events, false)?;
        Ok(received)
    }

    /// Takes in a batch that comes parents first, as [`Replica::receive_in_order`] does, and commits it.
    ///
    /// # Errors
    /// As [`DurableReplica::receive`].
    pub fn receive_in_order<B: AsRef<[u8]> + Sync>(
        &mut self,
        envelopes: &[B],
    ) -> Result<Received, Error> {
        self.check_writes()?;
        let received = self.replica.receive_in_order(envelopes);
        self.commit(&received.events, false)?;
        Ok(received)
    }

    /// Writes an op, as [`Replica::author`] does, and commits it.
    ///
    /// With [`crate::Options::markers`] the op is marked before it is signed, and what was marked and not finished before is
    /// finished first: also an op whose commit has failed.
    ///
    /// # Errors
    /// [`Error::Author`]: then nothing has changed. [`Error::RestoredBackup`] and [`Error::NoMarker`]: then nothing was signed.
    /// Any other: open the store again.
    pub fn author(
        &mut self,
        payload: impl Into<Payload>,
        signer: &dyn Signer,
        now_ms: u64,
    ) -> Result<Authored, Error> {
        self.finish(signer)?;
        let payload = payload.into();
        self.sign(signer, |replica, signer| {
            Ok(replica.author(payload, signer, now_ms)?)
        })
    }

    /// Writes a `Seal`, as [`Replica::seal`] does, and commits it.
    ///
    /// # Errors
    /// As [`DurableReplica::author`].
    pub fn seal(&mut self, signer: &dyn Signer, now_ms: u64) -> Result<Authored, Error> {
        self.finish(signer)?;
        self.sign(signer, |replica, signer| Ok(replica.seal(signer, now_ms)?))
    }

    /// Writes several ops in one transaction, as [`Replica::author_all`] does: after a crash all of them are there, or none, or they are
    /// finished by the next [`DurableReplica::finish`].
    ///
    /// # Errors
    /// As [`DurableReplica::author`]; [`Error::TooMany`] for more than 16 bodies.
    pub fn author_all(
        &mut self,
        bodies: Vec<Body>,
        signer: &dyn Signer,
    ) -> Result<AuthoredBatch, Error> {
        self.finish(signer)?;
        self.sign_all(bodies, signer)
    }

    /// Finishes what the signer was about to sign when the process ended, if that was so: the same bodies are signed and
    /// taken in, in one transaction. [`DurableReplica::author`] does so by itself.
    ///
    /// # Errors
    /// As [`DurableReplica::author`].
    pub fn finish(&mut self, signer: &dyn Signer) -> Result<Option<AuthoredBatch>, Error> {
        self.check_writes()?;
        let bodies = self.unfinished(&signer.public_key())?;
        if bodies.is_empty() {
            return Ok(None);
        }
        self.sign_all(bodies, signer).map(Some)
    }

    /// What the key was about to sign and the store does not have, if that is what comes next of its author; empty if there is
    /// nothing.
    ///
    /// # Errors
    /// [`Error::RestoredBackup`] if the store lacks more than that; [`Error::NoMarker`]; [`Error::Damaged`] and [`Error::Io`]
    /// of the marker.
    pub fn unfinished(&self, author: &PublicKey) -> Result<Vec<Body>, Error> {
        let Some(markers) = &self.markers else {
            return Ok(Vec::new());
        };
        let path = Marker::path(markers, &self.replica.project(), author);
        let file = || self.store.file().to_owned();
        let held = self.replica.next_seq(author);
        let Some(marker) = Marker::read(&path)? else {
            if held == 0 {
                return Ok(Vec::new());
            }
            return Err(Error::NoMarker {
                file: file(),
                author: *author,
                marker: path,
            });
        };
        let log = self.replica.log();
        let ops: Vec<OpId> = marker.ops().collect();
        let is_here = |op: &OpId| log.position(op).is_some();
        let here = ops.iter().take_while(|op| is_here(op)).count();
        let mut bodies = marker::decoded(&path, &marker)?;
        let missing = bodies.split_off(here);
        let Some(last) = missing.last() else {
            return Ok(missing);
        };
        // Each may rest on those before it.
        let is_known = |op: &OpId| is_here(op) || ops.contains(op);
        let is_next =
            |(seq, body): (u64, &Body)| body.seq == seq && body.parents.iter().all(is_known);
        if (held..).zip(&missing).all(is_next) {
            return Ok(missing);
        }
        Err(Error::RestoredBackup {
            file: file(),
            author: *author,
            op: ops
                .last()
                .copied()
                .unwrap_or_else(|| self.replica.project()),
            signed: last.seq,
            held,
            marked: marker.generation,
            generation: self.store.generation(),
        })
    }

    /// Says that the store has all that the key has signed: what was marked is forgotten, and what the author's ops here end
    /// with is marked. Say so only after receiving from a peer who had everything.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Damaged`] if an op cannot be read.
    pub fn vouch(&mut self, author: &PublicKey) -> Result<(), Error> {
        let Some(markers) = &self.markers else {
            return Ok(());
        };
        let path = Marker::path(markers, &self.replica.project(), author);
        if self.replica.next_seq(author) == 0 {
            return Marker::remove(&path);
        }
        let generation = self.store.generation();
        // If the envelope of the last op was dropped, an earlier one says as well that nothing is missing, and so does none.
        let own = self.replica.ops().filter(|op| op.body().author == *author);
        let last = own.max_by_key(|op| op.body().seq);
        self.check_fault()?;
        let Some(last) = last else {
            let bodies = Vec::new();
            return Marker { generation, bodies }.write(&path);
        };
        let body = last.body().encode();
        let body =
            body.map_err(|error| Error::damaged(self.store.file(), Spot::File, error.to_string()))?;
        let bodies = vec![body];
        Marker { generation, bodies }.write(&path)
    }

    /// Has bodies signed that are marked before, all at once, and commits the ops.
    fn sign_all(&mut self, bodies: Vec<Body>, signer: &dyn Signer) -> Result<AuthoredBatch, Error> {
        self.check_writes()?;
        if bodies.len() > BODIES_MAX {
            return Err(Error::TooMany {
                found: bodies.len(),
                most: BODIES_MAX,
            });
        }
        // Before anything is marked: what does not come next would look like a restored backup.
        let author = signer.public_key();
        let seqs = self.replica.next_seq(&author)..;
        if !seqs.zip(&bodies).all(|(seq, body)| body.seq == seq) {
            let (reason, witness) = (Refusal::BadSequence, None);
            return Err(AuthorError::from(DraftError::Refused { reason, witness }).into());
        }
        let marked = self.mark(&bodies, &author)?;
        let authored = self.replica.author_all(bodies, signer);
        let authored = authored.map_err(|error| {
            // Nothing that was signed has left the process.
            let back = marked.map_or(Ok(()), |(path, before)| Marker::put_back(before, &path));
            back.err().unwrap_or_else(|| error.into())
        })?;
        self.commit(&authored.received.events, false)?;
        Ok(authored)
    }

    /// Marks what is about to be signed; returns where, and what was marked there before.
    fn mark(
        &self,
        bodies: &[Body],
        author: &PublicKey,
    ) -> Result<Option<(PathBuf, Option<Marker>)>, Error> {
        let (Some(markers), false) = (&self.markers, bodies.is_empty()) else {
            return Ok(None);
        };
        let path = Marker::path(markers, &self.replica.project(), author);
        let before = Marker::read(&path)?;
        let encoded = bodies.iter().map(|body| {
            let encoding = |error| AuthorError::from(DraftError::Encoding { error });
            Ok::<_, Error>(body.encode().map_err(encoding)?)
        });
        let marker = Marker {
            generation: self.store.generation() + 1,
            bodies: encoded.collect::<Result<_, _>>()?,
        };
        marker.write(&path)?;
        Ok(Some((path, before)))
    }

    fn sign(
        &mut self,
        signer: &dyn Signer,
        author: impl FnOnce(&mut Replica, &dyn Signer) -> Result<Authored, Error>,
    ) -> Result<Authored, Error> {
        self.check_writes()?;
        let authored = match &self.markers {
            Some(markers) => {
                let project = Some(self.replica.project());
                let generation = self.store.generation() + 1;
                let marking = Marking::new(signer, markers, project, generation);
                let authored = author(&mut self.replica, &marking);
                authored.map_err(|error| marking.failed().unwrap_or(error))?
            }
            None => author(&mut self.replica, signer)?,
        };
        self.commit(&authored.received.events, false)?;
        Ok(authored)
    }

    /// Writes a snapshot, so that the next opening need not decide anything again.
    ///
    /// # Errors
    /// As [`DurableReplica::receive`].
    pub fn snapshot(&mut self) -> Result<(), Error> {
        self.commit(&[], true)
    }

    /// Writes a snapshot if enough has been added, and ends the use of the file. Dropping does without the snapshot.
    ///
    /// # Errors
    /// [`Error`]; what was committed is there.
    pub fn close(mut self) -> Result<(), Error> {
        let (ops, before) = (self.store.ops(), self.store.snapshot_ops().unwrap_or(0));
        let due = SNAPSHOT_OPS_CLOSING.max(before / SNAPSHOT_SHARE_CLOSING);
        if !self.store.reads_only() && ops.saturating_sub(before) >= due {
            self.snapshot()?;
        }
        drop(self.replica);
        self.store.close()
    }

    /// Whether something can be written.
    fn check_writes(&self) -> Result<(), Error> {
        self.check_fault()?;
        self.store.check_writes()
    }

    /// Whether the engine has failed to read an op.
    fn check_fault(&self) -> Result<(), Error> {
        let Some(fault) = self.replica.fault() else {
            return Ok(());
        };
        self.store.break_off(&fault.reason);
        Err(Error::damaged(
            self.store.file(),
            Spot::File,
            fault.reason.to_string(),
        ))
    }

    /// Commits what these events tell of, and a snapshot where one is wanted or due.
    fn commit(&mut self, events: &[Event], snapshot: bool) -> Result<(), Error> {
        self.check_fault()?;
        let mut changes = Changes::default();
        if events.iter().any(|event| self.touches_held(event)) {
            self.compare_held(&mut changes);
        }
        self.commit_with(changes, snapshot)
    }

    /// Commits what was appended, and what has become of what was held.
    fn commit_held(&mut self) -> Result<(), Error> {
        let mut changes = Changes::default();
        self.compare_held(&mut changes);
        self.commit_with(changes, false)
    }

    fn commit_with(&mut self, mut changes: Changes, snapshot: bool) -> Result<(), Error> {
        let ops = self.replica.log().admitted_count() as u64;
        let before = self.store.snapshot_ops().unwrap_or(0);
        let due = before + SNAPSHOT_OPS_MIN.max(before / SNAPSHOT_SHARE);
        if snapshot || ops >= due {
            changes.snapshot = Some(self.replica.save());
        }
        if self.store.has_appended() || !changes.is_empty() {
            self.store.commit(changes)?;
        }
        Ok(())
    }

    /// Whether an event can tell of an op that enters or leaves what is held outside of the DAG.
    fn touches_held(&self, event: &Event) -> bool {
        match event {
            Event::Pending { .. } | Event::Unsupported { .. } | Event::Dropped { .. } => true,
            Event::Rejected { .. } | Event::Duplicate { .. } => false,
            Event::Refused { op, .. }
            | Event::Applied { op, .. }
            | Event::Denied { op, .. }
            | Event::RolledBack { op, .. }
            | Event::Reinstated { op, .. } => self.store.holds(&op.id),
        }
    }

    /// What has entered and left what is held outside of the DAG.
    fn compare_held(&self, changes: &mut Changes) {
        let mut before = self.store.held_ids();
        let log = self.replica.log();
        for op in log.pending().chain(log.unsupported()) {
            if !before.remove(&op.id()) {
                changes.held.push((op.id(), op.envelope().to_vec()));
            }
        }
        changes.released.extend(before);
    }
}
