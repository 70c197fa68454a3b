//! Ops on their way into a log: decoded shortly before their turn, and copied only where they are kept as they are.

use core::ops::Range;

use super::envelope;
use super::frame::Frame;
use super::{Body, Op, Rejected, VerifiedOp};
use crate::costs::Costs;
use crate::id::{OP_DOMAIN, OpId};

/// What was found out about an envelope before its body is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    pub(super) id: OpId,
    /// Whether who the body says is the author signed it.
    pub(super) is_signed: bool,
}

/// An op whose signature is valid, or will be checked, with its envelope or with a view of it.
#[derive(Debug)]
pub(crate) struct Incoming<'a> {
    id: OpId,
    body: Body,
    envelope: Envelope<'a>,
}

#[derive(Debug)]
enum Envelope<'a> {
    Own(Frame),
    /// Somebody else's, and where in it the body lies.
    Lent(&'a [u8], Range<usize>),
}

impl<'a> Incoming<'a> {
    /// Decodes envelopes of which this was found out, in order, and appends what they are.
    pub(crate) fn decode_all(
        envelopes: &[&'a [u8]],
        checked: &[Option<Checked>],
        costs: &mut Costs,
        to: &mut Vec<Result<Self, Rejected>>,
    ) {
        let mut again = Vec::new();
        let each = envelopes.iter().zip(checked);
        to.extend(each.map(|(envelope, checked)| {
            let checked = checked.ok_or(Rejected::NON_CANONICAL)?;
            Self::decode(envelope, checked, costs, &mut again)
        }));
    }

    /// Decodes one whose signature is not checked: whoever takes it in checks it before anything counts
    /// ([`super::first_unsigned`]). `again` is memory for its encoding.
    pub(crate) fn unverified(
        envelope: &'a [u8],
        costs: &mut Costs,
        again: &mut Vec<u8>,
    ) -> Result<Self, Rejected> {
        let at = envelope::decode(envelope).map_err(|_| Rejected::NON_CANONICAL)?;
        let id = OpId::of_body(&envelope[at.clone()]);
        Self::decode_at(envelope, at, id, costs, again)
    }

    /// Decodes one; `again` is memory for its encoding.
    fn decode(
        envelope: &'a [u8],
        checked: Checked,
        costs: &mut Costs,
        again: &mut Vec<u8>,
    ) -> Result<Self, Rejected> {
        let Checked { id, is_signed } = checked;
        let at = envelope::body_at(envelope).ok_or(Rejected::NON_CANONICAL)?;
        let op = Self::decode_at(envelope, at, id, costs, again)?;
        if is_signed {
            Ok(op)
        } else {
            Err(Rejected::bad_signature(id))
        }
    }

    /// Decodes one with that id, of which the body lies there.
    fn decode_at(
        envelope: &'a [u8],
        at: Range<usize>,
        id: OpId,
        costs: &mut Costs,
        again: &mut Vec<u8>,
    ) -> Result<Self, Rejected> {
        let bytes = &envelope[at.clone()];
        let body = Body::decode_beside(bytes, again).map_err(|_| Rejected::NON_CANONICAL)?;
        costs.bytes_hashed += (OP_DOMAIN.len() + bytes.len()) as u64;
        costs.signatures_verified += 1;
        Ok(Self {
            id,
            body,
            envelope: Envelope::Lent(envelope, at),
        })
    }

    /// The op's id.
    pub(crate) const fn id(&self) -> OpId {
        self.id
    }

    /// The body.
    pub(crate) const fn body(&self) -> &Body {
        &self.body
    }

    /// The envelope, byte for byte.
    pub(crate) fn envelope(&self) -> &[u8] {
        match &self.envelope {
            Envelope::Own(frame) => frame.envelope(),
            Envelope::Lent(envelope, _) => envelope,
        }
    }

    /// A copy of the op by itself.
    pub(crate) fn to_op(&self) -> VerifiedOp {
        let frame = match &self.envelope {
            Envelope::Own(frame) => frame.clone(),
            Envelope::Lent(envelope, body) => Frame::of(envelope, body.clone()),
        };
        VerifiedOp(Op {
            id: self.id,
            body: self.body.clone(),
            frame,
        })
    }

    /// The op by itself.
    pub(super) fn into_op(self) -> VerifiedOp {
        let frame = match self.envelope {
            Envelope::Own(frame) => frame,
            Envelope::Lent(envelope, body) => Frame::of(envelope, body),
        };
        VerifiedOp(Op {
            id: self.id,
            body: self.body,
            frame,
        })
    }
}

impl From<VerifiedOp> for Incoming<'_> {
    fn from(VerifiedOp(Op { id, body, frame }): VerifiedOp) -> Self {
        Self {
            id,
            body,
            envelope: Envelope::Own(frame),
        }
    }
}
