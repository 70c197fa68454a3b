//! What the ends of a session hold in memory, beyond their replicas.

use core::cell::Cell;
use std::ffi::OsString;

use anyhow::{Result, ensure};
use ecac_core::{Received, Replica};
use ecac_sync::{KeepError, Keeper};

use super::memory::{Weighed, program};
use super::sync::fill;
use super::{Measured, Plan, admitted, begun_with};
use crate::engine::Engine;
use crate::link::{End, meet};
use crate::workload::{Race, Twins};

/// Ops of the log.
const OPS: usize = 1_000_000;
/// Who writes.
const WRITERS: usize = 64;
/// Ops that each side writes before the second session.
const WRITTEN: usize = 500;

/// Has the program weigh sessions of a log of a million ops: the first one, and one after all authors have forked.
///
/// # Errors
/// If the program does not answer.
pub fn sync_memory(plan: &Plan) -> Result<Measured> {
    let numbers = [plan.ops(OPS) as u64, plan.seed, plan.budget_ns].map(|it| it.to_string());
    let arguments = ["session".to_owned()].into_iter().chain(numbers);
    let weighed = program(arguments.map(OsString::from))?;
    Ok(Measured {
        ops: weighed.ops,
        bytes: Some(weighed.held),
        stopped: weighed.stopped,
        ..Measured::default()
    })
}

/// What an allocator knows.
#[derive(Clone, Copy)]
pub struct Scale<'a> {
    /// Bytes that the program holds.
    pub held: &'a dyn Fn() -> usize,
    /// The most that it held since it was last reset.
    pub peak: &'a dyn Fn() -> usize,
    /// Begins anew with what is held.
    pub reset: &'a dyn Fn(),
}

/// One piece of the work of an end.
#[derive(Default)]
struct Piece {
    /// What was held when it began.
    before: Cell<usize>,
    /// How much of what is held is the replica's, by which that has grown since.
    grown: Cell<isize>,
    /// The most that the end itself has added since.
    high: Cell<isize>,
}

impl Piece {
    fn begin(&self, scale: Scale<'_>) {
        (scale.reset)();
        self.before.set((scale.held)());
        self.grown.set(0);
        self.high.set(0);
    }

    /// What the end has added of so many bytes that are held.
    fn added(&self, held: usize) -> isize {
        difference(held, self.before.get()) - self.grown.get()
    }

    fn look(&self, scale: Scale<'_>) {
        let high = self.added((scale.peak)());
        self.high.set(self.high.get().max(high));
    }
}

fn difference(after: usize, before: usize) -> isize {
    after.wrapping_sub(before).cast_signed()
}

/// A replica whose own memory does not count.
struct Weighing<'a> {
    engine: &'a mut Engine,
    piece: &'a Piece,
    scale: Scale<'a>,
}

impl Keeper for Weighing<'_> {
    fn replica(&self) -> &Replica {
        self.engine.replica()
    }

    fn keep(&mut self, envelopes: &[&[u8]]) -> Result<Received, KeepError> {
        self.piece.look(self.scale);
        let before = (self.scale.held)();
        let received = self.engine.keep(envelopes);
        let grown = difference((self.scale.held)(), before);
        self.piece.grown.set(self.piece.grown.get() + grown);
        (self.scale.reset)();
        received
    }
}

/// The most that an end of the session held at a time.
fn weigh_one(dialler: &mut Engine, listener: &mut Engine, scale: Scale<'_>) -> Result<u64> {
    let piece = Piece::default();
    let weighing = |engine| Weighing {
        engine,
        piece: &piece,
        scale,
    };
    let (mut dialler, mut listener) = (weighing(dialler), weighing(listener));
    let (mut now, mut most) = ([0_isize; 2], 0_isize);
    meet(&mut dialler, &mut listener, &mut |end, work| {
        let held = match end {
            End::Dialler => &mut now[0],
            End::Listener => &mut now[1],
        };
        piece.begin(scale);
        work();
        piece.look(scale);
        most = most.max(*held + piece.high.get());
        *held += piece.added((scale.held)());
    })?;
    Ok(u64::try_from(most).unwrap_or_default())
}

/// Weighs both sessions; the heavier one counts, and of it the heavier end.
///
/// # Errors
/// If an op of the workload is not admitted, or a session does not come to its end.
pub fn weigh_sessions(plan: &Plan, ops: usize, scale: Scale<'_>) -> Result<Weighed> {
    let mut race = Race::new(plan.seed, WRITERS, None);
    let (project, setup) = (race.project_id(), race.project().take_ops());
    let mut full = [begun_with(Engine::new(project), &setup)?];
    let taken = fill(&mut full, &mut race, ops, &mut plan.budget())?;
    let [mut full] = full;
    let mut newcomer = Engine::new(project);
    let first = weigh_one(&mut newcomer, &mut full, scale)?;
    let [here, there] = Twins::after(race).next_ops(WRITTEN.min(ops));
    admitted(newcomer.take(here))?;
    admitted(full.take(there))?;
    let forked = weigh_one(&mut newcomer, &mut full, scale)?;
    ensure!(
        newcomer.admitted() == full.admitted(),
        "a session brings not all ops"
    );
    Ok(Weighed {
        ops: taken as u64,
        held: first.max(forked),
        envelopes: 0,
        stopped: taken < ops,
    })
}
