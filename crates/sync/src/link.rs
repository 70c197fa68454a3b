//! The link of a session: messages that come once and in order, over frames that are lost, doubled and swapped.

use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

use crate::defect::Defect;
use crate::frame::{Frame, ListenerId, SessionId};
use crate::limits::WINDOW_FRAMES;

/// Time after which what was not acknowledged is sent again, in milliseconds; doubled each time up to the greatest.
const RETRY_MS: u64 = 400;
const RETRY_MS_MAX: u64 = 6_400;

#[derive(Debug)]
pub(crate) struct Link {
    session: SessionId,
    is_dialler: bool,
    /// The listener's life: its own, or that of the first frame that the dialler heard.
    listener: Option<ListenerId>,
    /// The number of the message that is sent next.
    next: u64,
    unacked: VecDeque<(u64, Vec<u8>)>,
    /// The greatest number that the other side takes.
    peer_limit: u64,
    received: u64,
    early: BTreeMap<u64, Vec<u8>>,
    retry_at_ms: Option<u64>,
    retry_ms: u64,
    owes_ack: bool,
    defect: Option<Defect>,
}

impl Link {
    /// The link of a listener with this life, or of a dialler.
    pub(crate) const fn new(
        session: SessionId,
        listener: Option<ListenerId>,
        defect: Option<Defect>,
    ) -> Self {
        Self {
            session,
            is_dialler: listener.is_none(),
            listener,
            next: 1,
            unacked: VecDeque::new(),
            peer_limit: WINDOW_FRAMES,
            received: 0,
            early: BTreeMap::new(),
            retry_at_ms: None,
            retry_ms: RETRY_MS,
            owes_ack: false,
            defect,
        }
    }

    pub(crate) const fn session(&self) -> SessionId {
        self.session
    }

    /// Whether a frame is of this session, and of the listener's life that this side knows. What an earlier life has said,
    /// or what was said to it, counts for nothing: it told of ops that may be lost, and took messages that may be.
    pub(crate) fn takes(&mut self, frame: &Frame) -> bool {
        if frame.session != self.session {
            return false;
        }
        if self.defect == Some(Defect::TakesEarlierLives) {
            return true;
        }
        match (self.listener, frame.listener) {
            (Some(known), Some(said)) => known == said,
            (Some(_), None) => !self.is_dialler,
            (None, Some(said)) => {
                self.listener = Some(said);
                true
            }
            (None, None) => false,
        }
    }

    /// Whether one more message may be sent.
    pub(crate) fn has_room(&self) -> bool {
        self.next <= self.peer_limit && (self.unacked.len() as u64) < WINDOW_FRAMES
    }

    /// Whether all that was sent has come.
    pub(crate) fn is_idle(&self) -> bool {
        self.unacked.is_empty()
    }

    pub(crate) const fn retry_at_ms(&self) -> Option<u64> {
        self.retry_at_ms
    }

    /// The frame of a message.
    pub(crate) fn send(&mut self, message: Vec<u8>, now_ms: u64) -> Vec<u8> {
        let number = self.next;
        self.next += 1;
        let frame = self.frame(number, &message);
        self.unacked.push_back((number, message));
        self.retry_at_ms.get_or_insert(now_ms + self.retry_ms);
        frame
    }

    /// A frame of a message that is sent once and never again.
    pub(crate) fn send_once(&mut self, message: &[u8]) -> Vec<u8> {
        self.frame(0, message)
    }

    fn frame(&mut self, number: u64, message: &[u8]) -> Vec<u8> {
        self.owes_ack = false;
        let frame = Frame {
            session: self.session,
            listener: self.listener,
            number,
            ack: self.received,
            limit: self.received + WINDOW_FRAMES,
            message: Vec::new(),
        };
        frame.encode_around(message)
    }

    /// A frame without a message, if something has come since the last frame.
    pub(crate) fn ack(&mut self) -> Option<Vec<u8>> {
        self.owes_ack.then(|| self.frame(0, &[]))
    }

    /// Takes a frame in, and the message that it carries: the messages that are due, in order. One that is due at once stays
    /// where it is.
    pub(crate) fn receive<'a>(
        &mut self,
        frame: &Frame,
        message: &'a [u8],
        now_ms: u64,
    ) -> Vec<Cow<'a, [u8]>> {
        if frame.ack < self.next {
            let before = self.unacked.len();
            while self.unacked.front().is_some_and(|it| it.0 <= frame.ack) {
                self.unacked.pop_front();
            }
            if self.unacked.len() < before {
                self.retry_ms = RETRY_MS;
                self.retry_at_ms = (!self.unacked.is_empty()).then_some(now_ms + self.retry_ms);
            }
            self.peer_limit = self
                .peer_limit
                .max(frame.limit.min(frame.ack + WINDOW_FRAMES));
        }
        let mut due = Vec::new();
        if frame.number == 0 {
            return due;
        }
        self.owes_ack = true;
        if self.defect == Some(Defect::TakesGapsForReceived) && frame.number > self.received {
            self.received = frame.number;
            due.push(Cow::Borrowed(message));
            return due;
        }
        if frame.number == self.received + 1 {
            self.received = frame.number;
            due.push(Cow::Borrowed(message));
        } else if frame.number > self.received && frame.number <= self.received + WINDOW_FRAMES {
            self.early.insert(frame.number, message.to_vec());
        }
        while let Some(message) = self.early.remove(&(self.received + 1)) {
            self.received += 1;
            due.push(Cow::Owned(message));
        }
        due
    }

    /// What is sent again at this time.
    pub(crate) fn retry(&mut self, now_ms: u64) -> Vec<Vec<u8>> {
        if self.retry_at_ms.is_none_or(|at| at > now_ms) {
            return Vec::new();
        }
        self.retry_ms = (self.retry_ms * 2).min(RETRY_MS_MAX);
        self.retry_at_ms = Some(now_ms + self.retry_ms);
        if self.defect == Some(Defect::NeverRetries) {
            return Vec::new();
        }
        let unacked = core::mem::take(&mut self.unacked);
        let again = unacked.iter().map(|(number, it)| self.frame(*number, it));
        let again = again.collect();
        self.unacked = unacked;
        again
    }
}
