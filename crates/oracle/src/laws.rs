//! The laws of ENGINE section 3, checked on one history at a time.

use core::fmt;
use std::collections::BTreeMap;

use ecac_core::{Costs, Decision, Log, OpId, Outcome, Refusal, Replay, VerifiedOp, export_trust};
use proptest::prelude::*;

use crate::history::{History, OPS_MAX, histories, shuffled};
use crate::naive::Oracle;

/// What must hold of every history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Law {
    /// The engine says what the definitions say.
    OracleEquality,
    /// Decisions, state and trust view are functions of the set of ops.
    OrderFree,
    /// A decision changes at most once, from applied to denied, and what an advance reports is what changed.
    Monotone,
    /// Advances after any parts of an arrival order, and from any checkpoint, come to what one replay comes to.
    IncrementalEqualsFull,
    /// No later op admits a refused one, nor changes why it is refused.
    FinalRefusals,
    /// An op that comes again changes nothing; neither do bytes that only look like one.
    HarmlessCopies,
}

impl Law {
    /// Every law.
    pub const ALL: &'static [Self] = &[
        Self::OracleEquality,
        Self::OrderFree,
        Self::Monotone,
        Self::IncrementalEqualsFull,
        Self::FinalRefusals,
        Self::HarmlessCopies,
    ];

    /// What the law is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OracleEquality => "oracle-equality",
            Self::OrderFree => "order-free",
            Self::Monotone => "monotone",
            Self::IncrementalEqualsFull => "incremental-equals-full",
            Self::FinalRefusals => "final-refusals",
            Self::HarmlessCopies => "harmless-copies",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A law that does not hold of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub law: Law,
    /// What was expected and what was found.
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.law, self.what)
    }
}

impl std::error::Error for Breach {}

/// What a replay says of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// What is decided of each op.
    pub decisions: BTreeMap<OpId, Decision>,
    /// The state export.
    pub state: Vec<u8>,
}

impl Replayed {
    fn of(log: &Log, replay: &Replay) -> Self {
        Self {
            decisions: replay.decisions(log),
            state: replay.state().export(log, &mut Costs::default()),
        }
    }

    /// The first difference; empty, if both say the same.
    fn difference(&self, other: &Self) -> String {
        for op in self.decisions.keys().chain(other.decisions.keys()) {
            let both = [self.decisions.get(op), other.decisions.get(op)];
            if both[0] != both[1] {
                return format!("{op} is {:?} and {:?}", both[0], both[1]);
            }
        }
        if self.state == other.state {
            return String::new();
        }
        let [a, b] = [self, other].map(|it| String::from_utf8_lossy(&it.state));
        format!("the state is\n{a}\nand\n{b}")
    }
}

/// All that a replica says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What its replay says.
    pub replayed: Replayed,
    /// The trust export, which is a matter of the log alone.
    pub trust: Vec<u8>,
}

impl Said {
    /// What a replica says of its log.
    #[must_use]
    pub fn of(log: &Log, replay: &Replay) -> Self {
        Self {
            replayed: Replayed::of(log, replay),
            trust: export_trust(log, &mut Costs::default()),
        }
    }
}

/// A history with what is done to it: how its ops arrive, which one is missing, which one is forged.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The history.
    pub history: History,
    /// Sorts the ops; ops with equal keys arrive as they were made.
    keys: Vec<u16>,
    /// Which op is missing; like `copied`, modulo how many there are.
    missing: Option<usize>,
    /// Which op comes in forged first, and which come again.
    copied: usize,
}

/// Random trials.
pub fn trials() -> impl Strategy<Value = Trial> {
    // Any permutation, and such as are close to the order in which the ops were made.
    let keys = prop_oneof![
        prop::collection::vec(any::<u16>(), OPS_MAX),
        prop::collection::vec(0..2_u16, OPS_MAX)
    ];
    let missing = prop::option::weighted(0.2, 0..OPS_MAX);
    (histories(), keys, missing, 0..OPS_MAX).prop_map(|(history, keys, missing, copied)| Trial {
        history,
        keys,
        missing,
        copied,
    })
}

impl Trial {
    /// All ops arrive as they were made; the first comes in forged, and comes again after each.
    #[must_use]
    pub fn told(history: History) -> Self {
        Self {
            history,
            keys: vec![0],
            missing: None,
            copied: 0,
        }
    }

    /// All ops arrive in the opposite order.
    #[must_use]
    pub fn reversed(history: History) -> Self {
        let count = u16::try_from(history.ops.len()).expect("a history is short");
        Self {
            keys: (0..count).rev().collect(),
            ..Self::told(history)
        }
    }

    /// The ops that a replica gets to see, as they were made.
    fn held(&self) -> Vec<&VerifiedOp> {
        let ops = &self.history.ops;
        let missing = self.missing.map(|index| index % ops.len());
        let held = ops
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != missing);
        held.map(|(_, op)| op).collect()
    }

    /// The same in their order of arrival.
    fn arrivals(&self) -> Vec<&VerifiedOp> {
        shuffled(self.held(), &self.keys)
    }
}

/// Checks every law on one history; returns what a replica says of it.
///
/// # Errors
///
/// Returns the first breach.
pub fn check(trial: &Trial) -> Result<Said, Breach> {
    let said = consistent(trial)?;
    oracle_agrees(trial, &said)?;
    Ok(said)
}

/// Checks every law but oracle equality, whose cost can grow with the number of ways through a web of grants.
///
/// # Errors
///
/// Returns the first breach.
pub fn consistent(trial: &Trial) -> Result<Said, Breach> {
    let costs = &mut Costs::default();
    let said = match trial.missing {
        None => Said::of(&trial.history.log, &Replay::of(&trial.history.log, costs)),
        Some(_) => {
            let mut log = Log::new(trial.history.project);
            for op in trial.held() {
                log.ingest(op.clone(), costs);
            }
            Said::of(&log, &Replay::of(&log, costs))
        }
    };
    step_by_step(trial, &said)?;
    Ok(said)
}

fn ensure(law: Law, holds: bool, what: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds {
        Ok(())
    } else {
        Err(Breach { law, what: what() })
    }
}

fn oracle_agrees(trial: &Trial, said: &Said) -> Result<(), Breach> {
    let held = trial.held().into_iter().map(|op| (op.id(), op.body()));
    let oracle = Oracle::of(trial.history.project, held);
    let law = Law::OracleEquality;
    let decisions = oracle.decisions();
    let said_decisions = &said.replayed.decisions;
    for (op, decision) in said_decisions {
        let expected = decisions.get(op);
        ensure(law, expected == Some(decision), || {
            format!("{op} is {decision:?}, by the oracle {expected:?}")
        })?;
    }
    ensure(law, decisions.len() == said_decisions.len(), || {
        format!(
            "{} ops are judged, by the oracle {}",
            said_decisions.len(),
            decisions.len()
        )
    })?;
    let exports = [
        ("state", &said.replayed.state, oracle.state()),
        ("trust view", &said.trust, oracle.trust()),
    ];
    for (name, bytes, expected) in exports {
        let found: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
        ensure(law, found.as_ref() == Some(&expected), || {
            let found = String::from_utf8_lossy(bytes);
            format!("the {name} is\n{found}\nby the oracle\n{expected}")
        })?;
    }
    Ok(())
}

/// How far a verdict has come; it never goes back.
const fn rank(decision: &Decision) -> u8 {
    match decision {
        Decision::Pending { .. } => 0,
        Decision::Applied { .. } => 1,
        Decision::Denied { .. } => 2,
        Decision::Refused { .. } => 3,
    }
}

/// A replica that advances after every op, and keeps a checkpoint of each time.
fn step_by_step(trial: &Trial, said: &Said) -> Result<(), Breach> {
    let costs = &mut Costs::default();
    let mut log = Log::new(trial.history.project);
    let mut replay = Replay::new();
    let mut checkpoints = Vec::new();
    let mut before = BTreeMap::new();
    let arrivals = trial.arrivals();
    let forged = trial.copied % arrivals.len();
    for (at, op) in arrivals.iter().enumerate() {
        if at == forged {
            reject_forgeries(&mut log, op)?;
        }
        checkpoints.push(replay.clone());
        log.ingest((*op).clone(), costs);
        let changes = replay.advance(&log, costs);
        let full = Replay::of(&log, costs);
        let now = replay.decisions(&log);
        monotone(&before, &now, &changes)?;
        same_replays(&log, &replay, &full, || format!("after {} ops", at + 1))?;
        come_again(&mut log, &mut replay, arrivals[trial.copied % (at + 1)])?;
        before = now;
    }
    let last = Said::of(&log, &replay);
    ensure(Law::OrderFree, last == *said, || {
        let [one, other] = [&last, said].map(|it| String::from_utf8_lossy(&it.trust));
        let difference = last.replayed.difference(&said.replayed);
        format!("in another order {difference}\nthe trust views are\n{one}\n{other}")
    })?;
    let full = Replay::of(&log, costs);
    for (at, mut restored) in checkpoints.into_iter().enumerate() {
        restored.advance(&log, costs);
        let which = || format!("from a checkpoint after {at} ops");
        same_replays(&log, &restored, &full, which)?;
    }
    Ok(())
}

/// Compares what two replays say of one log. What they say is a function of what they are, so the exports are looked
/// at only if they are not the same.
fn same_replays(
    log: &Log,
    replay: &Replay,
    full: &Replay,
    which: impl FnOnce() -> String,
) -> Result<(), Breach> {
    if replay == full {
        return Ok(());
    }
    let [found, expected] = [replay, full].map(|it| Replayed::of(log, it));
    ensure(Law::IncrementalEqualsFull, found == expected, || {
        format!("{}: {}", which(), found.difference(&expected))
    })
}

/// Compares what was decided before an op came with what is decided afterwards.
fn monotone(
    before: &BTreeMap<OpId, Decision>,
    after: &BTreeMap<OpId, Decision>,
    changes: &[ecac_core::Change],
) -> Result<(), Breach> {
    let law = Law::Monotone;
    let mut changed = BTreeMap::new();
    for (op, decision) in after {
        let earlier = before.get(op);
        let earlier_rank = earlier.map_or(0, rank);
        if let Some(earlier @ Decision::Refused { .. }) = earlier {
            ensure(Law::FinalRefusals, earlier == decision, || {
                format!("{op}: {earlier:?}, then {decision:?}")
            })?;
        }
        let is_refused = matches!(decision, Decision::Refused { .. });
        let late_refusal = is_refused && matches!(earlier_rank, 1 | 2);
        ensure(law, earlier_rank <= rank(decision) && !late_refusal, || {
            format!("{op}: {earlier:?}, then {decision:?}")
        })?;
        let is_admitted = matches!(rank(decision), 1 | 2);
        if is_admitted && earlier_rank != rank(decision) {
            changed.insert(*op, (earlier_rank == 1, decision));
        }
    }
    let gone = before.keys().find(|op| !after.contains_key(op));
    ensure(law, gone.is_none(), || {
        format!("{gone:?} is no longer judged")
    })?;
    let reported: BTreeMap<OpId, (bool, &Decision)> = changes
        .iter()
        .map(|change| (change.op, (change.was_applied, &change.decision)))
        .collect();
    ensure(
        law,
        reported.len() == changes.len() && reported == changed,
        || format!("reported is {changes:?}, changed has {changed:?}"),
    )
}

/// Offers a copy of an op with another's signature, and one with a byte too many.
fn reject_forgeries(log: &mut Log, op: &VerifiedOp) -> Result<(), Breach> {
    let costs = &mut Costs::default();
    let mut forged = op.envelope().to_vec();
    *forged
        .last_mut()
        .expect("an envelope ends with a signature") ^= 1;
    let mut expect = |bytes: &[u8], reason, claimed| {
        let held = log.holds(&op.id());
        let found = log.receive(bytes, costs);
        let is_rejected = found
            .as_ref()
            .is_err_and(|it| it.reason == reason && it.claimed == claimed);
        let leaves_no_trace = log.holds(&op.id()) == held;
        ensure(Law::HarmlessCopies, is_rejected && leaves_no_trace, || {
            format!(
                "a forged copy of {} is {found:?}, and not {reason}",
                op.id()
            )
        })
    };
    expect(&forged, Refusal::BadSignature, Some(op.id()))?;
    forged.push(0);
    expect(&forged, Refusal::NonCanonical, None)
}

/// Takes in an op that is here already.
fn come_again(log: &mut Log, replay: &mut Replay, op: &VerifiedOp) -> Result<(), Breach> {
    let costs = &mut Costs::default();
    let arrivals = log.ingest(op.clone(), costs);
    let changes = replay.advance(log, costs);
    let is_duplicate = matches!(&arrivals[..], [it] if it.outcome == Outcome::Duplicate);
    ensure(
        Law::HarmlessCopies,
        is_duplicate && changes.is_empty(),
        || format!("{} comes again: {arrivals:?}, {changes:?}", op.id()),
    )
}
