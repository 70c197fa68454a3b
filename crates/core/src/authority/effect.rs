//! Effects: what an op of trust or policy does, or that it counts for nothing and why
//! (`docs/policy-model.md`, Effects).

use core::fmt;
use std::collections::BTreeSet;

use serde::Serialize;

use super::{Authority, Carried, GrantId, Judge, KeyId, Kill, ListStanding, Revocation, Standing};
use crate::costs::Costs;
use crate::dag::{Dag, Index};
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::Name;
use crate::schema_map::SchemaRule;

/// Declares the effects: name, whether it counts, and what it means.
macro_rules! effects {
    ($($(#[doc = $doc:literal])* $code:ident = $name:literal, $counts:expr, $meaning:literal;)*) => {
        /// What an op of trust or policy comes to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EffectCode { $(#[doc = $meaning] $code,)* }

        impl EffectCode {
            /// Every effect.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The name in exports and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// Whether the op counts for something; `None` if this program cannot know.
            #[must_use]
            pub const fn counts(self) -> Option<bool> {
                match self { $(Self::$code => $counts,)* }
            }

            /// What it means, for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning,)* }
            }
        }
    };
}

effects! {
    Founds = "founds", Some(true), "names the roots of the project";
    Carries = "carries", Some(true), "carries a credential that grants can refer to";
    Grants = "grants", Some(true), "grants what the credential says";
    Revokes = "revokes", Some(true), "takes grants away";
    Lists = "lists", Some(true), "lists an issuer's key";
    Conflicts = "conflicts", Some(true), "lists an issuer's key beside another one under the same key id";
    RevokesKey = "revokes_key", Some(true), "revokes issuer keys";
    Withdraws = "withdraws", Some(true), "withdraws credentials under which grants count";
    WithdrawsNothing = "withdraws_nothing", Some(true), "counts, but sets no bit of a credential under which a grant counts";
    Upgrades = "upgrades", Some(true), "puts a feature in force";
    AddsRules = "adds_rules", Some(true), "adds rules to the schema map";
    Unreadable = "unreadable", Some(false), "the JWT cannot be read as what it has to be";
    OtherProject = "other_project", Some(false), "the JWT is for another audience than this project";
    NoCredential = "no_credential", Some(false), "the op that it names is no credential that its author had seen";
    OtherSubject = "other_subject", Some(false), "the credential is somebody else's";
    UnlistedKey = "unlisted_key", Some(false), "no key of that issuer and key id is listed";
    OutsideWindow = "outside_window", Some(false), "no listed key of that issuer and key id has a window that holds it";
    DeadKey = "dead_key", Some(false), "every listed key of that issuer and key id had been revoked";
    BadSignature = "bad_signature", Some(false), "no listed key of that issuer and key id signed the JWT";
    StatusUnknown = "status_unknown", Some(false), "the credential names a status list that its author had not seen";
    TooDeep = "too_deep", Some(false), "it lies beyond 64 links of delegation";
    Denied = "denied", Some(false), "it is denied itself";
    Ended = "ended", Some(false), "a denial has ended it";
    NoGrant = "no_grant", Some(false), "it had reached nobody: no grant to the subject counts, but for those that were made after it";
    NotMatched = "not_matched", Some(false), "no grant to the subject has that role and scope";
    OutOfReach = "out_of_reach", Some(false), "the grants that it names lie beyond its author's authority";
    UnknownFeature = "unknown_feature", None, "names a feature that this program does not know: upgrade this program";
    BadParameters = "bad_parameters", Some(false), "the feature does not allow these parameters";
    InForce = "in_force", Some(false), "says what was in force already";
}

impl EffectCode {
    /// Whether the op has never counted for anything: neither has a denial taken from it what it once was.
    #[must_use]
    pub fn is_void(self) -> bool {
        self.counts() == Some(false) && !matches!(self, Self::Denied | Self::Ended)
    }
}

impl fmt::Display for EffectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for EffectCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The effect of an admitted op of trust or policy: a function of the set of admitted ops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What it comes to.
    pub code: EffectCode,
    /// The ops that it concerns, ascending: those that it ends, or those that show why it counts for nothing.
    pub on: Vec<OpId>,
}

impl Effect {
    /// An effect that concerns no other op.
    pub(crate) const fn new(code: EffectCode) -> Self {
        Self {
            code,
            on: Vec::new(),
        }
    }
}

impl Serialize for Effect {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut it = serializer.serialize_struct("Effect", 3)?;
        it.serialize_field("code", &self.code)?;
        it.serialize_field("counts", &self.code.counts())?;
        it.serialize_field("on", &self.on)?;
        it.end()
    }
}

/// Finds the effect of one admitted op.
pub(crate) struct Effects<'a> {
    dag: &'a Dag,
    authority: &'a Authority,
    at: Index,
    /// What kills the op itself, if it is denied.
    denied: Option<Kill>,
    costs: &'a mut Costs,
}

impl<'a> Effects<'a> {
    pub(crate) const fn new(
        dag: &'a Dag,
        authority: &'a Authority,
        at: Index,
        denied: Option<Kill>,
        costs: &'a mut Costs,
    ) -> Self {
        Self {
            dag,
            authority,
            at,
            denied,
            costs,
        }
    }

    fn effect(&self, code: EffectCode, on: impl IntoIterator<Item = Index>) -> Effect {
        let on: BTreeSet<OpId> = on.into_iter().map(|op| self.dag.id(op)).collect();
        Effect {
            code,
            on: on.into_iter().collect(),
        }
    }

    /// Of a `Credential`.
    pub(crate) fn credential(&self) -> Effect {
        Effect::new(match self.authority.credentials.get(&self.at) {
            Some(Carried::Usable(_)) => EffectCode::Carries,
            Some(Carried::OtherProject(_)) => EffectCode::OtherProject,
            Some(Carried::Unreadable) | None => EffectCode::Unreadable,
        })
    }

    /// Of a `Grant`.
    pub(crate) fn grant(&mut self) -> Effect {
        let grant = self.authority.grants_by_op(self.at)[0];
        if let Standing::Void(void) = &self.authority.grants[grant].standing {
            return self.effect(void.code, void.on.iter().copied());
        }
        let ended = |judge: &mut Judge<'_>| judge.grant_killed_ever(grant);
        self.standing_or(EffectCode::Grants, ended)
    }

    /// Of an `IssuerKey`.
    pub(crate) fn issuer_key(&mut self) -> Effect {
        let authority = self.authority;
        let key = authority
            .key_by_op(self.at)
            .expect("an IssuerKey op that is admitted lists a key");
        let standing = self.standing_or(EffectCode::Lists, |judge| judge.key_killed_ever(key));
        if standing.code != EffectCode::Lists {
            return standing;
        }
        let own = &authority.keys[key];
        let mut others = authority.keys_named(&own.issuer, &own.kid).to_vec();
        others.retain(|&other| {
            authority.keys[other].public_key != own.public_key
                && Judge::new(self.dag, authority, self.costs)
                    .key_killed_ever(other)
                    .is_none()
        });
        if others.is_empty() {
            return standing;
        }
        let on = others.into_iter().map(|other| authority.keys[other].op);
        self.effect(EffectCode::Conflicts, on)
    }

    /// `denied` with the denial, `ended` with the denial, or else the effect of what stands.
    fn standing_or(
        &mut self,
        stands: EffectCode,
        ended: impl FnOnce(&mut Judge<'_>) -> Option<Kill>,
    ) -> Effect {
        if let Some(kill) = self.denied {
            return self.effect(EffectCode::Denied, [kill.denial]);
        }
        let mut judge = Judge::new(self.dag, self.authority, self.costs);
        match ended(&mut judge) {
            Some(kill) => self.effect(EffectCode::Ended, [kill.denial]),
            None => Effect::new(stands),
        }
    }

    /// Of a `Revoke` of the subject.
    pub(crate) fn revoke(&mut self, subject: &PublicKey) -> Effect {
        let authority = self.authority;
        let is_own = |it: &&Revocation| it.op == self.at;
        let revocation = authority
            .revocations_of(subject)
            .iter()
            .find(is_own)
            .expect("a Revoke op that is admitted is registered");
        let mut left: Vec<GrantId> = authority.grants_of(subject).to_vec();
        left.retain(|&id| {
            let grant = &authority.grants[id];
            grant.right().is_some() && !self.dag.before(self.at, grant.op, self.costs)
        });
        let right = |id: GrantId| authority.grants[id].right();
        let ops = |left: &[GrantId]| -> Vec<Index> {
            left.iter().map(|&id| authority.grants[id].op).collect()
        };
        if left.is_empty() {
            return Effect::new(EffectCode::NoGrant);
        }
        let candidates = ops(&left);
        left.retain(|&id| right(id).is_some_and(|(role, scope)| revocation.matches(role, scope)));
        if left.is_empty() {
            return self.effect(EffectCode::NotMatched, candidates);
        }
        let matched = ops(&left);
        left.retain(|&id| right(id).is_some_and(|(role, scope)| revocation.reaches(role, scope)));
        if left.is_empty() {
            return self.effect(EffectCode::OutOfReach, matched);
        }
        self.effect(EffectCode::Revokes, ops(&left))
    }

    /// Of an `IssuerKeyRevoke` of that name.
    pub(crate) fn issuer_key_revoke(&mut self, issuer: &Name, kid: &Name) -> Effect {
        let authority = self.authority;
        let mut keys: Vec<KeyId> = authority.keys_named(issuer, kid).to_vec();
        keys.retain(|&key| !self.dag.before(self.at, authority.keys[key].op, self.costs));
        if keys.is_empty() {
            return Effect::new(EffectCode::UnlistedKey);
        }
        let on = keys.into_iter().map(|key| authority.keys[key].op);
        self.effect(EffectCode::RevokesKey, on)
    }

    /// Of a `StatusList`.
    pub(crate) fn status_list(&self) -> Effect {
        match self.authority.list_by_op.get(&self.at) {
            Some(ListStanding::Void(void)) => self.effect(void.code, void.on.iter().copied()),
            Some(ListStanding::Counted(..)) => {
                let grants = self.authority.grants_by_list_op(self.at);
                let on: Vec<Index> = grants.map(|id| self.authority.grants[id].op).collect();
                if on.is_empty() {
                    Effect::new(EffectCode::WithdrawsNothing)
                } else {
                    self.effect(EffectCode::Withdraws, on)
                }
            }
            None => unreachable!("a StatusList op that is admitted is registered"),
        }
    }

    /// Whether the feature is in force for the op.
    pub(crate) fn in_force(&mut self, feature: Feature) -> bool {
        self.seen().in_force(feature)
    }

    /// The rules of the schema map in the op's past.
    pub(crate) fn rules_seen(&mut self) -> BTreeSet<SchemaRule> {
        let seen = self.seen();
        let (dag, past, costs) = (seen.dag, seen.past, seen.costs);
        let rules = seen.authority.rules.iter();
        rules
            .filter(|(op, _)| dag.contains(past, *op, costs))
            .flat_map(|(_, rules)| rules.iter().cloned())
            .collect()
    }

    fn seen(&mut self) -> super::Seen<'_> {
        super::Seen {
            dag: self.dag,
            authority: self.authority,
            past: self.dag.past(self.at),
            costs: self.costs,
        }
    }
}
