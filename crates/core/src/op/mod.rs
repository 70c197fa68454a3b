//! Ops: immutable signed events (`docs/protocol.md`, Ops).
//!
//! The stages are types: bytes become an [`Op`] (canonical), an [`Op`] becomes a [`VerifiedOp`] (its author
//! signed it), and only a [`VerifiedOp`] can enter a [`crate::Log`]. The bytes that were signed are kept and
//! handed on; nothing is ever encoded again.

mod batch;
mod body;
mod coefficients;
mod draft;
mod envelope;
mod equation;
mod frame;
mod incoming;
mod jwts;

pub(crate) use batch::{check_in_portions, first_unsigned};
pub use body::Body;
pub(crate) use body::write_head;
pub(crate) use draft::Draft;
pub use ed25519_zebra::SigningKey;
pub use envelope::ENVELOPE_PREFIX;
use frame::Frame;
pub(crate) use incoming::Incoming;
pub(crate) use jwts::verify_jwts;

use crate::costs::Costs;
use crate::id::{OP_DOMAIN, OpId, PublicKey};
use crate::payload::Share;
use crate::reason::Refusal;
use crate::signature::zip215_verifies;
use crate::value::Value;
use crate::wire::CodecError;

/// A canonically encoded op whose signature nobody has checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    id: OpId,
    body: Body,
    frame: Frame,
}

impl Op {
    /// The op that the envelope holds.
    ///
    /// # Errors
    /// [`CodecError`] for anything but the one canonical encoding; a refusal `non_canonical`.
    pub fn decode(envelope: &[u8], costs: &mut Costs) -> Result<Self, CodecError> {
        let bytes = envelope::decode(envelope)?;
        // What is copied first is near when it is read.
        let mut frame = Frame::of(envelope, bytes);
        let body = Body::decode(frame.body())?;
        costs.bytes_hashed += (OP_DOMAIN.len() + frame.body().len()) as u64;
        let id = frame.id();
        Ok(Self { id, body, frame })
    }

    /// The op's id.
    #[must_use]
    pub const fn id(&self) -> OpId {
        self.id
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// Whether the author's signature is valid under ZIP 215.
    fn signature_is_valid(&mut self) -> bool {
        let (author, signature) = (&self.body.author, *self.frame.signature());
        self.frame
            .signed(|message| zip215_verifies(author, &signature, message))
    }
}

/// Bytes that are no op of anybody's: refused without a trace, so that they cannot keep a good op with the same
/// id away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Rejected {
    /// `non_canonical` or `bad_signature`.
    pub reason: Refusal,
    /// The id that the bytes claim, if they are canonical.
    pub claimed: Option<OpId>,
}

impl Rejected {
    const NON_CANONICAL: Self = Self {
        reason: Refusal::NonCanonical,
        claimed: None,
    };

    const fn bad_signature(claimed: OpId) -> Self {
        Self {
            reason: Refusal::BadSignature,
            claimed: Some(claimed),
        }
    }
}

/// An op whose author signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedOp(Op);

/// The signature of an op does not verify: a refusal `bad_signature`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify under ZIP 215")]
pub struct BadSignature;

impl VerifiedOp {
    /// The op that the envelope holds, if its author signed it.
    ///
    /// # Errors
    /// [`Rejected`] if the bytes are not canonical or the signature is bad.
    pub fn read(envelope: &[u8], costs: &mut Costs) -> Result<Self, Rejected> {
        let op = Op::decode(envelope, costs).map_err(|_| Rejected::NON_CANONICAL)?;
        let claimed = op.id();
        Self::verify(op, costs).map_err(|BadSignature| Rejected::bad_signature(claimed))
    }

    /// Checks the signature.
    ///
    /// # Errors
    /// [`BadSignature`] if the author's key is no curve point or the signature does not verify.
    pub fn verify(mut op: Op, costs: &mut Costs) -> Result<Self, BadSignature> {
        costs.signatures_verified += 1;
        if op.signature_is_valid() {
            Ok(Self(op))
        } else {
            Err(BadSignature)
        }
    }

    /// Signs a body with its author's key. Signing is deterministic (RFC 8032).
    ///
    /// # Errors
    /// [`CodecError`] for a body that breaks a limit.
    ///
    /// # Panics
    /// If the key is not the author's: the caller mixed up its own keys.
    pub fn sign(body: Body, key: &SigningKey) -> Result<Self, CodecError> {
        assert_eq!(
            public_key(key),
            body.author,
            "an op is signed with its author's key"
        );
        let bytes = body.encode()?;
        let signature = <[u8; 64]>::from(key.sign(&envelope::to_be_signed(&bytes)));
        Ok(Self(Op {
            id: OpId::of_body(&bytes),
            body,
            frame: Frame::new(&bytes, &signature),
        }))
    }

    /// An op of which the id and what decides are known and the envelope is not: in a log it is one whose envelope was dropped. The
    /// body is not that of the id.
    pub(crate) const fn hollow(id: OpId, body: Body) -> Self {
        Self(Op {
            id,
            body,
            frame: Frame::HOLLOW,
        })
    }

    /// The op of an envelope that was verified before it was stored; `None` if these are no bytes of an op at all.
    pub(crate) fn stored(envelope: &[u8]) -> Option<Self> {
        let op = Op::decode(envelope, &mut Costs::default()).ok()?;
        Some(Self(op))
    }

    /// The body in an envelope that was verified before it was stored; `None` if these are no bytes of an op at all.
    pub(crate) fn stored_body(envelope: &[u8]) -> Option<Body> {
        Body::decode_known(envelope::body_of_known(envelope)?).ok()
    }

    /// The value in such an envelope, which comes after so many names.
    pub(crate) fn stored_value(envelope: &[u8], names: usize) -> Option<Value> {
        Body::value_alone(envelope::body_of_known(envelope)?, names)
    }

    /// What the `KeyGrant` in such an envelope gives the recipient.
    pub(crate) fn stored_share(envelope: &[u8], recipient: &PublicKey) -> Option<Share> {
        Body::share_alone(envelope::body_of_known(envelope)?, recipient)
    }

    /// The id of the op that the bytes claim to be, whether they are one or not; `None` if they are certainly none.
    pub(crate) fn claimed(envelope: &[u8]) -> Option<OpId> {
        envelope::body_of_known(envelope).map(OpId::of_body)
    }

    /// The op's id.
    #[must_use]
    pub const fn id(&self) -> OpId {
        self.0.id
    }

    /// The body.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.0.body
    }

    /// The envelope, byte for byte as it was signed and received.
    #[must_use]
    pub fn envelope(&self) -> &[u8] {
        self.0.frame.envelope()
    }
}

/// The public key of a signing key.
#[must_use]
pub fn public_key(key: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(key.verification_key().into())
}
