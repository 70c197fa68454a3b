//! Kills: what, within a set of ops, takes a grant away.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use ecac_core::credential::Role;
use ecac_core::payload::IssuerKeyRevoke;
use ecac_core::{DenialReason, OpId, Payload, PublicKey};

use super::right::Right;
use super::set::{Op, Set};
use super::title::Title;
use super::{GrantAt, Oracle, texts};

/// What kills, with the reason that it gives. The least one is the first.
pub(super) type Kill = (DenialReason, OpId);

/// What kills, by what was asked.
type Answers<Question> = RefCell<BTreeMap<Question, Option<Kill>>>;

/// What was answered within a set of ops. A question that was answered is not asked again: there are many ways through a
/// web of grants and seals, and few grants.
#[derive(Debug, Default)]
pub(super) struct Memo {
    grants: Answers<(GrantAt, Option<Op>)>,
    links: Answers<(Op, GrantAt, Option<Op>)>,
    denied: Answers<Op>,
    pub(super) finals: OnceCell<Vec<Op>>,
    pub(super) stale: RefCell<BTreeMap<Op, Vec<Op>>>,
}

/// What is decided within a set of ops, which holds the ancestors of each.
pub(super) struct Within<'o> {
    pub(super) oracle: &'o Oracle,
    pub(super) ops: &'o Set,
    pub(super) memo: Rc<Memo>,
}

impl<'o> Within<'o> {
    pub(super) fn new(oracle: &'o Oracle, ops: &'o Set) -> Self {
        Self {
            oracle,
            ops,
            memo: Rc::default(),
        }
    }

    /// Whether a denial is in the set, is not the judged op, and had not seen it.
    fn counts(&self, denial: Op, judged: Option<Op>) -> bool {
        let spares = |op| denial == op || self.oracle.past[denial].contains(op);
        self.ops.contains(denial) && !judged.is_some_and(spares)
    }

    /// Whether the denial can end the grant.
    pub(super) fn bites(&self, denial: Op, grant: GrantAt) -> bool {
        self.bites_such(denial, self.oracle.is_on_signatures(grant))
    }

    /// Whether the denial can end a grant that is on signatures, or one that is not.
    pub(super) fn bites_such(&self, denial: Op, on_signatures: bool) -> bool {
        !self.is_stale(denial)
            && (!on_signatures
                || self.oracle.ends_itself(denial)
                || self.is_full(denial) && self.dropped_by(denial).is_empty())
    }

    /// The first of what kills the title for the judged op, or for none in particular.
    pub(super) fn kill(&self, title: Title, judged: Option<Op>) -> Option<Kill> {
        let of_grant = self.grant_kill(title.grant, judged);
        let of_link = title
            .link
            .and_then(|link| self.link_kill(link, title.grant, judged));
        of_grant.into_iter().chain(of_link).min()
    }

    /// The first of what kills the grant for the judged op, or for none in particular.
    pub(super) fn grant_kill(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        if let Some(answer) = self.memo.grants.borrow().get(&(grant, judged)) {
            return *answer;
        }
        let answer = (self.revoked(grant, judged))
            .or_else(|| self.status_revoked(grant, judged))
            .or_else(|| self.issuer_key_revoked(grant, judged))
            .or_else(|| self.granter_denied(grant, judged));
        let mut known = self.memo.grants.borrow_mut();
        known.insert((grant, judged), answer);
        answer
    }

    fn revoked(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        let oracle = self.oracle;
        let past = &oracle.past[oracle.grants[grant].op];
        let kills = |denial: &Op| {
            oracle.matches(*denial, grant)
                && oracle.reaches(*denial, grant)
                && !past.contains(*denial)
                && self.counts(*denial, judged)
                && self.bites(*denial, grant)
        };
        Some((
            DenialReason::Revoked,
            oracle.least(self.ops.iter().filter(kills))?,
        ))
    }

    fn status_revoked(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        let lists = self.oracle.lists.keys().copied();
        let kills = |list: &Op| {
            self.oracle.withdraws(*list, grant)
                && self.counts(*list, judged)
                && self.bites(*list, grant)
        };
        Some((
            DenialReason::StatusRevoked,
            self.oracle.least(lists.filter(kills))?,
        ))
    }

    fn issuer_key_revoked(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        let paper = self.oracle.right(grant).paper.as_ref()?;
        let dead = |key: &Op| {
            let bites = |denial: Op| self.counts(denial, judged) && self.bites(denial, grant);
            if let Some(denial) = self.key_revoke_of(*key, bites) {
                return Some(denial);
            }
            if self.oracle.is_on_signatures(grant) {
                return None;
            }
            self.denied(*key).map(|(_, denial)| denial)
        };
        let dead = paper.keys.iter().map(dead);
        let dead: Vec<OpId> = dead.collect::<Option<_>>()?;
        Some((DenialReason::IssuerKeyRevoked, dead.into_iter().min()?))
    }

    fn granter_denied(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        if self.oracle.is_on_signatures(grant) {
            return None;
        }
        let (_, denial) = self.op_kill(self.oracle.grants[grant].op, judged)?;
        Some((DenialReason::GranterDenied, denial))
    }

    /// The first of what kills the link, for the title with the grant and for the judged op, or for none in particular.
    pub(super) fn link_kill(&self, link: Op, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        let question = (link, grant, judged);
        if let Some(answer) = self.memo.links.borrow().get(&question) {
            return *answer;
        }
        let oracle = self.oracle;
        let kills = |denial: &Op| {
            oracle.unlinks(*denial, link)
                && oracle.unlinks_reach(*denial, grant)
                && !oracle.past[link].contains(*denial)
                && self.counts(*denial, judged)
                && self.bites(*denial, grant)
        };
        let revoked = oracle.least(self.ops.iter().filter(kills));
        let revoked = revoked.map(|denial| (DenialReason::Revoked, denial));
        let person = oracle.links[&link].person;
        let own = oracle.own_warrants(link, &person, grant);
        let by_maker = if own.is_empty() {
            let granting = oracle.granting_warrants(link, grant);
            let kill = (!oracle.is_on_signatures(grant))
                .then(|| all(granting.iter().map(|title| self.kill(*title, judged))));
            kill.flatten()
                .map(|(_, denial)| (DenialReason::GranterDenied, denial))
        } else {
            // By the person's own key there is one without a link, which nothing kills.
            all(own
                .iter()
                .map(|title| self.link_kill(title.link?, grant, judged)))
        };
        let answer = revoked.into_iter().chain(by_maker).min();
        self.memo.links.borrow_mut().insert(question, answer);
        answer
    }

    /// The first of the revocations of an issuer key that its op had not seen and that hold.
    fn key_revoke_of(&self, key: Op, holds: impl Fn(Op) -> bool) -> Option<OpId> {
        let oracle = self.oracle;
        let revokes = |denial: &Op| {
            oracle.revokes_key(*denial, key)
                && !oracle.past[key].contains(*denial)
                && holds(*denial)
        };
        oracle.least(self.ops.iter().filter(revokes))
    }

    /// The first of what kills an issuer key, whatever rests on it: a revocation that its op had not seen; without any, what
    /// denies the op.
    pub(super) fn key_kill(&self, key: Op) -> Option<Kill> {
        match self.key_revoke_of(key, |denial| !self.is_stale(denial)) {
            Some(denial) => Some((DenialReason::IssuerKeyRevoked, denial)),
            None => self.denied(key),
        }
    }

    /// The first of what kills the warrants of an op for the judged op, if every one is killed. Genesis has none, and
    /// nothing takes it away.
    pub(super) fn op_kill(&self, op: Op, judged: Option<Op>) -> Option<Kill> {
        let warrants = self.oracle.warrants[op].iter();
        all(warrants.map(|title| self.kill(*title, judged)))
    }

    /// Why the op is denied, if it is.
    pub(super) fn denied(&self, op: Op) -> Option<Kill> {
        if let Some(answer) = self.memo.denied.borrow().get(&op) {
            return *answer;
        }
        let stands = || self.is_sealed(op) || !self.endorsements(op).is_empty();
        let answer = self.op_kill(op, Some(op)).filter(|_| !stands());
        self.memo.denied.borrow_mut().insert(op, answer);
        answer
    }
}

/// The first of the kills, if there are some and none is missing.
fn all(kills: impl Iterator<Item = Option<Kill>>) -> Option<Kill> {
    kills.collect::<Option<Vec<Kill>>>()?.into_iter().min()
}

impl Oracle {
    /// Whether the op is a `Revoke` that matches the grant.
    pub(super) fn matches(&self, denial: Op, grant: GrantAt) -> bool {
        let Right { role, scope, .. } = self.right(grant);
        self.would_match(denial, &self.grants[grant].subject, *role, scope)
    }

    /// Whether the authority of a `Revoke` reaches the grant.
    pub(super) fn reaches(&self, denial: Op, grant: GrantAt) -> bool {
        let Right { role, scope, .. } = self.right(grant);
        self.would_reach(denial, *role, scope)
    }

    /// Whether the op is a `Revoke` of the subject whose role, where it names one, is this one, and whose tags, where it
    /// names any, meet the scope, which for root has no bounds.
    pub(super) fn would_match(
        &self,
        denial: Op,
        subject: &PublicKey,
        role: Role,
        scope: &BTreeSet<String>,
    ) -> bool {
        let Payload::Revoke(revoke) = &self.bodies[denial].payload else {
            return false;
        };
        let (of, tags) = (revoke.role, revoke.scope.as_ref());
        revoke.subject == *subject
            && of.is_none_or(|of| of == role)
            && tags.is_none_or(|tags| role == Role::Root || !texts(tags).is_disjoint(scope))
    }

    /// Whether the authority of a `Revoke` reaches grants of the role and scope: root's reaches all, others' the users
    /// whose scope meets theirs.
    pub(super) fn would_reach(&self, denial: Op, role: Role, scope: &BTreeSet<String>) -> bool {
        let is_user = role == Role::Editor || role == Role::Reader;
        self.warrants[denial].iter().any(|by| {
            let by = self.right(by.grant);
            by.role == Role::Root || is_user && !by.scope.is_disjoint(scope)
        })
    }

    /// Whether the op is a status list that counts and sets a bit of the grant's credential.
    pub(super) fn withdraws(&self, list: Op, grant: GrantAt) -> bool {
        let (Some(list), Some(paper)) = (self.lists.get(&list), &self.right(grant).paper) else {
            return false;
        };
        let (list, credential) = (&list.says, &paper.credential.says);
        credential.status.iter().any(|entry| {
            list.issuer == credential.issuer
                && list.id == entry.list
                && list.purpose == entry.purpose
                && list.get(entry.index) == Some(true)
        })
    }

    /// Whether the op is an `IssuerKeyRevoke` of the issuer and key id that the key's op names.
    pub(super) fn revokes_key(&self, denial: Op, key: Op) -> bool {
        let key = self.issuer_key(key).expect("only issuer keys vouch");
        self.key_revoke(denial)
            .is_some_and(|it| it.issuer == key.issuer && it.kid == key.kid)
    }

    fn key_revoke(&self, op: Op) -> Option<&IssuerKeyRevoke> {
        let Payload::IssuerKeyRevoke(revoke) = &self.bodies[op].payload else {
            return None;
        };
        Some(revoke)
    }
}
