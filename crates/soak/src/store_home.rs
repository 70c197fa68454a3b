//! A node of the simulation of sync on the durable store, below which power fails.

use ecac_core::{
    OpId, Payload, ProjectId, Received, Regained, Replica, ReplicaBuilder, SigningKey,
};
use ecac_store::{DurableReplica, Error, FaultyDisk, Options};
use ecac_sync::sim::{Below, Home};
use ecac_sync::{KeepError, Keeper, RegainFault};

/// A snapshot is written after so many batches.
const SNAPSHOT_BATCHES: u64 = 12;

/// A durable replica on a disk in memory.
#[derive(Debug)]
pub struct StoreHome {
    builder: ReplicaBuilder,
    disk: FaultyDisk,
    /// There is one, but amid a restart.
    replica: Option<DurableReplica>,
    batches: u64,
}

impl StoreHome {
    /// A replica of the project that holds nothing.
    ///
    /// # Errors
    /// [`KeepError`] if the store is not made.
    pub fn new(project: ProjectId, builder: ReplicaBuilder) -> Result<Self, KeepError> {
        let disk = FaultyDisk::new();
        let options = Options::new().replica(builder.clone());
        let replica = disk.join(options, project).map_err(failed)?;
        Ok(Self {
            builder,
            disk,
            replica: Some(replica),
            batches: 0,
        })
    }

    fn durable(&mut self) -> Result<&mut DurableReplica, KeepError> {
        self.replica.as_mut().ok_or_else(|| KeepError {
            reason: "there is no replica".to_owned(),
        })
    }

    /// Takes a batch in, and writes the snapshot that is due.
    fn take(
        &mut self,
        take: impl FnOnce(&mut DurableReplica) -> Result<Received, Error>,
    ) -> Result<Received, KeepError> {
        self.batches += 1;
        let is_due = self.batches.is_multiple_of(SNAPSHOT_BATCHES);
        let durable = self.durable()?;
        let received = take(durable).map_err(failed)?;
        if is_due {
            durable.snapshot().map_err(failed)?;
        }
        Ok(received)
    }
}

fn failed(error: Error) -> KeepError {
    let reason = error.to_string();
    KeepError { reason }
}

impl Home for StoreHome {
    fn replica(&self) -> &Replica {
        self.replica.as_ref().expect("nobody asks amid a restart")
    }

    fn receive(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.take(|durable| durable.receive(envelopes))
    }

    fn receive_in_order(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.take(|durable| durable.receive_in_order(envelopes))
    }

    fn sync(&mut self) -> Result<(), KeepError> {
        Ok(())
    }

    fn author(
        &mut self,
        payload: Payload,
        key: &SigningKey,
        now_ms: u64,
    ) -> Result<Option<OpId>, KeepError> {
        match self.durable()?.author(payload, key, now_ms) {
            Ok(authored) => Ok(Some(authored.op)),
            Err(Error::Author(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn prune(&mut self) -> Result<usize, KeepError> {
        Ok(self.durable()?.prune().map_err(failed)?.ops)
    }

    fn regain(&mut self, envelopes: &[&[u8]]) -> Result<Regained, RegainFault> {
        Keeper::regain(self.durable()?, envelopes)
    }

    fn start(&mut self, carried: &[u8]) -> Result<bool, KeepError> {
        let project = self.replica().project();
        drop(self.replica.take());
        let options = || Options::new().replica(self.builder.clone());
        let (started, is_start) = match self.disk.start_from(options(), carried) {
            Err(Error::Start(_)) => (self.disk.open(options()), false),
            started => (started, true),
        };
        match started {
            Ok(started) => self.replica = Some(started),
            Err(error) => {
                // Without power the node holds nothing, as it did before, until it restarts.
                let nothing = FaultyDisk::new().join(options(), project);
                self.replica = Some(nothing.map_err(failed)?);
                return Err(failed(error));
            }
        }
        Ok(is_start)
    }

    fn fail_after(&mut self, steps: usize) {
        self.disk.fail_after(steps);
    }

    fn restart(&mut self, below: &mut Below<'_>) -> Result<(), KeepError> {
        self.disk.fail_after(0);
        drop(self.replica.take());
        self.disk.restore(below);
        let options = Options::new().replica(self.builder.clone());
        self.replica = Some(self.disk.open(options).map_err(failed)?);
        Ok(())
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        let replica = self.replica();
        let log = replica.log();
        let admitted = replica.envelopes().map(|it| it.into_owned());
        let held = log.pending().chain(log.unsupported());
        let held = held.map(|it| it.envelope().to_vec());
        admitted.chain(held).collect()
    }
}
