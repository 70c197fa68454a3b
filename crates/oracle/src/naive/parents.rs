//! What the page promises of the parents that are offered for a new op.

use std::collections::BTreeSet;

use ecac_core::credential::Timestamp;
use ecac_core::payload::Grant;
use ecac_core::{OpId, Payload, PublicKey};

use super::kills::Within;
use super::set::{Op, Set};
use super::{GrantAt, Oracle};

/// What is known of a new op by one of the authors, before it is signed.
#[derive(Debug)]
pub struct Draft<'d> {
    /// Who signs it.
    pub author: PublicKey,
    /// What it says.
    pub payload: &'d Payload,
    /// What it names as its parents.
    pub parents: &'d [OpId],
    /// The local clock, in ms since the Unix epoch.
    pub now_ms: u64,
}

/// What the rules say of a new op with its parents.
#[derive(Debug)]
pub struct Prospect {
    /// The number that is due.
    pub seq: u64,
    /// The author's own op that the new one has to have seen, and has not.
    pub forgotten: Option<OpId>,
    /// The parents, beside the author's last op, whose time has not come.
    pub early: Vec<OpId>,
    /// The parents that another parent has in its past.
    pub redundant: Vec<OpId>,
    /// The grant to name, unless some parent has one in its past that serves as well.
    pub grant: Option<OpId>,
    /// Whether the op has a grant in its past that is as good as any to name.
    pub has_grant: bool,
    /// Why that grant may not let it in all the same.
    pub excuse: Option<&'static str>,
    /// The revocations in the log that would kill the grant that the op makes.
    pub fatal: Vec<OpId>,
    /// How many ops the payload can act on at most.
    pub acts_on: usize,
}

impl Oracle {
    /// What the rules say of a new op that is stamped with this time.
    ///
    /// # Panics
    ///
    /// Panics if one of the parents is not admitted.
    #[must_use]
    pub fn prospect(&self, draft: &Draft<'_>, stamp_ms: u64) -> Prospect {
        let ids = |ops: Vec<Op>| ops.into_iter().map(|op| self.ids[op]).collect();
        let number = |id: &OpId| {
            let op = self.at[id];
            assert!(self.admitted.contains(op), "a parent is admitted");
            op
        };
        let parents: Vec<Op> = draft.parents.iter().map(number).collect();
        let past = self.ancestors(&parents);
        let last = self.last_of(&draft.author);
        let is_early =
            |op: &Op| Some(*op) != last && self.bodies[*op].hlc.physical_ms > draft.now_ms;
        let is_redundant = |op: &Op| parents.iter().any(|other| self.past[*other].contains(*op));
        let (grants, see_all) = self.grants_to_name(draft);
        let ops = || grants.iter().map(|grant| self.grants[*grant].op);
        let excuse = if stamp_ms > draft.now_ms {
            Some("the author's last op is stamped later than the local time")
        } else if !see_all {
            Some("no grant has seen all that the author has signed twice")
        } else if !self.kind_is_in_force(draft.payload, &past) {
            Some("the feature of the kind is not in force there")
        } else if draft.payload.target().is_some_and(|(object, field)| {
            self.tags(object, field, &past) != self.tags(object, field, &self.admitted)
        }) {
            Some("the field has other tags there")
        } else {
            None
        };
        let concerned = self.admitted.iter();
        let concerned = concerned.filter(|op| self.concerns(draft.payload, *op));
        Prospect {
            seq: self.due_seq(&draft.author, &past),
            forgotten: last.filter(|op| !past.contains(*op)).map(|op| self.ids[op]),
            early: ids(parents.iter().copied().filter(is_early).collect()),
            redundant: ids(parents.iter().copied().filter(is_redundant).collect()),
            grant: self.least(ops()),
            has_grant: ops().any(|op| past.contains(op)),
            excuse,
            fatal: ids(self.fatal(draft, &past)),
            acts_on: concerned.count(),
        }
    }

    /// The author's own admitted op with the greatest number, then stamp, then id.
    fn last_of(&self, author: &PublicKey) -> Option<Op> {
        let own = self.admitted.iter();
        let own = own.filter(|op| self.bodies[*op].author == *author);
        own.max_by_key(|op| (self.bodies[*op].seq, self.bodies[*op].hlc, self.ids[*op]))
    }

    /// The live grants to the author that permit the payload at the local time, by all that is here; of an author who has
    /// signed a number twice those that had seen all of it, where there are some. And whether each of them had.
    fn grants_to_name(&self, draft: &Draft<'_>) -> (Vec<GrantAt>, bool) {
        let need = self.need(draft.payload, &self.admitted);
        let within = Within::new(self, &self.admitted);
        let now = Timestamp::from_ms(draft.now_ms);
        let permits = |grant: &GrantAt| {
            let right = self.right(*grant);
            let in_time = right.paper.as_ref().is_none_or(|paper| {
                let credential = &paper.credential.says;
                credential.valid_from <= now && now < credential.valid_until
            });
            self.grants[*grant].subject == draft.author
                && need.roles.contains(&right.role)
                && need.is_reached(right)
                && in_time
                && within.kill(*grant, None).is_none()
        };
        let permitting: Vec<GrantAt> = self.counting().filter(permits).collect();
        let sees_all = |grant: &GrantAt| {
            let half = self.unseen_half(&draft.author, *grant, &self.admitted);
            half.is_none()
        };
        let seeing: Vec<GrantAt> = permitting.iter().copied().filter(sees_all).collect();
        if seeing.is_empty() {
            (permitting, false)
        } else {
            (seeing, true)
        }
    }

    /// Whether the payload may act on the op: whether they have a target, a subject or an issuer in common.
    fn concerns(&self, payload: &Payload, op: Op) -> bool {
        let other = &self.bodies[op].payload;
        match payload {
            Payload::SetField(_) | Payload::SetAdd(_) | Payload::SetRemove(_) => {
                payload.target() == other.target()
            }
            Payload::Grant(grant) => match other {
                Payload::Revoke(revoke) => revoke.subject == grant.subject,
                Payload::Credential(_) => self.ids[op] == grant.credential,
                Payload::IssuerKey(_) | Payload::StatusList(_) => true,
                Payload::Genesis(_)
                | Payload::SetField(_)
                | Payload::SetAdd(_)
                | Payload::SetRemove(_)
                | Payload::Grant(_)
                | Payload::IssuerKeyRevoke(_)
                | Payload::Upgrade(_)
                | Payload::Schema(_)
                | Payload::Unassigned(_) => false,
            },
            Payload::Revoke(revoke) => {
                let mut grants = self.grants.iter().filter(|it| it.op == op);
                grants.any(|it| it.subject == revoke.subject)
            }
            Payload::IssuerKeyRevoke(_) => self.issuer_key(op).is_some(),
            Payload::Genesis(_)
            | Payload::Credential(_)
            | Payload::IssuerKey(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Unassigned(_) => false,
        }
    }

    /// The revocations that match and reach what a `Grant` would grant, and that it has not seen.
    fn fatal(&self, draft: &Draft<'_>, past: &Set) -> Vec<Op> {
        let Payload::Grant(Grant {
            subject,
            credential,
        }) = draft.payload
        else {
            return Vec::new();
        };
        let Some((_, Some(paper))) = self.carried(credential, &self.admitted) else {
            return Vec::new();
        };
        let (role, scope): (_, &BTreeSet<String>) = (paper.says.role, &paper.says.scope);
        let kills = |op: &Op| {
            !past.contains(*op)
                && self.would_match(*op, subject, role, scope)
                && self.would_reach(*op, role, scope)
        };
        self.admitted.iter().filter(kills).collect()
    }
}
