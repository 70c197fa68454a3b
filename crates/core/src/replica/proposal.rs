//! Proposals: ops that wait for the signatures of more roots, and what they would do with them.

use std::collections::{BTreeMap, BTreeSet};

use super::Replica;
use super::author::DraftError;
use super::event::Event;
use super::query::Answer;
use crate::authority::{Effect, EffectCode, Judge};
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::{OpId, PublicKey};
use crate::payload::Cosign;

/// An op that takes several roots and has too few signatures, so that it does nothing yet, or only in part.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proposal {
    /// The op.
    pub op: OpId,
    /// Who wrote it: the key that signed.
    pub author: PublicKey,
    /// Its stamp, in milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// What it does as it stands.
    pub effect: Effect,
    /// The op itself and its `Cosign`s that count, in order of admission.
    pub signatures: Vec<Signature>,
    /// How many of the signatures count together: roots, not keys.
    pub signed: usize,
    /// How many it takes.
    pub quorum: usize,
}

/// A signature under a quorum op.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signature {
    /// The op itself, or a `Cosign` of it.
    pub op: OpId,
    /// The key that signed.
    pub key: PublicKey,
    /// The roots for whom it can stand; none if its author was let in by something else.
    pub roots: BTreeSet<PublicKey>,
}

/// What a proposal would do, if as many more roots as it takes signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Foreseen {
    /// The roots who are taken to sign, by their keys: those who still can, the least first.
    pub signers: Vec<PublicKey>,
    /// What the op would do then.
    pub effect: Effect,
    /// The ops that are here and would no longer count, parents before children.
    pub rolled_back: Vec<OpId>,
    /// The ops that are here and would count again, parents before children.
    pub reinstated: Vec<OpId>,
}

impl Replica {
    /// What waits for the signatures of more roots, in order of admission: ops that are short or count in part, and that a
    /// `Cosign` can still complete. A revocation that a final seal dropped or made stale does not wait any more, nor does a
    /// `Seal` that a final one has in its past.
    ///
    /// The cost is that of judging each op that a `Cosign` may name.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, public_key};
    /// use ecac_core::payload::Cosign;
    ///
    /// # let roots = [1, 2, 3].map(|seed| SigningKey::from([seed; 32]));
    /// # let [ann, ben, _] = &roots;
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: roots.iter().map(public_key).collect(),
    /// #     schema: [].into(),
    /// #     features: [(Name::new("quorum")?, vec![2]), (Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, ann, 1)?;
    /// let seal = replica.seal(ann, 2)?.op;
    /// let proposals = replica.proposals();
    /// assert_eq!((proposals[0].op, proposals[0].signed, proposals[0].quorum), (seal, 1, 2));
    /// replica.author(Cosign { op: seal }, ben, 3)?;
    /// assert!(replica.proposals().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn proposals(&self) -> Answer<Vec<Proposal>> {
        let ops = self.log.authority.quorum_ops();
        let proposals = ops.filter_map(|op| self.proposal(op)).collect();
        self.answer(proposals)
    }

    fn proposal(&self, op: Index) -> Option<Proposal> {
        let (dag, costs) = (&self.log.dag, &mut Costs::default());
        let quorum = self.log.authority.quorum()?;
        let mut judge = Judge::new(dag, &self.log.authority, costs);
        if !judge.waits_ever(op) {
            return None;
        }
        let (signatures, signed) = judge.signatures_ever(op);
        let node = dag.node(op);
        let effect = self.effect(&node.id)?;
        if !matches!(effect.code, EffectCode::Short | EffectCode::InPart) {
            return None;
        }
        let signature = |(op, roots)| Signature {
            op: dag.id(op),
            key: dag.node(op).author,
            roots,
        };
        Some(Proposal {
            op: node.id,
            author: node.author,
            since_ms: node.hlc.physical_ms,
            effect,
            signatures: signatures.into_iter().map(signature).collect(),
            signed,
            quorum,
        })
    }

    /// What the op would do, if as many more roots as it takes signed it at that time (milliseconds since the Unix epoch)
    /// and nothing else came between. `None` if it has no effect, or too few roots are left who could sign.
    ///
    /// The cost is that of a copy of the log and of the decisions.
    ///
    /// ```
    /// # use ecac_core::{EffectCode, Genesis, Name, Replica, SigningKey, public_key};
    /// # let roots = [1, 2, 3].map(|seed| SigningKey::from([seed; 32]));
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: roots.iter().map(public_key).collect(),
    /// #     schema: [].into(),
    /// #     features: [(Name::new("quorum")?, vec![2]), (Name::new("seal")?, Vec::new())].into(),
    /// # };
    /// let mut replica = Replica::create(genesis, &roots[0], 1)?;
    /// let seal = replica.seal(&roots[0], 2)?.op;
    /// let foreseen = replica.if_cosigned(&seal, 3)?.ok_or("nobody is left")?;
    /// assert_eq!(foreseen.effect.code, EffectCode::Seals);
    /// assert!(foreseen.rolled_back.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`DraftError::Behind`] and [`DraftError::Store`]: then it cannot be foreseen.
    pub fn if_cosigned(&self, op: &OpId, now_ms: u64) -> Result<Option<Foreseen>, DraftError> {
        let Some(at) = self.log.dag.find(op) else {
            return Ok(None);
        };
        let (mut copy, costs) = (self.copy()?, &mut Costs::default());
        let (mut signers, mut turned) = (Vec::new(), BTreeMap::new());
        for root in self.roots_who_have_not_signed(at) {
            if copy.is_full(at) {
                break;
            }
            let cosign = Cosign { op: *op }.into();
            let preview = match copy.draft(root, cosign, now_ms, costs) {
                Ok(drafted) => copy.pretend(drafted),
                Err(DraftError::Refused { .. }) => continue,
                Err(error) => return Err(error),
            };
            signers.push(root);
            for event in &preview.received.events {
                let counts = match event {
                    Event::RolledBack { .. } => false,
                    Event::Reinstated { .. } => true,
                    Event::Rejected { .. }
                    | Event::Duplicate { .. }
                    | Event::Refused { .. }
                    | Event::Pending { .. }
                    | Event::Unsupported { .. }
                    | Event::Dropped { .. }
                    | Event::Applied { .. }
                    | Event::Denied { .. } => continue,
                };
                if let Some(op) = event.op().and_then(|it| self.log.dag.find(&it)) {
                    turned.insert(op, counts);
                }
            }
        }
        let Some(effect) = copy.effect(op).filter(|_| copy.is_full(at)) else {
            return Ok(None);
        };
        turned.retain(|&op, counts| self.replay.is_applied(op) != *counts);
        let those = |counts: bool| {
            let those = turned.iter().filter(|(_, it)| **it == counts);
            those.map(|(&op, _)| self.log.dag.id(op)).collect()
        };
        Ok(Some(Foreseen {
            signers,
            effect,
            rolled_back: those(false),
            reinstated: those(true),
        }))
    }

    fn is_full(&self, op: Index) -> bool {
        let costs = &mut Costs::default();
        Judge::new(&self.log.dag, &self.log.authority, costs).is_full_ever(op)
    }

    /// The persons who were ever granted root, but for those who have signed the op, by their keys.
    fn roots_who_have_not_signed(&self, op: Index) -> BTreeSet<PublicKey> {
        let (authority, costs) = (&self.log.authority, &mut Costs::default());
        let grants = authority.grants.iter().filter(|grant| grant.is_root());
        let mut roots: BTreeSet<PublicKey> = grants.map(|grant| grant.subject).collect();
        let (signed, _) = Judge::new(&self.log.dag, authority, costs).signatures_ever(op);
        for (_, behind) in signed {
            roots.retain(|root| !behind.contains(root));
        }
        roots
    }
}
