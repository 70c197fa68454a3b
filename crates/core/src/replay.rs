//! Replay: decisions and state of a log.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::Decoder;
use minicbor::decode::Error;

use crate::authority::{Effect, Effects, Judge, Turn};
use crate::columns::{Form, damaged};
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::limits::ABSENT_NAMED_MAX;
use crate::log::Log;
use crate::reason::{DenialReason, Refusal};
use crate::state::State;
use crate::tight;
use crate::wire::{Out, Written};

/// What is decided of an op: exactly one of these, a function of the set of ops that the replica holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The op counts.
    Applied {
        /// What allows it: the live grant with the least op id (genesis for root's own authority); without one, the final
        /// seal in whose past it is applied, or else the `Endorse` that reinstates it, with the least op id.
        grant: OpId,
    },
    /// The op was admitted and is taken back because of what others did concurrently.
    Denied {
        /// Why: the first reason that holds.
        reason: DenialReason,
        /// The denial.
        denial: OpId,
    },
    /// The op never entered the DAG.
    Refused {
        /// Why: the first reason that holds.
        reason: Refusal,
        /// The denial or the grant that shows it, where there is one.
        witness: Option<OpId>,
    },
    /// The op waits for ancestors.
    Pending {
        /// The ancestors that are absent, of them the least [`ABSENT_NAMED_MAX`].
        missing: BTreeSet<OpId>,
    },
    /// This program does not know the kind of the op, or of one that it builds on.
    Unsupported,
}

impl Decision {
    /// `applied`, `denied`, `refused`, `pending` or `unsupported`.
    #[must_use]
    pub const fn verdict(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Denied { .. } => "denied",
            Self::Refused { .. } => "refused",
            Self::Pending { .. } => "pending",
            Self::Unsupported => "unsupported",
        }
    }

    /// The reason, for what is denied or refused.
    #[must_use]
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Denied { reason, .. } => Some(reason.name()),
            Self::Refused { reason, .. } => Some(reason.name()),
            Self::Applied { .. } | Self::Pending { .. } | Self::Unsupported => None,
        }
    }

    /// The witness: the grant that allows, the denial that kills, or what shows a refusal.
    #[must_use]
    pub const fn witness(&self) -> Option<OpId> {
        match self {
            Self::Applied { grant } => Some(*grant),
            Self::Denied { denial, .. } => Some(*denial),
            Self::Refused { witness, .. } => *witness,
            Self::Pending { .. } | Self::Unsupported => None,
        }
    }
}

/// A change of what is decided of an admitted op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The op.
    pub op: OpId,
    /// Whether it counted before: then it is rolled back. An old op that did not is reinstated.
    pub was_applied: bool,
    /// What is decided.
    pub decision: Decision,
    /// What rolled the op back, or reinstated it: of the new ops, in order of admission, the last with which the verdict
    /// turned. The witness of the decision can be another op. `None` for a new op.
    pub cause: Option<OpId>,
}

/// The decisions and the state of a [`Log`], brought up to date by [`Replay::advance`].
///
/// The result is a function of the log's set of ops, however the log was cut into advances (incremental =
/// full). An advance judges the new ops, and of the old ones only those that a new denial had not seen and whose grants it
/// reaches, and that an `Endorse` among these, or a new one, names; and where a seal becomes final those of which a denial
/// touches every grant. What is applied in the past of a final seal is not judged again. Kept are verdicts; why is found out
/// when it is asked for.
///
/// A clone is a checkpoint: it goes on from where it was taken, whatever the log took in meanwhile. Equal replays of
/// one log say the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// Of each admitted op.
    verdicts: Vec<Verdict>,
    state: State,
}

/// What an advance decided, until the state follows.
pub(crate) struct Turned {
    first_new: Index,
    /// Old ops that turned, with what caused it.
    old: BTreeMap<Index, Index>,
}

/// What is decided of an admitted op.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Denied,
    Applied,
    /// Applied in the past of a final seal: for good. Kept of what a denial might end otherwise.
    Settled,
}

impl Verdict {
    const fn of(applied: bool) -> Self {
        if applied { Self::Applied } else { Self::Denied }
    }

    const fn is_applied(self) -> bool {
        match self {
            Self::Denied => false,
            Self::Applied | Self::Settled => true,
        }
    }

    /// Whether an op of which this is decided can come to something else by what turns decisions so.
    const fn can_turn(self, turn: Turn) -> bool {
        match (self, turn) {
            (Self::Settled, _) | (Self::Denied, Turn::Takes) | (Self::Applied, Turn::Gives) => {
                false
            }
            (Self::Denied, Turn::Gives | Turn::Seals(_))
            | (Self::Applied, Turn::Takes | Turn::Seals(_)) => true,
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Denied => 0,
            Self::Applied => 1,
            Self::Settled => 2,
        }
    }

    const fn numbered(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Denied),
            1 => Some(Self::Applied),
            2 => Some(Self::Settled),
            _ => None,
        }
    }
}

impl Replay {
    /// A replay of nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The replay of a whole log.
    #[must_use]
    pub fn of(log: &Log, costs: &mut Costs) -> Self {
        let mut replay = Self::new();
        replay.advance(log, costs);
        replay
    }

    /// Takes in the ops that the log admitted since the last call, which must have been for the same log.
    ///
    /// Returns what changed, new ops in order of admission, then old ops that are rolled back or reinstated, likewise.
    pub fn advance(&mut self, log: &Log, costs: &mut Costs) -> Vec<Change> {
        let turned = self.decide(log, costs);
        let changes = self.changes(log, &turned).collect();
        self.follow(log, &turned);
        changes
    }

    /// Takes in what the log admitted since the last call, and tells nothing of it.
    pub(crate) fn advance_quietly(&mut self, log: &Log, costs: &mut Costs) {
        let turned = self.decide(log, costs);
        self.follow(log, &turned);
    }

    /// Decides on what the log admitted since the last call; the state has to [follow](Self::follow).
    pub(crate) fn decide(&mut self, log: &Log, costs: &mut Costs) -> Turned {
        let first_new = self.verdicts.len();
        let old = self.judge_all(log, costs);
        self.state.reach(log);
        Turned { first_new, old }
    }

    /// What an advance changes, as [`Self::advance`] returns it.
    pub(crate) fn changes(&self, log: &Log, turned: &Turned) -> impl Iterator<Item = Change> {
        let new = (turned.first_new..log.dag.len()).map(|op| self.change(log, op, None));
        let old = turned.old.iter();
        new.chain(old.map(|(&op, &cause)| self.change(log, op, Some(cause))))
    }

    /// Brings the state up to date with what was decided: old ops that turned, and new ones.
    pub(crate) fn follow(&mut self, log: &Log, turned: &Turned) {
        for &op in turned.old.keys() {
            self.state.turn(log, op, self.is_applied(op));
        }
        let new = turned.first_new..log.dag.len();
        let applied: Vec<Index> = new.filter(|&op| self.is_applied(op)).collect();
        self.state.apply_all(log, &applied);
    }

    /// Judges the new ops, and the old ones that these turn; returns those, with what caused it.
    fn judge_all(&mut self, log: &Log, costs: &mut Costs) -> BTreeMap<Index, Index> {
        let first_new = self.verdicts.len();
        assert!(first_new <= log.dag.len(), "a replay follows one log");
        if log.authority.is_plain() {
            self.judge_new(log, costs);
            self.judge_reached(log, first_new, costs)
        } else {
            self.judge_one_by_one(log, first_new, costs)
        }
    }

    /// Judges the new ops among all.
    fn judge_new(&mut self, log: &Log, costs: &mut Costs) {
        let mut judge = Judge::for_verdicts(&log.dag, &log.authority, costs);
        for op in self.verdicts.len()..log.dag.len() {
            let decided = judge.decide(op);
            tight::push(&mut self.verdicts, Verdict::of(decided.is_ok()));
        }
    }

    /// Judges the old ops that new denials reach; returns those that are rolled back, with what caused it. What an advance
    /// in a plain project takes back it never gives back.
    fn judge_reached(
        &mut self,
        log: &Log,
        first_new: Index,
        costs: &mut Costs,
    ) -> BTreeMap<Index, Index> {
        let (dag, authority) = (&log.dag, &log.authority);
        let denials: Vec<Index> = authority.denials_from(first_new).collect();
        let mut reached = BTreeSet::new();
        for &denial in &denials {
            let ops = authority.reached_by(denial, dag).into_iter();
            reached.extend(ops.filter(|&op| op < first_new && self.is_applied(op)));
        }
        let mut turned = BTreeMap::new();
        for op in reached {
            let mut judge = Judge::for_verdicts(dag, authority, costs);
            if judge.decide(op).is_err() {
                self.verdicts[op] = Verdict::Denied;
                turned.insert(op, cause(log, op, &denials, costs));
            }
        }
        turned
    }

    /// Judges where decisions can turn in both directions: op by op, each that can turn others judging these again. Returns
    /// the old ops that turned, with what caused it. With what the seal that becomes final settles, every op that is applied in
    /// the past of a final seal is known, by its verdict or by its titles.
    fn judge_one_by_one(
        &mut self,
        log: &Log,
        first_new: Index,
        costs: &mut Costs,
    ) -> BTreeMap<Index, Index> {
        let mut turned: BTreeMap<Index, (bool, Index)> = BTreeMap::new();
        for op in first_new..log.dag.len() {
            // To make a judge costs more than most decisions.
            let is_applied = log.authority.decided_at_once(op, costs).is_some() || {
                let mut judge = Judge::new(&log.dag, &log.authority, costs);
                judge.decide_until(op, Some(op + 1)).is_ok()
            };
            tight::push(&mut self.verdicts, Verdict::of(is_applied));
            let Some((turn, ops)) = log.authority.turned_by(op, &log.dag, costs) else {
                continue;
            };
            let mut judge = Judge::new(&log.dag, &log.authority, costs);
            for old in ops {
                let known = self.verdicts[old];
                if !known.can_turn(turn) {
                    continue;
                }
                self.verdicts[old] = match turn {
                    Turn::Seals(seal) if judge.seals(seal, old) => Verdict::Settled,
                    Turn::Seals(_) | Turn::Takes | Turn::Gives => {
                        Verdict::of(judge.decide_until(old, Some(op + 1)).is_ok())
                    }
                };
                let was_applied = known.is_applied();
                if self.is_applied(old) != was_applied {
                    turned.entry(old).or_insert((was_applied, op)).1 = op;
                }
            }
        }
        let old = turned.into_iter().filter(|(op, _)| *op < first_new);
        let turned = old.filter(|(op, (before, _))| self.is_applied(*op) != *before);
        turned.map(|(op, (_, cause))| (op, cause)).collect()
    }

    fn change(&self, log: &Log, op: Index, cause: Option<Index>) -> Change {
        Change {
            op: log.dag.id(op),
            was_applied: cause.is_some() && !self.is_applied(op),
            decision: self.decision_at(log, op),
            cause: cause.map(|cause| log.dag.id(cause)),
        }
    }

    /// Whether the admitted op is applied.
    pub(crate) fn is_applied(&self, op: Index) -> bool {
        self.verdicts[op].is_applied()
    }

    pub(crate) fn save(&self, out: &mut Out<'_>) -> Written {
        let verdicts: Vec<u8> = self.verdicts.iter().map(|it| it.number()).collect();
        out.bytes(&verdicts)?;
        self.state.save(out)
    }

    /// The replay of the log, by what the snapshot says of it.
    pub(crate) fn restore(input: &mut Decoder<'_>, form: Form, log: &Log) -> Result<Self, Error> {
        let numbers = input.bytes()?.iter();
        let verdicts: Option<Vec<Verdict>> = numbers.map(|&it| Verdict::numbered(it)).collect();
        let verdicts = verdicts.filter(|it| it.len() == log.dag.len());
        let verdicts = verdicts.ok_or_else(|| damaged("the decisions"))?;
        let state = State::restore(input, form, log, |op| verdicts[op].is_applied())?;
        Ok(Self { verdicts, state })
    }

    fn decision_at(&self, log: &Log, op: Index) -> Decision {
        // What people ask for is no work of the replay.
        let costs = &mut Costs::default();
        let decided = match log.authority.decided_at_once(op, costs) {
            Some(decided) => Ok(decided),
            None => Judge::new(&log.dag, &log.authority, costs).decide(op),
        };
        match decided {
            Ok(grant) => Decision::Applied {
                grant: log.dag.id(grant),
            },
            Err(kill) => Decision::Denied {
                reason: kill.reason,
                denial: log.dag.id(kill.denial),
            },
        }
    }

    /// What is decided of an op; `None` for one that the log does not hold.
    ///
    /// # Panics
    /// If the log has admitted ops since the last [`Replay::advance`].
    #[must_use]
    pub fn decision(&self, log: &Log, id: &OpId) -> Option<Decision> {
        assert_eq!(
            self.verdicts.len(),
            log.dag.len(),
            "advance the replay before asking it"
        );
        if let Some(at) = log.dag.find(id) {
            return Some(self.decision_at(log, at));
        }
        if let Some((reason, witness)) = log.refusal(id) {
            return Some(Decision::Refused { reason, witness });
        }
        if log.is_unsupported(id) {
            return Some(Decision::Unsupported);
        }
        log.holds(id).then(|| Decision::Pending {
            missing: log.absent(id).into_iter().take(ABSENT_NAMED_MAX).collect(),
        })
    }

    /// Every decision, by op id.
    ///
    /// # Panics
    /// If the log has admitted ops since the last [`Replay::advance`].
    #[must_use]
    pub fn decisions(&self, log: &Log) -> BTreeMap<OpId, Decision> {
        let admitted = log.ids_since(0);
        let refused = log.refused().map(|(id, ..)| id);
        let unsupported = log.unsupported().map(|op| op.id());
        let mut decisions: BTreeMap<OpId, Decision> = admitted
            .chain(refused)
            .chain(unsupported)
            .filter_map(|id| Some((id, self.decision(log, &id)?)))
            .collect();
        for (id, missing) in log.absent_named() {
            decisions.insert(id, Decision::Pending { missing });
        }
        decisions
    }

    /// What an admitted op of trust or policy does, or that it counts for nothing and why; `None` for data ops and
    /// for what is not admitted.
    ///
    /// # Panics
    /// If the log has admitted ops since the last [`Replay::advance`].
    #[must_use]
    pub fn effect(&self, log: &Log, id: &OpId, costs: &mut Costs) -> Option<Effect> {
        assert_eq!(
            self.verdicts.len(),
            log.dag.len(),
            "advance the replay before asking it"
        );
        let at = log.dag.find(id)?;
        let denied = if self.is_applied(at) {
            None
        } else {
            Judge::new(&log.dag, &log.authority, costs).decide(at).err()
        };
        let of = &mut Effects::new((&log.dag, &log.authority), log, at, denied, costs);
        log.body(at)?.payload.effect(of)
    }

    /// The state over the applied ops.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }
}

/// The first of these new denials with which the op is denied; all of them together deny it.
fn cause(log: &Log, op: Index, denials: &[Index], costs: &mut Costs) -> Index {
    if let [only] = denials {
        return *only;
    }
    let (last, earlier) = denials
        .split_last()
        .expect("what rolls an op back is a denial");
    let first = earlier.partition_point(|&denial| {
        !Judge::for_verdicts(&log.dag, &log.authority, costs).denied_until(op, denial + 1)
    });
    earlier.get(first).copied().unwrap_or(*last)
}
