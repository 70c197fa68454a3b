//! Sessions that ask for envelopes of ops that are here without.

use ecac_core::{OpId, Received, Regained, Replica};

use crate::close::CloseReason;
use crate::gone_tests::{NOW_MS, converse, copy_of, said_to, three, write};
use crate::keeper::{KeepError, Keeper, RegainFault};
use crate::limits::{ASKS_MAX, VERSION_OF_OLDER, VERSIONS};
use crate::message::Message;
use crate::session::{Session, Standing};

/// A session to its end over a network that loses nothing: the first one dials and asks, and what it hears is changed.
fn meet(
    a: &mut dyn Keeper,
    b: &mut dyn Keeper,
    change: &mut dyn FnMut(Message) -> Message,
) -> (Session, Session) {
    let dialler = Session::dial(a, [1; 16], NOW_MS).asking_for_older();
    converse(dialler, a, b, change)
}

fn ask(a: &mut dyn Keeper, b: &mut dyn Keeper) -> (Session, Session) {
    let (dialler, listener) = meet(a, b, &mut |it| it);
    for side in [&dialler, &listener] {
        assert_eq!(side.standing(), Standing::Finished);
        assert_eq!(side.version(), VERSION_OF_OLDER);
    }
    (dialler, listener)
}

#[test]
fn who_asks_gets_everything_back_and_exchanges_what_is_new() {
    let (mut full, _, mut pruned) = three();
    write(&mut full, 30);
    write(&mut pruned, 31);
    let (mine, theirs) = ask(&mut pruned, &mut full);
    assert_eq!((mine.tally().asked_ops, mine.tally().regained_ops), (9, 9));
    assert_eq!(theirs.tally().older_ops, 9);
    assert_eq!((mine.tally().useful_ops, mine.tally().sent_ops), (1, 1));
    assert_eq!(mine.tally().useless_ops, 0);
    assert_eq!(pruned.log().pruned_count(), 0);
    assert_eq!(pruned.state_digest(), full.state_digest());
    let whole = |it: &Replica| {
        let mut envelopes: Vec<_> = it.envelopes().map(|it| it.into_owned()).collect();
        envelopes.sort();
        envelopes
    };
    assert_eq!(whole(&pruned), whole(&full));
    // There is nothing left to ask for.
    let (mine, _) = ask(&mut pruned, &mut full);
    assert_eq!((mine.tally().asked_ops, mine.tally().regained_ops), (0, 0));
}

#[test]
fn who_has_dropped_it_too_answers_with_what_is_at_hand() {
    let (full, _, mut pruned) = three();
    let mut other = copy_of(&full);
    other.prune().unwrap();
    let (mine, theirs) = ask(&mut pruned, &mut other);
    assert_eq!((mine.tally().asked_ops, mine.tally().regained_ops), (9, 0));
    assert_eq!(theirs.tally().older_ops, 0);
    assert_eq!(pruned.log().pruned_count(), 9);
}

#[test]
fn a_session_in_which_many_are_asked_for_comes_to_its_end() {
    let (full, _, _) = three();
    let mut full = copy_of(&full);
    (40..6_000).for_each(|number| write(&mut full, number));
    let key = ecac_core::SigningKey::from([1; 32]);
    full.seal(&key, NOW_MS + 7_000).unwrap();
    let mut pruned = copy_of(&full);
    let dropped = pruned.prune().unwrap().ops as u64;
    assert!(dropped > 5_000);
    let (mine, theirs) = ask(&mut pruned, &mut full);
    assert_eq!(mine.tally().regained_ops, dropped);
    assert_eq!(theirs.tally().older_ops, dropped);
    assert_eq!(pruned.log().pruned_count(), 0);
}

#[test]
fn who_speaks_an_older_version_is_not_asked() {
    let (mut full, _, mut pruned) = three();
    let (mine, theirs) = meet(&mut pruned, &mut full, &mut |message| match message {
        Message::Hello { versions, project } => Message::Hello {
            versions: (versions.0, VERSION_OF_OLDER - 1),
            project,
        },
        other => other,
    });
    for side in [&mine, &theirs] {
        assert_eq!(side.standing(), Standing::Finished);
    }
    assert_eq!(mine.version(), VERSION_OF_OLDER - 1);
    assert_eq!((mine.tally().asked_ops, theirs.tally().older_ops), (0, 0));
}

#[test]
fn an_answer_that_was_not_asked_for_ends_the_session() {
    let (full, _, pruned) = three();
    let envelope = full.envelope_at(3).unwrap().into_owned();
    type Change<'a> = &'a dyn Fn(bool, Vec<Vec<u8>>) -> (bool, Vec<Vec<u8>>);
    let changes: [(Change<'_>, Standing); 4] = [
        (&|last, it| (last, it), Standing::Finished),
        (
            &|_, _| (false, Vec::new()),
            Standing::Closed(CloseReason::Unexpected),
        ),
        (
            &|last, mut it| {
                it.push(envelope.clone());
                (last, it)
            },
            Standing::Closed(CloseReason::Unexpected),
        ),
        // What is no op of anybody's is of no use, and counted.
        (&|last, _| (last, vec![vec![7; 90]; 9]), Standing::Finished),
    ];
    for (number, (change, standing)) in changes.into_iter().enumerate() {
        let (mut pruned, mut full) = (pruned_again(&pruned, &full), copy_of(&full));
        let (mine, _) = meet(&mut pruned, &mut full, &mut |message| match message {
            Message::Again { last, envelopes } => {
                let (last, envelopes) = change(last, envelopes);
                Message::Again { last, envelopes }
            }
            other => other,
        });
        assert_eq!(mine.standing(), standing, "{number}");
        if number == 3 {
            assert_eq!(
                (mine.tally().regained_ops, mine.tally().useless_ops),
                (0, 9)
            );
        }
    }
    // Without an ask there is no answer.
    let again = Message::Again {
        last: true,
        envelopes: Vec::new(),
    };
    let (_, standing) = said_to(VERSIONS, &[again]);
    assert_eq!(standing, Standing::Closed(CloseReason::Unexpected));
}

/// A copy that has dropped the same.
fn pruned_again(pruned: &Replica, full: &Replica) -> Replica {
    let mut copy = copy_of(full);
    assert_eq!(copy.prune().unwrap().ops, pruned.log().pruned_count());
    copy
}

#[test]
fn asks_are_held_to_the_rules() {
    let (full, _, pruned) = three();
    let at_hand = |it: &OpId| pruned.envelope(it).is_some();
    let held: Vec<OpId> = full.log().ids_since(0).filter(at_hand).collect();
    let mut held = held;
    held.sort_unstable();
    let ask = Message::Older(held.clone());
    // In a version that has it, and before the other side is done.
    let unexpected = Standing::Closed(CloseReason::Unexpected);
    assert_eq!(
        said_to((1, VERSION_OF_OLDER - 1), core::slice::from_ref(&ask)).1,
        unexpected
    );
    assert_eq!(
        said_to(VERSIONS, &[Message::Done, ask.clone()]).1,
        unexpected
    );
    // Each op once; some more do no harm.
    let (said, standing) = said_to(VERSIONS, core::slice::from_ref(&ask));
    let answers = said.iter().filter_map(|it| match it {
        Message::Again {
            last: true,
            envelopes,
        } => Some(envelopes.len()),
        _ => None,
    });
    assert_eq!(answers.collect::<Vec<_>>(), [held.len()]);
    assert_eq!(standing, Standing::Open);
    let admitted = full.log().admitted_count();
    let many = vec![ask.clone(); admitted / held.len() + 2];
    assert_eq!(said_to(VERSIONS, &many).1, unexpected);
    // What is not there is no answer, however often it is asked for.
    let strange = Message::Older(vec![OpId::from_bytes([7; 32])]);
    let (said, standing) = said_to(VERSIONS, &vec![strange.clone(); 9]);
    let empty = Message::Again {
        last: true,
        envelopes: Vec::new(),
    };
    assert_eq!(said.iter().filter(|it| **it == empty).count(), 9);
    assert_eq!(standing, Standing::Open);
    // Who takes no answers may not ask for ever.
    let mut asked = crate::older::Asked::default();
    let tally = crate::tally::Tally::default();
    let ids = || vec![OpId::from_bytes([7; 32])];
    for _ in 0..ASKS_MAX {
        asked.take(ids(), &full, &tally, None).unwrap();
    }
    assert_eq!(
        asked.take(ids(), &full, &tally, None),
        Err(CloseReason::Unexpected)
    );
}

/// A replica that finds every older op to be another one than was told, or whose store fails.
struct Wronged(Replica, RegainFault);

impl Keeper for Wronged {
    fn replica(&self) -> &Replica {
        &self.0
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.0.keep(envelopes)
    }

    fn regain(&mut self, _: &[&[u8]]) -> Result<Regained, RegainFault> {
        Err(self.1.clone())
    }
}

#[test]
fn an_op_that_is_not_what_was_told_of_it_ends_the_session() {
    let op = OpId::from_bytes([7; 32]);
    let reason = "full".to_owned();
    for (fault, reason) in [
        (RegainFault::Contradicts { op }, CloseReason::Contradicts),
        (KeepError { reason }.into(), CloseReason::Store),
    ] {
        let (mut full, _, pruned) = three();
        let mut wronged = Wronged(pruned, fault);
        let (mine, theirs) = meet(&mut wronged, &mut full, &mut |it| it);
        assert_eq!(mine.standing(), Standing::Closed(reason));
        assert_eq!(theirs.standing(), Standing::ClosedByPeer(reason));
        assert_eq!(wronged.0.log().pruned_count(), 9);
    }
}
