//! Sessions: two replicas of one project find out what each lacks, and fetch it (`docs/sync.md`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ecac_core::{ChainHead, Costs, Event, Op, OpId, ProjectId, PublicKey, Refusal, Stocked, Tip};

use crate::close::CloseReason;
use crate::frame::{Frame, SessionId};
use crate::keeper::Keeper;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_OPS_MAX, DISPUTES_MAX, HEADS_MAX, HEADS_PER_MESSAGE, MALFORMED_MAX,
    ORPHANS_MAX, RANGE_ROUNDS_MAX, USELESS_MAX, VERSIONS,
};
use crate::link::Link;
use crate::message::{Message, Scope};
use crate::range::{Range, Reconciler};
use crate::sim::Defect;

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

/// What a session has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tally {
    /// Ops that came and were new.
    pub useful_ops: u64,
    /// Ops that came and changed nothing: duplicates, refused ones.
    pub useless_ops: u64,
    /// Ops that came without their parents; they were not kept.
    pub orphans: u64,
    /// Ops that were sent, each once.
    pub sent_ops: u64,
    /// Bytes of frames that were made, those that were sent again too.
    pub sent_bytes: u64,
    /// Messages of ranges that came.
    pub range_rounds: u32,
    /// Frames of other sessions, which count for nothing.
    pub stray_frames: u64,
    /// Frames that could not be read.
    pub malformed_frames: u32,
}

/// Which message is due from the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Hello,
    Heads,
    Disputes,
    Ranges,
    Ops,
    Nothing,
}

/// One side of a session: bytes come in, bytes and a time to be called again go out. It knows no clock and no transport.
#[derive(Debug)]
pub struct Session {
    is_dialler: bool,
    project: ProjectId,
    link: Link,
    due: Due,
    standing: Standing,
    began_ms: u64,
    heard_ms: u64,
    /// How many ops the replica had admitted when the session began; later ones wait for the next session.
    admitted: usize,
    /// What the replica had that it could not judge, by author.
    unsupported: Vec<(PublicKey, Stocked)>,
    heads: Vec<ChainHead>,
    peer_heads: Option<Vec<ChainHead>>,
    disputes: Option<Scope>,
    reconciler: Option<Reconciler>,
    /// Messages that wait for room, and then ops.
    messages: VecDeque<Message>,
    ops: VecDeque<OpId>,
    owes_done: bool,
    is_done: bool,
    frames: VecDeque<Vec<u8>>,
    tally: Tally,
    defect: Option<Defect>,
}

impl Session {
    /// The side that begins. The id is drawn at random by the caller.
    #[must_use]
    pub fn dial(keeper: &dyn Keeper, id: SessionId, now_ms: u64) -> Self {
        Self::new(keeper, id, true, now_ms, None)
    }

    /// The side that answers, for the first frame of a session that is not known; the frame has still to be handled.
    /// `None` if the bytes are not the first frame of a session.
    #[must_use]
    pub fn answer(keeper: &dyn Keeper, frame: &[u8], now_ms: u64) -> Option<Self> {
        let frame = Frame::decode(frame).ok().filter(|it| it.number == 1)?;
        Some(Self::new(keeper, frame.session, false, now_ms, None))
    }

    pub(crate) fn new(
        keeper: &dyn Keeper,
        id: SessionId,
        is_dialler: bool,
        now_ms: u64,
        defect: Option<Defect>,
    ) -> Self {
        let replica = keeper.replica();
        let mut session = Self {
            is_dialler,
            project: replica.project(),
            link: Link::new(id),
            due: Due::Hello,
            standing: Standing::Open,
            began_ms: now_ms,
            heard_ms: now_ms,
            admitted: replica.log().admitted_count(),
            unsupported: replica.unsupported_ops(),
            heads: replica.chain_heads(),
            peer_heads: Some(Vec::new()),
            disputes: None,
            reconciler: None,
            messages: VecDeque::new(),
            ops: VecDeque::new(),
            owes_done: false,
            is_done: false,
            frames: VecDeque::new(),
            tally: Tally::default(),
            defect,
        };
        session.link.defect = defect;
        session.messages.push_back(Message::Hello {
            versions: VERSIONS,
            project: session.project,
        });
        session.tell_heads();
        session.pump(keeper, now_ms);
        session
    }

    fn tell_heads(&mut self) {
        if self.heads.len() > HEADS_MAX {
            let (last, heads) = (true, None);
            self.messages.push_back(Message::Heads { last, heads });
            return;
        }
        let count = self.heads.len().div_ceil(HEADS_PER_MESSAGE).max(1);
        for at in 0..count {
            let heads = self.heads.iter().skip(at * HEADS_PER_MESSAGE);
            let heads = heads.take(HEADS_PER_MESSAGE).copied().collect();
            self.messages.push_back(Message::Heads {
                last: at + 1 == count,
                heads: Some(heads),
            });
        }
    }

    /// The id of the session.
    #[must_use]
    pub const fn id(&self) -> SessionId {
        self.link.session()
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

    /// The next frame to send, if there is one.
    pub fn frame(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }

    /// When [`Session::tick`] is to be called next, in milliseconds of the caller's clock; `None` when the session has
    /// ended.
    #[must_use]
    pub fn timer_ms(&self) -> Option<u64> {
        let ends = (self.heard_ms + SILENCE_MS).min(self.began_ms + SESSION_MS_MAX);
        let next = self.link.retry_at_ms().map_or(ends, |it| it.min(ends));
        (self.standing == Standing::Open).then_some(next)
    }

    /// Takes the time in: sends again what was not acknowledged, or gives up.
    pub fn tick(&mut self, now_ms: u64) {
        if self.standing != Standing::Open {
            return;
        }
        if now_ms >= self.heard_ms.saturating_add(SILENCE_MS) {
            if self.is_done && self.due == Due::Nothing {
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
        let Ok(frame) = Frame::decode(frame) else {
            self.tally.malformed_frames += 1;
            if self.tally.malformed_frames > MALFORMED_MAX {
                self.close(CloseReason::Malformed);
            }
            return;
        };
        if frame.session != self.link.session() {
            self.tally.stray_frames += 1;
            return;
        }
        if frame.number == 0 && !frame.message.is_empty() {
            if let (Ok(Message::Close(reason)), Standing::Open) =
                (Message::decode(&frame.message), self.standing)
            {
                self.standing = Standing::ClosedByPeer(reason);
                self.frames.clear();
            }
            return;
        }
        for message in self.link.receive(frame, now_ms) {
            self.heard_ms = now_ms;
            if self.standing != Standing::Open {
                break;
            }
            let taken = Message::decode(&message).map_err(|_| CloseReason::Malformed);
            if let Err(reason) = taken.and_then(|it| self.take(keeper, it)) {
                self.close(reason);
            }
        }
        self.pump(keeper, now_ms);
        if let Some(ack) = self.link.ack() {
            self.push_frame(ack);
        }
    }

    fn close(&mut self, reason: CloseReason) {
        if self.standing == Standing::Open {
            self.standing = Standing::Closed(reason);
            self.frames.clear();
            self.messages.clear();
            self.ops.clear();
            let frame = self.link.send_once(Message::Close(reason).encode());
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
            let Some(message) = self.next_message(keeper) else {
                break;
            };
            let frame = self.link.send(message.encode(), now_ms);
            self.push_frame(frame);
        }
        let all_sent = self.is_done && self.messages.is_empty() && self.link.is_idle();
        if self.standing == Standing::Open && all_sent && self.due == Due::Nothing {
            self.standing = Standing::Finished;
        }
    }

    fn next_message(&mut self, keeper: &dyn Keeper) -> Option<Message> {
        if let Some(message) = self.messages.pop_front() {
            return Some(message);
        }
        if let Some(batch) = self.next_batch(keeper) {
            return Some(batch);
        }
        if core::mem::take(&mut self.owes_done) {
            self.is_done = true;
            return Some(Message::Done);
        }
        None
    }

    fn next_batch(&mut self, keeper: &dyn Keeper) -> Option<Message> {
        let (mut batch, mut left) = (Vec::new(), BATCH_BYTES_MAX);
        while let Some(id) = self.ops.front() {
            // What fell out meanwhile is passed over: it was never admitted.
            if let Some(envelope) = keeper.replica().envelope(id) {
                if envelope.len() > left || batch.len() == BATCH_OPS_MAX {
                    break;
                }
                left -= envelope.len();
                batch.push(envelope.into_owned());
            }
            self.ops.pop_front();
        }
        self.tally.sent_ops += batch.len() as u64;
        (!batch.is_empty()).then_some(Message::Ops(batch))
    }

    fn take(&mut self, keeper: &mut dyn Keeper, message: Message) -> Result<(), CloseReason> {
        match (message, self.due) {
            (Message::Hello { versions, project }, Due::Hello) => {
                if versions.0.max(VERSIONS.0) > versions.1.min(VERSIONS.1) {
                    return Err(CloseReason::Version);
                }
                if project != self.project {
                    return Err(CloseReason::Project);
                }
                self.due = Due::Heads;
                Ok(())
            }
            (Message::Heads { last, heads }, Due::Heads) => self.take_heads(keeper, last, heads),
            (Message::Disputes(theirs), Due::Disputes) => {
                self.take_disputes(keeper, theirs);
                Ok(())
            }
            (Message::Ranges(ranges), Due::Ranges) => self.take_ranges(keeper, &ranges),
            (Message::Ops(envelopes), Due::Ops) => self.take_ops(keeper, envelopes),
            (Message::Done, Due::Ops) => {
                self.due = Due::Nothing;
                Ok(())
            }
            (Message::Close(reason), _) => {
                self.standing = Standing::ClosedByPeer(reason);
                Ok(())
            }
            (
                Message::Hello { .. }
                | Message::Heads { .. }
                | Message::Disputes(_)
                | Message::Ranges(_)
                | Message::Ops(_)
                | Message::Done,
                _,
            ) => Err(CloseReason::Unexpected),
        }
    }

    fn take_heads(
        &mut self,
        keeper: &dyn Keeper,
        last: bool,
        heads: Option<Vec<ChainHead>>,
    ) -> Result<(), CloseReason> {
        match (heads, &mut self.peer_heads) {
            (None, _) => self.peer_heads = None,
            (Some(heads), Some(all)) => {
                let goes_on = match (all.last(), heads.first()) {
                    (Some(before), Some(next)) => before.author < next.author,
                    (_, None) | (None, _) => true,
                };
                if !goes_on || all.len() + heads.len() > HEADS_MAX {
                    return Err(CloseReason::Unexpected);
                }
                all.extend(heads);
            }
            (Some(_), None) => return Err(CloseReason::Unexpected),
        }
        if last {
            self.due = Due::Disputes;
            let disputes = self.find_disputes(keeper);
            self.messages.push_back(Message::Disputes(disputes.clone()));
            self.disputes = Some(disputes);
        }
        Ok(())
    }

    /// The authors of whom the heads do not say which ops each side has.
    fn find_disputes(&self, keeper: &dyn Keeper) -> Scope {
        let theirs = match &self.peer_heads {
            Some(theirs) if self.heads.len() <= HEADS_MAX => theirs,
            Some(_) | None => return Scope::All,
        };
        let mine: BTreeMap<PublicKey, Tip> =
            self.heads.iter().map(|it| (it.author, it.tip)).collect();
        let mut authors = Vec::new();
        for head in theirs {
            let is_open = match (mine.get(&head.author), head.tip) {
                (None, _) => false,
                (Some(Tip::Linear { seq, op }), Tip::Linear { seq: other, op: id }) => {
                    let here = || keeper.replica().chain_op(&head.author, other);
                    *seq == other && *op != id || *seq > other && here() != Some(id)
                }
                (Some(mine), theirs) => *mine != theirs,
            };
            if is_open && self.defect != Some(Defect::TrustsHeads) {
                authors.push(head.author);
            }
        }
        if authors.len() > DISPUTES_MAX {
            return Scope::All;
        }
        Scope::Authors(authors)
    }

    fn take_disputes(&mut self, keeper: &dyn Keeper, theirs: Scope) {
        let scope = match (self.disputes.take(), theirs) {
            (Some(Scope::Authors(mine)), Scope::Authors(theirs)) => {
                let both: BTreeSet<PublicKey> = mine.into_iter().chain(theirs).collect();
                Scope::Authors(both.into_iter().collect())
            }
            (None | Some(_), _) => Scope::All,
        };
        let (is_open, authors): (bool, BTreeSet<PublicKey>) = match &scope {
            Scope::Authors(authors) => (!authors.is_empty(), authors.iter().copied().collect()),
            Scope::All => (true, self.heads.iter().map(|it| it.author).collect()),
        };
        let mut items = Vec::new();
        for author in &authors {
            let ops = keeper.replica().ops_of(author, 0).into_iter();
            let known = ops.filter(|it| it.rank < self.admitted);
            items.extend(known.map(|it| (it.hlc.physical_ms, it.op)));
        }
        let unjudged = self.unsupported.iter();
        let unjudged = unjudged.filter(|it| authors.contains(&it.0));
        items.extend(unjudged.map(|(_, it)| (it.hlc.physical_ms, it.op)));
        self.reconciler = Some(Reconciler::new(items));
        self.disputes = Some(scope);
        if !is_open {
            self.settle(keeper);
            return;
        }
        self.due = Due::Ranges;
        if self.is_dialler
            && let Some(reconciler) = &self.reconciler
        {
            self.messages.push_back(Message::Ranges(reconciler.open()));
        }
    }

    fn take_ranges(&mut self, keeper: &dyn Keeper, ranges: &[Range]) -> Result<(), CloseReason> {
        self.tally.range_rounds += 1;
        let Some(reconciler) = &mut self.reconciler else {
            return Err(CloseReason::Unexpected);
        };
        if self.tally.range_rounds > RANGE_ROUNDS_MAX {
            return Err(CloseReason::Ranges);
        }
        let answer = reconciler.answer(ranges);
        let ends = !ranges.iter().any(Range::is_open);
        let answer_ends = !answer.iter().any(Range::is_open);
        if !ends {
            self.messages.push_back(Message::Ranges(answer));
        }
        if ends || answer_ends {
            self.settle(keeper);
        }
        Ok(())
    }

    /// Nothing is open: what the other side lacks is sent.
    fn settle(&mut self, keeper: &dyn Keeper) {
        self.due = Due::Ops;
        let scope = self.disputes.take().unwrap_or(Scope::All);
        let lacked = self.reconciler.take().map(|it| it.lacked);
        let lacked = lacked.unwrap_or_default();
        let mut ops: Vec<Stocked> = Vec::new();
        let theirs = self.peer_heads.take().unwrap_or_default();
        let theirs: BTreeMap<PublicKey, Tip> =
            theirs.into_iter().map(|it| (it.author, it.tip)).collect();
        let mut unjudged_of: BTreeSet<PublicKey> = BTreeSet::new();
        for head in core::mem::take(&mut self.heads) {
            let disputed = match &scope {
                Scope::All => true,
                Scope::Authors(authors) => authors.binary_search(&head.author).is_ok(),
            };
            let from = match (theirs.get(&head.author), head.tip) {
                _ if disputed => Some(0),
                (None, _) => {
                    unjudged_of.insert(head.author);
                    Some(0)
                }
                (Some(Tip::Linear { seq, .. }), Tip::Linear { seq: mine, .. }) if *seq < mine => {
                    Some(*seq + 1)
                }
                (Some(_), _) => None,
            };
            if let Some(from) = from {
                let theirs = keeper.replica().ops_of(&head.author, from).into_iter();
                let known = theirs.filter(|it| it.rank < self.admitted);
                ops.extend(known.filter(|it| !disputed || lacked.contains(&it.op)));
            }
        }
        ops.sort_unstable();
        self.ops = ops.iter().map(|it| it.op).collect();
        let unjudged = core::mem::take(&mut self.unsupported).into_iter();
        let unjudged =
            unjudged.filter(|(author, it)| unjudged_of.contains(author) || lacked.contains(&it.op));
        self.ops.extend(unjudged.map(|(_, it)| it.op));
        match self.defect {
            Some(Defect::ForgetsTheLast) => drop(self.ops.pop_back()),
            Some(Defect::ChildrenFirst) => self.ops.make_contiguous().reverse(),
            Some(_) | None => {}
        }
        self.owes_done = true;
    }

    fn take_ops(
        &mut self,
        keeper: &mut dyn Keeper,
        envelopes: Vec<Vec<u8>>,
    ) -> Result<(), CloseReason> {
        let mut fresh: BTreeSet<OpId> = BTreeSet::new();
        let mut batch = Vec::with_capacity(envelopes.len());
        for envelope in envelopes {
            let op = Op::decode(&envelope, &mut Costs::default());
            let op = op.map_err(|_| CloseReason::BadOp)?;
            let log = keeper.replica().log();
            let mut parents = op.body().parents.iter();
            let here = parents.all(|it| fresh.contains(it) || log.holds(it));
            if here || self.defect == Some(Defect::ChecksNoParents) {
                fresh.insert(op.id());
                batch.push(envelope);
            } else {
                self.tally.orphans += 1;
            }
        }
        if self.tally.orphans > ORPHANS_MAX {
            return Err(CloseReason::Orphans);
        }
        let received = keeper.keep(&batch).map_err(|_| CloseReason::Store)?;
        let mut is_bad = false;
        for event in &received.events {
            match event {
                Event::Rejected { .. } => is_bad = true,
                Event::Refused { reason, .. } if *reason == Refusal::ForeignProject => {
                    is_bad = true;
                }
                Event::Duplicate { .. } | Event::Refused { .. } | Event::Dropped { .. } => {
                    self.tally.useless_ops += 1;
                }
                Event::Pending { .. } => self.tally.orphans += 1,
                Event::Applied { .. } | Event::Denied { .. } | Event::Unsupported { .. } => {
                    self.tally.useful_ops += 1;
                }
                Event::RolledBack { .. } | Event::Reinstated { .. } => {}
            }
        }
        if is_bad {
            return Err(CloseReason::BadOp);
        }
        if self.tally.useless_ops > USELESS_MAX + self.tally.useful_ops {
            return Err(CloseReason::Useless);
        }
        Ok(())
    }
}
