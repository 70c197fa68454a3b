//! Authoring: parents, number and stamp of a new op, and its signature.

use super::event::Received;
use super::receive::Intake;
use super::signer::{SignError, Signer};
use super::{Options, Replica};
use crate::authority::Effect;
use crate::costs::Costs;
use crate::hlc::Hlc;
use crate::id::{OpId, ProjectId, PublicKey};
use crate::log::{Behind, Outcome};
use crate::op::{Body, Draft, VerifiedOp};
use crate::parents::{Parents, parents_for};
use crate::payload::{Genesis, Payload, Seal};
use crate::reason::Refusal;
use crate::snapshot::snapshot;
use crate::store::StoreError;
use crate::wire::CodecError;

/// An op that the replica wrote, which has entered its DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Authored {
    /// The op.
    pub op: OpId,
    /// What to send to others, byte for byte.
    pub envelope: Vec<u8>,
    /// What the op acts on and could not name, as [`Parents::unseen`].
    pub unseen: Vec<OpId>,
    /// What an op of trust or policy does, or that it counts for nothing and why: look at it before you believe that
    /// somebody is out.
    pub effect: Option<Effect>,
    /// What it did to the replica.
    pub received: Received,
}

/// Why an op cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DraftError {
    /// The replica holds what it cannot judge, or the project uses features that this program does not know.
    #[error(
        "this program is behind the project: {} ops cannot be judged, {} features are unknown",
        behind.unsupported,
        behind.features.len()
    )]
    Behind {
        /// How far.
        behind: Behind,
    },
    /// The genesis of the project is not here.
    #[error("the genesis of project {project} is not here")]
    NoGenesis {
        /// The project.
        project: ProjectId,
    },
    /// A project has one genesis.
    #[error("a project has one genesis, and this one is founded")]
    SecondGenesis,
    /// The payload breaks a limit or a rule of the format.
    #[error("the payload cannot be encoded")]
    Encoding {
        /// The rule.
        #[source]
        error: CodecError,
    },
    /// There is no stamp left after those of the parents.
    #[error("no stamp is left: the clock shows {now_ms} ms")]
    Clock {
        /// The local clock.
        now_ms: u64,
    },
    /// Everybody would refuse the op.
    #[error("the op would be refused: {reason}")]
    Refused {
        /// Why: the first reason that holds.
        reason: Refusal,
        /// The denial or the grant that shows it, where there is one.
        witness: Option<OpId>,
    },
    /// This program could not judge the op.
    #[error("this program does not know the kind of the payload")]
    Unsupported,
    /// There is no sealed value to write, or it is under another key.
    #[error("the value is not sealed")]
    Unsealed,
    /// A value that a `Seal` would be about was dropped here.
    #[error("a value that the seal would be about was dropped here; somebody who has it can seal")]
    Pruned,
    /// The op store has failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an op was not written; nothing of it is left behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorError {
    /// It cannot be written.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// There is no signature.
    #[error("{author} did not sign")]
    Sign {
        /// Whose signature.
        author: PublicKey,
        /// What the signer says.
        #[source]
        source: SignError,
    },
    /// The signer's signature does not verify under ZIP 215 with the signer's public key.
    #[error("the signature that the signer of {author} made does not verify")]
    BadSignature {
        /// The public key.
        author: PublicKey,
    },
}

impl AuthorError {
    /// Why everybody would refuse the op, with the denial or the grant that shows it, if that is the error.
    #[must_use]
    pub const fn refusal(&self) -> Option<(Refusal, Option<OpId>)> {
        match self {
            Self::Draft(DraftError::Refused { reason, witness }) => Some((*reason, *witness)),
            Self::Draft(_) | Self::Sign { .. } | Self::BadSignature { .. } => None,
        }
    }
}

impl Replica {
    /// Writes an op: chooses its parents, its number and its stamp, has it signed, and takes it in. `now_ms` is the local
    /// clock, in milliseconds since the Unix epoch; a clock that is behind does no harm.
    ///
    /// The op is judged before it is signed, so that nobody signs what everybody refuses.
    ///
    /// ```
    /// use ecac_core::payload::SetField;
    /// use ecac_core::{Genesis, Name, Refusal, Replica, SigningKey, Value};
    ///
    /// # let (key, stranger) = (SigningKey::from([1; 32]), SigningKey::from([2; 32]));
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [ecac_core::public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// let now_ms = 1_767_225_600_000;
    /// let mut replica = Replica::create(genesis, &key, now_ms)?;
    /// let repaired = SetField {
    ///     object: Name::new("order/1")?,
    ///     field: Name::new("status")?,
    ///     value: Value::Text("repaired".into()),
    /// };
    /// let authored = replica.author(repaired.clone(), &key, now_ms + 1)?;
    /// assert_eq!(authored.received.changes.len(), 1);
    ///
    /// let refused = replica.author(repaired, &stranger, now_ms + 2).unwrap_err();
    /// assert_eq!(refused.refusal(), Some((Refusal::NoGrant, None)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AuthorError`]; then the replica is as it was.
    pub fn author(
        &mut self,
        payload: impl Into<Payload>,
        signer: &dyn Signer,
        now_ms: u64,
    ) -> Result<Authored, AuthorError> {
        let author = signer.public_key();
        let costs = &mut Costs::default();
        let drafted = self.draft(author, payload.into(), now_ms, costs);
        let signed = drafted.map_err(AuthorError::from).and_then(|drafted| {
            let unseen = drafted.parents.unseen;
            Ok((sign(drafted.draft, author, signer, costs)?, unseen))
        });
        self.costs.add(costs);
        let (op, unseen) = signed?;
        Ok(self.take_authored(op, unseen))
    }

    /// Takes in what was written here.
    pub(super) fn take_authored(&mut self, op: VerifiedOp, unseen: Vec<OpId>) -> Authored {
        let (id, envelope) = (op.id(), op.envelope().to_vec());
        let mut intake = Intake::default();
        self.take(op, &mut intake);
        let received = self.decide(intake);
        Authored {
            op: id,
            envelope,
            unseen,
            effect: self.effect(&id),
            received,
        }
    }

    /// What the author would sign now, whatever would become of it: parents, number and stamp as [`Replica::author`] chooses
    /// them, and nothing is judged. For simulations and tests, which write what is refused, too.
    ///
    /// ```
    /// use ecac_core::payload::Revoke;
    /// use ecac_core::{Event, VerifiedOp};
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// # let (key, stranger) = (SigningKey::from([1; 32]), SigningKey::from([2; 32]));
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// # let mut replica = Replica::create(genesis, &key, 1)?;
    /// let revoke = Revoke::of(public_key(&key));
    /// let body = replica.body(revoke, public_key(&stranger), 2)?;
    /// let received = replica.ingest([VerifiedOp::sign(body, &stranger)?]);
    /// assert!(matches!(received.events[..], [Event::Refused { .. }]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DraftError::SecondGenesis`], [`DraftError::NoGenesis`], [`DraftError::Clock`].
    pub fn body(
        &self,
        payload: impl Into<Payload>,
        author: PublicKey,
        now_ms: u64,
    ) -> Result<Body, DraftError> {
        let (payload, costs) = (payload.into(), &mut Costs::default());
        self.can_write(&payload)?;
        let ahead_ms = now_ms.saturating_add(self.options.drift_ms);
        let parents = self.offer(&payload, &author, ahead_ms, costs);
        self.body_on(author, payload, parents.ids, now_ms)
    }

    /// Writes a `Seal` of what the op names as its past, with the digest of its snapshot: the cost is that of replaying it.
    ///
    /// ```
    /// # use ecac_core::{EffectCode, Genesis, Name, Replica, SigningKey};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [ecac_core::public_key(&key)].into(),
    /// #     schema: [].into(), features: [(Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &key, 1_767_225_600_000)?;
    /// let sealed = replica.seal(&key, 1_767_225_600_001)?;
    /// assert_eq!(sealed.effect.map(|it| it.code), Some(EffectCode::Seals));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`AuthorError`], as [`Replica::author`]; [`DraftError::Pruned`] if a value that it would be about was dropped here.
    pub fn seal(&mut self, signer: &dyn Signer, now_ms: u64) -> Result<Authored, AuthorError> {
        let costs = &mut Costs::default();
        let seal = self.seal_of(signer.public_key(), now_ms, costs);
        self.costs.add(costs);
        self.author(seal?, signer, now_ms)
    }

    /// The `Seal` that the author would write now.
    pub(super) fn seal_of(
        &self,
        author: PublicKey,
        now_ms: u64,
        costs: &mut Costs,
    ) -> Result<Seal, DraftError> {
        let blank = Seal { digest: [0; 32] };
        let drafted = self.draft(author, blank.into(), now_ms, costs)?;
        let snapshot = snapshot(&self.log, &drafted.draft.body().parents, costs);
        let snapshot = snapshot.ok_or(DraftError::Pruned)?;
        let digest = super::export::sha256(&snapshot);
        Ok(Seal { digest })
    }

    /// What the author would sign now, if it would be admitted.
    pub(super) fn draft(
        &self,
        author: PublicKey,
        payload: Payload,
        now_ms: u64,
        costs: &mut Costs,
    ) -> Result<Drafted, DraftError> {
        self.can_write(&payload)?;
        if let Some(behind) = self.log.behind().filter(|_| !self.options.behind_is_fine) {
            return Err(DraftError::Behind { behind });
        }
        let ahead_ms = now_ms.saturating_add(self.options.drift_ms);
        let parents = self.offer(&payload, &author, ahead_ms, costs);
        let first = self.draft_on(author, payload.clone(), parents.clone(), now_ms, costs);
        match first {
            // A credential can begin or end within the drift.
            Err(DraftError::Refused { .. }) if ahead_ms > now_ms => {
                let nearer = self.offer(&payload, &author, now_ms, costs);
                if nearer == parents {
                    return first;
                }
                self.draft_on(author, payload, nearer, now_ms, costs)
                    .or(first)
            }
            Ok(_) | Err(_) => first,
        }
    }

    /// Whether there is something to write on, and no second genesis.
    fn can_write(&self, payload: &Payload) -> Result<(), DraftError> {
        if payload.genesis().is_some() {
            return Err(DraftError::SecondGenesis);
        }
        if self.log.admitted_count() == 0 {
            let project = self.log.project();
            return Err(DraftError::NoGenesis { project });
        }
        Ok(())
    }

    fn offer(
        &self,
        payload: &Payload,
        author: &PublicKey,
        clock_ms: u64,
        costs: &mut Costs,
    ) -> Parents {
        parents_for(&self.log, &self.replay, author, payload, clock_ms, costs)
    }

    /// The op on these parents, with the number and the stamp that are due.
    fn body_on(
        &self,
        author: PublicKey,
        payload: Payload,
        parents: Vec<OpId>,
        now_ms: u64,
    ) -> Result<Body, DraftError> {
        let admitted = parents.iter().filter_map(|id| self.log.dag.find(id));
        let admitted: Vec<_> = admitted.collect();
        let past = self.log.dag.past_of(&admitted);
        let last = admitted.iter().map(|&at| self.log.dag.node(at).hlc).max();
        let hlc = Hlc::next(last, now_ms, self.options.node);
        Ok(Body {
            author,
            seq: self.log.dag.own(&author, &past).next_seq,
            parents,
            hlc: hlc.ok_or(DraftError::Clock { now_ms })?,
            payload,
        })
    }

    fn draft_on(
        &self,
        author: PublicKey,
        payload: Payload,
        parents: Parents,
        now_ms: u64,
        costs: &mut Costs,
    ) -> Result<Drafted, DraftError> {
        let body = self.body_on(author, payload, parents.ids.clone(), now_ms)?;
        let draft = Draft::new(body, costs).map_err(|error| DraftError::Encoding { error })?;
        match self.log.foresee(draft.id(), draft.body(), costs) {
            Outcome::Admitted => Ok(Drafted { draft, parents }),
            Outcome::Refused { reason, witness } => Err(DraftError::Refused { reason, witness }),
            Outcome::Unsupported | Outcome::Pending | Outcome::Duplicate => {
                Err(DraftError::Unsupported)
            }
        }
    }
}

/// A draft that would be admitted.
pub(super) struct Drafted {
    pub(super) draft: Draft,
    pub(super) parents: Parents,
}

impl Options {
    /// The genesis, signed.
    pub(super) fn found(
        &self,
        genesis: Genesis,
        signer: &dyn Signer,
        now_ms: u64,
        costs: &mut Costs,
    ) -> Result<VerifiedOp, AuthorError> {
        let author = signer.public_key();
        let hlc = Hlc::next(None, now_ms, self.node).ok_or(DraftError::Clock { now_ms })?;
        let body = Body {
            author,
            seq: 0,
            parents: Vec::new(),
            hlc,
            payload: genesis.into(),
        };
        let draft = Draft::new(body, costs).map_err(|error| DraftError::Encoding { error })?;
        sign(draft, author, signer, costs)
    }
}

pub(super) fn sign(
    draft: Draft,
    author: PublicKey,
    signer: &dyn Signer,
    costs: &mut Costs,
) -> Result<VerifiedOp, AuthorError> {
    let signature = signer
        .sign(&draft.message())
        .map_err(|source| AuthorError::Sign { author, source })?;
    draft
        .sign(&signature, costs)
        .map_err(|_| AuthorError::BadSignature { author })
}
