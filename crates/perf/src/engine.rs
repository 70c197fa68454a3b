//! The engine under measurement: every call of the programs here to it, but for the signing of workloads.

use ecac_core::credential::StatusList;
use ecac_core::{Costs, Log, OpId, Outcome, Payload, ProjectId, Replay, VerifiedOp, explain};

/// A replica: what it holds, what is decided, the state.
#[derive(Debug)]
pub struct Engine {
    log: Log,
    replay: Replay,
    costs: Costs,
}

/// What one advance came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advance {
    /// New ops that are admitted.
    pub admitted: usize,
    /// New ops that are not.
    pub refused: usize,
    /// Old ops of which the decision turned.
    pub changed: usize,
}

/// A question that this engine has an answer to or not.
pub type Answer<T> = Option<T>;

impl Engine {
    /// A replica that holds nothing of the project.
    #[must_use]
    pub fn new(project: ProjectId) -> Self {
        Self {
            log: Log::new(project),
            replay: Replay::new(),
            costs: Costs::default(),
        }
    }

    /// Takes in ops whose signatures are known to be good, and decides.
    pub fn take(&mut self, ops: Vec<VerifiedOp>) -> Advance {
        let mut advance = Advance::default();
        for op in ops {
            for arrival in self.log.ingest(op, &mut self.costs) {
                match arrival.outcome {
                    Outcome::Admitted => advance.admitted += 1,
                    Outcome::Refused { .. }
                    | Outcome::Pending
                    | Outcome::Unsupported
                    | Outcome::Duplicate => advance.refused += 1,
                }
            }
        }
        let changes = self.replay.advance(&self.log, &mut self.costs);
        advance.changed = changes.iter().filter(|it| it.cause.is_some()).count();
        advance
    }

    /// Receives envelopes: decodes them and verifies their signatures in so many threads, takes them in, and decides. What is
    /// no op is counted as refused.
    pub fn receive<B: AsRef<[u8]> + Sync>(&mut self, envelopes: &[B], threads: usize) -> Advance {
        let part = envelopes.len().div_ceil(threads.max(1)).max(1);
        let read = |part: &[B]| {
            let mut costs = Costs::default();
            let ops = part
                .iter()
                .map(|envelope| VerifiedOp::read(envelope.as_ref(), &mut costs).ok());
            ops.collect::<Vec<_>>()
        };
        let ops: Vec<Option<VerifiedOp>> = if threads > 1 {
            std::thread::scope(|scope| {
                let readers: Vec<_> = envelopes
                    .chunks(part)
                    .map(|part| scope.spawn(move || read(part)))
                    .collect();
                let read = readers.into_iter().flat_map(|reader| reader.join().ok());
                read.flatten().collect()
            })
        } else {
            read(envelopes)
        };
        let good: Vec<VerifiedOp> = ops.into_iter().flatten().collect();
        let bad = envelopes.len() - good.len();
        let mut advance = self.take(good);
        advance.refused += bad;
        advance
    }

    /// How many ops are admitted.
    #[must_use]
    pub fn admitted(&self) -> usize {
        self.log.admitted_count()
    }

    /// How many of the admitted ops are applied.
    #[must_use]
    pub fn applied(&self) -> usize {
        let admitted = self.log.admitted();
        let decisions = admitted.filter_map(|op| self.replay.decision(&self.log, &op.id()));
        decisions.filter(|it| it.verdict() == "applied").count()
    }

    /// Work counted so far.
    #[must_use]
    pub const fn costs(&self) -> Costs {
        self.costs
    }

    /// The state as canonical JSON.
    #[must_use]
    pub fn export(&self) -> Vec<u8> {
        let mut costs = self.costs;
        self.replay.state().export(&self.log, &mut costs)
    }

    /// Why the op counts or does not: how many chains of grants stand under it.
    #[must_use]
    pub fn explain(&self, op: &OpId) -> Answer<usize> {
        explain(&self.log, &self.replay, op).map(|it| it.grants.len())
    }

    /// Whether the author of the op may still write where it wrote.
    #[must_use]
    pub const fn can(&self, _op: &VerifiedOp) -> Answer<bool> {
        None
    }

    /// How many values the place has at once that the op wrote.
    #[must_use]
    pub const fn get(&self, _op: &VerifiedOp) -> Answer<usize> {
        None
    }

    /// What is stored so that [`Engine::reopen`] need not replay.
    #[must_use]
    pub const fn snapshot(&self) -> Answer<Vec<u8>> {
        None
    }

    /// The replica that a snapshot describes.
    #[must_use]
    pub const fn reopen(_snapshot: &[u8]) -> Answer<Self> {
        None
    }
}

/// Reading the status list that the op carries, and checking its one signature by any key; nothing for other ops.
#[must_use]
pub fn status_list_floor(op: &VerifiedOp) -> u64 {
    let Payload::StatusList(list) = &op.body().payload else {
        return 0;
    };
    let read = || StatusList::parse(&list.jwt).is_ok_and(|it| it.verifies_with(&op.body().author));
    crate::clock::least(3, read)
}
