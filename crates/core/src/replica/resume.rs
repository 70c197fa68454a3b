//! Resuming: a replica of what a durable store kept, and an op that was about to be signed.

use super::author::{AuthorError, Authored, DraftError, sign};
use super::event::Event;
use super::{Replica, ReplicaBuilder};
use crate::costs::Costs;
use crate::id::{ProjectId, PublicKey};
use crate::log::Outcome;
use crate::op::{Body, Draft};
use crate::snapshot::RestoreError;
use crate::store::OpStore;

impl ReplicaBuilder {
    /// The replica that kept its ops in the store, and beside them the envelopes of what it held outside of the DAG:
    /// pending and unsupported ops. With a snapshot nothing that it tells is verified or decided again; what the store has
    /// beyond it, and what was held, is verified and taken in. Of what the snapshot held outside of the DAG only the
    /// refusals count: what was held says the rest.
    ///
    /// ```
    /// use ecac_core::{MemoryStore, OpStore as _, Replica};
    ///
    /// # use ecac_core::{Genesis, Name, SigningKey, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// let replica = Replica::create(genesis, &key, 1_767_225_600_000)?;
    /// let genesis: Vec<u8> = replica.envelopes().flat_map(|it| it.to_vec()).collect();
    /// let store = Box::new(MemoryStore::new());
    /// // The genesis was held, and is admitted as it comes.
    /// let resumed = Replica::builder().resume(replica.project(), store, None, &[genesis])?;
    /// assert_eq!(resumed.heads(), replica.heads());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`RestoreError`] if the snapshot does not fit or the store fails, or if what was held is no op of anybody's.
    pub fn resume(
        self,
        project: ProjectId,
        store: Box<dyn OpStore>,
        snapshot: Option<&[u8]>,
        held: &[Vec<u8>],
    ) -> Result<Replica, RestoreError> {
        let mut replica = self.on(project, store);
        if let Some(snapshot) = snapshot {
            replica.restore_from(snapshot)?;
            replica.log.let_go_of_held();
        }
        replica.catch_up()?;
        let received = replica.receive(held);
        let is_bad = |event: &Event| matches!(event, Event::Rejected { .. });
        if received.events.iter().any(is_bad) {
            let reason = "what was held outside of the DAG is no op".to_owned();
            return Err(RestoreError::Inconsistent { reason });
        }
        match replica.fault() {
            Some(fault) => Err(fault.clone().into()),
            None => Ok(replica),
        }
    }
}

impl Replica {
    /// The number that the next op of the author has, as far as is known here; 0 if none is known.
    ///
    /// ```
    /// # use ecac_core::{OpId, PublicKey, Replica};
    /// let replica = Replica::join(OpId::from_bytes([0; 32]));
    /// assert_eq!(replica.next_seq(&PublicKey::from_bytes([1; 32])), 0);
    /// ```
    #[must_use]
    pub fn next_seq(&self, author: &PublicKey) -> u64 {
        let dag = &self.log.dag;
        dag.own(author, &dag.everything()).next_seq
    }

    /// Has a body signed that was drafted before, and takes the op in: for who was interrupted between the draft and the
    /// op. The id is that of the body, so that signing again is no equivocation.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1)?;
    /// let body = replica.body(SetField::new("order/1", "status", Value::Bool(true))?, public_key(&key), 2)?;
    /// let authored = replica.author_again(body, &key)?;
    /// assert_eq!(replica.heads(), [authored.op]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AuthorError`]; then the replica is as it was.
    pub fn author_again(
        &mut self,
        body: Body,
        signer: &dyn super::Signer,
    ) -> Result<Authored, AuthorError> {
        let (author, mut costs) = (body.author, Costs::default());
        let draft = Draft::new(body, &mut costs).map_err(|error| DraftError::Encoding { error })?;
        match self.log.foresee(draft.id(), draft.body(), &mut costs) {
            Outcome::Admitted => {}
            Outcome::Refused { reason, witness } => {
                return Err(DraftError::Refused { reason, witness }.into());
            }
            Outcome::Unsupported | Outcome::Pending | Outcome::Duplicate => {
                return Err(DraftError::Unsupported.into());
            }
        }
        let signed = sign(draft, author, signer, &mut costs);
        self.costs.add(&costs);
        Ok(self.take_authored(signed?, Vec::new()))
    }
}
