//! A peer that lies: what it makes of the frames that it sends.

use ecac_core::Tip;

use super::stream::Stream;
use crate::frame::Frame;
use crate::message::Message;

/// The frame, or a lie in its stead.
pub(super) fn lie(bytes: Vec<u8>, stream: &mut Stream) -> Vec<u8> {
    if stream.chance(50) {
        return bytes;
    }
    let Ok(mut frame) = Frame::decode(&bytes) else {
        return bytes;
    };
    match Message::decode(&frame.message) {
        Ok(Message::Ops(mut ops)) => {
            match stream.between(0, 2) {
                0 => {
                    let at = stream.index(ops.len().max(1));
                    if let Some(byte) = ops.get_mut(at).and_then(|it| it.last_mut()) {
                        *byte ^= 1;
                    }
                }
                1 => drop(ops.drain(..1.min(ops.len()))),
                _ => ops.reverse(),
            }
            frame.message = Message::Ops(ops).encode();
        }
        Ok(Message::Heads { last, heads }) => {
            let heads = heads.map(|mut heads| {
                let at = stream.index(heads.len().max(1));
                if let Some(Tip::Linear { seq, .. }) = heads.get_mut(at).map(|it| &mut it.tip) {
                    *seq = stream.between(0, *seq + 3);
                }
                heads
            });
            frame.message = Message::Heads { last, heads }.encode();
        }
        Ok(
            Message::Hello { .. }
            | Message::Disputes(_)
            | Message::Ranges(_)
            | Message::Done
            | Message::Gone(_)
            | Message::Older(_)
            | Message::Again { .. }
            | Message::Close(_),
        )
        | Err(_) => {
            if stream.chance(10) {
                let mut bytes = bytes;
                let at = stream.index(bytes.len());
                bytes[at] ^= 1 << stream.between(0, 7);
                return bytes;
            }
        }
    }
    frame.encode()
}
