//! What strangers can make a replica hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::{
    Costs, Effect, Hlc, Limits, Log, OpId, ProjectId, Replay, VerifiedOp, order_by_links,
};
use proptest::prelude::*;

use super::{Breach, Law, Said, Trial, ensure};
use crate::world::{self, START_MS};

/// Who sends junk: nobody whom any history hires.
const STRANGER: u8 = 20;
/// Junk of each sort.
const JUNK_OF_A_SORT: u8 = 12;
/// Projects whose junk a thread remembers.
const REMEMBERED_MAX: usize = 16;

/// How little a replica may hold, and how much strangers send it.
#[derive(Debug, Clone)]
pub(super) struct Crowd {
    pending_ops: usize,
    pending_bytes: usize,
    unsupported_ops: usize,
    unsupported_bytes: usize,
    refused_ops: usize,
    /// Pieces of junk before each op.
    junk: usize,
    /// Whether the ops are read from a file, rather than one by one.
    from_file: bool,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            pending_ops: 2,
            pending_bytes: 2_000,
            unsupported_ops: 2,
            unsupported_bytes: 2_000,
            refused_ops: 2,
            junk: 2,
            from_file: false,
        }
    }
}

/// Random crowds; all limits are small.
pub(super) fn crowds() -> impl Strategy<Value = Crowd> {
    let counts = (0..6_usize, 0..6_usize, 0..6_usize);
    let bytes = (0..6_000_usize, 0..3_000_usize);
    (counts, bytes, 1..4_usize, any::<bool>()).prop_map(
        |((pending_ops, unsupported_ops, refused_ops), bytes, junk, from_file)| Crowd {
            pending_ops,
            pending_bytes: bytes.0,
            unsupported_ops,
            unsupported_bytes: bytes.1,
            refused_ops,
            junk,
            from_file,
        },
    )
}

impl Crowd {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.pending_ops = self.pending_ops;
        limits.pending_bytes = self.pending_bytes;
        limits.unsupported_ops = self.unsupported_ops;
        limits.unsupported_bytes = self.unsupported_bytes;
        limits.refused_ops = self.refused_ops;
        limits
    }
}

/// What strangers send to a project: ops that wait for ever, ops that are refused, ops of a kind that nobody knows, and what
/// builds on both.
#[derive(Debug)]
struct Junk {
    ops: Vec<VerifiedOp>,
    /// Of these, how many wait whatever else is here.
    waiting: usize,
}

/// The junk for a project. Each thread remembers it: most histories begin alike.
fn junk(project: ProjectId) -> Rc<Junk> {
    thread_local! {
        static JUNK: RefCell<BTreeMap<ProjectId, Rc<Junk>>> = const { RefCell::new(BTreeMap::new()) };
    }
    JUNK.with_borrow_mut(|known| {
        if known.len() >= REMEMBERED_MAX && !known.contains_key(&project) {
            known.clear();
        }
        Rc::clone(
            known
                .entry(project)
                .or_insert_with(|| Rc::new(make(project))),
        )
    })
}

fn make(project: ProjectId) -> Junk {
    let mut ops = Vec::new();
    let stamp = |ms| Hlc {
        physical_ms: START_MS + 1_000_000 + ms,
        logical: 0,
        node: u32::from(STRANGER),
    };
    let sign = |parents, ms, payload| world::sign(STRANGER, 0, parents, stamp(ms), payload);
    for number in 0..JUNK_OF_A_SORT {
        let write = || world::set("junk", "junk", i64::from(number));
        let absent = OpId::from_bytes([number; 32]);
        ops.push(sign(vec![absent], 0, write()));
        let refused = sign(vec![project], 0, write());
        ops.push(sign(vec![refused.id()], 1, write()));
        ops.push(refused);
        let unknown = sign(
            vec![project],
            0,
            world::unassigned(u16::from(number) + 900, 0),
        );
        ops.push(sign(vec![unknown.id()], 1, write()));
        ops.push(unknown);
    }
    Junk {
        ops,
        waiting: usize::from(JUNK_OF_A_SORT),
    }
}

/// Sends a replica more than it may hold; compares it with one that holds everything, and of which `said` is what it says.
pub(super) fn check(trial: &Trial, crowd: &Crowd, whole: &Log, said: &Said) -> Result<(), Breach> {
    let junk = junk(trial.history.project);
    let arrivals = trial.arrivals();
    let both = arrivals.iter().copied().chain(&junk.ops).cloned();
    let file = order_by_links(both.clone());
    let reversed = order_by_links(both.collect::<Vec<_>>().into_iter().rev());
    ensure(Law::BoundedHoldings, file == reversed, || {
        "the order of the ops in a file matters".to_owned()
    })?;
    parents_first(&file)?;

    let mut replica = Replica {
        log: Log::with_limits(trial.history.project, crowd.limits()),
        limits: crowd.limits(),
        rejected: 0,
    };
    if !crowd.from_file {
        let mut sent = junk.ops.iter().cycle();
        for (at, op) in arrivals.iter().enumerate() {
            for op in sent.by_ref().take(crowd.junk) {
                replica.take(op)?;
            }
            replica.take(op)?;
            if at % 8 == 0 {
                replica.reject(op)?;
            }
        }
        for op in &junk.ops {
            replica.take(op)?;
        }
        let holdings = replica.log.holdings();
        let held = u64::try_from(holdings.pending_ops).unwrap_or(u64::MAX);
        let waiting = u64::try_from(junk.waiting).unwrap_or(u64::MAX);
        ensure(
            Law::BoundedHoldings,
            holdings.pending_dropped + held >= waiting,
            || format!("{waiting} ops wait and are not counted: {holdings:?}"),
        )?;
    }
    // What fell out comes again.
    for op in &file {
        replica.take(op)?;
    }
    replica.is_as_good_as(whole, said)
}

/// A file that was ordered has each op behind those of its parents that are in it.
fn parents_first(file: &[VerifiedOp]) -> Result<(), Breach> {
    let ids: BTreeSet<OpId> = file.iter().map(VerifiedOp::id).collect();
    let mut seen = BTreeSet::new();
    for op in file {
        let late = |parent: &&OpId| ids.contains(*parent) && !seen.contains(*parent);
        let late = op.body().parents.iter().find(late);
        ensure(Law::BoundedHoldings, late.is_none(), || {
            format!("{} comes before its parent {late:?}", op.id())
        })?;
        seen.insert(op.id());
    }
    Ok(())
}

struct Replica {
    log: Log,
    limits: Limits,
    rejected: u64,
}

impl Replica {
    fn take(&mut self, op: &VerifiedOp) -> Result<(), Breach> {
        self.log.ingest(op.clone(), &mut Costs::default());
        self.is_within_limits()
    }

    /// Receives bytes that are no op.
    fn reject(&mut self, op: &VerifiedOp) -> Result<(), Breach> {
        let mut bytes = op.envelope().to_vec();
        bytes.push(0);
        let found = self.log.receive(&bytes, &mut Costs::default());
        ensure(Law::BoundedHoldings, found.is_err(), || {
            format!("bytes that are no op come to {found:?}")
        })?;
        self.rejected += 1;
        self.is_within_limits()
    }

    fn is_within_limits(&self) -> Result<(), Breach> {
        let (held, limits) = (self.log.holdings(), &self.limits);
        let holds = held.pending_ops <= limits.pending_ops
            && held.pending_bytes <= limits.pending_bytes
            && held.unsupported_ops <= limits.unsupported_ops
            && held.unsupported_bytes <= limits.unsupported_bytes
            && held.refused_ops <= limits.refused_ops
            && held.rejected == self.rejected
            && held.pending_ops == self.log.pending().count()
            && held.pending_bytes == bytes(self.log.pending())
            && held.unsupported_ops == self.log.unsupported().count()
            && held.unsupported_bytes == bytes(self.log.unsupported())
            && held.refused_ops == self.log.refused().count();
        ensure(Law::BoundedHoldings, holds, || {
            format!("{held:?} with {limits:?}")
        })
    }

    /// The same ops are admitted as without limits, and the same is said of them.
    fn is_as_good_as(&self, whole: &Log, said: &Said) -> Result<(), Breach> {
        let costs = &mut Costs::default();
        let replay = Replay::of(&self.log, costs);
        let decisions = replay.decisions(&self.log);
        for op in whole.admitted().map(VerifiedOp::id) {
            let (found, expected) = (decisions.get(&op), &said.replayed.decisions[&op]);
            ensure(Law::BoundedHoldings, found == Some(expected), || {
                format!("with limits {op} is {found:?}, without {expected:?}")
            })?;
            let found: Option<Effect> = replay.effect(&self.log, &op, costs);
            let expected = said.replayed.effects.get(&op);
            ensure(Law::BoundedHoldings, found.as_ref() == expected, || {
                format!("with limits the effect of {op} is {found:?}, without {expected:?}")
            })?;
        }
        let (found, expected) = (self.log.admitted_count(), whole.admitted_count());
        ensure(Law::BoundedHoldings, found == expected, || {
            format!("with limits {found} ops are admitted, without {expected}")
        })
    }
}

fn bytes<'a>(ops: impl Iterator<Item = &'a VerifiedOp>) -> usize {
    ops.map(|op| op.envelope().len()).sum()
}
