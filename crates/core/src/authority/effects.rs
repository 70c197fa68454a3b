//! Finding effects: what became of one admitted op of trust or policy.

use std::collections::BTreeSet;

use super::admission::{DataOps, Seen};
use super::effect::{Effect, EffectCode};
use super::grant::{GrantId, Standing};
use super::issuer_key::KeyId;
use super::judge::{Judge, Kill};
use super::register::{Authority, Carried};
use super::revocation::Revocation;
use super::status_list::ListStanding;
use crate::confidential::{Confidential, Kem};
use crate::costs::Costs;
use crate::dag::{Dag, Index};
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::{Name, Tags};
use crate::schema_map::SchemaRule;

/// Finds the effect of one admitted op.
pub(crate) struct Effects<'a> {
    dag: &'a Dag,
    authority: &'a Authority,
    data: &'a dyn DataOps,
    at: Index,
    /// What kills the op itself, if it is denied.
    denied: Option<Kill>,
    /// Everything is what was admitted before this op, if given.
    until: Option<Index>,
    costs: &'a mut Costs,
}

impl<'a> Effects<'a> {
    pub(crate) const fn new(
        (dag, authority): (&'a Dag, &'a Authority),
        data: &'a dyn DataOps,
        at: Index,
        denied: Option<Kill>,
        costs: &'a mut Costs,
    ) -> Self {
        Self {
            dag,
            authority,
            data,
            at,
            denied,
            until: None,
            costs,
        }
    }

    /// The same among the ops that were admitted before `until`, of which it is one.
    pub(crate) fn until(
        (dag, authority): (&'a Dag, &'a Authority),
        data: &'a dyn DataOps,
        at: Index,
        until: Index,
        costs: &'a mut Costs,
    ) -> Self {
        let mut judge = Judge::new(dag, authority, costs);
        let denied = judge.decide_until(at, Some(until)).err();
        Self {
            until: Some(until),
            ..Self::new((dag, authority), data, at, denied, costs)
        }
    }

    /// Whether the op is there.
    fn is_here(&self, op: Index) -> bool {
        self.until.is_none_or(|until| op < until)
    }

    /// The grants to the subject that count.
    fn counting(&self, subject: &PublicKey) -> Vec<GrantId> {
        let mut grants = self.authority.grants_of(subject).to_vec();
        grants.retain(|&id| {
            let grant = &self.authority.grants[id];
            grant.right().is_some() && self.is_here(grant.op)
        });
        grants
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
        if self.authority.grants[grant].hands_on_root && !self.is_full() {
            return Effect::new(EffectCode::Short);
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
            let key = &authority.keys[other];
            key.public_key != own.public_key
                && self.is_here(key.op)
                && self.judge().key_killed_ever(other).is_none()
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
        match ended(&mut self.judge()) {
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
        let mut left = self.counting(subject);
        left.retain(|&id| {
            !self
                .dag
                .before(self.at, authority.grants[id].op, self.costs)
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
        let on = ops(&left);
        let code = if left.len() == matched.len() {
            EffectCode::Revokes
        } else {
            EffectCode::WithinReach
        };
        self.denial(code, &left, on)
    }

    /// Of an `IssuerKeyRevoke` of that name.
    pub(crate) fn issuer_key_revoke(&mut self, issuer: &Name, kid: &Name) -> Effect {
        let authority = self.authority;
        let mut keys: Vec<KeyId> = authority.keys_named(issuer, kid).to_vec();
        keys.retain(|&key| {
            let op = authority.keys[key].op;
            self.is_here(op) && !self.dag.before(self.at, op, self.costs)
        });
        if keys.is_empty() {
            return Effect::new(EffectCode::UnlistedKey);
        }
        let on: Vec<Index> = keys.iter().map(|&key| authority.keys[key].op).collect();
        let resting = keys.iter().flat_map(|&key| authority.grants_by_key(key));
        let mut resting: Vec<GrantId> = resting.copied().collect();
        resting.retain(|&id| self.is_here(authority.grants[id].op));
        let (at, mut judge) = (self.at, self.judge());
        let stale = judge.stale_ever(at);
        if !stale.is_empty() {
            return self.effect(EffectCode::Stale, stale);
        }
        let spared = resting.iter().any(|&id| !judge.bites_ever(at, id));
        let code = if spared {
            EffectCode::InPart
        } else {
            EffectCode::RevokesKey
        };
        self.effect(code, on)
    }

    /// Of a `StatusList`.
    pub(crate) fn status_list(&mut self) -> Effect {
        match self.authority.list_by_op.get(&self.at) {
            Some(ListStanding::Void(void)) => self.effect(void.code, void.on.iter().copied()),
            Some(ListStanding::Counted(..)) => {
                let mut grants: Vec<GrantId> = self.authority.grants_by_list_op(self.at).collect();
                grants.retain(|&id| self.is_here(self.authority.grants[id].op));
                let on = self.ops_of(&grants);
                if on.is_empty() {
                    Effect::new(EffectCode::WithdrawsNothing)
                } else {
                    self.denial(EffectCode::Withdraws, &grants, on)
                }
            }
            None => unreachable!("a StatusList op that is admitted is registered"),
        }
    }

    /// Of a `Seal`.
    pub(crate) fn seal(&mut self) -> Effect {
        Effect::new(if self.is_full() {
            EffectCode::Seals
        } else {
            EffectCode::Short
        })
    }

    /// Of a `Cosign` of the op.
    pub(crate) fn cosign(&mut self, signed: &OpId) -> Effect {
        let signed = self
            .dag
            .find(signed)
            .expect("a Cosign names an op of its past");
        let (at, denial) = (self.at, self.authority.denials.contains_key(&signed));
        let mut judge = self.judge();
        let stale = judge.stale_ever(at);
        if denial && !stale.is_empty() {
            return self.effect(EffectCode::Stale, stale);
        }
        let code = if judge.adds_a_pair(at, signed) {
            EffectCode::Cosigns
        } else {
            EffectCode::AddsNobody
        };
        self.effect(code, [signed])
    }

    /// Of an `Endorse` of the ops.
    pub(crate) fn endorse(&mut self, ops: &BTreeSet<OpId>) -> Effect {
        if let Some(kill) = self.denied {
            return self.effect(EffectCode::Denied, [kill.denial]);
        }
        let mut named: Vec<Index> = ops.iter().filter_map(|op| self.dag.find(op)).collect();
        let mut judge = self.judge();
        named.retain(|&op| judge.has_fallen(op));
        if named.is_empty() {
            Effect::new(EffectCode::ReinstatesNothing)
        } else {
            self.effect(EffectCode::Reinstates, named)
        }
    }

    /// Of a `Device`.
    pub(crate) fn device(&mut self) -> Effect {
        let (dag, authority) = (self.dag, self.authority);
        let id = authority
            .links
            .binary_search_by_key(&self.at, |link| link.op)
            .expect("a Device op that is admitted is registered");
        let link = &authority.links[id];
        if let Some(code) = link.void {
            return Effect::new(code);
        }
        let mut grants = self.counting(&link.person);
        grants.retain(|&grant| authority.carries_but_short(id, grant, dag, self.costs));
        if grants.is_empty() {
            return Effect::new(EffectCode::CarriesNothing);
        }
        let short = self.ops_of(&grants);
        let mut judge = self.judge();
        grants.retain(|&grant| judge.carries_ever(id, grant));
        if grants.is_empty() {
            return self.effect(EffectCode::Short, short);
        }
        grants.sort_by_key(|&grant| dag.id(authority.grants[grant].op));
        let mut ended = None;
        for &grant in &grants {
            match judge.link_killed_ever(id, grant) {
                None => {
                    let on = self.ops_of(&grants);
                    return self.effect(EffectCode::Links, on);
                }
                Some(kill) => {
                    ended.get_or_insert(kill.denial);
                }
            }
        }
        self.effect(EffectCode::Ended, ended)
    }

    /// Of a `DeviceRevoke` of the person's device.
    pub(crate) fn device_revoke(&mut self, person: &PublicKey, key: &PublicKey) -> Effect {
        let (dag, authority, at) = (self.dag, self.authority, self.at);
        let mut links = authority.links_of(key).to_vec();
        links.retain(|&id| {
            let link = &authority.links[id];
            link.person == *person
                && link.void.is_none()
                && self.is_here(link.op)
                && !dag.before(at, link.op, self.costs)
        });
        if links.is_empty() {
            return Effect::new(EffectCode::NoLink);
        }
        let on: Vec<Index> = links.iter().map(|&id| authority.links[id].op).collect();
        let mut grants = self.counting(person);
        let mut judge = self.judge();
        grants.retain(|&grant| links.iter().any(|&id| judge.carries_ever(id, grant)));
        let carried = grants.len();
        grants.retain(|&grant| judge.reaches_link(at, grant));
        if grants.is_empty() {
            self.effect(EffectCode::OutOfReach, on)
        } else if grants.len() == carried {
            self.denial(EffectCode::Unlinks, &grants, on)
        } else {
            let on = self.ops_of(&grants);
            self.denial(EffectCode::WithinReach, &grants, on)
        }
    }

    /// Of a `ReaderKey` of the KEM.
    pub(crate) fn reader_key(&mut self, kem: Kem) -> Effect {
        Effect::new(if self.seen().kems().contains(&kem) {
            EffectCode::Publishes
        } else {
            EffectCode::OtherKem
        })
    }

    /// Of a `KeyRotate` for the tags.
    pub(crate) fn key_rotate(&mut self, tags: &Tags) -> Effect {
        Effect::new(if tags.is_subset(&self.seen().confidential()) {
            EffectCode::Rotates
        } else {
            EffectCode::NotConfidential
        })
    }

    /// Of a `KeyGrant` of the key.
    pub(crate) fn key_grant(&self, key: &OpId) -> Effect {
        self.effect(EffectCode::HandsOn, self.dag.find(key))
    }

    /// What a denial that reaches these grants comes to: `code` on these ops, if nothing is in its way.
    fn denial(&mut self, code: EffectCode, grants: &[GrantId], on: Vec<Index>) -> Effect {
        let (at, mut judge) = (self.at, self.judge());
        let stale = judge.stale_ever(at);
        if !stale.is_empty() {
            return self.effect(EffectCode::Stale, stale);
        }
        let mut bitten = grants.to_vec();
        bitten.retain(|&grant| judge.bites_ever(at, grant));
        if bitten.len() == grants.len() {
            return self.effect(code, on);
        }
        let only_roots = grants.iter().all(|&grant| judge.is_on_signatures(grant));
        let dropped = judge.dropped_ever(at);
        let (spared, bitten) = (self.ops_of(grants), self.ops_of(&bitten));
        if only_roots && !dropped.is_empty() {
            self.effect(EffectCode::Dropped, dropped)
        } else if only_roots && bitten.is_empty() {
            self.effect(EffectCode::Short, spared)
        } else {
            self.effect(EffectCode::InPart, bitten)
        }
    }

    fn ops_of(&self, grants: &[GrantId]) -> Vec<Index> {
        let op = |&id: &GrantId| self.authority.grants[id].op;
        grants.iter().map(op).collect()
    }

    fn judge(&mut self) -> Judge<'_> {
        Judge::until(self.dag, self.authority, self.until, self.costs)
    }

    /// Whether enough roots have signed the op, whatever it takes.
    pub(crate) fn is_full(&mut self) -> bool {
        let at = self.at;
        self.judge().is_full_ever(at)
    }

    /// Whether the feature can be in force with these parameters in this project.
    pub(crate) fn allows(&self, feature: Feature, parameters: &[u8]) -> bool {
        feature.allows(parameters, self.authority.terms(self.at == 0))
    }

    /// Whether the feature is in force for the op, with all that the parameters name.
    pub(crate) fn in_force(&mut self, feature: Feature, parameters: &[u8]) -> bool {
        let mut seen = self.seen();
        let marks = || Confidential::read(parameters);
        match feature {
            Feature::Confidential => marks().is_some_and(|Confidential { kem, tags }| {
                seen.kems().contains(&kem) && tags.is_subset(&seen.confidential())
            }),
            Feature::Schema
            | Feature::Quorum
            | Feature::Seal
            | Feature::Endorse
            | Feature::Device
            | Feature::Carry => seen.in_force(feature),
        }
    }

    /// The rules of the schema map in the op's past.
    pub(crate) fn rules_seen(&mut self) -> BTreeSet<SchemaRule> {
        let mut seen = self.seen();
        let rules = seen.rules();
        rules.into_iter().flatten().cloned().collect()
    }

    fn seen(&mut self) -> Seen<'_> {
        Seen {
            dag: self.dag,
            authority: self.authority,
            data: self.data,
            past: self.dag.past(self.at),
            tags: None,
            costs: self.costs,
        }
    }
}
