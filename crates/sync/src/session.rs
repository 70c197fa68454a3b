//! Sessions: two replicas of one project find out what each lacks, and fetch it (`docs/sync.md`).

use std::collections::VecDeque;

use ecac_core::OpId;

use crate::came::{Batch, Came};
use crate::close::CloseReason;
use crate::defect::Defect;
use crate::exchange::Exchange;
use crate::frame::{Frame, ListenerId, SessionId};
use crate::keeper::Keeper;
use crate::limits::MALFORMED_MAX;
use crate::link::Link;
use crate::message::{Message, Taken};
use crate::tally::Tally;

/// Time without anything new from the other side after which a session closes, in milliseconds.
pub const SILENCE_MS: u64 = 30_000;
/// Time after which a session closes in any case, in milliseconds. What it has fetched stays.
pub const SESSION_MS_MAX: u64 = 3_600_000;

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It goes on.
    Open,
    /// Both sides have sent what the other one lacked when it began.
    Finished,
    /// This side broke it off.
    Closed(CloseReason),
    /// The other side broke it off.
    ClosedByPeer(CloseReason),
}

/// One side of a session: bytes come in, bytes and a time to be called again go out. It knows no clock and no transport.
#[derive(Debug)]
pub struct Session {
    link: Link,
    exchange: Exchange,
    standing: Standing,
    began_ms: u64,
    heard_ms: u64,
    frames: VecDeque<Vec<u8>>,
    tally: Tally,
}

impl Session {
    /// The side that begins. The id is drawn at random by the caller.
    #[must_use]
    pub fn dial(keeper: &dyn Keeper, id: SessionId, now_ms: u64) -> Self {
        Self::new(keeper, id, None, now_ms, None)
    }

    /// The side that answers, for the first frame of a session that is not known; the frame has still to be handled. The id
    /// of the listener is drawn at random by the caller, for each session anew: what was said to, or by, a listener that has
    /// forgotten the session since then counts for nothing. `None` if the bytes are not the first frame of a session.
    #[must_use]
    pub fn answer(
        keeper: &dyn Keeper,
        frame: &[u8],
        listener: ListenerId,
        now_ms: u64,
    ) -> Option<Self> {
        let frame = Frame::decode(frame).ok().filter(Frame::begins)?;
        let listener = Some(listener);
        Some(Self::new(keeper, frame.session, listener, now_ms, None))
    }

    /// Asks the other side for the envelopes of ops that are here without ([`ecac_core::Replica::prune`],
    /// [`ecac_core::ReplicaBuilder::start_from`]), and gives back what it has of them; to be said before its first frame is
    /// handled. Who speaks no [`crate::limits::VERSION_OF_OLDER`] is not asked.
    #[must_use]
    pub fn asking_for_older(mut self) -> Self {
        self.exchange.ask_for_older();
        self
    }

    pub(crate) fn new(
        keeper: &dyn Keeper,
        id: SessionId,
        listener: Option<ListenerId>,
        now_ms: u64,
        defect: Option<Defect>,
    ) -> Self {
        let mut session = Self {
            link: Link::new(id, listener, defect),
            exchange: Exchange::new(keeper, listener.is_none(), defect),
            standing: Standing::Open,
            began_ms: now_ms,
            heard_ms: now_ms,
            frames: VecDeque::new(),
            tally: Tally::default(),
        };
        session.pump(keeper, now_ms);
        session
    }

    /// The id of the session.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.link.session()
    }

    /// The version of the protocol that is spoken; the first one until the other side has said which ones it speaks.
    #[must_use]
    pub const fn version(&self) -> u16 {
        self.exchange.version()
    }

    /// How it stands. A session that is not open keeps answering until it is dropped; that is a good idea for as long as
    /// the other side may send again what it has no answer to.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }

    /// What it has done.
    #[must_use]
    pub const fn tally(&self) -> Tally {
        self.tally
    }

    /// The ops that the other side says it has dropped and this one lacks, as far as it names them, in ascending order; the
    /// tally counts them. It is the other side's word: whoever has them sends them.
    pub fn gone(&self) -> impl Iterator<Item = &OpId> {
        self.exchange.gone()
    }

    /// The next frame to send, if there is one.
    pub fn frame(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }

    /// When [`Session::tick`] is to be called next, in milliseconds of the caller's clock; `None` when the session has
    /// ended.
    #[must_use]
    pub fn timer_ms(&self) -> Option<u64> {
        let silent = self.heard_ms.saturating_add(SILENCE_MS);
        let ends = silent.min(self.began_ms.saturating_add(SESSION_MS_MAX));
        let next = self.link.retry_at_ms().map_or(ends, |it| it.min(ends));
        (self.standing == Standing::Open).then_some(next)
    }

    /// Takes the time in: sends again what was not acknowledged, or gives up.
    pub fn tick(&mut self, now_ms: u64) {
        if self.standing != Standing::Open {
            return;
        }
        if now_ms >= self.heard_ms.saturating_add(SILENCE_MS) {
            if self.exchange.has_said_all() && self.exchange.has_all() {
                self.standing = Standing::Finished;
            } else {
                self.close(CloseReason::Silent);
            }
            return;
        }
        if now_ms >= self.began_ms.saturating_add(SESSION_MS_MAX) {
            self.close(CloseReason::Slow);
            return;
        }
        for frame in self.link.retry(now_ms) {
            self.push_frame(frame);
        }
    }

    /// Takes a frame in. What it brings is verified and handed to the keeper.
    pub fn handle(&mut self, keeper: &mut dyn Keeper, frame: &[u8], now_ms: u64) {
        self.handle_all(keeper, &[frame], now_ms);
    }

    /// Takes in all frames that have come, as [`Session::handle`] would one after the other. The ops of up to 16 of them are
    /// verified together, which costs less.
    pub fn handle_all<B: AsRef<[u8]>>(
        &mut self,
        keeper: &mut dyn Keeper,
        frames: &[B],
        now_ms: u64,
    ) {
        let came = &mut Came::default();
        for frame in frames {
            self.take(keeper, frame.as_ref(), came, now_ms);
        }
        self.keep(keeper, came);
        self.pump(keeper, now_ms);
        if let Some(ack) = self.link.ack() {
            self.push_frame(ack);
        }
    }

    fn take<'a>(
        &mut self,
        keeper: &mut dyn Keeper,
        frame: &'a [u8],
        came: &mut Came<'a>,
        now_ms: u64,
    ) {
        let Ok((frame, message)) = Frame::split(frame) else {
            self.tally.malformed_frames += 1;
            if self.tally.malformed_frames > MALFORMED_MAX {
                self.keep(keeper, came);
                self.close(CloseReason::Malformed);
            }
            return;
        };
        if !self.link.takes(&frame) {
            self.tally.stray_frames += 1;
            return;
        }
        if frame.number == 0 && !message.is_empty() {
            if let Ok(Taken::Other(Message::Close(reason))) = Taken::of(message) {
                self.keep(keeper, came);
                self.close_by_peer(reason);
            }
            return;
        }
        for message in self.link.receive(&frame, message, now_ms) {
            self.heard_ms = now_ms;
            if self.standing != Standing::Open {
                break;
            }
            match Taken::of(&message) {
                Ok(Taken::Ops(envelopes)) => {
                    let batch = Batch { message, envelopes };
                    let (exchange, tally) = (&self.exchange, &mut self.tally);
                    let taken = exchange.take_ops(keeper, batch, came, tally);
                    self.close_unless(taken);
                }
                Ok(Taken::Other(Message::Close(reason))) => {
                    self.keep(keeper, came);
                    self.close_by_peer(reason);
                }
                Ok(Taken::Other(message)) => {
                    self.keep(keeper, came);
                    if self.standing == Standing::Open {
                        let taken = self.exchange.take(keeper, message, &mut self.tally);
                        self.close_unless(taken);
                    }
                }
                Err(_) => {
                    self.keep(keeper, came);
                    self.close(CloseReason::Malformed);
                }
            }
        }
    }

    /// Hands on the ops that came, but for those of a session that has ended.
    fn keep(&mut self, keeper: &mut dyn Keeper, came: &mut Came<'_>) {
        if self.standing != Standing::Open {
            came.clear();
        }
        let kept = self.exchange.keep(keeper, came, &mut self.tally);
        self.close_unless(kept);
    }

    fn close_unless(&mut self, taken: Result<(), CloseReason>) {
        if let Err(reason) = taken {
            self.close(reason);
        }
    }

    fn close_by_peer(&mut self, reason: CloseReason) {
        if self.standing == Standing::Open {
            self.standing = Standing::ClosedByPeer(reason);
            self.frames.clear();
            self.exchange.stop();
        }
    }

    fn close(&mut self, reason: CloseReason) {
        if self.standing == Standing::Open {
            self.standing = Standing::Closed(reason);
            self.frames.clear();
            self.exchange.stop();
            let frame = self.link.send_once(&Message::Close(reason).encode());
            self.push_frame(frame);
        }
    }

    fn push_frame(&mut self, frame: Vec<u8>) {
        self.tally.sent_bytes += frame.len() as u64;
        self.frames.push_back(frame);
    }

    /// Sends what there is room for.
    fn pump(&mut self, keeper: &dyn Keeper, now_ms: u64) {
        while self.standing == Standing::Open && self.link.has_room() {
            match self.exchange.next(keeper, &mut self.tally) {
                Ok(Some(message)) => {
                    let frame = self.link.send(message, now_ms);
                    self.push_frame(frame);
                }
                Ok(None) => break,
                Err(reason) => self.close(reason),
            }
        }
        let has_told = self.exchange.has_said_all() && self.link.is_idle();
        if self.standing == Standing::Open && has_told && self.exchange.has_all() {
            self.standing = Standing::Finished;
        }
    }
}
