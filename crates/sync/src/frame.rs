//! Frames: what a transport carries (`docs/sync.md`, Frames).

use minicbor::Decoder;

use crate::codec::{Malformed, array_of, bytes, encoded, fixed};
use crate::limits::FRAME_BYTES_MAX;

/// Names a session; its dialler draws it.
pub type SessionId = [u8; 16];

/// One frame. It carries a message or nothing, and says what has come and what may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The session.
    pub session: SessionId,
    /// The number of the message, from 1; 0 where there is none, or where it is a message that needs no answer.
    pub number: u64,
    /// All messages up to this number have come.
    pub ack: u64,
    /// No message beyond this number may come yet.
    pub limit: u64,
    /// The message, encoded; empty for none.
    pub message: Vec<u8>,
}

impl Frame {
    /// The bytes of the frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encoded(|out| {
            out.array(5)?.bytes(&self.session)?.u64(self.number)?;
            out.u64(self.ack)?.u64(self.limit)?.bytes(&self.message)?;
            Ok(())
        })
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`Malformed`] for anything but the one encoding of a frame within the limits.
    pub fn decode(input: &[u8]) -> Result<Self, Malformed> {
        if input.len() > FRAME_BYTES_MAX {
            return Err(Malformed::Limit);
        }
        let decoder = &mut Decoder::new(input);
        array_of(decoder, 5)?;
        let frame = Self {
            session: fixed(decoder)?,
            number: decoder.u64()?,
            ack: decoder.u64()?,
            limit: decoder.u64()?,
            message: bytes(decoder, FRAME_BYTES_MAX)?.to_vec(),
        };
        if frame.encode() == input {
            Ok(frame)
        } else {
            Err(Malformed::NotDeterministic)
        }
    }
}
