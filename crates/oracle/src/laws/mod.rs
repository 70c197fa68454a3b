//! The laws of `docs/policy-model.md`, checked on one history at a time.

mod limits;
mod parents;
mod steps;

use core::fmt;
use std::collections::BTreeMap;

use ecac_core::{Costs, Decision, Effect, Log, OpId, Replay, VerifiedOp, export_trust};
use proptest::prelude::*;
use strum::{Display, IntoStaticStr, VariantArray};

use crate::history::{History, OPS_MAX, histories, shuffled};
use crate::naive::{Oracle, Told};
use limits::Crowd;
use parents::Wish;
use steps::Steps;

/// What must hold of every history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Law {
    /// The engine says what the definitions say.
    OracleEquality,
    /// Decisions, state and trust view are functions of the set of ops.
    OrderFree,
    /// A decision changes at most once, from applied to denied, by the first denial that suffices, and what an advance
    /// reports is what changed.
    Caused,
    /// Advances after any parts of an arrival order, and from any checkpoint, come to what one replay comes to.
    IncrementalEqualsFull,
    /// No later op admits a refused one, nor changes why it is refused.
    FinalRefusals,
    /// An op that comes again changes nothing; neither do bytes that only look like one.
    HarmlessCopies,
    /// What is held outside of the DAG stays within its limits; what falls out is what came first, is counted, and can
    /// come again; nothing admitted does.
    BoundedHoldings,
    /// An op on the parents that are offered is admitted where its author has a grant that lives, and no revocation that
    /// is known kills a grant on them.
    OfferedParents,
}

impl Law {
    /// Every law.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// What the law is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
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

fn ensure(law: Law, holds: bool, what: impl FnOnce() -> String) -> Result<(), Breach> {
    if holds {
        Ok(())
    } else {
        Err(Breach { law, what: what() })
    }
}

/// What a replay says of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// What is decided of each op.
    pub decisions: BTreeMap<OpId, Decision>,
    /// What each admitted op of trust or policy does.
    pub effects: BTreeMap<OpId, Effect>,
    /// The state export.
    pub state: Vec<u8>,
}

impl Replayed {
    fn of(log: &Log, replay: &Replay) -> Self {
        let costs = &mut Costs::default();
        let effect = |op: &VerifiedOp| Some((op.id(), replay.effect(log, &op.id(), costs)?));
        let effects = log.admitted().filter_map(effect).collect();
        Self {
            decisions: replay.decisions(log),
            effects,
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
        for op in self.effects.keys().chain(other.effects.keys()) {
            let both = [self.effects.get(op), other.effects.get(op)];
            if both[0] != both[1] {
                return format!("the effect of {op} is {:?} and {:?}", both[0], both[1]);
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

/// A history with what is done to it: how its ops arrive, which one is missing, which one is forged, what strangers send, and
/// what somebody wants to write at the end.
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
    /// After how many ops each the replica advances, over and over.
    pauses: Vec<usize>,
    /// Whether a second replica gets the ops as they were made.
    second: bool,
    crowd: Option<Crowd>,
    wish: Wish,
}

/// Random trials.
pub fn trials() -> impl Strategy<Value = Trial> {
    // Any permutation, and such as are close to the order in which the ops were made.
    let keys = prop_oneof![
        prop::collection::vec(any::<u16>(), OPS_MAX),
        prop::collection::vec(0..2_u16, OPS_MAX)
    ];
    let missing = prop::option::weighted(0.2, 0..OPS_MAX);
    // After every op, or after a few.
    let pauses = prop_oneof![
        1 => Just(vec![1]),
        3 => prop::collection::vec(1..5_usize, 5),
    ];
    let arrival = (keys, missing, 0..OPS_MAX, pauses, prop::bool::weighted(0.2));
    let crowd = prop::option::weighted(0.1, limits::crowds());
    (histories(), arrival, crowd, parents::wishes()).prop_map(
        |(history, (keys, missing, copied, pauses, second), crowd, wish)| Trial {
            history,
            keys,
            missing,
            copied,
            pauses,
            second,
            crowd,
            wish,
        },
    )
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
            pauses: vec![1],
            second: true,
            crowd: Some(Crowd::default()),
            wish: Wish::default(),
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
    match trial.missing {
        None => check_with(trial, Some(&trial.history.oracle())),
        Some(_) => {
            let held = trial.held().into_iter().map(|op| (op.id(), op.body()));
            let oracle = Oracle::of(trial.history.project, held);
            check_with(trial, Some(&oracle))
        }
    }
}

/// Checks every law on one history as far as it can be checked without the oracle, whose cost grows much faster than the
/// history.
///
/// # Errors
///
/// Returns the first breach.
pub fn consistent(trial: &Trial) -> Result<Said, Breach> {
    check_with(trial, None)
}

fn check_with(trial: &Trial, oracle: Option<&Oracle>) -> Result<Said, Breach> {
    let costs = &mut Costs::default();
    let Steps { mut log, replay } = steps::walk(trial, oracle)?;
    let said = Said::of(&log, &replay);
    if let Some(oracle) = oracle {
        oracle_agrees(oracle, &said)?;
    }
    if trial.second {
        let mut log = Log::new(trial.history.project);
        for op in trial.held() {
            log.ingest(op.clone(), costs);
        }
        let told = Said::of(&log, &Replay::of(&log, costs));
        ensure(Law::OrderFree, said == told, || {
            let [one, other] = [&said, &told].map(|it| String::from_utf8_lossy(&it.trust));
            let difference = said.replayed.difference(&told.replayed);
            format!("in another order {difference}\nthe trust views are\n{one}\n{other}")
        })?;
    }
    if let Some(crowd) = &trial.crowd {
        limits::check(trial, crowd, &log, &said)?;
    }
    if let Some(oracle) = oracle {
        parents::check(trial, &mut log, &replay, oracle)?;
    }
    Ok(said)
}

fn oracle_agrees(oracle: &Oracle, said: &Said) -> Result<(), Breach> {
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
    let told = |effect: &Effect| Told {
        effect: effect.code.name(),
        counts: effect.code.counts(),
        on: effect.on.clone(),
    };
    let effects = oracle.effects();
    let said_effects = &said.replayed.effects;
    for op in decisions.keys() {
        let (found, expected) = (said_effects.get(op).map(told), effects.get(op));
        ensure(law, found.as_ref() == expected, || {
            format!("the effect of {op} is {found:?}, by the oracle {expected:?}")
        })?;
    }
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
