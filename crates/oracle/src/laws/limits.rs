//! What strangers can make a replica hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::{
    Arrival, Costs, Effect, Hlc, Holdings, Limits, Log, OpId, Outcome, ProjectId, Replay,
    VerifiedOp, order_by_links,
};

use super::crowd::Crowd;
use super::law::{Breach, Law, ensure};
use super::said::Said;
use super::trial::Trial;
use crate::world::{self, START_MS};

/// Who sends junk: nobody whom any history hires.
const STRANGER: u8 = 20;
/// Junk of each sort.
const JUNK_OF_A_SORT: u8 = 12;
/// Projects whose junk a thread remembers.
const REMEMBERED_MAX: usize = 16;

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

    let mut replica = Replica::new(trial.history.project, crowd.limits());
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

/// What a replica holds of one standing, kept the slow way: in the order in which it came.
struct Shelf {
    ops_max: usize,
    bytes_max: usize,
    held: Vec<(OpId, usize)>,
    dropped: u64,
}

impl Shelf {
    const fn new(ops_max: usize, bytes_max: usize) -> Self {
        Self {
            ops_max,
            bytes_max,
            held: Vec::new(),
            dropped: 0,
        }
    }

    fn bytes(&self) -> usize {
        self.held.iter().map(|(_, bytes)| bytes).sum()
    }

    fn ids(&self) -> BTreeSet<OpId> {
        self.held.iter().map(|(id, _)| *id).collect()
    }

    /// Puts an op behind the others; then what came first goes, as long as there is too much.
    fn put(&mut self, id: OpId, bytes: usize) {
        self.held.push((id, bytes));
        while self.held.len() > self.ops_max || self.bytes() > self.bytes_max {
            self.held.remove(0);
            self.dropped += 1;
        }
    }

    /// Takes an op away, and says how long it is.
    fn take(&mut self, id: &OpId) -> Option<usize> {
        let at = self.held.iter().position(|(held, _)| held == id)?;
        Some(self.held.remove(at).1)
    }
}

/// A log with limits, and what it has to hold, by what it says of the ops that come.
struct Replica {
    log: Log,
    admitted: Vec<OpId>,
    pending: Shelf,
    unsupported: Shelf,
    refused: Shelf,
    rejected: u64,
}

impl Replica {
    fn new(project: ProjectId, limits: Limits) -> Self {
        Self {
            log: Log::with_limits(project, limits),
            admitted: Vec::new(),
            pending: Shelf::new(limits.pending_ops, limits.pending_bytes),
            unsupported: Shelf::new(limits.unsupported_ops, limits.unsupported_bytes),
            refused: Shelf::new(limits.refused_ops, usize::MAX),
            rejected: 0,
        }
    }

    fn take(&mut self, op: &VerifiedOp) -> Result<(), Breach> {
        let came = op.id();
        let mut is_new = !self.holds(&came);
        let arrivals = self.log.ingest(op.clone(), &mut Costs::default());
        let first = arrivals.first().map(|arrival| arrival.op);
        ensure(Law::BoundedHoldings, first == Some(came), || {
            format!("{came} comes, and {first:?} is judged")
        })?;
        for Arrival { op: id, outcome } in arrivals {
            // Whatever is judged has come just now, or was pending.
            let bytes = if id == came {
                core::mem::take(&mut is_new).then(|| op.envelope().len())
            } else {
                self.pending.take(&id)
            };
            let is_copy = outcome == Outcome::Duplicate;
            ensure(Law::BoundedHoldings, bytes.is_none() == is_copy, || {
                format!("{id} is judged {outcome:?}, and has not come or has been judged")
            })?;
            let bytes = bytes.unwrap_or_default();
            match outcome {
                Outcome::Admitted => self.admitted.push(id),
                Outcome::Refused { .. } => self.refused.put(id, 0),
                Outcome::Pending => self.pending.put(id, bytes),
                Outcome::Unsupported => self.unsupported.put(id, bytes),
                Outcome::Duplicate => {}
            }
        }
        self.holds_what_it_has_to()
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
        self.holds_what_it_has_to()
    }

    fn holds(&self, id: &OpId) -> bool {
        let shelves = [&self.pending, &self.unsupported, &self.refused];
        self.admitted.contains(id) || shelves.iter().any(|it| it.ids().contains(id))
    }

    /// The log holds what fits and came last, has counted what fell out, and has all that was admitted.
    fn holds_what_it_has_to(&self) -> Result<(), Breach> {
        let expected = Holdings {
            pending_ops: self.pending.held.len(),
            pending_bytes: self.pending.bytes(),
            pending_dropped: self.pending.dropped,
            unsupported_ops: self.unsupported.held.len(),
            unsupported_bytes: self.unsupported.bytes(),
            unsupported_dropped: self.unsupported.dropped,
            refused_ops: self.refused.held.len(),
            refused_dropped: self.refused.dropped,
            rejected: self.rejected,
        };
        let found = self.log.holdings();
        ensure(Law::BoundedHoldings, found == expected, || {
            format!("{found:?} instead of {expected:?}")
        })?;
        let pending = self.log.pending().map(VerifiedOp::id);
        let unsupported = self.log.unsupported().map(VerifiedOp::id);
        let refused = self.log.refused().map(|(id, _, _)| id);
        let shelves = [
            (&self.pending, pending.collect::<BTreeSet<_>>()),
            (&self.unsupported, unsupported.collect()),
            (&self.refused, refused.collect()),
        ];
        for (shelf, found) in shelves {
            let expected = shelf.ids();
            ensure(Law::BoundedHoldings, found == expected, || {
                format!("{found:?} are held instead of {expected:?}")
            })?;
        }
        let admitted = self.log.ids_since(0);
        let is_whole = admitted.eq(self.admitted.iter().copied());
        ensure(Law::BoundedHoldings, is_whole, || {
            format!("what was admitted is not here: {:?}", self.admitted)
        })
    }

    /// The same ops are admitted as without limits, and the same is said of them.
    fn is_as_good_as(&self, whole: &Log, said: &Said) -> Result<(), Breach> {
        let costs = &mut Costs::default();
        let replay = Replay::of(&self.log, costs);
        let decisions = replay.decisions(&self.log);
        for op in whole.ids_since(0) {
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
