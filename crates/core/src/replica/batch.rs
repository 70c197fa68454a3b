//! Writing several ops together: one batch, decided once.

use super::Replica;
use super::author::{AuthorError, DraftError, sign};
use super::event::Received;
use super::receive::Intake;
use super::signer::Signer;
use crate::authority::Effect;
use crate::costs::Costs;
use crate::id::OpId;
use crate::log::Outcome;
use crate::op::{Body, Draft, VerifiedOp};
use crate::reason::Refusal;

/// Ops that the replica wrote together, which have entered its DAG.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuthoredBatch {
    /// The ops, in the order in which they were written.
    pub ops: Vec<Written>,
    /// What they did to the replica.
    pub received: Received,
}

/// One of several ops that were written together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The op.
    pub op: OpId,
    /// What to send to others, byte for byte.
    pub envelope: Vec<u8>,
    /// What an op of trust or policy does, or that it counts for nothing and why.
    pub effect: Option<Effect>,
}

impl Replica {
    /// Has bodies signed that [`Replica::preview_all`] drafted, in their order, and takes the ops in as one batch: either all
    /// of them are written or none. They may also be those of somebody who was interrupted before; the id is that of the body, so
    /// that signing again is no equivocation.
    ///
    /// All are judged before the first one is signed. [`Replica::preview_all`] has an example.
    ///
    /// # Errors
    /// [`AuthorError`]; then the replica is as it was. Bodies that do not continue the ops of the signer, because others were
    /// written since they were drafted, are refused as `bad_sequence`.
    pub fn author_all(
        &mut self,
        bodies: Vec<Body>,
        signer: &dyn Signer,
    ) -> Result<AuthoredBatch, AuthorError> {
        let costs = &mut Costs::default();
        let drafts = self.judged(bodies, signer, costs);
        let signed = drafts.and_then(|drafts| {
            let author = signer.public_key();
            let signed = drafts.into_iter().map(|it| sign(it, author, signer, costs));
            signed.collect::<Result<Vec<VerifiedOp>, _>>()
        });
        self.costs.add(costs);
        let signed = signed?;
        let written: Vec<(OpId, Vec<u8>)> = signed
            .iter()
            .map(|op| (op.id(), op.envelope().to_vec()))
            .collect();
        let mut intake = Intake::default();
        for op in signed {
            self.take(op, &mut intake);
        }
        let received = self.decide(intake);
        let ops = written.into_iter().map(|(op, envelope)| Written {
            effect: self.effect(&op),
            op,
            envelope,
        });
        Ok(AuthoredBatch {
            ops: ops.collect(),
            received,
        })
    }

    /// The drafts of bodies that would be admitted one after the other, and that continue the ops of the signer.
    fn judged(
        &self,
        bodies: Vec<Body>,
        signer: &dyn Signer,
        costs: &mut Costs,
    ) -> Result<Vec<Draft>, AuthorError> {
        let author = signer.public_key();
        let mut log = self.log.branch().map_err(DraftError::from)?;
        let mut drafts = Vec::with_capacity(bodies.len());
        for (seq, body) in (self.next_seq(&author)..).zip(bodies) {
            if body.author != author || body.seq != seq {
                let (reason, witness) = (Refusal::BadSequence, None);
                return Err(DraftError::Refused { reason, witness }.into());
            }
            let encoding = |error| DraftError::Encoding { error };
            let tried = Draft::new(body.clone(), &mut Costs::default()).map_err(encoding)?;
            match log.foresee(tried.id(), tried.body(), costs) {
                Outcome::Admitted => {}
                Outcome::Refused { reason, witness } => {
                    return Err(DraftError::Refused { reason, witness }.into());
                }
                Outcome::Unsupported | Outcome::Pending | Outcome::Duplicate => {
                    return Err(DraftError::Unsupported.into());
                }
            }
            log.ingest(tried.pretend(), &mut Costs::default());
            drafts.push(Draft::new(body, costs).map_err(encoding)?);
        }
        Ok(drafts)
    }
}
