//! What the page promises of the parents that are offered for a new op.

use std::collections::BTreeSet;

use ecac_core::credential::{Role, Timestamp};
use ecac_core::payload::{Grant, SetAddSealed, SetFieldSealed};
use ecac_core::{OpId, Payload, PublicKey};

use super::Oracle;
use super::kills::Within;
use super::set::{Op, Set};
use super::title::Title;

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
    /// Whether the op has a title in its past that is as good as any to name.
    pub has_title: bool,
    /// If it has none, what the title to name consists of and is not in its past.
    pub lacks: Vec<OpId>,
    /// Why the title may not let it in all the same.
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
        let within = Within::new(self, &self.admitted);
        let there = Within::new(self, &past);
        let (titles, see_all) = self.titles_to_name(draft, &within);
        let serves = |title: &Title| self.is_whole(*title, &there);
        let has_title = titles.iter().any(serves);
        let first = titles.iter().min_by_key(|title| self.title_ids(**title));
        let lacks = first.filter(|_| !has_title);
        let lacks = lacks.map_or(Vec::new(), |title| self.parts(*title, &past));
        let is_lost = |seal: &Op| !there.finals().contains(seal);
        let is_data =
            draft.payload.target().is_some() || matches!(draft.payload, Payload::Endorse(_));
        let excuse = if stamp_ms > draft.now_ms {
            Some("the author's last op is stamped later than the local time")
        } else if !see_all {
            Some("no grant has seen all that the author has signed twice")
        } else if !self.kind_is_in_force(draft.payload, &past) {
            Some("the feature of the kind is not in force there")
        } else if within.finals().iter().any(is_lost) {
            Some("a seal is not final there")
        } else if self.bad_target(draft.payload, &past).is_some() {
            Some("what it names is not there")
        } else if is_data
            && self.need(draft.payload, &past) != self.need(draft.payload, &self.admitted)
        {
            Some("the field has other tags there")
        } else if self.indiscreet(draft.payload, stamp_ms, &past).is_some() {
            Some("somebody would read it who may not")
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
            has_title,
            lacks: ids(lacks),
            excuse,
            fatal: ids(self.fatal(draft, &past, &within)),
            acts_on: concerned.count() + self.comes_along(&draft.author),
        }
    }

    /// The author's own admitted op with the greatest number, then stamp, then id.
    fn last_of(&self, author: &PublicKey) -> Option<Op> {
        let own = self.admitted.iter();
        let own = own.filter(|op| self.bodies[*op].author == *author);
        own.max_by_key(|op| (self.bodies[*op].seq, self.bodies[*op].hlc, self.ids[*op]))
    }

    /// The live titles of the author that permit the payload at the local time, by all that is here; of an author who has
    /// signed a number twice those that had seen all of it, where there are some. And whether each of them had.
    fn titles_to_name(&self, draft: &Draft<'_>, within: &Within<'_>) -> (Vec<Title>, bool) {
        let need = self.need(draft.payload, &self.admitted);
        let now = Timestamp::from_ms(draft.now_ms);
        let permits = |title: &Title| {
            let made = &self.grants[title.grant];
            let Ok(right) = &made.standing else {
                return false;
            };
            let in_time = right.paper.as_ref().is_none_or(|paper| {
                let credential = &paper.credential.says;
                credential.valid_from <= now && now < credential.valid_until
            });
            need.is_permitted(right, &made.subject)
                && need.is_reached(right)
                && in_time
                && self.is_whole(*title, within)
                && within.kill(*title, None).is_none()
        };
        let titles = self.titles(&draft.author, &self.admitted).into_iter();
        let permitting: Vec<Title> = titles.filter(permits).collect();
        let sees_all = |title: &Title| {
            let half = self.unseen_half(&draft.author, *title, &self.admitted);
            half.is_none()
        };
        let seeing: Vec<Title> = permitting.iter().copied().filter(sees_all).collect();
        if seeing.is_empty() {
            (permitting, false)
        } else {
            (seeing, true)
        }
    }

    /// Whether the grant and the link of a title are in the set, with the signatures that they need.
    fn is_whole(&self, title: Title, within: &Within<'_>) -> bool {
        let op = self.grants[title.grant].op;
        let is_signed =
            self.ids[op] == self.project || !self.is_of_root(title.grant) || within.is_full(op);
        let is_linked = |link: Op| within.ops.contains(link) && within.carries(link, title.grant);
        within.ops.contains(op) && is_signed && title.link.is_none_or(is_linked)
    }

    /// The grant, the link and the signatures of both, as far as they are not in the past.
    fn parts(&self, title: Title, past: &Set) -> Vec<Op> {
        let of_title = |op: Op| op == self.grants[title.grant].op || Some(op) == title.link;
        let is_part = |op: &Op| of_title(*op) || self.cosigned(*op).is_some_and(of_title);
        let parts = self.admitted.iter().filter(is_part);
        parts.filter(|op| !past.contains(*op)).collect()
    }

    /// How many seals, signatures and links there are that an op by this author may have to name beside what it acts on.
    fn comes_along(&self, author: &PublicKey) -> usize {
        let comes = |op: &Op| match &self.bodies[*op].payload {
            Payload::Seal(_) | Payload::Cosign(_) => true,
            Payload::Device(device) => device.key == *author,
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
            | Payload::Endorse(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => false,
        };
        self.admitted.iter().filter(comes).count()
    }

    /// Whether the payload may act on the op: whether they have a target, a subject or an issuer in common.
    fn concerns(&self, payload: &Payload, op: Op) -> bool {
        let other = &self.bodies[op].payload;
        match payload {
            Payload::SetField(_) | Payload::SetAdd(_) | Payload::SetRemove(_) => {
                payload.target() == other.target()
            }
            Payload::SetFieldSealed(SetFieldSealed { value, .. })
            | Payload::SetAddSealed(SetAddSealed { value, .. }) => {
                payload.target() == other.target() || self.ids[op] == value.key
            }
            Payload::KeyGrant(grant) => self.ids[op] == grant.key,
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
                | Payload::Seal(_)
                | Payload::Cosign(_)
                | Payload::Endorse(_)
                | Payload::Device(_)
                | Payload::DeviceRevoke(_)
                | Payload::ReaderKey(_)
                | Payload::KeyRotate(_)
                | Payload::KeyGrant(_)
                | Payload::SetFieldSealed(_)
                | Payload::SetAddSealed(_)
                | Payload::Unassigned(_) => false,
            },
            Payload::Revoke(revoke) => {
                let mut grants = self.grants.iter().filter(|it| it.op == op);
                grants.any(|it| it.subject == revoke.subject)
            }
            Payload::IssuerKeyRevoke(_) => self.issuer_key(op).is_some(),
            Payload::Cosign(cosign) => self.ids[op] == cosign.op,
            Payload::Endorse(endorse) => endorse.ops.contains(&self.ids[op]),
            Payload::Device(device) => matches!(other, Payload::DeviceRevoke(it)
                if it.person == device.person && it.key == device.key),
            Payload::DeviceRevoke(revoke) => matches!(other, Payload::Device(it)
                if it.person == revoke.person && it.key == revoke.key),
            Payload::Genesis(_)
            | Payload::Credential(_)
            | Payload::IssuerKey(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::Unassigned(_) => false,
        }
    }

    /// The revocations that match, reach and bite what a `Grant` would grant, and that it has not seen.
    fn fatal(&self, draft: &Draft<'_>, past: &Set, within: &Within<'_>) -> Vec<Op> {
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
        // A grant that never counts is not killed.
        if !paper.says.is_for(&self.project) || paper.says.subject != *subject {
            return Vec::new();
        }
        let (role, scope): (_, &BTreeSet<String>) = (paper.says.role, &paper.says.scope);
        let on_signatures = self.k() > 1 && role == Role::Root;
        let kills = |op: &Op| {
            !past.contains(*op)
                && within.bites_such(*op, on_signatures)
                && self.would_match(*op, subject, role, scope)
                && self.would_reach(*op, role, scope)
        };
        self.admitted.iter().filter(kills).collect()
    }
}
