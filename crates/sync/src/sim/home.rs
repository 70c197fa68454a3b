//! Where a simulated node keeps its replica, and what is left of it when power fails.

use core::fmt::Debug;
use std::collections::BTreeSet;

use ecac_core::{
    OpId, Payload, ProjectId, Received, Regained, Replica, ReplicaBuilder, SigningKey,
};

use crate::defect::Defect;
use crate::keeper::{KeepError, RegainFault};

/// Chooses a number below the one that it is given, which is not zero.
pub type Below<'a> = dyn FnMut(usize) -> usize + 'a;

/// Makes the home of a node: of the project, with these settings.
pub type Build<'a> = dyn FnMut(ProjectId, ReplicaBuilder) -> Result<Box<dyn Home>, KeepError> + 'a;

/// A replica and the disk below it, whose power can fail. A real store with a fault injector is one.
pub trait Home: Debug {
    /// The replica.
    fn replica(&self) -> &Replica;

    /// Takes envelopes in, in any order. What is lost with the power then is the home's business: it comes again.
    ///
    /// # Errors
    /// [`KeepError`] if power has failed; [`Home::restart`] comes next.
    fn receive(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError>;

    /// Takes envelopes in, parents first, as [`Replica::receive_in_order`] does.
    ///
    /// # Errors
    /// As [`Home::receive`].
    fn receive_in_order(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError>;

    /// Sees to it that all that was taken in survives.
    ///
    /// # Errors
    /// As [`Home::receive`].
    fn sync(&mut self) -> Result<(), KeepError>;

    /// Writes an op, which survives from then on; `None` if the author may not write it.
    ///
    /// # Errors
    /// As [`Home::receive`].
    fn author(
        &mut self,
        payload: Payload,
        key: &SigningKey,
        now_ms: u64,
    ) -> Result<Option<OpId>, KeepError>;

    /// Drops the envelopes that sealed work supersedes; returns how many.
    ///
    /// # Errors
    /// As [`Home::receive`].
    fn prune(&mut self) -> Result<usize, KeepError>;

    /// Gives back envelopes that were dropped or never came, as [`Replica::regain`] does; they survive from then on.
    ///
    /// # Errors
    /// [`RegainFault`]: an op is not what is kept of it, or power has failed.
    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault>;

    /// Starts, where nothing is held yet, from a sealed snapshot, which survives from then on; whether anything starts from it.
    ///
    /// # Errors
    /// As [`Home::receive`].
    fn start(&mut self, carried: &[u8]) -> Result<bool, KeepError>;

    /// Power fails after so many more steps of the disk; 0 is at once. A disk that knows no steps takes it for 0.
    fn fail_after(&mut self, steps: usize);

    /// Power is there again, after it has failed wherever the disk is: the replica is what the disk has.
    ///
    /// # Errors
    /// [`KeepError`] if what is left is no replica any more, which breaks a law.
    fn restart(&mut self, below: &mut Below<'_>) -> Result<(), KeepError>;

    /// The envelopes on the disk, verified or not.
    fn stored(&self) -> Vec<Vec<u8>>;
}

/// A replica in memory, with a disk that is synced now and then and loses all that was not.
#[derive(Debug)]
pub struct MemoryHome {
    builder: ReplicaBuilder,
    replica: Replica,
    envelopes: Vec<Vec<u8>>,
    synced: usize,
    /// What is on the disk.
    known: BTreeSet<OpId>,
    /// How many of the admitted ops are.
    stored: usize,
    received: u64,
    /// What the replica started from.
    carried: Option<Vec<u8>>,
    defect: Option<Defect>,
}

impl MemoryHome {
    /// A replica of the project that holds nothing.
    #[must_use]
    pub fn new(project: ProjectId, builder: ReplicaBuilder, defect: Option<Defect>) -> Self {
        Self {
            replica: builder.join(project),
            builder,
            envelopes: Vec::new(),
            synced: 0,
            known: BTreeSet::new(),
            stored: 0,
            received: 0,
            carried: None,
            defect,
        }
    }

    /// The replica as it begins, of what it started from or of nothing.
    fn begin(&mut self) {
        let (project, builder) = (self.replica.project(), self.builder.clone());
        let carried = self.carried.as_deref();
        let started = carried.and_then(|it| builder.start_from(project, it).ok());
        self.replica = started.unwrap_or_else(|| self.builder.join(project));
    }

    /// Sees to the disk once a batch was taken in.
    fn has_received(&mut self, envelopes: &[&[u8]]) {
        self.received += 1;
        if self.defect == Some(Defect::StoresUnverified) {
            self.envelopes
                .extend(envelopes.iter().map(|it| it.to_vec()));
            self.stored = self.replica.log().admitted_count();
            self.synced = self.envelopes.len();
        } else {
            self.store();
            if self.received.is_multiple_of(3) {
                self.synced = self.envelopes.len();
            }
        }
    }

    /// Writes what is new to the disk.
    fn store(&mut self) {
        let admitted = self.replica.log().ids_since(self.stored);
        let unjudged = self.replica.unsupported_ops().into_iter();
        let ops: Vec<OpId> = admitted.chain(unjudged.map(|it| it.1.op)).collect();
        self.stored = self.replica.log().admitted_count();
        for op in ops {
            if let Some(envelope) = self.replica.envelope(&op)
                && self.known.insert(op)
            {
                self.envelopes.push(envelope.into_owned());
            }
        }
    }
}

impl Home for MemoryHome {
    fn replica(&self) -> &Replica {
        &self.replica
    }

    fn receive(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        let received = self.replica.receive(envelopes);
        self.has_received(envelopes);
        Ok(received)
    }

    fn receive_in_order(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        let received = self.replica.receive_in_order(envelopes);
        self.has_received(envelopes);
        Ok(received)
    }

    fn sync(&mut self) -> Result<(), KeepError> {
        self.store();
        if self.defect != Some(Defect::WritesUnsynced) {
            self.synced = self.envelopes.len();
        }
        Ok(())
    }

    fn author(
        &mut self,
        payload: Payload,
        key: &SigningKey,
        now_ms: u64,
    ) -> Result<Option<OpId>, KeepError> {
        let Ok(authored) = self.replica.author(payload, key, now_ms) else {
            return Ok(None);
        };
        self.sync()?;
        Ok(Some(authored.op))
    }

    /// What is on the disk stays there, and is here again after a restart.
    fn prune(&mut self) -> Result<usize, KeepError> {
        let pruned = self.replica.prune().map_err(|error| KeepError {
            reason: error.to_string(),
        })?;
        Ok(pruned.ops)
    }

    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault> {
        Ok(self.replica.regain(envelopes)?)
    }

    fn start(&mut self, carried: &[u8]) -> Result<bool, KeepError> {
        let (project, builder) = (self.replica.project(), self.builder.clone());
        if builder.start_from(project, carried).is_err() {
            return Ok(false);
        }
        self.carried = Some(carried.to_vec());
        self.begin();
        self.sync()?;
        Ok(true)
    }

    fn fail_after(&mut self, _: usize) {}

    fn restart(&mut self, _: &mut Below<'_>) -> Result<(), KeepError> {
        self.envelopes.truncate(self.synced);
        self.begin();
        self.replica.receive(&self.envelopes);
        self.stored = self.replica.log().admitted_count();
        let unjudged = self.replica.unsupported_ops().into_iter();
        self.known = self.replica.log().ids_since(0).collect();
        self.known.extend(unjudged.map(|it| it.1.op));
        Ok(())
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        self.envelopes.clone()
    }
}
