//! The seeds of the targets of sync: sessions and mailboxes made by hand.

use ecac_core::{ChainHead, Costs, Op, OpId, Tip};
use ecac_fuzz::sync::{LISTENER, SESSION, envelopes};
use ecac_sync::{Bound, Claim, CloseReason, Frame, Message, Range, Scope};

use crate::seeds::{Seeds, named};

/// Pieces with their lengths before them.
fn pieces(pieces: &[Vec<u8>]) -> Vec<u8> {
    let length = |it: &Vec<u8>| u16::try_from(it.len()).unwrap().to_be_bytes();
    let pieces = pieces.iter();
    pieces
        .flat_map(|it| [&length(it)[..], it].concat())
        .collect()
}

pub(crate) fn sync() -> Seeds {
    let (held, new) = envelopes();
    let said = |message: Message| [vec![1], message.encode()].concat();
    let heads = |heads| said(Message::Heads { last: true, heads });
    let nothing = Message::Disputes(Scope::Authors(Vec::new()));
    let settled = |ops: Vec<Vec<u8>>| {
        pieces(&[
            heads(Some(Vec::new())),
            said(nothing.clone()),
            said(Message::Ops(ops)),
            said(Message::Done),
        ])
    };
    let op = Op::decode(&held[2], &mut Costs::default()).unwrap();
    let tip = Tip::Linear {
        seq: 2,
        op: OpId::from_bytes([9; 32]),
    };
    let forked = ChainHead {
        author: op.body().author,
        tip,
    };
    let range = |claim| Range {
        end: Bound {
            ms: u64::MAX,
            prefix: vec![0xff; 32],
        },
        claim,
    };
    let mut bad = new.clone();
    *bad.last_mut().unwrap() ^= 1;
    let frame = Frame {
        session: SESSION,
        listener: Some(LISTENER),
        number: 2,
        ack: 2,
        limit: 18,
        message: Message::Disputes(Scope::All).encode(),
    };
    named([
        ("new-op", &settled(vec![new.clone()])),
        ("known-ops", &settled(held.clone())),
        ("bad-op", &settled(vec![bad])),
        ("no-op", &settled(vec![b"no op".to_vec()])),
        (
            "forked",
            &pieces(&[
                heads(Some(vec![forked])),
                said(Message::Disputes(Scope::All)),
                said(Message::Ranges(vec![range(Claim::Digest([1; 32]))])),
                said(Message::Ranges(vec![range(Claim::Want(vec![op.id()]))])),
                said(Message::Ops(vec![new])),
            ]),
        ),
        (
            "older",
            &pieces(&[
                heads(Some(Vec::new())),
                said(nothing),
                said(Message::Older(vec![op.id()])),
                said(Message::Older(vec![OpId::from_bytes([9; 32])])),
                said(Message::Again {
                    last: true,
                    envelopes: held.clone(),
                }),
            ]),
        ),
        ("too-many", &pieces(&[heads(None)])),
        ("frames", &pieces(&[[vec![0], frame.encode()].concat()])),
        (
            "close",
            &pieces(&[said(Message::Close(CloseReason::Store))]),
        ),
        ("empty", b""),
    ])
}

pub(crate) fn mailbox() -> Seeds {
    let (held, new) = envelopes();
    let pack = |ops: &[Vec<u8>]| [vec![0], ops.concat()].concat();
    let index = |node: u8, picks: &[u8]| [&[2, node], picks].concat();
    let all = [&held[..], core::slice::from_ref(&new)].concat();
    let mut bad = new.clone();
    *bad.last_mut().unwrap() ^= 1;
    named([
        ("new-op", &pieces(&[pack(&all), index(1, &[1])])),
        (
            "two-nodes",
            &pieces(&[
                pack(&held[..2]),
                pack(&held[2..]),
                pack(core::slice::from_ref(&new)),
                index(1, &[1, 3]),
                index(2, &[5]),
            ]),
        ),
        (
            "merged",
            &pieces(&[
                pack(&held[..2]),
                pack(&held[2..]),
                pack(&held),
                index(1, &[1, 3]),
                index(0xee, &[5, 0, 2]),
            ]),
        ),
        ("orphan", &pieces(&[pack(&held[2..]), index(1, &[1])])),
        ("bad-op", &pieces(&[pack(&[bad]), index(1, &[1])])),
        (
            "wrong-name",
            &pieces(&[[vec![1], new].concat(), index(1, &[1])]),
        ),
        ("not-an-index", &pieces(&[vec![3, 0x82, 0x40, 0x80]])),
        ("empty", b""),
    ])
}
