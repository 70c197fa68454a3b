//! The links by which a device has the titles of a person.

use ecac_core::credential::Role;
use ecac_core::payload::Device;
use ecac_core::{OpId, Payload, PublicKey, zip215_verifies};

use super::kills::Within;
use super::right::DEPTH_MAX;
use super::set::Op;
use super::title::{Link, Title};
use super::{GrantAt, Oracle};

/// What comes before project and person in what a device signs.
const PROOF_DOMAIN: &[u8] = b"ECAC_DEVICE_V1";

impl Oracle {
    /// What titles are compared by.
    pub(super) fn title_ids(&self, title: Title) -> (OpId, Option<OpId>) {
        let link = title.link.map(|link| self.ids[link]);
        (self.ids[self.grants[title.grant].op], link)
    }

    /// The links of delegation of a title.
    pub(super) fn title_depth(&self, title: Title) -> usize {
        let of_link = title.link.map_or(0, |link| self.links[&link].depth);
        self.right(title.grant).depth.max(of_link)
    }

    /// The link that a `Device` op makes.
    pub(super) fn link_of(&self, op: Op, device: &Device) -> Link {
        let Device { person, key, proof } = device;
        let signed = [PROOF_DOMAIN, self.project.as_bytes(), person.as_bytes()].concat();
        let depth = self.depth(&[op]) + 1;
        let void = if !zip215_verifies(key, proof, &signed) {
            Some("bad_proof")
        } else if key == person {
            Some("own_key")
        } else if depth > DEPTH_MAX {
            Some("too_deep")
        } else {
            None
        };
        Link {
            person: *person,
            key: *key,
            depth,
            void,
        }
    }

    /// The warrants of the op, a link or an end of links, by which the person itself acts with the grant.
    pub(super) fn own_warrants(&self, op: Op, person: &PublicKey, grant: GrantAt) -> Vec<Title> {
        let is_own = |title: &&Title| {
            self.grants[title.grant].subject == *person
                && title.link.is_none_or(|link| self.bears(link, grant))
        };
        self.warrants[op].iter().filter(is_own).copied().collect()
    }

    /// The warrants of a link that could have granted the grant.
    pub(super) fn granting_warrants(&self, link: Op, grant: GrantAt) -> Vec<Title> {
        let granted = self.right(grant);
        let could = |title: &&Title| {
            let by = self.right(title.grant);
            let is_user = granted.role == Role::Editor || granted.role == Role::Reader;
            by.role == Role::Root
                || by.role == Role::PolicyAdmin && is_user && granted.scope.is_subset(&by.scope)
        };
        self.warrants[link].iter().filter(could).copied().collect()
    }

    /// Whether the link carries the grant, but for being short.
    pub(super) fn bears(&self, link: Op, grant: GrantAt) -> bool {
        if let Some(answer) = self.bears.borrow().get(&(link, grant)) {
            return *answer;
        }
        let Link { person, void, .. } = &self.links[&link];
        let made = &self.grants[grant];
        let answer = void.is_none()
            && made.subject == *person
            && (!self.own_warrants(link, person, grant).is_empty()
                || self.past[link].contains(made.op)
                    && made.standing.is_ok()
                    && !self.granting_warrants(link, grant).is_empty());
        self.bears.borrow_mut().insert((link, grant), answer);
        answer
    }

    /// Whether a `DeviceRevoke` is one of this link.
    pub(super) fn unlinks(&self, denial: Op, link: Op) -> bool {
        let Link { person, key, .. } = &self.links[&link];
        matches!(&self.bodies[denial].payload, Payload::DeviceRevoke(it)
            if it.person == *person && it.key == *key)
    }

    /// Whether the authority of a `DeviceRevoke` reaches the grant.
    pub(super) fn unlinks_reach(&self, denial: Op, grant: GrantAt) -> bool {
        let Payload::DeviceRevoke(revoke) = &self.bodies[denial].payload else {
            return false;
        };
        !self.own_warrants(denial, &revoke.person, grant).is_empty() || self.reaches(denial, grant)
    }
}

impl Within<'_> {
    /// Whether the link carries the grant.
    pub(super) fn carries(&self, link: Op, grant: GrantAt) -> bool {
        self.oracle.bears(link, grant) && (!self.oracle.is_of_root(grant) || self.is_full(link))
    }
}
