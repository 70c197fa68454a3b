//! The oracle: `docs/policy-model.md` and `docs/protocol.md` read off the pages, with plain sets and no cleverness.
//!
//! It takes decoded ops and shares no code with the engine above the decoder and the reader of credentials. Nothing is
//! kept but what the definitions themselves call final (pasts, refusals, what a grant rests on) and what depends on a
//! document alone.

mod admission;
mod effects;
mod exports;
mod features;
mod grants;
mod kills;
mod links;
mod papers;
mod parents;
mod quorum;
mod reading;
mod right;
mod seals;
mod set;
mod snapshots;
mod title;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::credential::StatusList;
use ecac_core::payload::{Cosign, Endorse, Genesis, KeyGrant};
use ecac_core::{Body, Decision, OpId, Payload, PublicKey, Refusal, Tags};

pub use effects::Told;
pub use parents::{Draft, Prospect};

use kills::{Memo, Within};
use papers::Paper;
use right::Made;
use set::{Op, Set};
use title::{Link, Title};

/// The features that this version of the pages defines.
const FEATURES: [&str; 7] = [
    "schema",
    "quorum",
    "seal",
    "endorse",
    "device",
    "confidential",
    "carry",
];
/// Absent ancestors that the decision on a pending op names.
const ABSENT_NAMED_MAX: usize = 16;

/// Number of a grant.
type GrantAt = usize;

/// What becomes of an op that arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It waits for ancestors.
    Pending,
    /// It cannot be judged here.
    Unsupported,
    /// It never enters the DAG.
    Refused(Refusal, Option<OpId>),
    /// It has entered the DAG.
    Admitted,
}

/// Everything that the pages say of a set of ops.
#[derive(Debug)]
pub struct Oracle {
    project: OpId,
    ids: Vec<OpId>,
    at: BTreeMap<OpId, Op>,
    bodies: Vec<Rc<Body>>,
    standing: Vec<Standing>,
    /// The parents of each op that does not wait.
    parents: Vec<Vec<Op>>,
    admitted: Set,
    /// The strict ancestors of each admitted op.
    past: Vec<Set>,
    /// The titles that let each admitted op in.
    warrants: Vec<Vec<Title>>,
    /// The grants of the admitted ops.
    grants: Vec<Made>,
    /// The status lists that count.
    lists: BTreeMap<Op, Rc<Paper<StatusList>>>,
    /// The links of the admitted ops.
    links: BTreeMap<Op, Link>,
    /// What was answered within the past of an admitted op, which is the same for ever.
    memos: RefCell<BTreeMap<Op, Rc<Memo>>>,
    /// Which link carries which grant, as far as that has been asked.
    bears: RefCell<BTreeMap<(Op, GrantAt), bool>>,
    /// What is decided of each op, once somebody has asked.
    decisions: OnceCell<BTreeMap<OpId, Decision>>,
}

impl Oracle {
    /// Knows no op of the project.
    #[must_use]
    pub const fn new(project: OpId) -> Self {
        Self {
            project,
            ids: Vec::new(),
            at: BTreeMap::new(),
            bodies: Vec::new(),
            standing: Vec::new(),
            parents: Vec::new(),
            admitted: Set::new(),
            past: Vec::new(),
            warrants: Vec::new(),
            grants: Vec::new(),
            lists: BTreeMap::new(),
            links: BTreeMap::new(),
            memos: RefCell::new(BTreeMap::new()),
            bears: RefCell::new(BTreeMap::new()),
            decisions: OnceCell::new(),
        }
    }

    /// Judges the ops of the project, of which some may be missing.
    pub fn of<'a>(project: OpId, ops: impl IntoIterator<Item = (OpId, &'a Body)>) -> Self {
        let mut oracle = Self::new(project);
        for (id, body) in ops {
            oracle.take(id, body);
        }
        oracle
    }

    /// Takes in one more op, and judges it and what waits for it.
    pub fn take(&mut self, id: OpId, body: &Body) {
        if self.at.contains_key(&id) {
            return;
        }
        self.at.insert(id, self.ids.len());
        self.ids.push(id);
        self.bodies.push(Rc::new(body.clone()));
        self.standing.push(Standing::Pending);
        self.parents.push(Vec::new());
        self.past.push(Set::new());
        self.warrants.push(Vec::new());
        self.decisions.take();
        while let Some(op) = self.next() {
            self.receive(op);
        }
    }

    /// What is decided of each op.
    pub fn decisions(&self) -> &BTreeMap<OpId, Decision> {
        self.decisions.get_or_init(|| {
            let within = Within::new(self, &self.admitted);
            let decision = |(id, op): (&OpId, &Op)| (*id, self.decision(*op, &within));
            self.at.iter().map(decision).collect()
        })
    }

    /// Whether the op has entered the DAG.
    #[must_use]
    pub fn has_admitted(&self, id: &OpId) -> bool {
        (self.at.get(id)).is_some_and(|op| self.standing[*op] == Standing::Admitted)
    }

    /// Whether a `Cosign` may name the op.
    #[must_use]
    pub(crate) fn can_be_cosigned(&self, id: &OpId) -> bool {
        self.has_admitted(id) && self.is_quorum_op(self.at[id])
    }

    /// Whether the op cannot be judged here.
    #[must_use]
    pub fn is_unsupported(&self, id: &OpId) -> bool {
        (self.at.get(id)).is_some_and(|op| self.standing[*op] == Standing::Unsupported)
    }

    /// The past of an admitted op, decided within itself.
    fn within_past(&self, op: Op) -> Within<'_> {
        let memo = Rc::clone(self.memos.borrow_mut().entry(op).or_default());
        Within {
            oracle: self,
            ops: &self.past[op],
            memo,
        }
    }

    /// The least id of the ops.
    fn least(&self, ops: impl Iterator<Item = Op>) -> Option<OpId> {
        ops.map(|op| self.ids[op]).min()
    }

    /// An op that can be judged: it has not been, and all its parents are here and have.
    fn next(&self) -> Option<Op> {
        let is_pending = |op: &Op| self.standing[*op] == Standing::Pending;
        let has_been = |id: &OpId| self.at.get(id).is_some_and(|op| !is_pending(op));
        let is_ready = |op: &Op| is_pending(op) && self.bodies[*op].parents.iter().all(has_been);
        (0..self.ids.len()).rev().find(is_ready)
    }

    /// past(x): the strict ancestors, by walking the parent links.
    fn ancestors(&self, parents: &[Op]) -> Set {
        let mut seen = Set::new();
        let mut todo = parents.to_vec();
        while let Some(parent) = todo.pop() {
            if !seen.contains(parent) {
                seen.insert(parent);
                todo.extend(&self.parents[parent]);
            }
        }
        seen
    }

    fn genesis(&self) -> Option<&Genesis> {
        let op = *self.at.get(&self.project)?;
        let Payload::Genesis(genesis) = &self.bodies[op].payload else {
            return None;
        };
        self.admitted.contains(op).then_some(genesis)
    }

    // --- Receiving ------------------------------------------------------------------------------------------

    /// Takes in an op whose parents have been judged: from the fourth step of the page on.
    fn receive(&mut self, op: Op) {
        let parents = self.bodies[op].parents.iter();
        self.parents[op] = parents.map(|id| self.at[id]).collect();
        let mut parents = self.parents[op].iter();
        if parents.any(|parent| self.standing[*parent] == Standing::Unsupported) {
            self.standing[op] = Standing::Unsupported;
            return;
        }
        let past = self.ancestors(&self.parents[op]);
        match self.judge(op, &past) {
            Ok(Some(warrants)) => {
                self.standing[op] = Standing::Admitted;
                self.admitted.insert(op);
                self.past[op] = past;
                self.warrants[op] = warrants;
                self.enter(op);
            }
            Ok(None) => self.standing[op] = Standing::Unsupported,
            Err((reason, witness)) => self.standing[op] = Standing::Refused(reason, witness),
        }
    }

    /// The titles that let the op in, `None` if it is unsupported, or the first refusal that holds.
    fn judge(&self, op: Op, past: &Set) -> Result<Option<Vec<Title>>, (Refusal, Option<OpId>)> {
        let (body, parents) = (&self.bodies[op], &self.parents[op]);
        let is_genesis = matches!(body.payload, Payload::Genesis(_));
        let is_foreign =
            |op: &Op| self.standing[*op] == Standing::Refused(Refusal::ForeignProject, None);
        if is_genesis && self.ids[op] != self.project
            || !is_genesis && parents.iter().all(is_foreign)
        {
            return Err((Refusal::ForeignProject, None));
        }
        let is_refused = |op: &Op| matches!(self.standing[*op], Standing::Refused(..));
        let refused_parent = self.least(parents.iter().copied().filter(is_refused));
        if refused_parent.is_none() {
            if !self.kind_is_in_force(&body.payload, past) {
                let is_unassigned = matches!(body.payload, Payload::Unassigned(_));
                if is_unassigned && !self.unknown_features(past).is_empty() {
                    return Ok(None);
                }
                return Err((Refusal::UnknownKind, None));
            }
            if body.seq != self.due_seq(&body.author, past) {
                return Err((Refusal::BadSequence, None));
            }
        }
        if parents
            .iter()
            .any(|parent| self.bodies[*parent].hlc >= body.hlc)
        {
            return Err((Refusal::HlcNotMonotonic, None));
        }
        if let Some(parent) = refused_parent {
            return Err((Refusal::RefusedParent, Some(parent)));
        }
        if is_genesis {
            return Ok(Some(Vec::new()));
        }
        if let Some(target) = self.bad_target(&body.payload, past) {
            return Err((Refusal::BadTarget, Some(target)));
        }
        let at_ms = body.hlc.physical_ms;
        let warrants = self.authorise(&body.author, at_ms, &body.payload, past)?;
        match self.indiscreet(&body.payload, at_ms, past) {
            Some(refused) => Err(refused),
            None => Ok(Some(warrants)),
        }
    }

    /// One more than the greatest number of the author's ops in the past, or 0.
    fn due_seq(&self, author: &PublicKey, past: &Set) -> u64 {
        let own = past.iter().filter(|op| self.bodies[*op].author == *author);
        own.map(|op| self.bodies[op].seq + 1).max().unwrap_or(0)
    }

    /// The op with the least id that a `Cosign`, an `Endorse` or a `KeyGrant` with this past names and cannot name.
    fn bad_target(&self, payload: &Payload, past: &Set) -> Option<OpId> {
        let seen = |id: &OpId| self.at.get(id).copied().filter(|op| past.contains(*op));
        let is_data = |op: Op| self.bodies[op].payload.target().is_some();
        match payload {
            Payload::Cosign(Cosign { op }) => {
                let is_fit = seen(op).is_some_and(|op| self.is_quorum_op(op));
                (!is_fit).then_some(*op)
            }
            Payload::Endorse(Endorse { ops }) => {
                let unfit = ops.iter().filter(|op| !seen(op).is_some_and(is_data));
                unfit.min().copied()
            }
            Payload::KeyGrant(KeyGrant { key, .. }) => {
                self.content_key(key, past).is_none().then_some(*key)
            }
            Payload::Genesis(_)
            | Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => None,
        }
    }

    // --- Decisions ------------------------------------------------------------------------------------------

    /// What is decided of the op, if what `within` holds is all that was admitted.
    fn decision(&self, op: Op, within: &Within<'_>) -> Decision {
        match self.standing[op] {
            Standing::Pending => Decision::Pending {
                missing: self.absent(op).into_iter().take(ABSENT_NAMED_MAX).collect(),
            },
            Standing::Unsupported => Decision::Unsupported,
            Standing::Refused(reason, witness) => Decision::Refused { reason, witness },
            Standing::Admitted => match within.denied(op) {
                Some((reason, denial)) => Decision::Denied { reason, denial },
                None => Decision::Applied {
                    grant: self.witness(op, within),
                },
            },
        }
    }

    /// The titles of the op that live.
    fn live<'s>(&'s self, op: Op, within: &'s Within<'_>) -> impl Iterator<Item = Title> + 's {
        let warrants = self.warrants[op].iter().copied();
        warrants.filter(move |title| within.kill(*title, Some(op)).is_none())
    }

    /// Why an applied op is so: a live warrant, else a seal, else an endorsement.
    fn witness(&self, op: Op, within: &Within<'_>) -> OpId {
        if self.ids[op] == self.project {
            return self.project;
        }
        let grants = self
            .live(op, within)
            .map(|title| self.grants[title.grant].op);
        self.least(grants)
            .or_else(|| self.least(within.seals_of(op).into_iter()))
            .or_else(|| self.least(within.endorsements(op).into_iter()))
            .expect("an applied op has something that keeps it")
    }

    /// The parents that are not here, of the pending op and of its pending ancestors.
    fn absent(&self, op: Op) -> BTreeSet<OpId> {
        let (mut absent, mut seen) = (BTreeSet::new(), Set::new());
        let mut todo = vec![op];
        while let Some(op) = todo.pop() {
            if self.standing[op] != Standing::Pending || seen.contains(op) {
                continue;
            }
            seen.insert(op);
            for parent in &self.bodies[op].parents {
                match self.at.get(parent) {
                    Some(parent) => todo.push(*parent),
                    None => {
                        absent.insert(*parent);
                    }
                }
            }
        }
        absent
    }

    /// What is decided of these ops while no more than `admitted` has entered the DAG. With each op it has all ancestors of
    /// the op, so what was final when they entered is as it is here.
    ///
    /// # Panics
    ///
    /// Panics if an op is not one of those that the oracle judges.
    #[must_use]
    pub fn decisions_within(&self, admitted: &[OpId], ops: &[OpId]) -> Vec<Decision> {
        let number = |id: &OpId| self.at[id];
        let set: Set = admitted.iter().map(number).collect();
        let within = Within::new(self, &set);
        let decide = |id| self.decision(number(id), &within);
        ops.iter().map(decide).collect()
    }
}

fn texts(tags: &Tags) -> BTreeSet<String> {
    tags.iter().map(|tag| tag.as_str().to_owned()).collect()
}
