//! Drafts: ops that nobody has signed yet.

use super::frame::Frame;
use super::{BadSignature, Body, Op, VerifiedOp, envelope};
use crate::costs::Costs;
use crate::id::{OP_DOMAIN, OpId};
use crate::wire::CodecError;

/// An op that waits for its author's signature.
#[derive(Debug)]
pub(crate) struct Draft {
    id: OpId,
    body: Body,
    bytes: Vec<u8>,
}

impl Draft {
    /// The draft of the body.
    ///
    /// # Errors
    /// [`CodecError`] for a body that breaks a limit.
    pub(crate) fn new(body: Body, costs: &mut Costs) -> Result<Self, CodecError> {
        let bytes = body.encode()?;
        costs.bytes_hashed += (OP_DOMAIN.len() + bytes.len()) as u64;
        let id = OpId::of_body(&bytes);
        Ok(Self { id, body, bytes })
    }

    /// The op's id, which does not depend on the signature.
    pub(crate) const fn id(&self) -> OpId {
        self.id
    }

    /// The body.
    pub(crate) const fn body(&self) -> &Body {
        &self.body
    }

    /// What the author's key signs.
    pub(crate) fn message(&self) -> Vec<u8> {
        envelope::to_be_signed(&self.bytes)
    }

    /// The op with the signature.
    ///
    /// # Errors
    /// [`BadSignature`] if the signature does not verify under ZIP 215.
    pub(crate) fn sign(
        self,
        signature: &[u8; 64],
        costs: &mut Costs,
    ) -> Result<VerifiedOp, BadSignature> {
        VerifiedOp::verify(self.assemble(signature), costs)
    }

    /// The op as if it were signed, for a log that nobody sees.
    pub(crate) fn pretend(self) -> VerifiedOp {
        VerifiedOp(self.assemble(&[0; 64]))
    }

    fn assemble(self, signature: &[u8; 64]) -> Op {
        Op {
            id: self.id,
            frame: Frame::new(&self.bytes, signature),
            body: self.body,
        }
    }
}
