//! The measurements: each builds its workload outside of what is measured, and gives up when its time is over.

mod carried;
mod changes;
mod memory;
mod pruned;
mod questions;
mod replay;
mod seals;
mod secrets;
mod session_memory;
mod store;
mod sync;
mod verification;

pub use carried::start_sealed;
pub use changes::{deep, forks, late_race, late_solo, rollback_hot, status_bit};
pub use memory::{Weighed, memory, weigh, weigh_open};
pub use pruned::{Pruned, pruned};
pub use questions::{Questions, questions, reopen};
pub use replay::{Replayed, replay};
pub use seals::seals;
pub use secrets::{Rekeyed, Sealing, rekey, replay_sealed, sealing};
pub use session_memory::{Scale, sync_memory, weigh_sessions};
pub use store::{Appended, Kept, append, append_one, beside_redb, kept};
pub use sync::{Synced, sync_first, sync_forks, sync_known};
pub use verification::{Ingested, ingest};

use anyhow::{Result, ensure};
use ecac_core::VerifiedOp;
use serde::Serialize;
use xtask::host::interrupt;

use crate::clock::timed;
use crate::engine::{Advance, Engine};
use crate::workload::Workload;

/// Ops that a replica takes in at a time.
pub const BATCH: usize = 512;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// The seed of the workloads.
    pub seed: u64,
    /// Ops of the longest history.
    pub ops_max: usize,
    /// What a case may use of the processor, in nanoseconds.
    pub budget_ns: u64,
    /// How often what is long is measured, of which the least counts.
    pub rounds: usize,
}

impl Plan {
    /// So many ops, or as many as there may be.
    #[must_use]
    pub fn ops(&self, wanted: usize) -> usize {
        wanted.min(self.ops_max)
    }

    /// The time of one case.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        Budget {
            left_ns: self.budget_ns,
        }
    }
}

/// What is left of the time of a case. Signing workloads costs nothing of it.
#[derive(Debug)]
pub struct Budget {
    left_ns: u64,
}

impl Budget {
    /// Takes away what was used; whether something is left, and nobody has interrupted the program.
    pub fn charge(&mut self, ns: u64) -> bool {
        self.left_ns = self.left_ns.saturating_sub(ns);
        self.is_left()
    }

    fn is_left(&self) -> bool {
        self.left_ns > 0 && !interrupt::requested()
    }

    /// Whether what took so long once can be done again.
    fn allows(&self, ns: u64) -> bool {
        self.left_ns >= ns && !interrupt::requested()
    }
}

/// What an op cost when a history had so many ops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Point {
    /// Ops of the history.
    pub ops: u64,
    /// Picoseconds for each.
    #[serde(rename = "us_per_op", serialize_with = "crate::unit::as_us")]
    pub ps_per_op: u64,
}

impl Point {
    /// What `ns` for `count` ops is for one, in a history of `ops`.
    #[must_use]
    pub fn new(ops: usize, ns: u64, count: usize) -> Self {
        Self {
            ops: ops as u64,
            ps_per_op: ps_each(ns, count),
        }
    }
}

/// Picoseconds for each of so many.
#[must_use]
pub fn ps_each(ns: u64, count: usize) -> u64 {
    ns.saturating_mul(1_000) / (count.max(1) as u64)
}

/// What a case came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Ops of the history that was measured.
    pub ops: u64,
    /// What one unit cost.
    pub ps: Option<u64>,
    /// What it must cost at least.
    pub floor_ps: Option<u64>,
    /// Bytes for each op, beyond its envelope; of a session, beyond the envelopes that were missing.
    pub bytes: Option<u64>,
    /// Bytes for each op of what it is compared with.
    pub whole: Option<u64>,
    /// Bytes of the envelope of an op, or of those that were missing.
    pub envelope: Option<u64>,
    /// Round trips of a session until the last op was there.
    pub round_trips: Option<u64>,
    /// Decisions that were made.
    pub evaluated: Option<u64>,
    /// Decisions that turned.
    pub changed: Option<u64>,
    /// The cost at several lengths of the history, the shortest first.
    pub curve: Vec<Point>,
    /// Whether the time was over before the end.
    pub stopped: bool,
}

/// A replica that has taken in the setup of a workload.
fn begun(project: ecac_core::ProjectId, setup: &[VerifiedOp]) -> Result<Engine> {
    begun_with(Engine::new(project), setup)
}

/// The replica, once it has taken in the setup of a workload.
fn begun_with(mut engine: Engine, setup: &[VerifiedOp]) -> Result<Engine> {
    admitted(engine.take(setup.to_vec()))?;
    Ok(engine)
}

/// Takes the ops in by batches until the time is over: how many, and how long it took.
fn take_all(engine: &mut Engine, ops: &[VerifiedOp], budget: &mut Budget) -> Result<(usize, u64)> {
    let (mut taken, mut spent) = (0, 0);
    for batch in ops.chunks(BATCH) {
        let batch = batch.to_vec();
        taken += batch.len();
        let (ns, advance) = timed(|| engine.take(batch));
        admitted(advance)?;
        spent += ns;
        if !budget.charge(ns) {
            break;
        }
    }
    Ok((taken, spent))
}

/// A workload of honest people of which an op is refused measures something else than it says.
fn admitted(advance: Advance) -> Result<()> {
    ensure!(
        advance.refused == 0,
        "{} ops of a workload are not admitted",
        advance.refused
    );
    Ok(())
}
/// The next ops of the workload, all of them.
///
/// # Errors
/// If the program is interrupted while they are signed.
fn signed(workload: &mut Workload, count: usize) -> Result<Vec<VerifiedOp>> {
    let ops = workload.next_ops(count);
    interrupt::check()?;
    Ok(ops)
}
