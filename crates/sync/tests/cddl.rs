//! `docs/sync.cddl` and the codec agree: an independent validator takes what the codec writes, and refuses what it refuses.

use cddl::ast::CDDL;
use cddl::validator::Validator as _;
use cddl::validator::cbor::CBORValidator;
use cddl::validator::cbor_value::decode_cbor;
use ecac_core::{ChainHead, OpId, PublicKey, Tip};
use ecac_sync::{Bound, Claim, CloseReason, Frame, Gone, Message, Range, Scope};

const SPECIFICATION: &str = include_str!("../../../docs/sync.cddl");

/// The specification as one that starts from a rule of it.
fn starting_from(rule: &str) -> &'static CDDL<'static> {
    let rules = format!("start = {rule}\n{SPECIFICATION}");
    let read = cddl::cddl_from_str(rules.leak(), true).expect("the specification can be read");
    Box::leak(Box::new(read))
}

/// Whether an item is of the shape of a rule.
fn is_of(rules: &CDDL<'static>, item: &[u8]) -> bool {
    let Ok(item) = decode_cbor(item) else {
        return false;
    };
    CBORValidator::new(rules, item, None).validate().is_ok()
}

fn id(byte: u8) -> OpId {
    OpId::from_bytes([byte; 32])
}

fn author(byte: u8) -> PublicKey {
    PublicKey::from_bytes([byte; 32])
}

/// One of each kind, and of each part.
fn messages() -> Vec<Message> {
    let range = |ms, claim| Range {
        end: Bound {
            ms,
            prefix: vec![7; usize::try_from(ms % 33).expect("below 33")],
        },
        claim,
    };
    let linear = Tip::Linear { seq: 9, op: id(1) };
    let set = Tip::Set { digest: [2; 32] };
    let head = |byte, tip| ChainHead {
        author: author(byte),
        tip,
    };
    vec![
        Message::Hello {
            versions: (1, 7),
            project: id(3),
        },
        Message::Heads {
            last: true,
            heads: Some(vec![head(1, linear), head(2, set)]),
        },
        Message::Heads {
            last: false,
            heads: Some(Vec::new()),
        },
        Message::Heads {
            last: true,
            heads: None,
        },
        Message::Disputes(Scope::All),
        Message::Disputes(Scope::Authors(vec![author(1), author(2)])),
        Message::Ranges(vec![
            range(1, Claim::Settled),
            range(2, Claim::Digest([3; 32])),
            range(40, Claim::Ids(vec![id(1), id(2)])),
            range(65, Claim::Want(Vec::new())),
        ]),
        Message::Ops(vec![vec![1, 2], Vec::new()]),
        Message::Done,
        Message::Close(CloseReason::Store),
        Message::Gone(Gone {
            dropped: 2,
            held_back: 9,
            ids: vec![id(1), id(2)],
        }),
        Message::Close(CloseReason::Contradicts),
        Message::Older(vec![id(1), id(2)]),
        Message::Again {
            last: false,
            envelopes: vec![vec![1, 2], Vec::new()],
        },
        Message::Again {
            last: true,
            envelopes: Vec::new(),
        },
    ]
}

#[test]
fn what_is_encoded_is_of_the_specified_shape() {
    let rules = starting_from("message");
    for message in messages() {
        let bytes = message.encode();
        assert!(is_of(rules, &bytes), "{message:?}");
        assert_eq!(Message::decode(&bytes), Ok(message));
    }
    let rules = starting_from("frame");
    for listener in [None, Some([4; 16])] {
        let frame = Frame {
            session: [1; 16],
            listener,
            number: 1,
            ack: 0,
            limit: 16,
            message: Message::Done.encode(),
        };
        let bytes = frame.encode();
        assert!(is_of(rules, &bytes), "{frame:?}");
        assert_eq!(Frame::decode(&bytes), Ok(frame));
    }
}

/// Items that neither side takes.
#[test]
fn what_is_refused_is_refused_by_both() {
    let rules = starting_from("message");
    for bad in [
        "810a",                   // no such type
        "8108",                   // older ops without their ids
        "820880",                 // none of them
        "820981",                 // an answer that is cut short
        "8309f4f6",               // one without envelopes
        "8407010041",             // ids that are no array
        "8307010080",             // one element too few
        "840701208100",           // a number below zero
        "820500",                 // one element too many
        "82060c",                 // no such reason
        "820441f6",               // ops that are no array
        "82048101",               // an op that is no byte string
        "830101f6",               // a number for `last`
        "8301f58182410141",       // a head cut short
        "82038184004000f6",       // a range, but for the next: it is whole
        "8203818400400040",       // settled, with bytes
        "82038184004004f6",       // no such claim
        "84001a0001000001410158", // a version beyond 16 bits
    ] {
        let bytes = hex::decode(bad).expect("hexadecimal");
        let is_taken = Message::decode(&bytes).is_ok();
        assert_eq!(is_taken, is_of(rules, &bytes), "{bad}");
        assert_eq!(is_taken, bad == "82038184004000f6", "{bad}");
    }
    // What comes after the item is no matter of the grammar.
    let [done, followed] = ["8105", "8105ff"].map(|it| hex::decode(it).expect("hexadecimal"));
    assert_eq!(Message::decode(&done), Ok(Message::Done));
    assert!(Message::decode(&followed).is_err());
}
