//! The standing of grants and of status lists, judged from the past of the op that brings them.

use std::collections::BTreeSet;
use std::rc::Rc;

use ecac_core::credential::{Credential, Role, Timestamp};
use ecac_core::payload::{self, Grant, IssuerKey, StatusList};
use ecac_core::{OpId, Payload, PublicKey, Refusal};

use super::kills::Within;
use super::papers::{self, Paper};
use super::right::{DEPTH_MAX, Made, Right, Void, Vouched};
use super::set::{Op, Set};
use super::{GrantAt, Oracle};

impl Oracle {
    /// What a grant that counts gives.
    pub(super) fn right(&self, grant: GrantAt) -> &Right {
        let standing = self.grants[grant].standing.as_ref();
        standing.expect("only grants that count are asked for")
    }

    /// The grants that count.
    pub(super) fn counting(&self) -> impl Iterator<Item = GrantAt> {
        (0..self.grants.len()).filter(|grant| self.grants[*grant].standing.is_ok())
    }

    /// Takes down the grants, the status list and the link of an op that has been admitted.
    pub(super) fn enter(&mut self, op: Op) {
        let body = Rc::clone(&self.bodies[op]);
        match &body.payload {
            Payload::Genesis(genesis) => {
                self.grants.extend(genesis.roots.iter().map(|root| Made {
                    op,
                    subject: *root,
                    standing: Ok(Right {
                        role: Role::Root,
                        scope: BTreeSet::new(),
                        depth: 0,
                        paper: None,
                    }),
                }));
            }
            Payload::Grant(grant) => {
                let standing = self.standing_of(op, grant);
                self.grants.push(Made {
                    op,
                    subject: grant.subject,
                    standing,
                });
            }
            Payload::StatusList(list) => {
                if let Ok(list) = self.standing_of_list(op, list) {
                    self.lists.insert(op, list);
                }
            }
            Payload::Device(device) => {
                let link = self.link_of(op, device);
                self.links.insert(op, link);
            }
            Payload::SetField(_)
            | Payload::SetAdd(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::KeyGrant(_)
            | Payload::SetFieldSealed(_)
            | Payload::SetAddSealed(_)
            | Payload::Unassigned(_) => {}
        }
    }

    /// The `Credential` op of that id in the past, with the credential that it carries, if that can be read.
    pub(super) fn carried(
        &self,
        id: &OpId,
        past: &Set,
    ) -> Option<(Op, Option<Rc<Paper<Credential>>>)> {
        let carrier = self.at.get(id).copied();
        let carrier = carrier.filter(|it| past.contains(*it))?;
        let Payload::Credential(payload::Credential { jwt }) = &self.bodies[carrier].payload else {
            return None;
        };
        Some((carrier, papers::credential(jwt)))
    }

    /// The issuer key that the op lists, if it lists one.
    pub(super) fn issuer_key(&self, op: Op) -> Option<&IssuerKey> {
        let Payload::IssuerKey(key) = &self.bodies[op].payload else {
            return None;
        };
        Some(key)
    }

    /// The deepest of the warrants of the ops.
    pub(super) fn depth(&self, ops: &[Op]) -> usize {
        let warrants = ops.iter().flat_map(|op| &self.warrants[*op]);
        let depths = warrants.map(|title| self.title_depth(*title));
        depths.max().unwrap_or(0)
    }

    /// What a `Grant` op gives.
    fn standing_of(&self, op: Op, grant: &Grant) -> Result<Right, Void> {
        let past = &self.past[op];
        let too_deep = || Void::new(Refusal::NoGrant, "too_deep", Vec::new());
        if self.depth(&[op]) + 1 > DEPTH_MAX {
            return Err(too_deep());
        }
        let bad = |effect, on| Void::new(Refusal::BadCredential, effect, on);
        let (carrier, credential) = self
            .carried(&grant.credential, past)
            .ok_or_else(|| bad("no_credential", Vec::new()))?;
        let credential = credential.ok_or_else(|| bad("unreadable", vec![carrier]))?;
        let says = &credential.says;
        if !says.is_for(&self.project) {
            return Err(bad("other_project", vec![carrier]));
        }
        if says.subject != grant.subject {
            return Err(bad("other_subject", vec![carrier]));
        }
        let stamp = Timestamp::from_ms(self.bodies[op].hlc.physical_ms);
        let times = [says.valid_from, stamp];
        let keys = self.vouching(past, (&says.issuer, &says.kid), &times, |key| {
            credential.verifies_with(key)
        })?;
        for entry in &says.status {
            let is_known = self.lists.iter().any(|(version, list)| {
                past.contains(*version)
                    && list.says.issuer == says.issuer
                    && list.says.id == entry.list
                    && list.says.purpose == entry.purpose
                    && list.says.get(entry.index).is_some()
            });
            if !is_known {
                let reason = Refusal::StatusUnknown;
                return Err(Void::new(reason, "status_unknown", vec![carrier]));
            }
        }
        let resting_on: Vec<Op> = keys.iter().copied().chain([op]).collect();
        let depth = self.depth(&resting_on) + 1;
        if depth > DEPTH_MAX {
            return Err(too_deep());
        }
        Ok(Right {
            role: says.role,
            scope: says.scope.clone(),
            depth,
            paper: Some(Vouched {
                carrier,
                keys,
                credential,
            }),
        })
    }

    /// The status list of an op, or why it does not count.
    pub(super) fn standing_of_list(
        &self,
        op: Op,
        list: &StatusList,
    ) -> Result<Rc<Paper<ecac_core::credential::StatusList>>, Void> {
        let bad = |effect| Void::new(Refusal::StatusUnknown, effect, Vec::new());
        let list = papers::list(&list.jwt).ok_or_else(|| bad("unreadable"))?;
        let says = &list.says;
        if !says.is_for(&self.project) {
            return Err(bad("other_project"));
        }
        let past = &self.past[op];
        self.vouching(past, (&says.issuer, &says.kid), &[says.valid_from], |key| {
            list.verifies_with(key)
        })?;
        Ok(list)
    }

    /// The `IssuerKey` ops of the past that name issuer and key id, whose window holds the times, that no denial of the
    /// past kills, and that verify; or the last of these conditions that some of them met, with those.
    fn vouching(
        &self,
        past: &Set,
        (issuer, kid): (&str, &str),
        times: &[Timestamp],
        verifies: impl Fn(&PublicKey) -> bool,
    ) -> Result<Vec<Op>, Void> {
        let untrusted = |effect, on| Void::new(Refusal::UntrustedIssuer, effect, on);
        let within = Within::new(self, past);
        let key = |op: &Op| self.issuer_key(*op).expect("only keys are asked for");
        let has_name = |op: &Op| {
            let key = self.issuer_key(*op);
            key.is_some_and(|it| it.issuer.as_str() == issuer && it.kid.as_str() == kid)
        };
        let is_open = |op: &Op| {
            let from = Timestamp::from_ms(key(op).valid_from_ms);
            let until = Timestamp::from_ms(key(op).valid_until_ms);
            times.iter().all(|time| from <= *time && *time < until)
        };
        let lives = |op: &Op| within.key_kill(*op).is_none();
        let signed = |op: &Op| verifies(&key(op).public_key);

        let listed: Vec<Op> = past.iter().filter(has_name).collect();
        if listed.is_empty() {
            return Err(untrusted("unlisted_key", Vec::new()));
        }
        let open: Vec<Op> = listed.iter().copied().filter(is_open).collect();
        if open.is_empty() {
            return Err(untrusted("outside_window", listed));
        }
        let live: Vec<Op> = open.iter().copied().filter(lives).collect();
        if live.is_empty() {
            return Err(untrusted("dead_key", open));
        }
        let vouching: Vec<Op> = live.iter().copied().filter(signed).collect();
        if vouching.is_empty() {
            return Err(untrusted("bad_signature", live));
        }
        Ok(vouching)
    }
}
