//! The exchange of a session: which message is due, what each one says, and which ops it comes down to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ecac_core::{ChainHead, OpId, ProjectId, PublicKey, Stocked, Tip};

use crate::came::{Batch, Came};
use crate::close::CloseReason;
use crate::defect::Defect;
use crate::gone::{self, Told};
use crate::intake::take_ops;
use crate::keeper::Keeper;
use crate::limits::{
    BATCH_BYTES_MAX, BATCH_OPS_MAX, DISPUTES_MAX, HEADS_MAX, HEADS_PER_MESSAGE, RANGE_ROUNDS_MAX,
    VERSION_OF_GONE, VERSION_OF_OLDER, VERSIONS,
};
use crate::message::{Message, Scope, encode_ops};
use crate::older::{Asked, Asking};
use crate::outbox::Outbox;
use crate::range::{Range, Reconciler};
use crate::tally::Tally;

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

/// Messages come in, in order and each once, and messages go out.
#[derive(Debug)]
pub(crate) struct Exchange {
    is_dialler: bool,
    project: ProjectId,
    due: Due,
    /// The version that is spoken, once the other side has said which ones it speaks.
    version: u16,
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
    outbox: Outbox,
    owes_done: bool,
    is_done: bool,
    /// What the other side says it has dropped.
    gone: Told,
    asking: Asking,
    asked: Asked,
    defect: Option<Defect>,
}

impl Exchange {
    pub(crate) fn new(keeper: &dyn Keeper, is_dialler: bool, defect: Option<Defect>) -> Self {
        let replica = keeper.replica();
        let mut exchange = Self {
            is_dialler,
            project: replica.project(),
            due: Due::Hello,
            version: VERSIONS.0,
            admitted: replica.log().admitted_count(),
            unsupported: replica.unsupported_ops(),
            heads: replica.chain_heads(),
            peer_heads: Some(Vec::new()),
            disputes: None,
            reconciler: None,
            messages: VecDeque::new(),
            outbox: Outbox::default(),
            owes_done: false,
            is_done: false,
            gone: Told::default(),
            asking: Asking::default(),
            asked: Asked::default(),
            defect,
        };
        if defect == Some(Defect::ForgetsUnsupported) {
            exchange.unsupported.clear();
        }
        exchange.messages.push_back(Message::Hello {
            versions: VERSIONS,
            project: exchange.project,
        });
        exchange.tell_heads();
        exchange
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

    /// Asks for older ops, once it is known what each side lacks.
    pub(crate) const fn ask_for_older(&mut self) {
        self.asking.begin();
    }

    /// The version that is spoken; the first one until the other side has said which ones it speaks.
    pub(crate) const fn version(&self) -> u16 {
        self.version
    }

    /// Whether nothing more is due from the other side.
    pub(crate) fn has_all(&self) -> bool {
        self.due == Due::Nothing && !self.asking.waits()
    }

    /// Whether everything has been said.
    pub(crate) fn has_said_all(&self) -> bool {
        self.is_done && self.messages.is_empty() && self.asked.is_empty()
    }

    /// The ops that the other side says it has dropped, as far as it names them.
    pub(crate) fn gone(&self) -> impl Iterator<Item = &OpId> {
        self.gone.ids()
    }

    /// Says nothing more.
    pub(crate) fn stop(&mut self) {
        self.messages.clear();
        self.outbox.clear();
        self.asked.clear();
        self.owes_done = false;
    }

    /// What is to be said next: the bytes of a message.
    ///
    /// # Errors
    /// Why the session ends: the store has failed. An op that cannot be read is not passed over, since its children would follow.
    pub(crate) fn next(
        &mut self,
        keeper: &dyn Keeper,
        tally: &mut Tally,
    ) -> Result<Option<Vec<u8>>, CloseReason> {
        let message = self.next_message(keeper, tally);
        match keeper.replica().fault() {
            Some(_) => Err(CloseReason::Store),
            None => Ok(message),
        }
    }

    fn next_message(&mut self, keeper: &dyn Keeper, tally: &mut Tally) -> Option<Vec<u8>> {
        if let Some(message) = self.messages.pop_front() {
            return Some(message.encode());
        }
        if let Some(batch) = self.next_batch(keeper, tally) {
            return Some(batch);
        }
        if let Some(message) = self.messages.pop_front() {
            return Some(message.encode());
        }
        let replica = keeper.replica();
        if let Some(message) = self.asked.next(replica, tally) {
            return Some(message.encode());
        }
        if !self.owes_done {
            return None;
        }
        if let Some(message) = self.asking.next(replica, tally) {
            return Some(message.encode());
        }
        // What is sent without having been asked for is over then, and so are the asks.
        if self.asking.waits() {
            return None;
        }
        self.owes_done = false;
        self.is_done = true;
        Some(Message::Done.encode())
    }

    fn next_batch(&mut self, keeper: &dyn Keeper, tally: &mut Tally) -> Option<Vec<u8>> {
        let (mut batch, mut left) = (Vec::new(), BATCH_BYTES_MAX);
        let replica = keeper.replica();
        while !self.outbox.is_empty() {
            if let Some(envelope) = self.outbox.envelope(replica) {
                if envelope.len() > left || batch.len() == BATCH_OPS_MAX {
                    break;
                }
                left -= envelope.len();
                batch.push(envelope);
            } else if self.outbox.is_pruned(replica) {
                // It was dropped since the session began.
                self.part(keeper, tally);
                continue;
            }
            // What fell out meanwhile is passed over: it was never admitted.
            self.outbox.pop();
        }
        tally.sent_ops += batch.len() as u64;
        (!batch.is_empty()).then(|| encode_ops(&batch))
    }

    /// Takes what was dropped, and what builds on it, out of what is to be sent, and says so.
    fn part(&mut self, keeper: &dyn Keeper, tally: &mut Tally) {
        let Some(gone) = gone::part(keeper.replica(), &mut self.outbox, self.defect) else {
            return;
        };
        tally.dropped_ops += gone.dropped;
        // Who speaks version 1 only gets what is at hand.
        if self.version >= VERSION_OF_GONE {
            self.messages.push_back(Message::Gone(gone));
        }
    }

    /// Takes a message of ops in. The last of so many that they are handed on together hands them on.
    ///
    /// # Errors
    /// Why the session ends.
    pub(crate) fn take_ops<'a>(
        &self,
        keeper: &mut dyn Keeper,
        batch: Batch<'a>,
        came: &mut Came<'a>,
        tally: &mut Tally,
    ) -> Result<(), CloseReason> {
        if self.due != Due::Ops {
            return Err(CloseReason::Unexpected);
        }
        came.push(batch);
        if came.is_full() {
            self.keep(keeper, came, tally)?;
        }
        Ok(())
    }

    /// Takes any other message in, before which all ops that came are handed on.
    ///
    /// # Errors
    /// Why the session ends.
    pub(crate) fn take(
        &mut self,
        keeper: &mut dyn Keeper,
        message: Message,
        tally: &mut Tally,
    ) -> Result<(), CloseReason> {
        match (message, self.due) {
            (Message::Hello { versions, project }, Due::Hello) => {
                if versions.0.max(VERSIONS.0) > versions.1.min(VERSIONS.1) {
                    return Err(CloseReason::Version);
                }
                if project != self.project {
                    return Err(CloseReason::Project);
                }
                self.version = versions.1.min(VERSIONS.1);
                if self.version < VERSION_OF_OLDER {
                    self.asking.stop();
                }
                self.due = Due::Heads;
                Ok(())
            }
            (Message::Heads { last, heads }, Due::Heads) => self.take_heads(keeper, last, heads),
            (Message::Disputes(theirs), Due::Disputes) => {
                self.take_disputes(keeper, theirs, tally);
                Ok(())
            }
            (Message::Ranges(ranges), Due::Ranges) => {
                tally.range_rounds += 1;
                if tally.range_rounds > RANGE_ROUNDS_MAX {
                    return Err(CloseReason::Ranges);
                }
                self.take_ranges(keeper, &ranges, tally)
            }
            (Message::Gone(gone), Due::Ops) if self.version >= VERSION_OF_GONE => {
                self.gone.take(gone, tally)
            }
            (Message::Older(ids), Due::Ops) if self.version >= VERSION_OF_OLDER => {
                self.asked.take(ids, keeper.replica(), tally, self.defect)
            }
            (Message::Again { last, envelopes }, Due::Ops | Due::Nothing) => {
                self.asking.take(keeper, last, envelopes, tally)
            }
            (Message::Done, Due::Ops) => {
                self.due = Due::Nothing;
                Ok(())
            }
            (
                Message::Hello { .. }
                | Message::Heads { .. }
                | Message::Disputes(_)
                | Message::Ranges(_)
                | Message::Ops(_)
                | Message::Done
                | Message::Gone(_)
                | Message::Older(_)
                | Message::Again { .. }
                | Message::Close(_),
                _,
            ) => Err(CloseReason::Unexpected),
        }
    }

    /// Hands on the ops that came. Those of several messages are verified together, which costs less.
    ///
    /// # Errors
    /// Why the session ends.
    pub(crate) fn keep(
        &self,
        keeper: &mut dyn Keeper,
        came: &mut Came<'_>,
        tally: &mut Tally,
    ) -> Result<(), CloseReason> {
        let came = core::mem::take(came);
        let envelopes = came.envelopes();
        if envelopes.is_empty() {
            return Ok(());
        }
        take_ops(keeper, &envelopes, tally)
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

    fn take_disputes(&mut self, keeper: &dyn Keeper, theirs: Scope, tally: &mut Tally) {
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
        let known = |author| {
            let ops = keeper.replica().ops_of(author, 0);
            let admitted = self.admitted;
            ops.filter(move |it: &Stocked| it.rank < admitted)
        };
        let count = authors.iter().map(|it| known(it).count()).sum::<usize>();
        let mut items = Vec::with_capacity(count + self.unsupported.len());
        for author in &authors {
            items.extend(known(author).map(|it| (it.hlc.physical_ms, it.op)));
        }
        let unjudged = self.unsupported.iter();
        let unjudged = unjudged.filter(|it| authors.contains(&it.0));
        items.extend(unjudged.map(|(_, it)| (it.hlc.physical_ms, it.op)));
        self.reconciler = Some(Reconciler::new(items, self.defect));
        self.disputes = Some(scope);
        if !is_open {
            self.settle(keeper, tally);
            return;
        }
        self.due = Due::Ranges;
        if self.is_dialler
            && let Some(reconciler) = &self.reconciler
        {
            self.messages.push_back(Message::Ranges(reconciler.open()));
        }
    }

    fn take_ranges(
        &mut self,
        keeper: &dyn Keeper,
        ranges: &[Range],
        tally: &mut Tally,
    ) -> Result<(), CloseReason> {
        let Some(reconciler) = &mut self.reconciler else {
            return Err(CloseReason::Unexpected);
        };
        let answer = reconciler.answer(ranges);
        let ends = !ranges.iter().any(Range::is_open);
        let answer_ends = !answer.iter().any(Range::is_open);
        if !ends {
            self.messages.push_back(Message::Ranges(answer));
        }
        if ends || answer_ends {
            self.settle(keeper, tally);
        }
        Ok(())
    }

    /// Nothing is open: what the other side lacks is sent, and what of it was dropped is told.
    fn settle(&mut self, keeper: &dyn Keeper, tally: &mut Tally) {
        self.due = Due::Ops;
        let scope = self.disputes.take().unwrap_or(Scope::All);
        let reconciler = self.reconciler.take().unwrap_or_default();
        let lacks = |it: &Stocked| reconciler.lacks(&(it.hlc.physical_ms, it.op));
        let theirs = self.peer_heads.take().unwrap_or_default();
        let theirs: BTreeMap<PublicKey, Tip> =
            theirs.into_iter().map(|it| (it.author, it.tip)).collect();
        let mut ranks: Vec<u32> = Vec::new();
        let mut unjudged_of: BTreeSet<PublicKey> = BTreeSet::new();
        for head in core::mem::take(&mut self.heads) {
            let disputed = match &scope {
                Scope::All => true,
                Scope::Authors(authors) => authors.binary_search(&head.author).is_ok(),
            };
            let from = match (theirs.get(&head.author), head.tip) {
                _ if disputed => Some(0),
                (None, _) if self.defect == Some(Defect::ForgetsNewAuthors) => None,
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
                let known = keeper.replica().ops_of(&head.author, from);
                let known = known.filter(|it| it.rank < self.admitted);
                let lacked = known.filter(|it| !disputed || lacks(it));
                ranks.extend(lacked.filter_map(|it| u32::try_from(it.rank).ok()));
            }
        }
        let unjudged = core::mem::take(&mut self.unsupported).into_iter();
        let unjudged = unjudged.filter(|(author, it)| unjudged_of.contains(author) || lacks(it));
        let unjudged = unjudged.map(|(_, it)| it.op).collect();
        self.outbox = Outbox::new(ranks, unjudged);
        self.part(keeper, tally);
        match self.defect {
            Some(Defect::ForgetsTheLast) => self.outbox.forget_the_last(),
            Some(Defect::ChildrenFirst) => self.outbox.reverse(),
            Some(_) | None => {}
        }
        self.owes_done = true;
    }
}
