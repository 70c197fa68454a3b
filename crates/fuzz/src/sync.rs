//! A stream of frames to one side of a session, as it is, or as what bytes spell in good frames.
//!
//! - What is read is what would be written.
//! - Nothing is kept that does not verify, and nothing that waits for its parents.
//! - Frames that wait stay within the documented limits.
//!
//! The input is pieces, each with its length in two bytes before it. A piece whose first byte is odd is a message, which goes
//! into a frame of the session with the number that is due; the others are frames.

use std::sync::LazyLock;

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};
use ecac_sync::limits::{FRAME_BYTES_MAX, VERSIONS, WINDOW_FRAMES};
use ecac_sync::{Frame, Message, Session, Standing};

use crate::reading::Reading;

/// The time of every frame, in milliseconds since the Unix epoch.
const NOW_MS: u64 = 1_767_225_600_000;
/// The session of the input.
pub const SESSION: [u8; 16] = [0x5e; 16];
/// The listener in it.
pub const LISTENER: [u8; 16] = [0x11; 16];

/// What the replica of the target holds: the genesis and two ops; and one that it does not hold yet.
#[must_use]
pub fn envelopes() -> (Vec<Vec<u8>>, Vec<u8>) {
    let key = SigningKey::from([1; 32]);
    let genesis = Genesis {
        name: Name::new("fuzz").expect("a name"),
        nonce: [0; 16],
        roots: [public_key(&key)].into(),
        schema: [].into(),
        features: [].into(),
    };
    let mut replica = Replica::create(genesis, &key, NOW_MS).expect("a genesis");
    let mut write = |number: u64| {
        let value = Value::Text(number.to_string());
        let field = SetField::new("order/1", "status", value).expect("names");
        replica.author(field, &key, NOW_MS + number).expect("an op")
    };
    write(1);
    write(2);
    let last = write(3).envelope;
    let mut held: Vec<Vec<u8>> = replica.envelopes().map(|it| it.into_owned()).collect();
    held.truncate(3);
    (held, last)
}

static HELD: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| envelopes().0);

/// The replica of the target.
#[must_use]
pub fn replica() -> Replica {
    let log = ecac_core::project_of(&HELD.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let mut replica = Replica::join(log.expect("one genesis"));
    replica.receive(&HELD);
    replica
}

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let mut replica = replica();
    let hello = Message::Hello {
        versions: VERSIONS,
        project: replica.project(),
    };
    let first = frame(1, 0, hello.encode());
    let session = Session::answer(&replica, &first, LISTENER, NOW_MS);
    let mut session = session.expect("it is the first frame of a session");
    session.handle(&mut replica, &first, NOW_MS);
    let (mut number, mut ack) = (1, 0);
    for piece in Pieces(data) {
        let (bytes, is_message) = match piece.split_first() {
            Some((kind, message)) if kind % 2 == 1 => {
                number += 1;
                (frame(number, ack, message.to_vec()), true)
            }
            Some((_, frame)) => (frame.to_vec(), false),
            None => continue,
        };
        check_reading(&bytes);
        session.handle(&mut replica, &bytes, NOW_MS);
        let mut count = 0;
        while let Some(frame) = session.frame() {
            let frame = Frame::decode(&frame).expect("a session writes frames");
            assert!(frame.message.is_empty() || Message::decode(&frame.message).is_ok());
            ack = frame.number.max(ack);
            count += 1;
        }
        assert!(count <= WINDOW_FRAMES + 2, "{count} frames at once");
        if is_message && session.standing() != Standing::Open {
            break;
        }
    }
    let holdings = replica.holdings();
    assert_eq!(holdings.pending_ops, 0, "nothing waits for its parents");
    assert!(replica.log().admitted_count() >= HELD.len());
    for envelope in replica.envelopes() {
        let costs = &mut ecac_core::Costs::default();
        assert!(ecac_core::VerifiedOp::read(&envelope, costs).is_ok());
    }
    Reading::of(session.tally().useful_ops > 0)
}

fn frame(number: u64, ack: u64, message: Vec<u8>) -> Vec<u8> {
    let listener = (number > 1).then_some(LISTENER);
    let frame = Frame {
        session: SESSION,
        listener,
        number,
        ack,
        limit: ack + WINDOW_FRAMES,
        message,
    };
    frame.encode()
}

/// What is read is what would be written, and within the limits.
fn check_reading(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(frame.encode(), bytes);
        assert!(bytes.len() <= FRAME_BYTES_MAX);
        if let Ok(message) = Message::decode(&frame.message) {
            assert_eq!(message.encode(), frame.message);
        }
    }
}

/// Pieces with their lengths before them; the last may be shorter.
pub(crate) struct Pieces<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length);
        self.0 = rest;
        Some(piece)
    }
}
