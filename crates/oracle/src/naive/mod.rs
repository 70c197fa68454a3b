//! The oracle: `docs/policy-model.md` and `docs/protocol.md` read off the pages, with plain sets and no cleverness.
//!
//! It takes decoded ops and shares no code with the engine above the decoder and the reader of credentials. Nothing is
//! kept but what the definitions themselves call final (pasts, refusals, what a grant rests on) and what depends on a
//! document alone.

mod effects;
mod exports;
mod grants;
mod kills;
mod links;
mod papers;
mod parents;
mod quorum;
mod seals;
mod set;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::credential::{Credential, Role, StatusList, Timestamp};
use ecac_core::payload::{
    Cosign, Device, DeviceRevoke, Endorse, Genesis, Grant, Revoke, SetAdd, SetField, SetRemove,
};
use ecac_core::{Body, Decision, OpId, Payload, PublicKey, Refusal, SchemaRule, Tags};

pub use effects::Told;
pub use parents::{Draft, Prospect};

use grants::{Made, Right};
use kills::{Memo, Within};
use links::{Link, Title};
use papers::Paper;
use set::{Op, Set};

/// The features that this version of the pages defines.
const FEATURES: [&str; 5] = ["schema", "quorum", "seal", "endorse", "device"];
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
#[derive(PartialEq, Eq)]
enum Scope {
    Any,
    /// It meets each of these.
    Meets(Vec<BTreeSet<String>>),
    Contains(BTreeSet<String>),
}

/// What an op needs of a grant to its author.
#[derive(PartialEq, Eq)]
struct Need {
    roles: &'static [Role],
    /// The person whose own grant of any role is enough.
    own: Option<PublicKey>,
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
        self.authorise(&body.author, body.hlc.physical_ms, &body.payload, past)
            .map(Some)
    }

    /// One more than the greatest number of the author's ops in the past, or 0.
    fn due_seq(&self, author: &PublicKey, past: &Set) -> u64 {
        let own = past.iter().filter(|op| self.bodies[*op].author == *author);
        own.map(|op| self.bodies[op].seq + 1).max().unwrap_or(0)
    }

    /// The op with the least id that a `Cosign` or an `Endorse` with this past names and cannot name.
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
            | Payload::Unassigned(_) => None,
        }
    }

    // --- Features and tags ----------------------------------------------------------------------------------

    /// The features that ops of the set name, with their parameters and the op.
    fn features(&self, ops: &Set) -> Vec<(&str, &[u8], Op)> {
        let mut features = Vec::new();
        for op in ops.iter() {
            match &self.bodies[op].payload {
                Payload::Genesis(genesis) => {
                    let named = genesis.features.iter();
                    features.extend(named.map(|(name, with)| (name.as_str(), with.as_slice(), op)));
                }
                Payload::Upgrade(upgrade) => {
                    features.push((upgrade.feature.as_str(), upgrade.parameters.as_slice(), op));
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
                | Payload::Seal(_)
                | Payload::Cosign(_)
                | Payload::Endorse(_)
                | Payload::Device(_)
                | Payload::DeviceRevoke(_)
                | Payload::Unassigned(_) => {}
            }
        }
        features
    }

    /// Whether the feature allows the parameters where the op names them.
    fn allows(&self, feature: &str, parameters: &[u8], op: Op) -> bool {
        let roots = self.genesis().map_or(0, |genesis| genesis.roots.len());
        match feature {
            "schema" | "endorse" | "device" => parameters.is_empty(),
            "seal" => parameters.is_empty() && 2 * self.k() > roots,
            "quorum" => {
                let by_genesis = matches!(self.bodies[op].payload, Payload::Genesis(_));
                let [k] = parameters else { return false };
                by_genesis && (1..=roots).contains(&usize::from(*k))
            }
            _ => false,
        }
    }

    /// Whether some op of the set that is full in it names the feature with parameters that it allows.
    fn in_force(&self, feature: &str, ops: &Set) -> bool {
        let puts = |(name, parameters, op): (&str, &[u8], Op)| {
            let by_genesis = matches!(self.bodies[op].payload, Payload::Genesis(_));
            name == feature
                && self.allows(name, parameters, op)
                && (by_genesis || self.is_full(op, ops))
        };
        self.features(ops).into_iter().any(puts)
    }

    /// The features that ops of the set name and the pages do not define.
    fn unknown_features(&self, ops: &Set) -> BTreeSet<&str> {
        let names = self.features(ops).into_iter().map(|(name, ..)| name);
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
            Payload::Seal(_) => self.in_force("seal", past),
            Payload::Cosign(_) => self.in_force("quorum", past),
            Payload::Endorse(_) => self.in_force("endorse", past),
            Payload::Device(_) | Payload::DeviceRevoke(_) => self.in_force("device", past),
            Payload::Unassigned(_) => false,
        }
    }

    /// The rules of the schema map that ops of the set bring, as far as enough roots have signed them there.
    fn rules(&self, ops: &Set) -> BTreeSet<&SchemaRule> {
        let mut rules = BTreeSet::new();
        for op in ops.iter() {
            match &self.bodies[op].payload {
                Payload::Genesis(genesis) => rules.extend(&genesis.schema),
                Payload::Schema(schema) if self.is_full(op, ops) => rules.extend(&schema.rules),
                Payload::Schema(_)
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
                | Payload::Seal(_)
                | Payload::Cosign(_)
                | Payload::Endorse(_)
                | Payload::Device(_)
                | Payload::DeviceRevoke(_)
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
        let need = |roles, scope| Need {
            roles,
            own: None,
            scope,
        };
        match payload {
            Payload::Genesis(_) => unreachable!("genesis needs no grant"),
            Payload::Unassigned(_) => unreachable!("what is not assigned is not authorised"),
            Payload::SetField(SetField { object, field, .. })
            | Payload::SetAdd(SetAdd { object, field, .. })
            | Payload::SetRemove(SetRemove { object, field, .. }) => need(
                &[Role::Root, Role::Editor],
                Scope::Meets(vec![self.tags(object, field, past)]),
            ),
            Payload::Endorse(Endorse { ops }) => {
                let targets = ops
                    .iter()
                    .map(|op| self.bodies[self.at[op]].payload.target());
                let targets = targets.map(|it| it.expect("only data ops are endorsed"));
                let tags = targets.map(|(object, field)| self.tags(object, field, past));
                need(&[Role::Root, Role::Editor], Scope::Meets(tags.collect()))
            }
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
                    .map_or(Scope::Any, |tags| Scope::Meets(vec![texts(tags)])),
            ),
            Payload::IssuerKey(_) | Payload::IssuerKeyRevoke(_) | Payload::StatusList(_) => {
                need(&[Role::Root, Role::IssuerAdmin], Scope::Any)
            }
            Payload::Upgrade(_) | Payload::Schema(_) | Payload::Seal(_) | Payload::Cosign(_) => {
                need(ROOT, Scope::Any)
            }
            Payload::Device(Device { person, .. })
            | Payload::DeviceRevoke(DeviceRevoke { person, .. }) => Need {
                own: Some(*person),
                ..need(POLICY, Scope::Any)
            },
        }
    }

    /// The titles of the author in a set of ops: the grants, and those that a link brings.
    fn titles(&self, author: &PublicKey, ops: &Set) -> Vec<Title> {
        let granted = |person: &PublicKey| -> Vec<GrantAt> {
            let to_person = |grant: &GrantAt| {
                let made = &self.grants[*grant];
                ops.contains(made.op) && made.subject == *person
            };
            (0..self.grants.len()).filter(to_person).collect()
        };
        let own = granted(author).into_iter();
        let mut titles: Vec<Title> = own.map(|grant| Title { grant, link: None }).collect();
        for (op, link) in &self.links {
            if ops.contains(*op) && link.key == *author {
                let grants = granted(&link.person).into_iter();
                titles.extend(grants.map(|grant| Title {
                    grant,
                    link: Some(*op),
                }));
            }
        }
        titles
    }

    /// The titles in the past that let an op in, or the condition at which the last one falls.
    fn authorise(
        &self,
        author: &PublicKey,
        at_ms: u64,
        payload: &Payload,
        past: &Set,
    ) -> Result<Vec<Title>, (Refusal, Option<OpId>)> {
        let need = self.need(payload, past);
        let within = Within::new(self, past);
        let now = Timestamp::from_ms(at_ms);
        let valid = |title: &Title, holds: fn(&Credential, Timestamp) -> bool| {
            let paper = self.right(title.grant).paper.as_ref();
            paper.is_none_or(|paper| holds(&paper.credential.says, now))
        };
        // Whoever passes a condition goes on to the next; if nobody does, those who fell are told.
        let sieve = |left: &mut Vec<Title>, passes: &dyn Fn(&Title) -> bool| {
            let fallen = left.clone();
            left.retain(|title| passes(title));
            if left.is_empty() { Err(fallen) } else { Ok(()) }
        };
        let least =
            |titles: Vec<Title>| self.least(titles.into_iter().map(|it| self.grants[it.grant].op));
        let void = |title: &Title, reason| matches!(&self.grants[title.grant].standing, Err(void) if void.reason == reason);
        let is_short = |grant: GrantAt| {
            let op = self.grants[grant].op;
            let by_genesis = self.ids[op] == self.project;
            !by_genesis && self.is_of_root(grant) && !within.is_full(op)
        };
        let mut left = self.titles(author, past);
        sieve(&mut left, &|title| {
            !void(title, Refusal::NoGrant)
                && !is_short(title.grant)
                && title
                    .link
                    .is_none_or(|link| within.carries(link, title.grant))
        })
        .map_err(|fallen| (Refusal::NoGrant, least(fallen)))?;
        for reason in [
            Refusal::BadCredential,
            Refusal::UntrustedIssuer,
            Refusal::StatusUnknown,
        ] {
            sieve(&mut left, &|title| !void(title, reason))
                .map_err(|fallen| (reason, least(fallen)))?;
        }
        sieve(&mut left, &|title| need.is_reached(self.right(title.grant)))
            .map_err(|fallen| (Refusal::OutOfScope, least(fallen)))?;
        sieve(&mut left, &|title| {
            need.is_permitted(self.right(title.grant), &self.grants[title.grant].subject)
        })
        .map_err(|fallen| (Refusal::ActionNotPermitted, least(fallen)))?;
        sieve(&mut left, &|title| {
            valid(title, |it, now| it.valid_from <= now)
        })
        .map_err(|fallen| (Refusal::NotYetValid, least(fallen)))?;
        sieve(&mut left, &|title| {
            valid(title, |it, now| now < it.valid_until)
        })
        .map_err(|fallen| (Refusal::Expired, least(fallen)))?;
        sieve(&mut left, &|title| within.kill(*title, None).is_none()).map_err(|fallen| {
            let kills = fallen.iter().filter_map(|it| within.kill(*it, None));
            (Refusal::Revoked, kills.min().map(|(_, denial)| denial))
        })?;
        sieve(&mut left, &|title| {
            self.unseen_half(author, *title, past).is_none()
        })
        .map_err(|fallen| {
            let halves = fallen
                .iter()
                .filter_map(|it| self.unseen_half(author, *it, past));
            (Refusal::Frozen, halves.min().map(|(_, half)| half))
        })?;
        Ok(left)
    }

    /// Of the ops by the author in the past that share their number with another one there and that the grant, or of a
    /// title with a link the link, had not seen, the one with the least number, then the least id.
    fn unseen_half(&self, author: &PublicKey, title: Title, past: &Set) -> Option<(u64, OpId)> {
        let seen = &self.past[title.link.unwrap_or(self.grants[title.grant].op)];
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

impl Need {
    fn is_permitted(&self, right: &Right, subject: &PublicKey) -> bool {
        self.roles.contains(&right.role) || self.own.as_ref() == Some(subject)
    }

    fn is_reached(&self, right: &Right) -> bool {
        right.role == Role::Root
            || match &self.scope {
                Scope::Any => true,
                Scope::Meets(each) => each.iter().all(|tags| !tags.is_disjoint(&right.scope)),
                Scope::Contains(tags) => tags.is_subset(&right.scope),
            }
    }
}

fn texts(tags: &Tags) -> BTreeSet<String> {
    tags.iter().map(|tag| tag.as_str().to_owned()).collect()
}
