//! The oracle: ENGINE sections 1 to 4 read off the page, with plain sets and no cleverness.
//!
//! It takes decoded ops and shares no code with the engine above the decoder and the reader of credentials.
//! Nothing is cached but what the definitions themselves call final: pasts, refusals, what a grant rests on.

mod exports;

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::{Credential, Role, StatusList, Timestamp};
use ecac_core::{Body, Decision, Denial, Genesis, OpId, Payload, PublicKey, Refusal, Tags};

type Set = BTreeSet<OpId>;

/// A denial that kills, with the reason that it gives.
type Kill = (Denial, OpId);

/// A grant: the op that makes it and the key that it names. Genesis makes one for each root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    op: OpId,
    subject: PublicKey,
}

/// What a grant that counts gives.
#[derive(Debug)]
struct Right {
    role: Role,
    scope: BTreeSet<String>,
    /// The credential and the ops of the issuer keys that vouch for it; none for what genesis gives.
    paper: Option<(Credential, Vec<OpId>)>,
}

/// Which denials count: those of `within` (all, if none is given) other than the judged op that had not seen it.
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    judged: Option<OpId>,
    within: Option<&'a Set>,
}

/// How a grant's scope has to lie.
enum Scope {
    Any,
    Meets(BTreeSet<String>),
    Contains(BTreeSet<String>),
}

/// Everything that the definitions say of a set of ops.
#[derive(Debug)]
pub struct Oracle {
    project: OpId,
    bodies: BTreeMap<OpId, Body>,
    /// The strict ancestors of each admitted op.
    past: BTreeMap<OpId, Set>,
    refused: BTreeMap<OpId, (Refusal, Option<OpId>)>,
    /// The grants of the admitted ops, with what they give or why they do not count.
    grants: BTreeMap<Grant, Result<Right, Refusal>>,
    /// The grants that let an op in.
    warrants: BTreeMap<OpId, Vec<Grant>>,
    /// The status lists that count.
    lists: BTreeMap<OpId, StatusList>,
    decisions: BTreeMap<OpId, Decision>,
}

impl Oracle {
    /// Judges the ops of the project, of which some may be missing.
    pub fn of<'a>(project: OpId, ops: impl IntoIterator<Item = (OpId, &'a Body)>) -> Self {
        let mut oracle = Self {
            project,
            bodies: ops
                .into_iter()
                .map(|(id, body)| (id, body.clone()))
                .collect(),
            past: BTreeMap::new(),
            refused: BTreeMap::new(),
            grants: BTreeMap::new(),
            warrants: BTreeMap::new(),
            lists: BTreeMap::new(),
            decisions: BTreeMap::new(),
        };
        while let Some(id) = oracle.next() {
            match oracle.admit(id) {
                Err(refusal) => {
                    oracle.refused.insert(id, refusal);
                }
                Ok(warrants) => {
                    oracle.past.insert(id, oracle.ancestors(id));
                    oracle.warrants.insert(id, warrants);
                    oracle.enter(id);
                }
            }
        }
        let ids = oracle.bodies.keys();
        oracle.decisions = ids.map(|id| (*id, oracle.decision(*id))).collect();
        oracle
    }

    /// An op that can be judged: it has not been, and all its parents have.
    fn next(&self) -> Option<OpId> {
        let judged = |id: &OpId| self.past.contains_key(id) || self.refused.contains_key(id);
        let ready = |(id, body): &(&OpId, &Body)| !judged(id) && body.parents.iter().all(judged);
        self.bodies.iter().find(ready).map(|(id, _)| *id)
    }

    /// past(x): the strict ancestors, by walking the parent links.
    fn ancestors(&self, id: OpId) -> Set {
        let mut seen = Set::new();
        let mut todo = self.bodies[&id].parents.clone();
        while let Some(parent) = todo.pop() {
            if seen.insert(parent) {
                todo.extend(&self.bodies[&parent].parents);
            }
        }
        seen
    }

    // --- Refusals -------------------------------------------------------------------------------------------

    /// The grants that let the op in, or the first refusal that holds.
    fn admit(&self, id: OpId) -> Result<Vec<Grant>, (Refusal, Option<OpId>)> {
        let body = &self.bodies[&id];
        let is_genesis = matches!(body.payload, Payload::Genesis(_));
        let is_foreign =
            |op: &OpId| matches!(self.refused.get(op), Some((Refusal::ForeignProject, _)));
        if is_genesis && id != self.project || !is_genesis && body.parents.iter().all(is_foreign) {
            return Err((Refusal::ForeignProject, None));
        }
        let refused_parent = body
            .parents
            .iter()
            .filter(|op| self.refused.contains_key(op))
            .min();
        let past = self.ancestors(id);
        if refused_parent.is_none() {
            let own = past
                .iter()
                .map(|op| &self.bodies[op])
                .filter(|it| it.author == body.author);
            let due = own.map(|it| it.seq + 1).max().unwrap_or(0);
            if body.seq != due {
                return Err((Refusal::BadSequence, None));
            }
        }
        if body
            .parents
            .iter()
            .any(|op| self.bodies[op].hlc >= body.hlc)
        {
            return Err((Refusal::HlcNotMonotonic, None));
        }
        if let Some(parent) = refused_parent {
            return Err((Refusal::RefusedParent, Some(*parent)));
        }
        if is_genesis {
            Ok(Vec::new())
        } else {
            self.authorise(id, body, &past)
        }
    }

    /// The funnel: the candidates that pass each condition in turn.
    fn authorise(
        &self,
        id: OpId,
        body: &Body,
        past: &Set,
    ) -> Result<Vec<Grant>, (Refusal, Option<OpId>)> {
        let (roles, scope) = self.need(&body.payload, past);
        let view = View {
            judged: Some(id),
            within: Some(past),
        };
        let now_ms = body.hlc.physical_ms;
        let void = |grant: &Grant, reason| matches!(self.grants[grant], Err(it) if it == reason);
        let right = |grant: &Grant| {
            self.grants[grant]
                .as_ref()
                .expect("void grants are out by now")
        };
        let paper = |grant: &Grant| {
            right(grant)
                .paper
                .as_ref()
                .map(|(credential, _)| credential)
        };

        let passes = |grant: &Grant, reason: Refusal| match reason {
            Refusal::BadCredential | Refusal::UntrustedIssuer | Refusal::StatusUnknown => {
                !void(grant, reason)
            }
            Refusal::OutOfScope => {
                let right = right(grant);
                right.role == Role::Root
                    || match &scope {
                        Scope::Any => true,
                        Scope::Meets(tags) => !tags.is_disjoint(&right.scope),
                        Scope::Contains(tags) => tags.is_subset(&right.scope),
                    }
            }
            Refusal::ActionNotPermitted => roles.contains(&right(grant).role),
            Refusal::NotYetValid => {
                paper(grant).is_none_or(|it| it.valid_from <= Timestamp::from_ms(now_ms))
            }
            Refusal::Expired => {
                paper(grant).is_none_or(|it| Timestamp::from_ms(now_ms) < it.valid_until)
            }
            Refusal::Revoked => self.kill(grant, view).is_none(),
            _ => unreachable!("{reason} is no stage of the funnel"),
        };

        let names_author =
            |grant: &&Grant| past.contains(&grant.op) && grant.subject == body.author;
        let mut candidates: Vec<Grant> = self.grants.keys().filter(names_author).copied().collect();
        if candidates.is_empty() {
            return Err((Refusal::NoGrant, None));
        }
        for reason in [
            Refusal::BadCredential,
            Refusal::UntrustedIssuer,
            Refusal::StatusUnknown,
            Refusal::OutOfScope,
            Refusal::ActionNotPermitted,
            Refusal::NotYetValid,
            Refusal::Expired,
            Refusal::Revoked,
        ] {
            let left: Vec<Grant> = candidates
                .iter()
                .copied()
                .filter(|grant| passes(grant, reason))
                .collect();
            if left.is_empty() {
                let witness = if reason == Refusal::Revoked {
                    let kills = candidates.iter().filter_map(|grant| self.kill(grant, view));
                    kills.min().map(|(_, denial)| denial)
                } else {
                    candidates.iter().map(|grant| grant.op).min()
                };
                return Err((reason, witness));
            }
            candidates = left;
        }
        Ok(candidates)
    }

    /// The roles that permit what the payload does, and how the scope has to lie.
    fn need(&self, payload: &Payload, past: &Set) -> (&'static [Role], Scope) {
        let is_administrator = |role: Role| role != Role::Editor && role != Role::Reader;
        match payload {
            Payload::Genesis(_) => unreachable!("genesis needs no grant"),
            Payload::SetField { object, field, .. }
            | Payload::SetAdd { object, field, .. }
            | Payload::SetRemove { object, field, .. } => (
                &[Role::Root, Role::Editor],
                Scope::Meets(self.tags(object, field)),
            ),
            Payload::Credential { .. } => (
                &[Role::Root, Role::IssuerAdmin, Role::PolicyAdmin],
                Scope::Any,
            ),
            Payload::Grant { credential, .. } => match self.credential(*credential, past) {
                None => (&[Role::Root, Role::PolicyAdmin], Scope::Any),
                Some(it) if is_administrator(it.role) => (&[Role::Root], Scope::Any),
                Some(it) => (&[Role::Root, Role::PolicyAdmin], Scope::Contains(it.scope)),
            },
            Payload::Revoke { role, scope, .. } => {
                let roles: &[Role] = if role.is_some_and(is_administrator) {
                    &[Role::Root]
                } else {
                    &[Role::Root, Role::PolicyAdmin]
                };
                (
                    roles,
                    scope
                        .as_ref()
                        .map_or(Scope::Any, |scope| Scope::Meets(texts(scope))),
                )
            }
            Payload::IssuerKey { .. }
            | Payload::IssuerKeyRevoke { .. }
            | Payload::StatusList { .. } => (&[Role::Root, Role::IssuerAdmin], Scope::Any),
        }
    }

    fn genesis(&self) -> Option<&Genesis> {
        match &self
            .bodies
            .get(&self.project)
            .filter(|_| self.past.contains_key(&self.project))?
            .payload
        {
            Payload::Genesis(genesis) => Some(genesis),
            _ => None,
        }
    }

    /// The tags of a field: those of every rule whose two patterns match.
    fn tags(&self, object: &str, field: &str) -> BTreeSet<String> {
        let matches = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
            Some(prefix) => text.starts_with(prefix),
            None => text == pattern,
        };
        let mut tags = BTreeSet::new();
        for rule in &self
            .genesis()
            .expect("nothing is judged before genesis")
            .schema
        {
            if matches(&rule.object, object) && matches(&rule.field, field) {
                tags.extend(texts(&rule.tags));
            }
        }
        tags
    }

    // --- What enters ----------------------------------------------------------------------------------------

    /// Takes down the grants and the status list of an op that has been admitted.
    fn enter(&mut self, id: OpId) {
        match &self.bodies[&id].payload {
            Payload::Genesis(genesis) => {
                for subject in genesis.roots.clone() {
                    let right = Right {
                        role: Role::Root,
                        scope: BTreeSet::new(),
                        paper: None,
                    };
                    self.grants.insert(Grant { op: id, subject }, Ok(right));
                }
            }
            Payload::Grant {
                subject,
                credential,
            } => {
                let standing = self.standing(id, *subject, *credential);
                self.grants.insert(
                    Grant {
                        op: id,
                        subject: *subject,
                    },
                    standing,
                );
            }
            Payload::StatusList { jwt } => {
                let Ok(list) = StatusList::parse(jwt) else {
                    return;
                };
                let past = &self.past[&id];
                let verifies = |key: &PublicKey| list.verifies_with(key);
                if !self
                    .vouching(past, &list.issuer, &list.kid, list.valid_from, verifies)
                    .is_empty()
                {
                    self.lists.insert(id, list);
                }
            }
            _ => {}
        }
    }

    /// The credential that an op of the past carries, if it is one that can be read.
    fn credential(&self, carrier: OpId, past: &Set) -> Option<Credential> {
        match &self.bodies[past.get(&carrier)?].payload {
            Payload::Credential { jwt } => Credential::parse(jwt).ok(),
            _ => None,
        }
    }

    /// What a `Grant` op gives, judged from its past.
    fn standing(&self, id: OpId, subject: PublicKey, carrier: OpId) -> Result<Right, Refusal> {
        let past = &self.past[&id];
        let credential = self
            .credential(carrier, past)
            .filter(|it| it.subject == subject)
            .ok_or(Refusal::BadCredential)?;
        let (issuer, kid) = (&credential.issuer, &credential.kid);
        let keys = self.vouching(past, issuer, kid, credential.valid_from, |key| {
            credential.verifies_with(key)
        });
        if keys.is_empty() {
            return Err(Refusal::UntrustedIssuer);
        }
        for entry in &credential.status {
            let known = self.lists.iter().any(|(op, list)| {
                past.contains(op)
                    && list.issuer == credential.issuer
                    && list.id == entry.list
                    && list.purpose == entry.purpose
                    && list.get(entry.index).is_some()
            });
            if !known {
                return Err(Refusal::StatusUnknown);
            }
        }
        Ok(Right {
            role: credential.role,
            scope: credential.scope.clone(),
            paper: Some((credential, keys)),
        })
    }

    /// The `IssuerKey` ops of the past that name issuer and key id, whose window covers the time, that no
    /// denial of the past kills, and that verify.
    fn vouching(
        &self,
        past: &Set,
        issuer: &str,
        kid: &str,
        time: Timestamp,
        verifies: impl Fn(&PublicKey) -> bool,
    ) -> Vec<OpId> {
        let counts = |op: &&OpId| match &self.bodies[*op].payload {
            Payload::IssuerKey {
                issuer: i,
                kid: k,
                public_key,
                valid_from_ms,
                valid_until_ms,
            } => {
                i.as_str() == issuer
                    && k.as_str() == kid
                    && Timestamp::from_ms(*valid_from_ms) <= time
                    && time < Timestamp::from_ms(*valid_until_ms)
                    && self
                        .key_kill(
                            **op,
                            View {
                                judged: None,
                                within: Some(past),
                            },
                        )
                        .is_none()
                    && verifies(public_key)
            }
            _ => false,
        };
        past.iter().filter(counts).copied().collect()
    }

    // --- Denials --------------------------------------------------------------------------------------------

    fn sees(&self, view: View<'_>, denial: OpId) -> bool {
        let had_seen = |op: OpId| self.past[&denial].contains(&op) || denial == op;
        view.within.is_none_or(|within| within.contains(&denial))
            && !view.judged.is_some_and(had_seen)
    }

    /// The first denial that kills an op: one for each grant that let it in, if they are all killed.
    fn op_kill(&self, op: OpId, view: View<'_>) -> Option<Kill> {
        let kills: Vec<Option<Kill>> = self.warrants[&op]
            .iter()
            .map(|grant| self.kill(grant, view))
            .collect();
        kills
            .into_iter()
            .collect::<Option<Vec<Kill>>>()?
            .into_iter()
            .min()
    }

    /// What kills an issuer key: the least of the revocations that the key's op had not seen; without any, what
    /// denies the op itself.
    fn key_kill(&self, key: OpId, view: View<'_>) -> Option<Kill> {
        let Payload::IssuerKey { issuer, kid, .. } = &self.bodies[&key].payload else {
            unreachable!("only issuer keys vouch")
        };
        let revokes = |op: &&OpId| {
            matches!(&self.bodies[*op].payload, Payload::IssuerKeyRevoke { issuer: i, kid: k, .. }
                if i == issuer && k == kid)
                && self.sees(view, **op)
                && !self.past[&key].contains(*op)
        };
        let revoked = self
            .past
            .keys()
            .filter(revokes)
            .map(|op| (Denial::IssuerKeyRevoked, *op));
        let denied = self.op_kill(
            key,
            View {
                judged: Some(key),
                ..view
            },
        );
        revoked.min().or(denied)
    }

    /// The first denial that kills a grant.
    fn kill(&self, grant: &Grant, view: View<'_>) -> Option<Kill> {
        self.kills(grant, view).first().copied()
    }

    /// Every denial that kills a grant.
    fn kills(&self, grant: &Grant, view: View<'_>) -> BTreeSet<Kill> {
        let right = self.grants[grant]
            .as_ref()
            .expect("only grants that count are asked for");
        let past = &self.past[&grant.op];
        let mut kills = BTreeSet::new();
        for &denial in self.past.keys().filter(|&&denial| self.sees(view, denial)) {
            match &self.bodies[&denial].payload {
                Payload::Revoke {
                    subject,
                    role,
                    scope,
                } if *subject == grant.subject
                    && !past.contains(&denial)
                    && role.is_none_or(|role| role == right.role)
                    && scope.as_ref().is_none_or(|scope| {
                        right.role == Role::Root || !texts(scope).is_disjoint(&right.scope)
                    })
                    && self.reaches(denial, right) =>
                {
                    kills.insert((Denial::Revoked, denial));
                }
                Payload::StatusList { .. } => {
                    let Some(list) = self.lists.get(&denial) else {
                        continue;
                    };
                    let Some((credential, _)) = &right.paper else {
                        continue;
                    };
                    let withdrawn = credential.status.iter().any(|entry| {
                        list.issuer == credential.issuer
                            && list.id == entry.list
                            && list.purpose == entry.purpose
                            && list.get(entry.index) == Some(true)
                    });
                    if withdrawn {
                        kills.insert((Denial::StatusRevoked, denial));
                    }
                }
                _ => {}
            }
        }
        if let Some((_, keys)) = &right.paper {
            let dead: Option<Vec<Kill>> =
                keys.iter().map(|key| self.key_kill(*key, view)).collect();
            if let Some(denial) = dead.and_then(|dead| dead.into_iter().map(|(_, op)| op).min()) {
                kills.insert((Denial::IssuerKeyRevoked, denial));
            }
        }
        if let Some(member) = self.equivocation(grant, view) {
            kills.insert((Denial::Equivocation, member));
        }
        if let Some((_, denial)) = self
            .op_kill(grant.op, view)
            .filter(|_| grant.op != self.project)
        {
            kills.insert((Denial::GranterDenied, denial));
        }
        kills
    }

    /// Whether a `Revoke` reaches the grant: root's reaches all, a `policy_admin`'s the users within its scope.
    fn reaches(&self, denial: OpId, right: &Right) -> bool {
        self.warrants[&denial].iter().any(|grant| {
            let by = self.grants[grant].as_ref().expect("a warrant counts");
            by.role == Role::Root
                || (right.role == Role::Editor || right.role == Role::Reader)
                    && !by.scope.is_disjoint(&right.scope)
        })
    }

    /// The witness of the first equivocation of the grant's subject that kills the grant.
    fn equivocation(&self, grant: &Grant, view: View<'_>) -> Option<OpId> {
        for (_, group) in self.equivocations(grant.subject) {
            let seen: Vec<OpId> = group
                .into_iter()
                .filter(|op| view.within.is_none_or(|within| within.contains(op)))
                .collect();
            let known = |a: &OpId, b: &OpId| {
                let past = &self.past[&grant.op];
                past.contains(a) && past.contains(b)
            };
            let had_seen = |a: &OpId, b: &OpId| {
                view.judged
                    .is_some_and(|op| self.past[a].contains(&op) && self.past[b].contains(&op))
            };
            let kills = seen.iter().any(|a| {
                seen.iter()
                    .any(|b| a != b && !known(a, b) && !had_seen(a, b))
            });
            if kills {
                return seen.into_iter().filter(|op| Some(*op) != view.judged).min();
            }
        }
        None
    }

    /// Different admitted ops of the author with one sequence number, by number.
    fn equivocations(&self, author: PublicKey) -> BTreeMap<u64, Set> {
        let mut by_seq: BTreeMap<u64, Set> = BTreeMap::new();
        for op in self
            .past
            .keys()
            .filter(|op| self.bodies[*op].author == author)
        {
            by_seq.entry(self.bodies[op].seq).or_default().insert(*op);
        }
        by_seq.retain(|_, ops| ops.len() > 1);
        by_seq
    }

    // --- Results --------------------------------------------------------------------------------------------

    /// What is decided of each op.
    #[must_use]
    pub const fn decisions(&self) -> &BTreeMap<OpId, Decision> {
        &self.decisions
    }

    fn decision(&self, id: OpId) -> Decision {
        if let Some((reason, witness)) = self.refused.get(&id) {
            return Decision::Refused {
                reason: *reason,
                witness: *witness,
            };
        }
        if !self.past.contains_key(&id) {
            let parents = self.bodies[&id].parents.iter();
            let missing = parents
                .filter(|op| !self.bodies.contains_key(op))
                .copied()
                .collect();
            return Decision::Pending { missing };
        }
        if id == self.project {
            return Decision::Applied { grant: id };
        }
        let view = View {
            judged: Some(id),
            within: None,
        };
        if let Some((reason, denial)) = self.op_kill(id, view) {
            return Decision::Denied { reason, denial };
        }
        let live = self.warrants[&id]
            .iter()
            .filter(|grant| self.kill(grant, view).is_none());
        Decision::Applied {
            grant: live
                .map(|grant| grant.op)
                .min()
                .expect("not every grant is killed"),
        }
    }
}

fn texts(tags: &Tags) -> BTreeSet<String> {
    tags.iter().map(|tag| tag.as_str().to_owned()).collect()
}
