//! The engine under measurement: every call of the programs here to it, but for the signing of workloads.

use ecac_core::credential::StatusList;
use ecac_core::{
    Action, Costs, Decision, Event, MemoryStore, OpId, OpStore as _, Payload, ProjectId, Received,
    Replica, RestoreError, StoreError, Tags, VerifiedOp,
};
use ecac_sync::{KeepError, Keeper};

/// A replica: what it holds, what is decided, the state.
#[derive(Debug)]
pub struct Engine(Replica);

/// What one batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Advance {
    /// New ops that are admitted.
    pub admitted: usize,
    /// New ops that are not.
    pub refused: usize,
    /// Old ops of which the decision turned.
    pub changed: usize,
}

impl Advance {
    fn of(received: &Received) -> Self {
        let mut advance = Self::default();
        for event in &received.events {
            match event {
                Event::Applied { .. } | Event::Denied { .. } => advance.admitted += 1,
                Event::RolledBack { .. } | Event::Reinstated { .. } => advance.changed += 1,
                _ => advance.refused += 1,
            }
        }
        advance
    }
}

/// A question that this engine has an answer to or not.
pub type Answer<T> = Option<T>;

impl Engine {
    /// A replica that holds nothing of the project, and does not look what places showed before.
    #[must_use]
    pub fn new(project: ProjectId) -> Self {
        Self::with_threads(project, 1)
    }

    /// The same with so many threads for signatures.
    #[must_use]
    pub fn with_threads(project: ProjectId, threads: usize) -> Self {
        let builder = Replica::builder().places(false);
        Self(builder.threads(threads).join(project))
    }

    /// Takes in ops whose signatures are known to be good, and decides.
    pub fn take(&mut self, ops: Vec<VerifiedOp>) -> Advance {
        Advance::of(&self.0.ingest(ops))
    }

    /// Receives envelopes: decodes and verifies them, takes them in, and decides. What is no op is counted as refused.
    pub fn receive<B: AsRef<[u8]> + Sync>(&mut self, envelopes: &[B]) -> Advance {
        Advance::of(&self.0.receive(envelopes))
    }

    /// How many ops are admitted.
    #[must_use]
    pub fn admitted(&self) -> usize {
        self.0.log().admitted_count()
    }

    /// How many of the admitted ops are applied.
    #[must_use]
    pub fn applied(&self) -> usize {
        let is_applied = |it: &Decision| matches!(it, Decision::Applied { .. });
        self.0
            .decisions()
            .values()
            .filter(|it| is_applied(it))
            .count()
    }

    /// Work counted so far.
    #[must_use]
    pub const fn costs(&self) -> Costs {
        self.0.costs()
    }

    /// The state as canonical JSON.
    #[must_use]
    pub fn export(&self) -> Vec<u8> {
        self.0.state()
    }

    /// Why the op counts or does not: how many chains of grants stand under it.
    #[must_use]
    pub fn explain(&self, op: &OpId) -> Answer<usize> {
        self.0.explain(op).map(|it| it.grants.len())
    }

    /// Whether the author of the op may still write data with the tags.
    #[must_use]
    pub fn can(&self, op: &VerifiedOp, tags: &Tags) -> Answer<bool> {
        let body = op.body();
        let now_ms = body.hlc.physical_ms;
        Some(self.0.can(&body.author, Action::Edit, tags, now_ms).is_ok())
    }

    /// How many values the place has at once that the op wrote.
    #[must_use]
    pub fn get(&self, op: &VerifiedOp) -> Answer<usize> {
        let (object, field) = op.body().payload.target()?;
        let shown = self.0.get(object, field).value?;
        Some(shown.winners.len())
    }

    /// What is stored so that [`Engine::reopen`] need not replay: the ops, and the snapshot.
    pub fn saved(&self) -> Result<(MemoryStore, Vec<u8>), StoreError> {
        let mut store = MemoryStore::new();
        for envelope in self.0.log().envelopes() {
            store.append(&envelope)?;
        }
        Ok((store, self.0.save()))
    }

    /// The replica that a snapshot describes.
    pub fn reopen(
        project: ProjectId,
        store: MemoryStore,
        snapshot: &[u8],
    ) -> Result<Self, RestoreError> {
        let builder = Replica::builder().places(false);
        let replica = builder.restore(project, Box::new(store), snapshot)?;
        Ok(Self(replica))
    }

    /// The replica, for who asks it about its chains.
    #[must_use]
    pub const fn replica(&self) -> &Replica {
        &self.0
    }

    /// The project.
    #[must_use]
    pub const fn project(&self) -> ProjectId {
        self.0.project()
    }
}

impl Keeper for Engine {
    fn replica(&self) -> &Replica {
        &self.0
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.0.keep(envelopes)
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
