//! Effects: what ops of trust and policy do, or that they count for nothing and why.

use std::collections::BTreeMap;

use ecac_core::credential::Role;
use ecac_core::payload::{
    Credential, DeviceRevoke, Endorse, IssuerKeyRevoke, KeyGrant, KeyRotate, Schema, StatusList,
    Upgrade,
};
use ecac_core::{OpId, Payload};

use super::kills::{Kill, Within};
use super::papers;
use super::reading::marks;
use super::right::{Made, Void};
use super::set::{Op, Set};
use super::title::Link;
use super::{FEATURES, GrantAt, Oracle, texts};

/// The effect of an op, as the page names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub effect: &'static str,
    /// Whether the op counts for something, if that can be known.
    pub counts: Option<bool>,
    /// The ops that it concerns, ascending.
    pub on: Vec<OpId>,
}

/// An effect: its name, whether the op counts, and the ops that it concerns.
type Found = (&'static str, Option<bool>, Vec<Op>);

const fn does(effect: &'static str, on: Vec<Op>) -> Found {
    (effect, Some(true), on)
}

const fn does_nothing(effect: &'static str, on: Vec<Op>) -> Found {
    (effect, Some(false), on)
}

fn void(void: &Void) -> Found {
    does_nothing(void.effect, void.on.clone())
}

impl Oracle {
    /// The effect of each admitted op of trust or policy.
    #[must_use]
    pub fn effects(&self) -> BTreeMap<OpId, Told> {
        let within = Within::new(self, &self.admitted);
        let told = |op: Op| {
            let (effect, counts, on) = self.effect(op, &within)?;
            let mut on: Vec<OpId> = on.into_iter().map(|it| self.ids[it]).collect();
            on.sort_unstable();
            on.dedup();
            Some((self.ids[op], Told { effect, counts, on }))
        };
        self.admitted.iter().filter_map(told).collect()
    }

    fn effect(&self, op: Op, within: &Within<'_>) -> Option<Found> {
        let past = &self.past[op];
        let found = match &self.bodies[op].payload {
            Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_) => return None,
            Payload::Unassigned(_) => unreachable!("what is not assigned is not admitted"),
            Payload::Genesis(_) => does("founds", Vec::new()),
            Payload::Credential(Credential { jwt }) => match papers::credential(jwt) {
                None => does_nothing("unreadable", Vec::new()),
                Some(paper) if !paper.says.is_for(&self.project) => {
                    does_nothing("other_project", Vec::new())
                }
                Some(_) => does("carries", Vec::new()),
            },
            Payload::Grant(_) => self.effect_of_grant(op, within),
            Payload::Revoke(_) => self.effect_of_revoke(op, within),
            Payload::IssuerKey(_) => self.effect_of_key(op, within),
            Payload::IssuerKeyRevoke(revoke) => self.effect_of_key_revoke(op, revoke, within),
            Payload::StatusList(list) => self.effect_of_list(op, list, within),
            Payload::Upgrade(upgrade) => self.effect_of_upgrade(op, upgrade, past, within),
            Payload::Schema(Schema { rules }) => {
                let known = self.rules(past);
                if rules.iter().all(|rule| known.contains(rule)) {
                    does_nothing("in_force", Vec::new())
                } else if !within.is_full(op) {
                    does_nothing("short", Vec::new())
                } else {
                    does("adds_rules", Vec::new())
                }
            }
            Payload::Seal(_) if within.is_full(op) => does("seals", Vec::new()),
            Payload::Seal(_) => does_nothing("short", Vec::new()),
            Payload::Cosign(_) => self.effect_of_cosign(op, within),
            Payload::Endorse(endorse) => self.effect_of_endorse(op, endorse, within),
            Payload::Device(_) => self.effect_of_device(op, within),
            Payload::DeviceRevoke(revoke) => self.effect_of_device_revoke(op, revoke, within),
            Payload::ReaderKey(key) if self.has_kem(key.kem.number(), past) => {
                does("publishes", Vec::new())
            }
            Payload::ReaderKey(_) => does_nothing("other_kem", Vec::new()),
            Payload::KeyRotate(KeyRotate { tags })
                if texts(tags).is_subset(&self.confidential(past)) =>
            {
                does("rotates", Vec::new())
            }
            Payload::KeyRotate(_) => does_nothing("not_confidential", Vec::new()),
            Payload::KeyGrant(KeyGrant { key, .. }) => does("hands_on", vec![self.at[key]]),
        };
        Some(found)
    }

    /// What ends an op that would count otherwise: the denial of it, or what kills the grant or the key that it makes.
    fn ended(&self, op: Op, within: &Within<'_>, kill: Option<Kill>) -> Option<Found> {
        match (within.denied(op), kill) {
            (Some((_, denial)), _) => Some(does_nothing("denied", vec![self.at[&denial]])),
            (None, Some((_, denial))) => Some(does_nothing("ended", vec![self.at[&denial]])),
            (None, None) => None,
        }
    }

    fn effect_of_grant(&self, op: Op, within: &Within<'_>) -> Found {
        let mut made = (0..self.grants.len()).filter(|grant| self.grants[*grant].op == op);
        let grant = made
            .next()
            .expect("a grant that was admitted is taken down");
        match &self.grants[grant].standing {
            Err(why) => void(why),
            Ok(right) if right.role == Role::Root && !within.is_full(op) => {
                does_nothing("short", Vec::new())
            }
            Ok(_) => self
                .ended(op, within, within.grant_kill(grant, None))
                .unwrap_or_else(|| does("grants", Vec::new())),
        }
    }

    /// The ops of the grants.
    fn ops_of(&self, grants: &[GrantAt]) -> Vec<Op> {
        grants.iter().map(|it| self.grants[*it].op).collect()
    }

    /// Why a denial does not end all of the grants that it is to end: it is stale or dropped, or lacks signatures.
    fn falls_short(&self, op: Op, ends: &[GrantAt], within: &Within<'_>) -> Option<Found> {
        let stale = within.stale_by(op);
        if !stale.is_empty() {
            return Some(does_nothing("stale", stale));
        }
        let is_of_root = |grant: &GrantAt| self.right(*grant).role == Role::Root;
        let bites = |grant: &GrantAt| within.bites(op, *grant);
        let bitten: Vec<GrantAt> = ends.iter().copied().filter(bites).collect();
        if bitten.is_empty() && ends.iter().all(is_of_root) {
            let dropped = within.dropped_by(op);
            return Some(if dropped.is_empty() {
                does_nothing("short", self.ops_of(ends))
            } else {
                does_nothing("dropped", dropped)
            });
        }
        let is_spared = |grant: &GrantAt| is_of_root(grant) && !bites(grant);
        let in_part = ends.iter().any(is_spared);
        in_part.then(|| does("in_part", self.ops_of(&bitten)))
    }

    fn effect_of_revoke(&self, op: Op, within: &Within<'_>) -> Found {
        let ops = |grants: &[GrantAt]| self.ops_of(grants);
        let names = |grant: &GrantAt| {
            let Made {
                op: made, subject, ..
            } = &self.grants[*grant];
            let Payload::Revoke(revoke) = &self.bodies[op].payload else {
                unreachable!("only revocations are asked for");
            };
            *subject == revoke.subject && !self.past[*made].contains(op)
        };
        let named: Vec<GrantAt> = self.counting().filter(names).collect();
        if named.is_empty() {
            return does_nothing("no_grant", Vec::new());
        }
        let matched = |grant: &GrantAt| self.matches(op, *grant);
        let matched: Vec<GrantAt> = named.iter().copied().filter(matched).collect();
        if matched.is_empty() {
            return does_nothing("not_matched", ops(&named));
        }
        let reached = |grant: &GrantAt| self.reaches(op, *grant);
        let reached: Vec<GrantAt> = matched.iter().copied().filter(reached).collect();
        if reached.is_empty() {
            return does_nothing("out_of_reach", ops(&matched));
        }
        let code = if reached == matched {
            "revokes"
        } else {
            "within_reach"
        };
        self.falls_short(op, &reached, within)
            .unwrap_or_else(|| does(code, ops(&reached)))
    }

    fn effect_of_key(&self, op: Op, within: &Within<'_>) -> Found {
        let end = |key: Op| self.ended(key, within, within.key_kill(key));
        if let Some(found) = end(op) {
            return found;
        }
        let key = self.issuer_key(op).expect("only keys are asked for");
        let conflicts = |other: &Op| {
            self.issuer_key(*other).is_some_and(|it| {
                it.issuer == key.issuer && it.kid == key.kid && it.public_key != key.public_key
            }) && end(*other).is_none()
        };
        let conflicting: Vec<Op> = self.admitted.iter().filter(conflicts).collect();
        if conflicting.is_empty() {
            does("lists", Vec::new())
        } else {
            does("conflicts", conflicting)
        }
    }

    fn effect_of_key_revoke(&self, op: Op, revoke: &IssuerKeyRevoke, within: &Within<'_>) -> Found {
        let ends = |key: &Op| {
            self.issuer_key(*key)
                .is_some_and(|it| it.issuer == revoke.issuer && it.kid == revoke.kid)
                && !self.past[*key].contains(op)
        };
        let ended: Vec<Op> = self.admitted.iter().filter(ends).collect();
        if ended.is_empty() {
            return does_nothing("unlisted_key", Vec::new());
        }
        let stale = within.stale_by(op);
        if !stale.is_empty() {
            return does_nothing("stale", stale);
        }
        let is_spared = |grant: GrantAt| {
            let right = self.right(grant);
            let rests = right.paper.as_ref().is_some_and(|paper| {
                let mut keys = paper.keys.iter();
                keys.any(|key| ended.contains(key))
            });
            right.role == Role::Root && rests && !within.bites(op, grant)
        };
        if self.counting().any(is_spared) {
            does("in_part", ended)
        } else {
            does("revokes_key", ended)
        }
    }

    fn effect_of_list(&self, op: Op, list: &StatusList, within: &Within<'_>) -> Found {
        if let Err(why) = self.standing_of_list(op, list) {
            return void(&why);
        }
        let grants = self.counting().filter(|grant| self.withdraws(op, *grant));
        let withdrawn: Vec<GrantAt> = grants.collect();
        if withdrawn.is_empty() {
            return does("withdraws_nothing", Vec::new());
        }
        self.falls_short(op, &withdrawn, within)
            .unwrap_or_else(|| does("withdraws", self.ops_of(&withdrawn)))
    }

    fn effect_of_upgrade(
        &self,
        op: Op,
        upgrade: &Upgrade,
        past: &Set,
        within: &Within<'_>,
    ) -> Found {
        let feature = upgrade.feature.as_str();
        if !FEATURES.contains(&feature) {
            ("unknown_feature", None, Vec::new())
        } else if !self.allows(feature, &upgrade.parameters, op) {
            does_nothing("bad_parameters", Vec::new())
        } else if self.adds_nothing(upgrade, past) {
            does_nothing("in_force", Vec::new())
        } else if !within.is_full(op) {
            does_nothing("short", Vec::new())
        } else {
            does("upgrades", Vec::new())
        }
    }

    /// Whether what the op names is in force for the op itself.
    fn adds_nothing(&self, upgrade: &Upgrade, past: &Set) -> bool {
        match (upgrade.feature.as_str(), marks(&upgrade.parameters)) {
            ("confidential", Some((kem, tags))) => {
                self.has_kem(kem, past) && tags.is_subset(&self.confidential(past))
            }
            (feature, _) => self.in_force(feature, past),
        }
    }

    fn effect_of_cosign(&self, op: Op, within: &Within<'_>) -> Found {
        let signed = self.cosigned(op);
        let signed =
            signed.expect("what is signed is in the past of a signature that was admitted");
        let stale = within.stale_by(op);
        if !stale.is_empty() {
            does_nothing("stale", stale)
        } else if within.pairs(signed, Some(op)) == within.pairs(signed, None) {
            does_nothing("adds_nobody", vec![signed])
        } else {
            does("cosigns", vec![signed])
        }
    }

    fn effect_of_endorse(&self, op: Op, endorse: &Endorse, within: &Within<'_>) -> Found {
        if let Some((_, denial)) = within.denied(op) {
            return does_nothing("denied", vec![self.at[&denial]]);
        }
        let falls = |op: &Op| self.live(*op, within).next().is_none() && !within.is_sealed(*op);
        let named = endorse.ops.iter().map(|id| self.at[id]);
        let reinstated: Vec<Op> = named.filter(falls).collect();
        if reinstated.is_empty() {
            does("reinstates_nothing", Vec::new())
        } else {
            does("reinstates", reinstated)
        }
    }

    fn effect_of_device(&self, op: Op, within: &Within<'_>) -> Found {
        let link = &self.links[&op];
        if let Some(effect) = link.void {
            return does_nothing(effect, Vec::new());
        }
        let borne = self.counting().filter(|grant| self.bears(op, *grant));
        let borne: Vec<GrantAt> = borne.collect();
        if borne.is_empty() {
            return does_nothing("carries_nothing", Vec::new());
        }
        let carried = borne.iter().copied();
        let mut carried: Vec<GrantAt> = carried.filter(|it| within.carries(op, *it)).collect();
        if carried.is_empty() {
            return does_nothing("short", self.ops_of(&borne));
        }
        carried.sort_by_key(|grant| self.ids[self.grants[*grant].op]);
        let kills = carried
            .iter()
            .map(|grant| within.link_kill(op, *grant, None));
        let kills: Option<Vec<Kill>> = kills.collect();
        match kills.as_deref() {
            Some([(_, denial), ..]) => does_nothing("ended", vec![self.at[denial]]),
            Some([]) | None => does("links", self.ops_of(&carried)),
        }
    }

    fn effect_of_device_revoke(&self, op: Op, revoke: &DeviceRevoke, within: &Within<'_>) -> Found {
        let is_named = |(at, link): &(&Op, &Link)| {
            link.person == revoke.person
                && link.key == revoke.key
                && link.void.is_none()
                && !self.past[**at].contains(op)
        };
        let links: Vec<Op> = self
            .links
            .iter()
            .filter(is_named)
            .map(|(at, _)| *at)
            .collect();
        if links.is_empty() {
            return does_nothing("no_link", Vec::new());
        }
        let is_carried = |grant: &GrantAt| links.iter().any(|link| within.carries(*link, *grant));
        let (reached, beyond): (Vec<GrantAt>, Vec<GrantAt>) = self
            .counting()
            .filter(is_carried)
            .partition(|grant| self.unlinks_reach(op, *grant));
        if reached.is_empty() {
            return does_nothing("out_of_reach", links);
        }
        if let Some(found) = self.falls_short(op, &reached, within) {
            found
        } else if beyond.is_empty() {
            does("unlinks", links)
        } else {
            does("within_reach", self.ops_of(&reached))
        }
    }
}
