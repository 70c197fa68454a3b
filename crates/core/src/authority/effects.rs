//! Finding effects: what became of one admitted op of trust or policy.

use std::collections::BTreeSet;

use super::admission::Seen;
use super::effect::{Effect, EffectCode};
use super::grant::{GrantId, Standing};
use super::issuer_key::KeyId;
use super::judge::{Judge, Kill};
use super::register::{Authority, Carried};
use super::revocation::Revocation;
use super::status_list::ListStanding;
use crate::costs::Costs;
use crate::dag::{Dag, Index};
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::Name;
use crate::schema_map::SchemaRule;

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

    fn seen(&mut self) -> Seen<'_> {
        Seen {
            dag: self.dag,
            authority: self.authority,
            past: self.dag.past(self.at),
            costs: self.costs,
        }
    }
}
