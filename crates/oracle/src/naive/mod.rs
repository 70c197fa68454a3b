//! The oracle: `docs/policy-model.md` and `docs/protocol.md` read off the pages, with plain sets and no cleverness.
//!
//! It takes decoded ops and shares no code with the engine above the decoder and the reader of credentials. Nothing is
//! kept but what the definitions themselves call final (pasts, refusals, what a grant rests on) and what depends on a
//! document alone.

mod effects;
mod exports;
mod grants;
mod kills;
mod papers;
mod parents;
mod set;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::credential::{Credential, Role, StatusList, Timestamp};
use ecac_core::payload::{Genesis, Grant, Revoke, SetAdd, SetField, SetRemove};
use ecac_core::{Body, Decision, OpId, Payload, PublicKey, Refusal, SchemaRule, Tags};

pub use effects::Told;
pub use parents::{Draft, Prospect};

use grants::{Made, Right};
use kills::Within;
use papers::Paper;
use set::{Op, Set};

/// The features that this version of the pages defines; the parameters of the one that there is are no bytes.
const FEATURES: [&str; 1] = ["schema"];
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

/// How a grant's scope has to lie.
enum Scope {
    Any,
    Meets(BTreeSet<String>),
    Contains(BTreeSet<String>),
}

/// What an op needs of a grant to its author.
struct Need {
    roles: &'static [Role],
    scope: Scope,
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
    /// The grants that let each admitted op in.
    warrants: Vec<Vec<GrantAt>>,
    /// The grants of the admitted ops.
    grants: Vec<Made>,
    /// The status lists that count.
    lists: BTreeMap<Op, Rc<Paper<StatusList>>>,
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

    /// Whether the op cannot be judged here.
    #[must_use]
    pub fn is_unsupported(&self, id: &OpId) -> bool {
        (self.at.get(id)).is_some_and(|op| self.standing[*op] == Standing::Unsupported)
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

    /// The grants that let the op in, `None` if it is unsupported, or the first refusal that holds.
    fn judge(&self, op: Op, past: &Set) -> Result<Option<Vec<GrantAt>>, (Refusal, Option<OpId>)> {
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
        self.authorise(&body.author, body.hlc.physical_ms, &body.payload, past)
            .map(Some)
    }

    /// One more than the greatest number of the author's ops in the past, or 0.
    fn due_seq(&self, author: &PublicKey, past: &Set) -> u64 {
        let own = past.iter().filter(|op| self.bodies[*op].author == *author);
        own.map(|op| self.bodies[op].seq + 1).max().unwrap_or(0)
    }

    // --- Features and tags ----------------------------------------------------------------------------------

    /// The features that ops of the set name, with their parameters.
    fn features(&self, ops: &Set) -> Vec<(&str, &[u8])> {
        let mut features = Vec::new();
        for op in ops.iter() {
            match &self.bodies[op].payload {
                Payload::Genesis(genesis) => {
                    let named = genesis.features.iter();
                    features.extend(named.map(|(name, with)| (name.as_str(), with.as_slice())));
                }
                Payload::Upgrade(upgrade) => {
                    features.push((upgrade.feature.as_str(), upgrade.parameters.as_slice()));
                }
                Payload::SetField(_)
                | Payload::SetAdd(_)
                | Payload::SetRemove(_)
                | Payload::Credential(_)
                | Payload::Grant(_)
                | Payload::Revoke(_)
                | Payload::IssuerKey(_)
                | Payload::IssuerKeyRevoke(_)
                | Payload::StatusList(_)
                | Payload::Schema(_)
                | Payload::Unassigned(_) => {}
            }
        }
        features
    }

    /// Whether some op of the set names the feature with parameters that it allows.
    fn in_force(&self, feature: &str, ops: &Set) -> bool {
        let allowed = |(name, parameters): (&str, &[u8])| name == feature && parameters.is_empty();
        self.features(ops).into_iter().any(allowed)
    }

    /// The features that ops of the set name and the pages do not define.
    fn unknown_features(&self, ops: &Set) -> BTreeSet<&str> {
        let names = self.features(ops).into_iter().map(|(name, _)| name);
        names.filter(|name| !FEATURES.contains(name)).collect()
    }

    /// Whether the kind of the payload counts for an op with this past.
    fn kind_is_in_force(&self, payload: &Payload, past: &Set) -> bool {
        match payload {
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
            | Payload::Upgrade(_) => true,
            Payload::Schema(_) => self.in_force("schema", past),
            Payload::Unassigned(_) => false,
        }
    }

    /// The rules of the schema map that ops of the set bring.
    fn rules(&self, ops: &Set) -> BTreeSet<&SchemaRule> {
        let mut rules = BTreeSet::new();
        for op in ops.iter() {
            match &self.bodies[op].payload {
                Payload::Genesis(genesis) => rules.extend(&genesis.schema),
                Payload::Schema(schema) => rules.extend(&schema.rules),
                Payload::SetField(_)
                | Payload::SetAdd(_)
                | Payload::SetRemove(_)
                | Payload::Credential(_)
                | Payload::Grant(_)
                | Payload::Revoke(_)
                | Payload::IssuerKey(_)
                | Payload::IssuerKeyRevoke(_)
                | Payload::StatusList(_)
                | Payload::Upgrade(_)
                | Payload::Unassigned(_) => {}
            }
        }
        rules
    }

    /// The tags of a field: those of every rule whose two patterns match.
    fn tags(&self, object: &str, field: &str, ops: &Set) -> BTreeSet<String> {
        let matches = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == pattern,
        };
        let mut tags = BTreeSet::new();
        for rule in self.rules(ops) {
            if matches(&rule.object, object) && matches(&rule.field, field) {
                tags.extend(texts(&rule.tags));
            }
        }
        tags
    }

    // --- Admission ------------------------------------------------------------------------------------------

    /// What an op with this past needs.
    fn need(&self, payload: &Payload, past: &Set) -> Need {
        const ROOT: &[Role] = &[Role::Root];
        const POLICY: &[Role] = &[Role::Root, Role::PolicyAdmin];
        let is_administrator = |role: Role| role != Role::Editor && role != Role::Reader;
        let need = |roles, scope| Need { roles, scope };
        match payload {
            Payload::Genesis(_) => unreachable!("genesis needs no grant"),
            Payload::Unassigned(_) => unreachable!("what is not assigned is not authorised"),
            Payload::SetField(SetField { object, field, .. })
            | Payload::SetAdd(SetAdd { object, field, .. })
            | Payload::SetRemove(SetRemove { object, field, .. }) => need(
                &[Role::Root, Role::Editor],
                Scope::Meets(self.tags(object, field, past)),
            ),
            Payload::Credential(_) => need(
                &[Role::Root, Role::IssuerAdmin, Role::PolicyAdmin],
                Scope::Any,
            ),
            Payload::Grant(Grant { credential, .. }) => match self.carried(credential, past) {
                Some((_, Some(paper))) if is_administrator(paper.says.role) => {
                    need(ROOT, Scope::Any)
                }
                Some((_, Some(paper))) => need(POLICY, Scope::Contains(paper.says.scope.clone())),
                Some((_, None)) | None => need(POLICY, Scope::Any),
            },
            Payload::Revoke(Revoke { role, scope, .. }) => need(
                if role.is_some_and(is_administrator) {
                    ROOT
                } else {
                    POLICY
                },
                scope
                    .as_ref()
                    .map_or(Scope::Any, |tags| Scope::Meets(texts(tags))),
            ),
            Payload::IssuerKey(_) | Payload::IssuerKeyRevoke(_) | Payload::StatusList(_) => {
                need(&[Role::Root, Role::IssuerAdmin], Scope::Any)
            }
            Payload::Upgrade(_) | Payload::Schema(_) => need(ROOT, Scope::Any),
        }
    }

    /// The grants in the past that let an op in, or the condition at which the last one falls.
    fn authorise(
        &self,
        author: &PublicKey,
        at_ms: u64,
        payload: &Payload,
        past: &Set,
    ) -> Result<Vec<GrantAt>, (Refusal, Option<OpId>)> {
        let need = self.need(payload, past);
        let within = Within::new(self, past);
        let now = Timestamp::from_ms(at_ms);
        let valid = |grant: &GrantAt, holds: fn(&Credential, Timestamp) -> bool| {
            let paper = self.right(*grant).paper.as_ref();
            paper.is_none_or(|paper| holds(&paper.credential.says, now))
        };
        // Whoever passes a condition goes on to the next; if nobody does, those who fell are told.
        let sieve = |left: &mut Vec<GrantAt>, passes: &dyn Fn(&GrantAt) -> bool| {
            let fallen = left.clone();
            left.retain(|grant| passes(grant));
            if left.is_empty() { Err(fallen) } else { Ok(()) }
        };
        let least =
            |grants: Vec<GrantAt>| self.least(grants.into_iter().map(|it| self.grants[it].op));
        let void = |grant: &GrantAt, reason| matches!(&self.grants[*grant].standing, Err(void) if void.reason == reason);
        let to_author = |grant: &GrantAt| {
            past.contains(self.grants[*grant].op) && self.grants[*grant].subject == *author
        };
        let mut left: Vec<GrantAt> = (0..self.grants.len()).filter(to_author).collect();
        for reason in [
            Refusal::NoGrant,
            Refusal::BadCredential,
            Refusal::UntrustedIssuer,
            Refusal::StatusUnknown,
        ] {
            sieve(&mut left, &|grant| !void(grant, reason))
                .map_err(|fallen| (reason, least(fallen)))?;
        }
        sieve(&mut left, &|grant| need.is_reached(self.right(*grant)))
            .map_err(|fallen| (Refusal::OutOfScope, least(fallen)))?;
        sieve(&mut left, &|grant| {
            need.roles.contains(&self.right(*grant).role)
        })
        .map_err(|fallen| (Refusal::ActionNotPermitted, least(fallen)))?;
        sieve(&mut left, &|grant| {
            valid(grant, |it, now| it.valid_from <= now)
        })
        .map_err(|fallen| (Refusal::NotYetValid, least(fallen)))?;
        sieve(&mut left, &|grant| {
            valid(grant, |it, now| now < it.valid_until)
        })
        .map_err(|fallen| (Refusal::Expired, least(fallen)))?;
        sieve(&mut left, &|grant| within.kill(*grant, None).is_none()).map_err(|fallen| {
            let kills = fallen.iter().filter_map(|it| within.kill(*it, None));
            (Refusal::Revoked, kills.min().map(|(_, denial)| denial))
        })?;
        sieve(&mut left, &|grant| {
            self.unseen_half(author, *grant, past).is_none()
        })
        .map_err(|fallen| {
            let halves = fallen
                .iter()
                .filter_map(|it| self.unseen_half(author, *it, past));
            (Refusal::Frozen, halves.min().map(|(_, half)| half))
        })?;
        Ok(left)
    }

    /// Of the ops by the author in the past that share their number with another one there and that the grant had not
    /// seen, the one with the least number, then the least id.
    fn unseen_half(&self, author: &PublicKey, grant: GrantAt, past: &Set) -> Option<(u64, OpId)> {
        let seen = &self.past[self.grants[grant].op];
        let own = || past.iter().filter(|op| self.bodies[*op].author == *author);
        let shares = |op: Op| {
            own().any(|other| other != op && self.bodies[other].seq == self.bodies[op].seq)
        };
        own()
            .filter(|op| shares(*op) && !seen.contains(*op))
            .map(|op| (self.bodies[op].seq, self.ids[op]))
            .min()
    }

    // --- Decisions ------------------------------------------------------------------------------------------

    /// What is decided of the op, if what `within` holds is all that was admitted.
    fn decision(&self, op: Op, within: &Within<'_>) -> Decision {
        let id = self.ids[op];
        match self.standing[op] {
            Standing::Pending => Decision::Pending {
                missing: self.absent(op).into_iter().take(ABSENT_NAMED_MAX).collect(),
            },
            Standing::Unsupported => Decision::Unsupported,
            Standing::Refused(reason, witness) => Decision::Refused { reason, witness },
            Standing::Admitted if id == self.project => Decision::Applied { grant: id },
            Standing::Admitted => match within.op_kill(op, Some(op)) {
                Some((reason, denial)) => Decision::Denied { reason, denial },
                None => {
                    let warrants = self.warrants[op].iter();
                    let live = warrants.filter(|grant| within.kill(**grant, Some(op)).is_none());
                    let least = self.least(live.map(|grant| self.grants[*grant].op));
                    Decision::Applied {
                        grant: least.expect("not every grant is killed"),
                    }
                }
            },
        }
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

impl Need {
    fn is_reached(&self, right: &Right) -> bool {
        right.role == Role::Root
            || match &self.scope {
                Scope::Any => true,
                Scope::Meets(tags) => !tags.is_disjoint(&right.scope),
                Scope::Contains(tags) => tags.is_subset(&right.scope),
            }
    }
}

fn texts(tags: &Tags) -> BTreeSet<String> {
    tags.iter().map(|tag| tag.as_str().to_owned()).collect()
}
