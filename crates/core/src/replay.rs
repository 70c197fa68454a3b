//! Replay: decisions and state of a log.

use std::collections::{BTreeMap, BTreeSet};

use crate::authority::{GrantId, Judge, Kill, Standing};
use crate::costs::Costs;
use crate::dag::Index;
use crate::id::OpId;
use crate::log::Log;
use crate::op::Payload;
use crate::reason::{Denial, Refusal};
use crate::state::State;

/// What is decided of an op: exactly one of these, a function of the set of ops that the replica holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The op counts.
    Applied {
        /// The grant that allows it: the live one with the least op id (genesis for root's own authority).
        grant: OpId,
    },
    /// The op was admitted and is taken back because of what others did concurrently.
    Denied {
        /// Why: the first reason that holds.
        reason: Denial,
        /// The denial; of an equivocation, one of the two ops.
        denial: OpId,
    },
    /// The op never entered the DAG.
    Refused {
        /// Why: the first reason that holds.
        reason: Refusal,
        /// The denial or the grant that shows it, where there is one.
        witness: Option<OpId>,
    },
    /// The op waits for parents.
    Pending {
        /// The parents that are not here.
        missing: BTreeSet<OpId>,
    },
}

impl Decision {
    /// `applied`, `denied`, `refused` or `pending`.
    #[must_use]
    pub const fn verdict(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Denied { .. } => "denied",
            Self::Refused { .. } => "refused",
            Self::Pending { .. } => "pending",
        }
    }

    /// The reason, for what is denied or refused.
    #[must_use]
    pub const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Denied { reason, .. } => Some(reason.name()),
            Self::Refused { reason, .. } => Some(reason.name()),
            Self::Applied { .. } | Self::Pending { .. } => None,
        }
    }

    /// The witness: the grant that allows, the denial that kills, or what shows a refusal.
    #[must_use]
    pub const fn witness(&self) -> Option<OpId> {
        match self {
            Self::Applied { grant } => Some(*grant),
            Self::Denied { denial, .. } => Some(*denial),
            Self::Refused { witness, .. } => *witness,
            Self::Pending { .. } => None,
        }
    }
}

/// A change of what is decided of an admitted op.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The op.
    pub op: OpId,
    /// Whether it counted before: then it is rolled back.
    pub was_applied: bool,
    /// What is decided.
    pub decision: Decision,
}

/// The decisions and the state of a [`Log`], brought up to date by [`Replay::advance`].
///
/// The result is a function of the log's set of ops, however the log was cut into advances (incremental =
/// full). An advance judges the new ops, and of the old ones only those whose grants a new denial can reach.
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
        let first_new = self.decided.len();
        assert!(first_new <= log.dag.len(), "a replay follows one log");
        let mut changes = Vec::new();
        for op in first_new..log.dag.len() {
            let decision = Judge::new(&log.dag, &log.authority, costs).decide(op);
            self.decided.push(decision);
            changes.push(self.change(log, op, false));
        }
        let mut rolled_back = BTreeSet::new();
        for op in self.reached_by_new_denials(log, first_new) {
            let decision = Judge::new(&log.dag, &log.authority, costs).decide(op);
            let was_applied = self.decided[op].is_ok();
            // The witness can change while the verdict stays.
            self.decided[op] = decision;
            if was_applied && decision.is_err() {
                rolled_back.insert(op);
                changes.push(self.change(log, op, true));
            }
        }
        self.state.roll_back(&log.dag, &rolled_back, costs);
        for op in first_new..log.dag.len() {
            for &grant in log.authority.warrants(op) {
                self.admitted_under.entry(grant).or_default().insert(op);
            }
            if self.decided[op].is_ok() {
                self.state.apply(&log.dag, op, costs);
            }
        }
        changes
    }

    /// Old ops that were admitted under a grant which a new denial can reach, by itself or through an issuer
    /// key or the grant's author.
    fn reached_by_new_denials(&self, log: &Log, first_new: Index) -> BTreeSet<Index> {
        let authority = &log.authority;
        let mut grants: Vec<GrantId> = Vec::new();
        for op in first_new..log.dag.len() {
            let body = log.dag.op(op).body();
            if log.dag.is_fork(op) {
                grants.extend(authority.grants_of(&body.author));
            }
            match &body.payload {
                Payload::Revoke { subject, .. } => grants.extend(authority.grants_of(subject)),
                Payload::StatusList { .. } => grants.extend(authority.grants_with_status()),
                Payload::IssuerKeyRevoke { issuer, kid, .. } => {
                    let named = authority.keys_by_name.get(&(issuer.clone(), kid.clone()));
                    grants.extend(
                        named
                            .into_iter()
                            .flatten()
                            .flat_map(|&key| authority.grants_by_key(key)),
                    );
                }
                _ => {}
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
                    let keys = authority.key_by_op(op);
                    grants.extend(
                        keys.into_iter()
                            .flat_map(|key| authority.grants_by_key(key)),
                    );
                }
            }
        }
        reached
    }

    fn change(&self, log: &Log, op: Index, was_applied: bool) -> Change {
        Change {
            op: log.dag.id(op),
            was_applied,
            decision: self.decision_at(log, op),
        }
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
        log.holds(id).then(|| Decision::Pending {
            missing: log.missing(id),
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
        let pending = log.pending().map(|op| op.id());
        let ids = admitted.chain(refused).chain(pending);
        ids.filter_map(|id| Some((id, self.decision(log, &id)?)))
            .collect()
    }

    /// The state over the applied ops.
    #[must_use]
    pub const fn state(&self) -> &State {
        &self.state
    }
}

/// Questions that find what a denial can reach.
impl crate::authority::Authority {
    fn grants_with_status(&self) -> impl Iterator<Item = GrantId> {
        let has_status = |standing: &Standing| match standing {
            Standing::Vouched(vouched) => !vouched.credential.status.is_empty(),
            _ => false,
        };
        self.grants
            .iter()
            .enumerate()
            .filter(move |(_, it)| has_status(&it.standing))
            .map(|(id, _)| id)
    }

    fn grants_by_key(&self, key: usize) -> impl Iterator<Item = GrantId> {
        let rests_on = move |standing: &Standing| match standing {
            Standing::Vouched(vouched) => vouched.keys.contains(&key),
            _ => false,
        };
        self.grants
            .iter()
            .enumerate()
            .filter(move |(_, it)| rests_on(&it.standing))
            .map(|(id, _)| id)
    }

    fn key_by_op(&self, op: Index) -> Option<usize> {
        self.keys.binary_search_by_key(&op, |key| key.op).ok()
    }
}
