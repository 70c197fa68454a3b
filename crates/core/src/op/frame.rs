//! An envelope in memory, with room before it.
//!
//! An id is the hash of the body behind a domain string, and a signature is one of the body behind the rest of a Sig_structure.
//! Neither is in the envelope, and a body can have 64 KiB: so for as long as it is hashed, what has to stand before it stands there
//! in place of what else does.

use core::ops::Range;

use super::envelope::{self, ENVELOPE_PREFIX, SIGNED_PREFIX};
use crate::id::{OP_DOMAIN, OpId};

/// Bytes before the envelope.
const ROOM: usize = SIGNED_PREFIX.len() - ENVELOPE_PREFIX.len();

/// The envelope of an op, and where its body lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    /// [`ROOM`] zeros, and the envelope; nothing for an op whose envelope is not known.
    bytes: Vec<u8>,
    body: Range<usize>,
}

impl Frame {
    /// That of an op whose envelope is not known.
    pub(super) const HOLLOW: Self = Self {
        bytes: Vec::new(),
        body: 0..0,
    };

    /// That of a signed body.
    pub(super) fn new(body: &[u8], signature: &[u8; 64]) -> Self {
        let (envelope, body) = envelope::encode(body, signature);
        Self::of(&envelope, body)
    }

    /// That of an envelope in which the body lies there.
    pub(super) fn of(envelope: &[u8], body: Range<usize>) -> Self {
        let mut bytes = Vec::with_capacity(ROOM + envelope.len());
        bytes.resize(ROOM, 0);
        bytes.extend_from_slice(envelope);
        Self {
            bytes,
            body: ROOM + body.start..ROOM + body.end,
        }
    }

    pub(super) fn envelope(&self) -> &[u8] {
        self.bytes.get(ROOM..).unwrap_or_default()
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.bytes[self.body.clone()]
    }

    pub(super) fn signature(&self) -> &[u8; 64] {
        self.bytes
            .last_chunk()
            .expect("an envelope ends with its signature")
    }

    /// The id of the op.
    pub(super) fn id(&mut self) -> OpId {
        self.behind(OP_DOMAIN, self.body.start, OpId::of_domain_and_body)
    }

    /// What `read` makes of what is signed.
    pub(super) fn signed<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> T {
        self.behind(SIGNED_PREFIX, ROOM + ENVELOPE_PREFIX.len(), read)
    }

    /// What `read` makes of these bytes and all that comes from `at` on up to the end of the body.
    fn behind<T>(&mut self, before: &[u8], at: usize, read: impl FnOnce(&[u8]) -> T) -> T {
        let mut put = [0; SIGNED_PREFIX.len()];
        let put = &mut put[..before.len()];
        put.copy_from_slice(before);
        let start = at - before.len();
        self.bytes[start..at].swap_with_slice(put);
        let result = read(&self.bytes[start..self.body.end]);
        self.bytes[start..at].swap_with_slice(put);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hashed_and_signed_is_what_a_copy_would_be() {
        for length in [1, 23, 24, 255, 256, 1014, 1015, 65_535, 65_536, 70_000] {
            let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut frame = Frame::new(&body, &[7; 64]);
            let before = frame.clone();
            assert_eq!(frame.id(), OpId::of_body(&body));
            assert_eq!(frame.signed(<[u8]>::to_vec), envelope::to_be_signed(&body));
            assert_eq!(frame, before);
            let (envelope, _) = envelope::encode(&body, &[7; 64]);
            assert_eq!((frame.envelope(), frame.body()), (&*envelope, &*body));
            assert_eq!(frame.signature(), &[7; 64]);
        }
        assert!(Frame::HOLLOW.envelope().is_empty());
    }
}
