//! Frames: what a transport carries (`docs/sync.md`, Frames).

use minicbor::Decoder;
use minicbor::data::Type;

use crate::codec::{Malformed, Out, Written, array_of, bytes, encoded, encoded_within, fixed};
use crate::limits::FRAME_BYTES_MAX;

/// Bytes before the message at most: two names, and four numbers.
const HEAD_BYTES_MAX: usize = 1 + 2 * 17 + 4 * 9;

/// Names a session; its dialler draws it.
pub type SessionId = [u8; 16];

/// Names one life of a listener in a session; it draws it when it hears of the session, and draws another one after it has
/// forgotten the session.
pub type ListenerId = [u8; 16];

/// One frame. It carries a message or nothing, and says what has come and what may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The session.
    pub session: SessionId,
    /// The listener's life; `None` from a dialler that has not heard of it yet.
    pub listener: Option<ListenerId>,
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
        self.encode_around(&self.message)
    }

    /// The bytes of the frame with this message in place of its own.
    pub(crate) fn encode_around(&self, message: &[u8]) -> Vec<u8> {
        encoded_within(HEAD_BYTES_MAX + message.len(), |out| {
            self.write_head(out, message.len())?;
            out.writer_mut().extend_from_slice(message);
            Ok(())
        })
    }

    /// Writes all that comes before the bytes of a message of this length.
    fn write_head(&self, out: &mut Out<'_>, length: usize) -> Written {
        out.array(6)?.bytes(&self.session)?;
        match &self.listener {
            Some(listener) => out.bytes(listener)?,
            None => out.null()?,
        };
        out.u64(self.number)?;
        out.u64(self.ack)?.u64(self.limit)?;
        out.bytes_len(length as u64)?;
        Ok(())
    }

    /// Whether it is the first one of a session, which a listener answers that does not know the session.
    #[must_use]
    pub const fn begins(&self) -> bool {
        self.number == 1 && self.listener.is_none()
    }

    /// Reads a frame.
    ///
    /// # Errors
    /// [`Malformed`] for anything but the one encoding of a frame within the limits.
    pub fn decode(input: &[u8]) -> Result<Self, Malformed> {
        let (mut frame, message) = Self::split(input)?;
        frame.message = message.to_vec();
        Ok(frame)
    }

    /// The frame without its message, and the message where it lies in the bytes.
    ///
    /// # Errors
    /// As [`Frame::decode`].
    pub(crate) fn split(input: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        if input.len() > FRAME_BYTES_MAX {
            return Err(Malformed::Limit);
        }
        let decoder = &mut Decoder::new(input);
        array_of(decoder, 6)?;
        let session = fixed(decoder)?;
        let listener = if decoder.datatype()? == Type::Null {
            decoder.null()?;
            None
        } else {
            Some(fixed(decoder)?)
        };
        let frame = Self {
            session,
            listener,
            number: decoder.u64()?,
            ack: decoder.u64()?,
            limit: decoder.u64()?,
            message: Vec::new(),
        };
        let message = bytes(decoder, FRAME_BYTES_MAX)?;
        // What [`Frame::encode`] would write, without a copy of the message, which lies behind the head.
        let head = encoded(|out| frame.write_head(out, message.len()));
        if input.starts_with(&head) && input.len() == head.len() + message.len() {
            Ok((frame, message))
        } else {
            Err(Malformed::NotDeterministic)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_written_in_one_way_only() {
        let head = format!("8650{}f6", "09".repeat(16));
        let decoded = |rest: &str| Frame::decode(&hex::decode(format!("{head}{rest}")).unwrap());
        let good = decoded("01001042abcd").unwrap();
        assert_eq!((good.number, good.ack, good.limit), (1, 0, 16));
        assert_eq!(good.message, [0xab, 0xcd]);
        for bad in [
            "1801001042abcd",   // a wide number
            "0118001042abcd",   // a wide ack
            "0100181042abcd",   // a wide limit
            "0100105802abcd",   // a wide head of the message
            "01001042abcd00",   // a byte that follows
            "0100105f42abcdff", // a message without a length
        ] {
            assert!(decoded(bad).is_err(), "{bad}");
        }
    }
}
