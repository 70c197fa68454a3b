//! Replay: decisions and state of a log.

use std::collections::{BTreeMap, BTreeSet};

use crate::authority::{Effect, Effects, GrantId, Judge, Kill};
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::limits::ABSENT_NAMED_MAX;
use crate::log::Log;
use crate::payload::Payload;
use crate::reason::{DenialReason, Refusal};
use crate::state::State;

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
/// full). An advance judges the new ops, and of the old ones only those whose grants a new denial can reach; in a project
/// that uses a quorum, seals, endorsements or devices, all old ones.
/// A clone is a checkpoint: it goes on from where it was taken, whatever the log took in meanwhile. Equal replays of
/// one log say the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    decided: Vec<Result<Index, Kill>>,
    state: State,
    /// Ops by a grant under which they were admitted.
    admitted_under: BTreeMap<GrantId, BTreeSet<Index>>,
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
    /// Returns what changed, new ops in order of admission, then old ops that are rolled back, likewise.
    pub fn advance(&mut self, log: &Log, costs: &mut Costs) -> Vec<Change> {
        self.advance_showing(log, costs, &mut |_, _| {})
    }

    /// The same; `before` is shown the state as it was, with what changes, once all is decided.
    pub(crate) fn advance_showing(
        &mut self,
        log: &Log,
        costs: &mut Costs,
        before: &mut dyn FnMut(&State, &[Change]),
    ) -> Vec<Change> {
        let first_new = self.decided.len();
        assert!(first_new <= log.dag.len(), "a replay follows one log");
        if !log.authority.is_plain() {
            return self.advance_by_one(log, costs, before);
        }
        let mut changes = Vec::new();
        for op in first_new..log.dag.len() {
            let decision = Judge::new(&log.dag, &log.authority, costs).decide(op);
            self.decided.push(decision);
            changes.push(self.change(log, op, None));
        }
        let denials: Vec<Index> = (first_new..log.dag.len())
            .filter(|&op| denies(&log.op(op).body().payload).is_some())
            .collect();
        let mut rolled_back = BTreeSet::new();
        for op in self.reached_by(log, &denials) {
            if !denials
                .iter()
                .any(|&denial| self.can_turn(log, denial, op, costs))
            {
                continue;
            }
            let decision = Judge::new(&log.dag, &log.authority, costs).decide(op);
            let was_applied = self.decided[op].is_ok();
            // The witness can change while the verdict stays.
            self.decided[op] = decision;
            if was_applied && decision.is_err() {
                rolled_back.insert(op);
                let cause = cause(log, op, &denials, costs);
                changes.push(self.change(log, op, Some(cause)));
            }
        }
        before(&self.state, &changes);
        self.state.roll_back(log, &rolled_back, costs);
        for op in first_new..log.dag.len() {
            for title in log.authority.warrants(op) {
                let under = self.admitted_under.entry(title.grant).or_default();
                under.insert(op);
            }
            if self.decided[op].is_ok() {
                self.state.apply(log, op, costs);
            }
        }
        changes
    }

    /// An advance where decisions can turn in both directions: op by op, each that can turn others judging all before it
    /// again.
    fn advance_by_one(
        &mut self,
        log: &Log,
        costs: &mut Costs,
        before: &mut dyn FnMut(&State, &[Change]),
    ) -> Vec<Change> {
        let first_new = self.decided.len();
        let were_applied: Vec<bool> = self.decided.iter().map(Result::is_ok).collect();
        let mut causes: BTreeMap<Index, Index> = BTreeMap::new();
        for op in first_new..log.dag.len() {
            let mut judge = Judge::new(&log.dag, &log.authority, costs);
            self.decided.push(judge.decide_until(op, Some(op + 1)));
            for old in log.authority.turned_by(op) {
                let decision = judge.decide_until(old, Some(op + 1));
                if decision.is_ok() != self.decided[old].is_ok() {
                    causes.insert(old, op);
                }
                self.decided[old] = decision;
            }
        }
        let mut changes: Vec<Change> = (first_new..log.dag.len())
            .map(|op| self.change(log, op, None))
            .collect();
        let (mut rolled_back, mut reinstated) = (BTreeSet::new(), Vec::new());
        for (old, was_applied) in were_applied.into_iter().enumerate() {
            if was_applied == self.is_applied(old) {
                continue;
            }
            if was_applied {
                rolled_back.insert(old);
            } else {
                reinstated.push(old);
            }
            let cause = causes[&old];
            changes.push(self.change(log, old, Some(cause)));
        }
        before(&self.state, &changes);
        self.state.roll_back(log, &rolled_back, costs);
        for op in reinstated.into_iter().chain(first_new..log.dag.len()) {
            for title in log.authority.warrants(op) {
                let under = self.admitted_under.entry(title.grant).or_default();
                under.insert(op);
            }
            if self.is_applied(op) {
                self.state.apply(log, op, costs);
            }
        }
        changes
    }

    /// Old ops that were admitted under a grant which one of these new denials can reach, by itself or through an
    /// issuer key or the grant's author.
    fn reached_by(&self, log: &Log, denials: &[Index]) -> BTreeSet<Index> {
        let authority = &log.authority;
        let mut grants: Vec<GrantId> = Vec::new();
        for &op in denials {
            match &log.op(op).body().payload {
                Payload::Revoke(revoke) => grants.extend(authority.grants_of(&revoke.subject)),
                Payload::StatusList(_) => grants.extend(authority.grants_by_list_op(op)),
                Payload::IssuerKeyRevoke(revoke) => {
                    let named = authority.keys_named(&revoke.issuer, &revoke.kid);
                    grants.extend(named.iter().flat_map(|&key| authority.grants_by_key(key)));
                }
                Payload::Genesis(_)
                | Payload::SetField(_)
                | Payload::SetAdd(_)
                | Payload::SetRemove(_)
                | Payload::Credential(_)
                | Payload::Grant(_)
                | Payload::IssuerKey(_)
                | Payload::Upgrade(_)
                | Payload::Schema(_)
                | Payload::Seal(_)
                | Payload::Cosign(_)
                | Payload::Endorse(_)
                | Payload::Device(_)
                | Payload::DeviceRevoke(_)
                | Payload::Unassigned(_) => {}
            }
        }
        let mut reached = BTreeSet::new();
        let mut known = BTreeSet::new();
        while let Some(grant) = grants.pop() {
            if !known.insert(grant) {
                continue;
            }
            for &op in self.admitted_under.get(&grant).into_iter().flatten() {
                if reached.insert(op) {
                    grants.extend(authority.grants_by_op(op));
                    let key = authority.key_by_op(op);
                    grants.extend(key.into_iter().flat_map(|key| authority.grants_by_key(key)));
                }
            }
        }
        reached
    }

    /// Whether the denial can change what is decided of the op: it had not seen the op, and, where the op is denied
    /// already, a kill that it makes or completes can come before the one that denies the op.
    ///
    /// What a denial makes has its own reason and id; what it completes has a later reason, but for the last of several
    /// issuer keys that dies, where the witness can be what killed another one.
    fn can_turn(&self, log: &Log, denial: Index, op: Index, costs: &mut Costs) -> bool {
        let comes_first = match (self.decided[op], denies(&log.op(denial).body().payload)) {
            (Ok(_), reason) => reason.is_some(),
            (Err(kill), Some(DenialReason::IssuerKeyRevoked)) => {
                DenialReason::IssuerKeyRevoked <= kill.reason
            }
            (Err(kill), Some(reason)) => {
                (reason, log.dag.id(denial)) < (kill.reason, log.dag.id(kill.denial))
            }
            (Err(_), None) => false,
        };
        comes_first && !log.dag.before(op, denial, costs)
    }

    fn change(&self, log: &Log, op: Index, cause: Option<Index>) -> Change {
        Change {
            op: log.dag.id(op),
            was_applied: cause.is_some() && self.decided[op].is_err(),
            decision: self.decision_at(log, op),
            cause: cause.map(|cause| log.dag.id(cause)),
        }
    }

    /// Whether the admitted op is applied.
    pub(crate) fn is_applied(&self, op: Index) -> bool {
        self.decided[op].is_ok()
    }

    fn decision_at(&self, log: &Log, op: Index) -> Decision {
        match self.decided[op] {
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
            self.decided.len(),
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
        let admitted = log.admitted().map(|op| op.id());
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
            self.decided.len(),
            log.dag.len(),
            "advance the replay before asking it"
        );
        let at = log.dag.find(id)?;
        let denied = self.decided[at].err();
        let of = &mut Effects::new(&log.dag, &log.authority, log.ops(), at, denied, costs);
        log.op(at).body().payload.effect(of)
    }

    /// The state over the applied ops.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }
}

/// The first of the reasons that an op of this kind can deny for, if it is a denial.
const fn denies(payload: &Payload) -> Option<DenialReason> {
    match payload {
        Payload::Revoke(_) => Some(DenialReason::Revoked),
        Payload::StatusList(_) => Some(DenialReason::StatusRevoked),
        Payload::IssuerKeyRevoke(_) => Some(DenialReason::IssuerKeyRevoked),
        Payload::Genesis(_)
        | Payload::SetField(_)
        | Payload::SetAdd(_)
        | Payload::SetRemove(_)
        | Payload::Credential(_)
        | Payload::Grant(_)
        | Payload::IssuerKey(_)
        | Payload::Upgrade(_)
        | Payload::Schema(_)
        | Payload::Seal(_)
        | Payload::Cosign(_)
        | Payload::Endorse(_)
        | Payload::Device(_)
        | Payload::DeviceRevoke(_)
        | Payload::Unassigned(_) => None,
    }
}

/// The first of these new denials with which the op is denied; all of them together deny it.
fn cause(log: &Log, op: Index, denials: &[Index], costs: &mut Costs) -> Index {
    let (last, earlier) = denials
        .split_last()
        .expect("what rolls an op back is a denial");
    let first = earlier.partition_point(|&denial| {
        !Judge::new(&log.dag, &log.authority, costs).denied_until(op, denial + 1)
    });
    earlier.get(first).copied().unwrap_or(*last)
}
