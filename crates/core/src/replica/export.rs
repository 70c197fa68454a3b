//! Exports: what a replica hands out.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::Replica;
use crate::costs::Costs;
use crate::held::Holdings;
use crate::id::OpId;
use crate::log::Behind;
use crate::op::VerifiedOp;
use crate::snapshot::save;
use crate::store::StoreError;
use crate::trust::export_trust;

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

impl Replica {
    /// The state as RFC 8785 canonical JSON (`docs/protocol.md`, Files and exports); the same on every replica that holds
    /// the same ops.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert!(replica.state().starts_with(br#"{"format":"ecac-state-v1","objects":{},"#));
    /// ```
    #[must_use]
    pub fn state(&self) -> Vec<u8> {
        let state = self.replay.state();
        state.export(&self.log)
    }

    /// SHA-256 of [`Replica::state`].
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let project = OpId::from_bytes([0; 32]);
    /// assert_eq!(Replica::join(project).state_digest(), Replica::join(project).state_digest());
    /// ```
    #[must_use]
    pub fn state_digest(&self) -> [u8; 32] {
        self.replay.state().digest(&self.log)
    }

    /// Whom the project trusts, and to say what, as RFC 8785 canonical JSON.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert!(replica.trust().starts_with(br#"{"equivocations":[],"format":"ecac-trust-v2","#));
    /// ```
    #[must_use]
    pub fn trust(&self) -> Vec<u8> {
        export_trust(&self.log, &mut Costs::default())
    }

    /// SHA-256 of [`Replica::trust`].
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let project = OpId::from_bytes([0; 32]);
    /// assert_eq!(Replica::join(project).trust_digest(), Replica::join(project).trust_digest());
    /// ```
    #[must_use]
    pub fn trust_digest(&self) -> [u8; 32] {
        sha256(&self.trust())
    }

    /// A local snapshot: what [`super::ReplicaBuilder::restore`] makes this replica of again, with the store of its ops.
    /// Its numbers are this replica's own; what is the same on every replica, and what a `Seal` names, is
    /// [`crate::snapshot()`]. It ends with a digest, so that damage is found, and is signed by nobody: keep it where the
    /// store is kept.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert_eq!(replica.save(), replica.save());
    /// ```
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        save(&self.log, &self.replay, &self.costs)
    }

    /// The admitted ops, in order of admission: parents come before children.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert_eq!(replica.ops().count(), 0);
    /// ```
    pub fn ops(&self) -> impl Iterator<Item = VerifiedOp> {
        self.log.admitted()
    }

    /// The admitted ops in the total order, which is the same on every replica: parents first, ties by (stamp, op id). For
    /// display and export; no decision depends on it.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert_eq!(replica.total_order().count(), 0);
    /// ```
    pub fn total_order(&self) -> impl Iterator<Item = VerifiedOp> {
        self.log.total_order()
    }

    /// What another replica has to receive to hold what this one does, byte for byte as it was signed: the admitted ops in
    /// order of admission, then what this program cannot judge, then what waits for ancestors. One after another they are
    /// an op log file (RFC 8742).
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// # let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// let file: Vec<u8> = replica.envelopes().flat_map(|it| it.to_vec()).collect();
    /// assert!(file.is_empty());
    /// ```
    pub fn envelopes(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        let held = self.log.unsupported().chain(self.log.pending());
        let held = held.map(|op| Cow::Borrowed(op.envelope()));
        self.log.envelopes().chain(held)
    }

    /// The admitted ops that are nobody's parent, by op id: two replicas with the same heads hold the same DAG.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert!(replica.heads().is_empty());
    /// ```
    #[must_use]
    pub fn heads(&self) -> Vec<OpId> {
        self.log.heads()
    }

    /// How far this program is behind the project, if it is: it holds what it cannot judge, or the project uses features
    /// that it does not know. Upgrade it.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert_eq!(replica.behind(), None);
    /// ```
    #[must_use]
    pub fn behind(&self) -> Option<Behind> {
        self.log.behind()
    }

    /// The failure of the op store, if it has failed: nothing more is taken in, and answers lack what could not be read.
    /// Open the store again.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert_eq!(replica.fault(), None);
    /// ```
    #[must_use]
    pub fn fault(&self) -> Option<&StoreError> {
        self.log.fault()
    }

    /// What is held outside of the DAG, and what fell out of it.
    ///
    /// ```
    /// # use ecac_core::{OpId, Replica};
    /// let mut replica = Replica::join(OpId::from_bytes([0; 32]));
    /// replica.receive(&[b"no op"]);
    /// assert_eq!(replica.holdings().rejected, 1);
    /// ```
    #[must_use]
    pub fn holdings(&self) -> Holdings {
        self.log.holdings()
    }
}
