//! Meetings: two simulated replicas sync by a session over a network in virtual time.

use std::collections::BTreeMap;

use ecac_artifact::Meetings;
use ecac_core::{Costs, Event, Outcome, Received, Replica, VerifiedOp};
use ecac_sync::{KeepError, Keeper, Session, Standing};

use crate::replica::Author;
use crate::storage::StoredReplica;
use crate::stream::Stream;

/// The shortest and the longest way of a frame, in milliseconds.
const WAY_MS: (u64, u64) = (20, 180);
/// Of a hundred frames so many are lost.
const LOSS_PERCENT: u64 = 5;

/// An author as what a session hands ops to.
struct Kept<'a, R: StoredReplica> {
    author: &'a mut Author<R>,
    rolled_back: u64,
    fault: Option<R::Error>,
}

impl<R: StoredReplica> Keeper for Kept<'_, R> {
    fn replica(&self) -> &Replica {
        self.author.replica()
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        let read = |it: &&[u8]| VerifiedOp::read(it, &mut Costs::default()).ok();
        let ops: Vec<VerifiedOp> = envelopes.iter().filter_map(read).collect();
        match self.author.take(ops) {
            Ok(received) => {
                let mut arrivals = received.arrivals.iter();
                assert!(
                    arrivals.all(|it| it.arrival.outcome != Outcome::Pending),
                    "both sides are honest: an op comes after its parents"
                );
                let events = received.events.iter();
                let lost = events.filter(|it| matches!(it, Event::RolledBack { .. }));
                self.rolled_back += lost.count() as u64;
                Ok(received)
            }
            Err(fault) => {
                self.fault = Some(fault);
                let reason = "the storage of the run has failed".to_owned();
                Err(KeepError { reason })
            }
        }
    }
}

/// The two sides of a session and what is on its way between them.
struct Wire {
    sessions: [Session; 2],
    /// By the time of arrival and the order of sending: for which side, and the frame.
    ways: BTreeMap<(u64, u64), (usize, Vec<u8>)>,
    sent: u64,
}

impl Wire {
    /// Sends what the side has to send.
    fn send(&mut self, side: usize, now_ms: u64, stream: &mut Stream, all: &mut Meetings) {
        while let Some(frame) = self.sessions[side].frame() {
            all.frames += 1;
            all.frame_bytes += frame.len() as u64;
            self.sent += 1;
            let at_ms = now_ms + stream.between(WAY_MS.0, WAY_MS.1);
            if !stream.chance(LOSS_PERCENT) {
                self.ways.insert((at_ms, self.sent), (1 - side, frame));
            }
        }
    }
}

/// The replicas of two authors sync, and the time when they have is returned, in virtual milliseconds.
pub(crate) fn meet<R: StoredReplica>(
    dialler: &mut Author<R>,
    listener: &mut Author<R>,
    began_ms: u64,
    stream: &mut Stream,
    all: &mut Meetings,
) -> Result<u64, R::Error> {
    let kept = |author| Kept {
        author,
        rolled_back: 0,
        fault: None,
    };
    let mut sides = [kept(dialler), kept(listener)];
    let session = Session::dial(&sides[0], stream.bytes(), began_ms);
    let mut first = session;
    let frame = first.frame().expect("a session begins with a frame");
    let other = Session::answer(&sides[1], &frame, stream.bytes(), began_ms);
    let mut wire = Wire {
        sessions: [first, other.expect("it is the first frame")],
        ways: BTreeMap::new(),
        sent: 0,
    };
    all.sessions += 1;
    all.frames += 1;
    all.frame_bytes += frame.len() as u64;
    wire.ways.insert((began_ms + WAY_MS.1, 0), (1, frame));
    let mut now_ms = began_ms;
    for side in [0, 1] {
        wire.send(side, now_ms, stream, all);
    }
    while wire
        .sessions
        .iter()
        .any(|it| it.standing() == Standing::Open)
    {
        let due = |it: &Session| it.timer_ms();
        let timer_ms = wire.sessions.iter().filter_map(due).min();
        let next_ms = wire.ways.keys().next().map(|it| it.0);
        now_ms = timer_ms.into_iter().chain(next_ms).min().unwrap_or(now_ms);
        if let Some(entry) = wire.ways.first_entry()
            && entry.key().0 <= now_ms
        {
            let (side, frame) = entry.remove();
            wire.sessions[side].handle(&mut sides[side], &frame, now_ms);
            wire.send(side, now_ms, stream, all);
            continue;
        }
        for side in [0, 1] {
            if wire.sessions[side]
                .timer_ms()
                .is_some_and(|it| it <= now_ms)
            {
                wire.sessions[side].tick(now_ms);
                wire.send(side, now_ms, stream, all);
            }
        }
    }
    for (session, side) in wire.sessions.iter().zip(sides) {
        all.ops += session.tally().useful_ops;
        all.rolled_back += side.rolled_back;
        if let Some(fault) = side.fault {
            return Err(fault);
        }
    }
    Ok(now_ms)
}
