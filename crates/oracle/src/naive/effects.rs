//! Effects: what ops of trust and policy do, or that they count for nothing and why.

use std::collections::BTreeMap;

use ecac_core::payload::{Credential, IssuerKeyRevoke, Schema, StatusList, Upgrade};
use ecac_core::{OpId, Payload};

use super::grants::{Made, Void};
use super::kills::{Kill, Within};
use super::papers;
use super::set::{Op, Set};
use super::{FEATURES, GrantAt, Oracle};

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
            Payload::SetField(_) | Payload::SetAdd(_) | Payload::SetRemove(_) => return None,
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
            Payload::Revoke(_) => self.effect_of_revoke(op),
            Payload::IssuerKey(_) => self.effect_of_key(op, within),
            Payload::IssuerKeyRevoke(revoke) => self.effect_of_key_revoke(op, revoke),
            Payload::StatusList(list) => self.effect_of_list(op, list),
            Payload::Upgrade(upgrade) => self.effect_of_upgrade(upgrade, past),
            Payload::Schema(Schema { rules }) => {
                let known = self.rules(past);
                if rules.iter().all(|rule| known.contains(rule)) {
                    does_nothing("in_force", Vec::new())
                } else {
                    does("adds_rules", Vec::new())
                }
            }
        };
        Some(found)
    }

    /// What ends an op that would count otherwise: the denial of it, or what kills the grant or the key that it makes.
    fn ended(&self, op: Op, within: &Within<'_>, kill: Option<Kill>) -> Option<Found> {
        match (within.op_kill(op, Some(op)), kill) {
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
            Ok(_) => self
                .ended(op, within, within.kill(grant, None))
                .unwrap_or_else(|| does("grants", Vec::new())),
        }
    }

    fn effect_of_revoke(&self, op: Op) -> Found {
        let ops = |grants: &[GrantAt]| grants.iter().map(|it| self.grants[*it].op).collect();
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
        does("revokes", ops(&reached))
    }

    fn effect_of_key(&self, op: Op, within: &Within<'_>) -> Found {
        let end = |key: Op| self.ended(key, within, within.key_kill(key, None));
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

    fn effect_of_key_revoke(&self, op: Op, revoke: &IssuerKeyRevoke) -> Found {
        let ends = |key: &Op| {
            self.issuer_key(*key)
                .is_some_and(|it| it.issuer == revoke.issuer && it.kid == revoke.kid)
                && !self.past[*key].contains(op)
        };
        let ended: Vec<Op> = self.admitted.iter().filter(ends).collect();
        if ended.is_empty() {
            does_nothing("unlisted_key", Vec::new())
        } else {
            does("revokes_key", ended)
        }
    }

    fn effect_of_list(&self, op: Op, list: &StatusList) -> Found {
        if let Err(why) = self.standing_of_list(op, list) {
            return void(&why);
        }
        let grants = self.counting().filter(|grant| self.withdraws(op, *grant));
        let withdrawn: Vec<Op> = grants.map(|grant| self.grants[grant].op).collect();
        if withdrawn.is_empty() {
            does("withdraws_nothing", Vec::new())
        } else {
            does("withdraws", withdrawn)
        }
    }

    fn effect_of_upgrade(&self, upgrade: &Upgrade, past: &Set) -> Found {
        let feature = upgrade.feature.as_str();
        if !FEATURES.contains(&feature) {
            ("unknown_feature", None, Vec::new())
        } else if !upgrade.parameters.is_empty() {
            does_nothing("bad_parameters", Vec::new())
        } else if self.in_force(feature, past) {
            does_nothing("in_force", Vec::new())
        } else {
            does("upgrades", Vec::new())
        }
    }
}
