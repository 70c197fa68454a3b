//! Sessions with a replica that has dropped envelopes.

use ecac_core::payload::SetField;
use ecac_core::{Genesis, Name, Replica, SigningKey, Value, public_key};

use crate::close::CloseReason;
use crate::frame::Frame;
use crate::keeper::Keeper;
use crate::limits::{GONE_MESSAGES_MAX, VERSIONS};
use crate::message::{Gone, Message, Scope};
use crate::session::{Session, Standing};

pub(crate) const NOW_MS: u64 = 1_767_225_600_000;

fn key() -> SigningKey {
    SigningKey::from([1; 32])
}

pub(crate) fn write(replica: &mut Replica, number: u64) {
    let value = Value::Text(number.to_string());
    let op = SetField::new("order/1", "status", value).unwrap();
    replica.author(op, &key(), NOW_MS + number).unwrap();
}

pub(crate) fn copy_of(replica: &Replica) -> Replica {
    let mut copy = Replica::join(replica.project());
    copy.receive(&replica.envelopes().collect::<Vec<_>>());
    copy
}

/// A replica with ten writes over each other and a seal of them; one that has three of the writes; and one that has dropped what it
/// may, nine of them.
pub(crate) fn three() -> (Replica, Replica, Replica) {
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: [public_key(&key())].into(),
        schema: [].into(),
        features: [(Name::new("seal").unwrap(), Vec::new())].into(),
    };
    let mut full = Replica::create(genesis, &key(), NOW_MS).unwrap();
    (1..4).for_each(|number| write(&mut full, number));
    let old = copy_of(&full);
    (4..11).for_each(|number| write(&mut full, number));
    full.seal(&key(), NOW_MS + 20).unwrap();
    let mut pruned = copy_of(&full);
    assert_eq!(pruned.prune().unwrap().ops, 9);
    (full, old, pruned)
}

/// A session to its end over a network that loses nothing, begun by the dialler of `a`, whose messages from `b` are changed.
pub(crate) fn converse(
    mut dialler: Session,
    a: &mut dyn Keeper,
    b: &mut dyn Keeper,
    change: &mut dyn FnMut(Message) -> Message,
) -> (Session, Session) {
    let first = dialler.frame().unwrap();
    let mut listener = Session::answer(b, &first, [2; 16], NOW_MS).unwrap();
    listener.handle(b, &first, NOW_MS);
    loop {
        let there: Vec<_> = core::iter::from_fn(|| dialler.frame()).collect();
        let back: Vec<_> = core::iter::from_fn(|| listener.frame()).collect();
        if there.is_empty() && back.is_empty() {
            return (dialler, listener);
        }
        there.iter().for_each(|it| listener.handle(b, it, NOW_MS));
        for frame in back {
            let mut frame = Frame::decode(&frame).unwrap();
            if let Ok(message) = Message::decode(&frame.message) {
                frame.message = change(message).encode();
            }
            dialler.handle(a, &frame.encode(), NOW_MS);
        }
    }
}

/// A session to its end; the first one dials.
fn meet(a: &mut Replica, b: &mut Replica) -> (Session, Session) {
    let dialler = Session::dial(a, [1; 16], NOW_MS);
    let (dialler, listener) = converse(dialler, a, b, &mut |it| it);
    for side in [&dialler, &listener] {
        assert_eq!(side.standing(), Standing::Finished);
        assert_eq!(side.tally().orphans, 0);
    }
    (dialler, listener)
}

#[test]
fn who_lacks_what_was_dropped_is_told_and_gets_it_elsewhere() {
    let (mut full, old, mut pruned) = three();
    let fresh = Replica::join(full.project());
    // A newcomer gets the genesis; who has three writes gets nothing, and lacks seven, of which one is there.
    for (mut peer, has, gone, held_back) in [(fresh, 1, 9, 2), (old, 4, 6, 2)] {
        let (mine, theirs) = meet(&mut peer, &mut pruned);
        assert_eq!(peer.log().admitted_count(), has);
        assert_eq!(
            (mine.tally().gone_ops, mine.tally().held_back_ops),
            (gone, held_back)
        );
        assert_eq!(theirs.tally().dropped_ops, gone);
        let named: Vec<_> = mine.gone().copied().collect();
        assert_eq!(named.len() as u64, gone);
        assert!(named.iter().all(|it| pruned.log().is_pruned(it)));
        assert_eq!(theirs.gone().count(), 0);

        let (mine, _) = meet(&mut peer, &mut full);
        assert_eq!(mine.tally().gone_ops, 0);
        assert_eq!(peer.state_digest(), full.state_digest());
        let (mine, theirs) = meet(&mut pruned, &mut peer);
        assert_eq!(mine.tally().useful_ops + theirs.tally().useful_ops, 0);
    }
}

#[test]
fn a_pruned_replica_takes_in_and_hands_on_what_is_new() {
    let (mut full, _, mut pruned) = three();
    write(&mut full, 30);
    let (mine, _) = meet(&mut pruned, &mut full);
    assert_eq!(mine.tally().useful_ops, 1);
    let mut other = copy_of(&full);
    write(&mut pruned, 31);
    let (mine, theirs) = meet(&mut other, &mut pruned);
    assert_eq!(
        (mine.tally().useful_ops, theirs.tally().dropped_ops),
        (1, 0)
    );
    assert_eq!(other.state_digest(), pruned.state_digest());
}

#[test]
fn what_is_dropped_amid_a_session_is_told_too() {
    let (full, _, _) = three();
    let (mut mine, mut theirs) = (copy_of(&full), Replica::join(full.project()));
    let mut dialler = Session::dial(&theirs, [1; 16], NOW_MS);
    let first = dialler.frame().unwrap();
    let mut listener = Session::answer(&mine, &first, [2; 16], NOW_MS).unwrap();
    listener.handle(&mut mine, &first, NOW_MS);
    // All but the last frame of the newcomer, after which the ops are sent.
    for round in 0.. {
        let there: Vec<_> = core::iter::from_fn(|| dialler.frame()).collect();
        let back: Vec<_> = core::iter::from_fn(|| listener.frame()).collect();
        if there.is_empty() && back.is_empty() {
            break;
        }
        if round == 1 {
            mine.prune().unwrap();
        }
        there
            .iter()
            .for_each(|it| listener.handle(&mut mine, it, NOW_MS));
        back.iter()
            .for_each(|it| dialler.handle(&mut theirs, it, NOW_MS));
    }
    assert_eq!(dialler.standing(), Standing::Finished);
    assert_eq!((dialler.tally().orphans, dialler.tally().gone_ops), (0, 9));
}

/// What a pruned replica answers to whom speaks these versions and has nothing, and how the session stands after these messages.
pub(crate) fn said_to(versions: (u16, u16), more: &[Message]) -> (Vec<Message>, Standing) {
    let (_, _, mut pruned) = three();
    let (last, heads) = (true, Some(Vec::new()));
    let mut messages = vec![
        Message::Hello {
            versions,
            project: pruned.project(),
        },
        Message::Heads { last, heads },
        Message::Disputes(Scope::Authors(Vec::new())),
    ];
    messages.extend_from_slice(more);
    let frame = |number: u64, message: &Message| {
        let frame = Frame {
            session: [9; 16],
            listener: (number > 1).then_some([2; 16]),
            number,
            ack: 0,
            limit: 16,
            message: message.encode(),
        };
        frame.encode()
    };
    let first = frame(1, &messages[0]);
    let mut session = Session::answer(&pruned, &first, [2; 16], NOW_MS).unwrap();
    let mut said = Vec::new();
    for (number, message) in (1..).zip(&messages) {
        session.handle(&mut pruned, &frame(number, message), NOW_MS);
        while let Some(frame) = session.frame() {
            let message = Frame::decode(&frame).unwrap().message;
            said.extend(Message::decode(&message));
        }
    }
    (said, session.standing())
}

#[test]
fn who_speaks_version_1_is_told_nothing_and_gets_what_is_at_hand() {
    for (versions, told) in [((1, 1), 0), (VERSIONS, 1)] {
        let (said, standing) = said_to(versions, &[]);
        let gone = said.iter().filter(|it| matches!(it, Message::Gone(_)));
        assert_eq!(gone.count(), told);
        let ops = said.iter().find_map(|it| match it {
            Message::Ops(ops) => Some(ops.len()),
            _ => None,
        });
        assert_eq!((ops, said.last()), (Some(1), Some(&Message::Done)));
        assert_eq!(standing, Standing::Open);
    }
}

#[test]
fn what_is_gone_is_told_by_the_rules() {
    let gone = |dropped, ids: usize| {
        let ids = (0..ids).map(|it| {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&(it as u64).to_be_bytes());
            ecac_core::OpId::from_bytes(id)
        });
        Message::Gone(Gone {
            dropped,
            held_back: 0,
            ids: ids.collect(),
        })
    };
    let is_closed = |versions, more: &[Message]| {
        said_to(versions, more).1 == Standing::Closed(CloseReason::Unexpected)
    };
    assert!(!is_closed(VERSIONS, &[gone(1, 1), gone(2000, 1024)]));
    assert!(is_closed((1, 1), &[gone(1, 1)]), "it is of version 2");
    for bad in [gone(0, 0), gone(2, 1), gone(1, 2), gone(2000, 1023)] {
        assert!(is_closed(VERSIONS, core::slice::from_ref(&bad)), "{bad:?}");
    }
    let many = vec![gone(1, 1); GONE_MESSAGES_MAX as usize + 1];
    assert!(is_closed(VERSIONS, &many));
}
