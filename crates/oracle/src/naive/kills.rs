//! Kills: what, within a set of ops, takes a grant away.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Role;
use ecac_core::payload::IssuerKeyRevoke;
use ecac_core::{DenialReason, OpId, Payload, PublicKey};

use super::set::{Op, Set};
use super::{GrantAt, Oracle, Right, texts};

/// What kills, with the reason that it gives. The least one is the first.
pub(super) type Kill = (DenialReason, OpId);

/// What is asked: which grant, and for which op.
type Question = (GrantAt, Option<Op>);

/// The kills within a set of ops.
///
/// A question that was answered is not asked again: there are many ways through a web of grants, and few grants.
pub(super) struct Within<'o> {
    oracle: &'o Oracle,
    ops: &'o Set,
    answers: RefCell<BTreeMap<Question, Option<Kill>>>,
}

impl<'o> Within<'o> {
    pub(super) fn new(oracle: &'o Oracle, ops: &'o Set) -> Self {
        Self {
            oracle,
            ops,
            answers: RefCell::default(),
        }
    }

    /// Whether a denial is in the set, is not the judged op, and had not seen it.
    fn counts(&self, denial: Op, judged: Option<Op>) -> bool {
        let spares = |op| denial == op || self.oracle.past[denial].contains(op);
        self.ops.contains(denial) && !judged.is_some_and(spares)
    }

    /// The first of what kills the grant for the judged op, or for none in particular.
    pub(super) fn kill(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        if let Some(answer) = self.answers.borrow().get(&(grant, judged)) {
            return *answer;
        }
        let answer = (self.revoked(grant, judged))
            .or_else(|| self.status_revoked(grant, judged))
            .or_else(|| self.issuer_key_revoked(grant, judged))
            .or_else(|| self.granter_denied(grant, judged));
        self.answers.borrow_mut().insert((grant, judged), answer);
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
        };
        Some((
            DenialReason::Revoked,
            oracle.least(self.ops.iter().filter(kills))?,
        ))
    }

    fn status_revoked(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        let lists = self.oracle.lists.keys().copied();
        let kills = |list: &Op| self.oracle.withdraws(*list, grant) && self.counts(*list, judged);
        Some((
            DenialReason::StatusRevoked,
            self.oracle.least(lists.filter(kills))?,
        ))
    }

    fn issuer_key_revoked(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        let paper = self.oracle.right(grant).paper.as_ref()?;
        let dead = paper.keys.iter().map(|key| self.key_kill(*key, judged));
        let dead: Vec<Kill> = dead.collect::<Option<_>>()?;
        let first = dead.into_iter().map(|(_, denial)| denial).min()?;
        Some((DenialReason::IssuerKeyRevoked, first))
    }

    fn granter_denied(&self, grant: GrantAt, judged: Option<Op>) -> Option<Kill> {
        let (_, denial) = self.op_kill(self.oracle.grants[grant].op, judged)?;
        Some((DenialReason::GranterDenied, denial))
    }

    /// The first of what kills an issuer key: a revocation that its op had not seen; without any, what kills the
    /// warrants of the op, judged itself.
    pub(super) fn key_kill(&self, key: Op, judged: Option<Op>) -> Option<Kill> {
        let oracle = self.oracle;
        let revokes = self.ops.iter().filter(|denial| {
            oracle.revokes_key(*denial, key)
                && !oracle.past[key].contains(*denial)
                && self.counts(*denial, judged)
        });
        match oracle.least(revokes) {
            Some(denial) => Some((DenialReason::IssuerKeyRevoked, denial)),
            None => self.op_kill(key, Some(key)),
        }
    }

    /// The first of what kills the warrants of an op for the judged op, if every one is killed. Genesis has none, and
    /// nothing takes it away.
    pub(super) fn op_kill(&self, op: Op, judged: Option<Op>) -> Option<Kill> {
        let warrants = self.oracle.warrants[op].iter();
        let kills = warrants.map(|grant| self.kill(*grant, judged));
        kills.collect::<Option<Vec<Kill>>>()?.into_iter().min()
    }
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
            let by = self.right(*by);
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
