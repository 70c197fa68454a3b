//! Admission: what an op needs, and which titles give it.

use std::collections::BTreeSet;

use ecac_core::credential::{Credential, Role, Timestamp};
use ecac_core::payload::{
    Device, DeviceRevoke, Endorse, Grant, KeyGrant, KeyRotate, Revoke, SetAdd, SetAddSealed,
    SetField, SetFieldSealed, SetRemove,
};
use ecac_core::{OpId, Payload, PublicKey, Refusal};

use super::kills::Within;
use super::right::Right;
use super::set::{Op, Set};
use super::title::Title;
use super::{GrantAt, Oracle, texts};

/// How a grant's scope has to lie.
#[derive(PartialEq, Eq)]
pub(super) enum Scope {
    Any,
    /// It meets each of these.
    Meets(Vec<BTreeSet<String>>),
    Contains(BTreeSet<String>),
}

/// What an op needs of a grant to its author.
#[derive(PartialEq, Eq)]
pub(super) struct Need {
    roles: &'static [Role],
    /// The person whose own grant of any role is enough.
    own: Option<PublicKey>,
    scope: Scope,
}

impl Oracle {
    /// What an op with this past needs.
    pub(super) fn need(&self, payload: &Payload, past: &Set) -> Need {
        const ROOT: &[Role] = &[Role::Root];
        const POLICY: &[Role] = &[Role::Root, Role::PolicyAdmin];
        const KEYS: &[Role] = &[Role::Root, Role::KeyAdmin, Role::Editor];
        let is_administrator = |role: Role| role != Role::Editor && role != Role::Reader;
        let need = Need::of;
        match payload {
            Payload::Genesis(_) => unreachable!("genesis needs no grant"),
            Payload::Unassigned(_) => unreachable!("what is not assigned is not authorised"),
            Payload::SetField(SetField { object, field, .. })
            | Payload::SetAdd(SetAdd { object, field, .. })
            | Payload::SetRemove(SetRemove { object, field, .. })
            | Payload::SetFieldSealed(SetFieldSealed { object, field, .. })
            | Payload::SetAddSealed(SetAddSealed { object, field, .. }) => need(
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
            Payload::ReaderKey(_) => need(
                &[Role::Root, Role::KeyAdmin, Role::Editor, Role::Reader],
                Scope::Any,
            ),
            Payload::KeyRotate(KeyRotate { tags }) => need(KEYS, Scope::Meets(vec![texts(tags)])),
            Payload::KeyGrant(KeyGrant { key, .. }) => {
                let key = self.content_key(key, past);
                let tags = key.map(|(_, tags)| tags).unwrap_or_default();
                need(KEYS, Scope::Meets(vec![tags]))
            }
        }
    }

    /// The titles of the author in a set of ops: the grants, and those that a link brings.
    pub(super) fn titles(&self, author: &PublicKey, ops: &Set) -> Vec<Title> {
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
    pub(super) fn authorise(
        &self,
        author: &PublicKey,
        at_ms: u64,
        payload: &Payload,
        past: &Set,
    ) -> Result<Vec<Title>, (Refusal, Option<OpId>)> {
        let need = self.need(payload, past);
        let mut left = self.left_before_frozen(author, at_ms, &need, past)?;
        let fallen = left.clone();
        left.retain(|title| self.unseen_half(author, *title, past).is_none());
        if left.is_empty() {
            let halves = fallen.iter();
            let halves = halves.filter_map(|it| self.unseen_half(author, *it, past));
            return Err((Refusal::Frozen, halves.min().map(|(_, half)| half)));
        }
        Ok(left)
    }

    /// The titles of a key that meet the conditions before the last one, or the condition at which the last one falls.
    pub(super) fn left_before_frozen(
        &self,
        author: &PublicKey,
        at_ms: u64,
        need: &Need,
        past: &Set,
    ) -> Result<Vec<Title>, (Refusal, Option<OpId>)> {
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
        Ok(left)
    }

    /// Of the ops by the author in the past that share their number with another one there and that the grant, or of a
    /// title with a link the link, had not seen, the one with the least number, then the least id.
    pub(super) fn unseen_half(
        &self,
        author: &PublicKey,
        title: Title,
        past: &Set,
    ) -> Option<(u64, OpId)> {
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
}

impl Need {
    pub(super) const fn of(roles: &'static [Role], scope: Scope) -> Self {
        Self {
            roles,
            own: None,
            scope,
        }
    }

    pub(super) fn is_permitted(&self, right: &Right, subject: &PublicKey) -> bool {
        self.roles.contains(&right.role) || self.own.as_ref() == Some(subject)
    }

    pub(super) fn is_reached(&self, right: &Right) -> bool {
        right.role == Role::Root
            || match &self.scope {
                Scope::Any => true,
                Scope::Meets(each) => each.iter().all(|tags| !tags.is_disjoint(&right.scope)),
                Scope::Contains(tags) => tags.is_subset(&right.scope),
            }
    }
}
