//! Sessions between two replicas without a network, and against peers that are no peers.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ecac_core::payload::SetField;
use ecac_core::{
    Genesis, MemoryStore, Name, OpId, OpStore, Received, Replica, SigningKey, StoreError, Value,
    public_key,
};

use crate::close::CloseReason;
use crate::frame::{Frame, ListenerId};
use crate::keeper::{KeepError, Keeper};
use crate::limits::{ORPHANS_MAX, VERSIONS};
use crate::message::{Message, Scope};
use crate::session::{SESSION_MS_MAX, SILENCE_MS, Session, Standing};

const NOW_MS: u64 = 1_767_225_600_000;

fn key(number: u8) -> SigningKey {
    SigningKey::from([number; 32])
}

/// A replica with an op of each of so many authors, and then more of the first.
fn replica(authors: u8, ops: u64) -> Replica {
    let genesis = Genesis {
        name: Name::new("shop").unwrap(),
        nonce: [0; 16],
        roots: (1..=60).map(|it| public_key(&key(it))).collect(),
        schema: [].into(),
        features: [].into(),
    };
    let mut replica = Replica::create(genesis, &key(1), NOW_MS).unwrap();
    for author in 1..=authors {
        write(&mut replica, author, 0);
    }
    for number in 1..=ops {
        write(&mut replica, 1, number);
    }
    replica
}

fn write(replica: &mut Replica, author: u8, number: u64) {
    let value = Value::Text(format!("{author} {number}"));
    let object = format!("order/{}", number % 10);
    let op = SetField::new(&object, "status", value).unwrap();
    replica.author(op, &key(author), NOW_MS + number).unwrap();
}

fn copy_of(replica: &Replica) -> Replica {
    let mut copy = Replica::join(replica.project());
    copy.receive(&replica.envelopes().collect::<Vec<_>>());
    copy
}

/// Runs a session to its end over a network that loses nothing: half round trips until the last op came, and all bytes.
fn sync(a: &mut Replica, b: &mut Replica) -> (u32, u64) {
    let mut dialler = Session::dial(a, [1; 16], NOW_MS);
    let mut listener = None;
    let (mut ways, mut last) = (0, 0);
    loop {
        let there: Vec<_> = core::iter::from_fn(|| dialler.frame()).collect();
        let other =
            listener.get_or_insert_with(|| Session::answer(b, &there[0], [2; 16], NOW_MS).unwrap());
        let back: Vec<_> = core::iter::from_fn(|| other.frame()).collect();
        if there.is_empty() && back.is_empty() {
            break;
        }
        ways += 1;
        let before = (dialler.tally().useful_ops, other.tally().useful_ops);
        for frame in there {
            other.handle(b, &frame, NOW_MS);
        }
        for frame in back {
            dialler.handle(a, &frame, NOW_MS);
        }
        if before != (dialler.tally().useful_ops, other.tally().useful_ops) {
            last = ways;
        }
    }
    let listener = listener.unwrap();
    assert_eq!(dialler.standing(), Standing::Finished);
    assert_eq!(listener.standing(), Standing::Finished);
    assert_eq!(dialler.tally().orphans + listener.tally().orphans, 0);
    let bytes = dialler.tally().sent_bytes + listener.tally().sent_bytes;
    assert_eq!(a.state_digest(), b.state_digest());
    (last, bytes)
}

#[test]
fn a_known_peer_takes_two_round_trips_and_little_more_than_what_is_missing() {
    let mut a = replica(8, 300);
    let mut b = copy_of(&a);
    let had = a.log().admitted_count();
    for number in 0..200 {
        write(&mut a, 2, 1_000 + number);
        write(&mut b, 3, 1_000 + number);
    }
    let of = |replica: &Replica| {
        replica
            .envelopes()
            .skip(had)
            .map(|it| it.len())
            .sum::<usize>()
    };
    let missing = (of(&a) + of(&b)) as u64;
    let (ways, bytes) = sync(&mut a, &mut b);
    assert!(ways <= 4, "{ways} ways");
    assert!(
        bytes <= missing * 12 / 10 + 32 * 1024,
        "{bytes} for {missing}"
    );
    let (ways, bytes) = sync(&mut a, &mut b);
    assert_eq!(ways, 0, "nothing is missing");
    assert!(
        bytes < 4096,
        "{bytes} bytes to find that nothing is missing"
    );
}

#[test]
fn a_newcomer_receives_everything() {
    let mut a = replica(60, 800);
    let mut b = Replica::join(a.project());
    let (ways, _) = sync(&mut b, &mut a);
    assert!(ways > 0);
    assert_eq!(b.log().admitted_count(), a.log().admitted_count());
}

#[test]
fn forks_are_reconciled_by_ranges() {
    let mut a = replica(3, 20);
    let mut b = copy_of(&a);
    let had = a.log().admitted_count();
    for number in 0..150 {
        write(&mut a, 1, 2_000 + 2 * number);
        write(&mut b, 1, 2_001 + 2 * number);
        write(&mut b, 2, 5_000 + number);
    }
    let of = |replica: &Replica| {
        replica
            .envelopes()
            .skip(had)
            .map(|it| it.len())
            .sum::<usize>()
    };
    let missing = (of(&a) + of(&b)) as u64;
    let (ways, bytes) = sync(&mut a, &mut b);
    assert!(ways <= 10, "{ways} ways");
    assert!(bytes <= missing + 100 * 1024, "{bytes} for {missing}");
}

/// A replica that counts how often it is handed ops.
struct Counting {
    replica: Replica,
    calls: u32,
}

impl Keeper for Counting {
    fn replica(&self) -> &Replica {
        &self.replica
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.calls += 1;
        self.replica.keep(envelopes)
    }
}

#[test]
fn ops_of_frames_that_come_together_are_kept_together() {
    let mut full = replica(8, 1_500);
    let mut newcomer = Counting {
        replica: Replica::join(full.project()),
        calls: 0,
    };
    let mut dialler = Session::dial(&newcomer, [1; 16], NOW_MS);
    let mut there: Vec<_> = core::iter::from_fn(|| dialler.frame()).collect();
    let mut listener = Session::answer(&full, &there[0], [2; 16], NOW_MS).unwrap();
    let mut frames = 0;
    while dialler.standing() == Standing::Open {
        listener.handle_all(&mut full, &there, NOW_MS);
        let back: Vec<_> = core::iter::from_fn(|| listener.frame()).collect();
        frames += back.len();
        dialler.handle_all(&mut newcomer, &back, NOW_MS);
        there = core::iter::from_fn(|| dialler.frame()).collect();
    }
    assert_eq!(newcomer.replica.state_digest(), full.state_digest());
    assert!(frames > 6, "{frames} frames");
    assert_eq!(newcomer.calls, 1, "one window has all ops");
}

/// A listener whose dialler is the test.
struct Puppet {
    replica: Replica,
    session: Session,
    number: u64,
    ack: u64,
}

impl Puppet {
    fn new() -> Self {
        let replica = replica(2, 3);
        let hello = Message::Hello {
            versions: VERSIONS,
            project: replica.project(),
        };
        Self::beginning(replica, hello)
    }

    fn beginning(replica: Replica, hello: Message) -> Self {
        let first = Frame {
            session: [9; 16],
            listener: None,
            number: 1,
            ack: 0,
            limit: 16,
            message: hello.encode(),
        };
        let session = Session::answer(&replica, &first.encode(), [2; 16], NOW_MS).unwrap();
        let mut puppet = Self {
            replica,
            session,
            number: 0,
            ack: 0,
        };
        puppet.send(hello);
        puppet
    }

    fn send(&mut self, message: Message) {
        self.send_bytes(message.encode());
    }

    fn send_bytes(&mut self, message: Vec<u8>) {
        self.number += 1;
        while let Some(frame) = self.session.frame() {
            self.ack = self.ack.max(Frame::decode(&frame).unwrap().number);
        }
        let frame = Frame {
            session: [9; 16],
            listener: Some([2; 16]),
            number: self.number,
            ack: self.ack,
            limit: self.ack + 16,
            message,
        };
        self.session
            .handle(&mut self.replica, &frame.encode(), NOW_MS);
    }

    /// Up to where ops come.
    fn settled() -> Self {
        let mut puppet = Self::new();
        let (last, heads) = (true, Some(Vec::new()));
        puppet.send(Message::Heads { last, heads });
        puppet.send(Message::Disputes(Scope::Authors(Vec::new())));
        puppet
    }

    #[track_caller]
    fn is_closed(&self, reason: CloseReason) {
        assert_eq!(self.session.standing(), Standing::Closed(reason));
    }
}

#[test]
fn strangers_are_turned_away() {
    let mine = replica(2, 3);
    let project = OpId::from_bytes([7; 32]);
    let versions = VERSIONS;
    let puppet = Puppet::beginning(mine, Message::Hello { versions, project });
    puppet.is_closed(CloseReason::Project);

    let mine = replica(2, 3);
    let (versions, project) = ((VERSIONS.1 + 1, VERSIONS.1 + 4), mine.project());
    let puppet = Puppet::beginning(mine, Message::Hello { versions, project });
    puppet.is_closed(CloseReason::Version);
}

#[test]
fn messages_out_of_place_or_shape_end_the_session() {
    let mut puppet = Puppet::new();
    puppet.send(Message::Ops(Vec::new()));
    puppet.is_closed(CloseReason::Unexpected);

    let mut puppet = Puppet::new();
    puppet.send_bytes(vec![0x81, 0x18, 0x05]);
    puppet.is_closed(CloseReason::Malformed);

    let mut puppet = Puppet::new();
    for _ in 0..9 {
        puppet
            .session
            .handle(&mut puppet.replica, &[0xff; 40], NOW_MS);
    }
    puppet.is_closed(CloseReason::Malformed);
}

#[test]
fn a_session_without_end_is_ended() {
    let mut puppet = Puppet::new();
    let first = puppet.replica.project();
    for _ in 0..3 {
        // Frames of another session, and numbers far beyond the window, keep nothing alive and take no memory.
        let mut stray = Frame {
            session: [8; 16],
            listener: None,
            number: 1,
            ack: 0,
            limit: u64::MAX,
            message: Vec::new(),
        };
        puppet
            .session
            .handle(&mut puppet.replica, &stray.encode(), NOW_MS);
        stray.session = [9; 16];
        stray.number = u64::MAX;
        puppet
            .session
            .handle(&mut puppet.replica, &stray.encode(), NOW_MS);
    }
    assert_eq!(puppet.session.tally().stray_frames, 3);
    assert_eq!(puppet.session.standing(), Standing::Open);
    puppet.session.tick(NOW_MS + SILENCE_MS);
    puppet.is_closed(CloseReason::Silent);
    assert_eq!(puppet.replica.project(), first);
    const { assert!(SILENCE_MS < SESSION_MS_MAX) };
}

#[test]
fn what_waited_before_is_no_orphan_of_a_session() {
    let mut puppet = Puppet::settled();
    let mut other = copy_of(&puppet.replica);
    let mut third = copy_of(&puppet.replica);
    write(&mut other, 1, 71);
    write(&mut third, 2, 72);
    let first = other.envelopes().last().unwrap().into_owned();
    other.receive(&third.envelopes().collect::<Vec<_>>());
    write(&mut other, 1, 73);
    let last = other.envelopes().last().unwrap().into_owned();
    // It came by another way, waits for two ops, and is told again when it waits for one.
    puppet.replica.receive(&[last]);
    puppet.send(Message::Ops(vec![first]));
    let tally = puppet.session.tally();
    assert_eq!((tally.useful_ops, tally.orphans), (1, 0));
    assert_eq!(puppet.replica.log().pending_count(), 1);
}

#[test]
fn ops_that_are_none_end_the_session_and_leave_nothing() {
    let mut other = replica(2, 3);
    write(&mut other, 2, 77);
    let good = other.envelopes().last().unwrap().into_owned();

    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    for op in [bad, b"no op".to_vec()] {
        let mut puppet = Puppet::settled();
        let before = puppet.replica.log().admitted_count();
        puppet.send(Message::Ops(vec![op]));
        puppet.is_closed(CloseReason::BadOp);
        assert_eq!(puppet.replica.log().admitted_count(), before);
    }

    let mut puppet = Puppet::settled();
    puppet.send(Message::Ops(vec![good]));
    assert_eq!(puppet.session.standing(), Standing::Open);
    assert_eq!(puppet.session.tally().useful_ops, 1);
}

#[test]
fn orphans_are_not_kept_and_end_the_session() {
    let mut other = replica(2, 3);
    write(&mut other, 2, 77);
    write(&mut other, 2, 78);
    let orphan = other.envelopes().last().unwrap().into_owned();
    let mut puppet = Puppet::settled();
    let mut sent = 0;
    while puppet.session.standing() == Standing::Open {
        puppet.send(Message::Ops(vec![orphan.clone(); 100]));
        sent += 100;
    }
    puppet.is_closed(CloseReason::Orphans);
    assert!(sent <= ORPHANS_MAX + 100);
    assert_eq!(puppet.replica.holdings().pending_ops, 0);
}

#[test]
fn what_builds_on_a_bad_copy_waits_for_a_good_one() {
    let mut other = replica(2, 3);
    write(&mut other, 2, 77);
    write(&mut other, 2, 78);
    let ops: Vec<Vec<u8>> = other.envelopes().map(|it| it.into_owned()).collect();
    let [.., good, child] = &ops[..] else {
        panic!("two ops");
    };
    let mut bad = good.clone();
    *bad.last_mut().unwrap() ^= 1;
    let mut puppet = Puppet::settled();
    puppet.send(Message::Ops(vec![bad, child.clone()]));
    puppet.is_closed(CloseReason::BadOp);
    assert_eq!(puppet.session.tally().orphans, 1);
    assert_eq!(puppet.replica.holdings().pending_ops, 1);
    puppet.replica.receive(&[good]);
    assert_eq!(puppet.replica.state_digest(), other.state_digest());
}

/// The heads that a listener of so many ops tells, and what it takes of a dialler that has heard them.
#[test]
fn what_was_said_to_an_earlier_life_of_the_listener_counts_for_nothing() {
    let mut a = replica(2, 30);
    let (mut forgot, mut b) = (Replica::join(a.project()), copy_of(&a));
    for number in 100..110 {
        write(&mut a, 1, number);
    }
    let frames =
        |session: &mut Session| -> Vec<_> { core::iter::from_fn(|| session.frame()).collect() };
    let mut dialler = Session::dial(&a, [1; 16], NOW_MS);
    let first = frames(&mut dialler);
    let life = |number: u8| -> ListenerId { [number; 16] };
    let mut before = Session::answer(&b, &first[0], life(1), NOW_MS).unwrap();
    for frame in &first {
        before.handle(&mut b, frame, NOW_MS);
    }
    let heads = frames(&mut before);
    // The listener forgets the session and all that it had, and hears the first frames again.
    let mut after = Session::answer(&forgot, &first[0], life(2), NOW_MS).unwrap();
    for frame in &first {
        after.handle(&mut forgot, frame, NOW_MS);
    }
    for frame in heads.iter().chain(&frames(&mut after)) {
        dialler.handle(&mut a, frame, NOW_MS);
    }
    assert!(
        dialler.tally().stray_frames > 0,
        "the second life is none of its"
    );
    for frame in frames(&mut dialler) {
        assert!(Session::answer(&forgot, &frame, life(3), NOW_MS).is_none());
        after.handle(&mut forgot, &frame, NOW_MS);
    }
    assert_eq!((after.tally().orphans, after.tally().useful_ops), (0, 0));
    // Its own frames are no answer to a dialler.
    let strays = dialler.tally().stray_frames;
    dialler.handle(&mut a, &first[0], NOW_MS);
    assert_eq!(dialler.tally().stray_frames, strays + 1);
}

/// A store of which one envelope cannot be read any more once it is damaged.
#[derive(Debug, Clone)]
struct Damaged {
    store: MemoryStore,
    position: usize,
    is_damaged: Arc<AtomicBool>,
}

impl OpStore for Damaged {
    fn len(&self) -> usize {
        self.store.len()
    }

    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
        self.store.append(envelope)
    }

    fn read(&self, position: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        if position == self.position && self.is_damaged.load(Ordering::Relaxed) {
            return Err(StoreError::new("a page is damaged"));
        }
        self.store.read(position)
    }

    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
        Ok(Box::new(self.clone()))
    }
}

#[test]
fn what_cannot_be_read_is_not_passed_over() {
    let whole = replica(3, 30);
    for position in [0, 1, 20, whole.log().admitted_count() - 1] {
        let (mut store, is_damaged) = (MemoryStore::new(), Arc::default());
        for envelope in whole.envelopes() {
            store.append(&envelope).unwrap();
        }
        let store = Damaged {
            store,
            position,
            is_damaged: Arc::clone(&is_damaged),
        };
        let opened = Replica::builder().open(whole.project(), Box::new(store));
        let (mut sender, mut newcomer) = (opened.unwrap(), Replica::join(whole.project()));
        is_damaged.store(true, Ordering::Relaxed);
        let mut dialler = Session::dial(&newcomer, [1; 16], NOW_MS);
        let first = dialler.frame().unwrap();
        let mut listener = Session::answer(&sender, &first, [2; 16], NOW_MS).unwrap();
        listener.handle(&mut sender, &first, NOW_MS);
        loop {
            let there: Vec<_> = core::iter::from_fn(|| dialler.frame()).collect();
            let back: Vec<_> = core::iter::from_fn(|| listener.frame()).collect();
            if there.is_empty() && back.is_empty() {
                break;
            }
            listener.handle_all(&mut sender, &there, NOW_MS);
            dialler.handle_all(&mut newcomer, &back, NOW_MS);
        }
        assert_eq!(listener.standing(), Standing::Closed(CloseReason::Store));
        let told = Standing::ClosedByPeer(CloseReason::Store);
        assert_eq!((dialler.standing(), dialler.tally().orphans), (told, 0));
        assert!(newcomer.log().admitted_count() <= position);
    }
}
