//! Where the replicas of a scenario and the audit log of its observer are kept.

use core::convert::Infallible;
use core::error::Error;
use core::ops::Deref;

use ecac_audit::{AuditLog, NodeKey};
use ecac_core::{ProjectId, Received, Replica, ReplicaBuilder, VerifiedOp};

/// Ops of one durable batch of the observer's audit log.
pub const AUDIT_BATCH_OPS: usize = 16;

/// The storage of one run: nothing that a run leaves behind depends on which one it is.
///
/// [`Memory`] is one; what keeps replicas in files stands outside of this crate, which knows none.
pub trait Storage: Sized {
    /// A replica that is kept here.
    type Replica: StoredReplica<Error = Self::Error>;
    /// Why something is not kept.
    type Error: Error + 'static;

    /// A replica of the project with these settings, which holds nothing.
    ///
    /// # Errors
    /// Those of the storage.
    fn join(
        &mut self,
        builder: ReplicaBuilder,
        project: ProjectId,
    ) -> Result<Self::Replica, Self::Error>;

    /// Ends the use of the storage: the export of the audit log of a node that takes the items of an op log in, [`AUDIT_BATCH_OPS`] to a durable batch, the
    /// last of them with a checkpoint of the state, as [`AuditLog::of_op_log`] does.
    ///
    /// # Errors
    /// Those of the storage.
    fn audit(
        self,
        project: ProjectId,
        items: &[&[u8]],
        key: &NodeKey,
    ) -> Result<Vec<u8>, Self::Error>;
}

/// A replica that is kept in a [`Storage`]; it is read as a [`Replica`].
pub trait StoredReplica: Deref<Target = Replica> {
    /// Why something is not kept.
    type Error;

    /// Takes in a batch of ops, which is kept when this returns; what became of it.
    ///
    /// # Errors
    /// Those of the storage.
    fn take(&mut self, ops: Vec<VerifiedOp>) -> Result<Received, Self::Error>;
}

/// Keeps everything in memory, and nothing beyond it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory;

/// A replica in memory.
#[derive(Debug)]
pub struct InMemory(Replica);

impl Storage for Memory {
    type Replica = InMemory;
    type Error = Infallible;

    fn join(
        &mut self,
        builder: ReplicaBuilder,
        project: ProjectId,
    ) -> Result<InMemory, Infallible> {
        Ok(InMemory(builder.join(project)))
    }

    fn audit(
        self,
        project: ProjectId,
        items: &[&[u8]],
        key: &NodeKey,
    ) -> Result<Vec<u8>, Infallible> {
        let log = AuditLog::of_op_log(project, items, AUDIT_BATCH_OPS, key);
        Ok(log.export().into_bytes())
    }
}

impl Deref for InMemory {
    type Target = Replica;

    fn deref(&self) -> &Replica {
        &self.0
    }
}

impl StoredReplica for InMemory {
    type Error = Infallible;

    fn take(&mut self, ops: Vec<VerifiedOp>) -> Result<Received, Infallible> {
        Ok(self.0.ingest(ops))
    }
}
