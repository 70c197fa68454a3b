//! Carrying: which grants a link makes a device's (`docs/policy-model.md`, Devices).

use super::grant::GrantId;
use super::link::Link;
use super::register::Authority;
use super::title::{LinkId, Title};
use crate::costs::Costs;
use crate::credential::Role;
use crate::dag::{Dag, Index};
use crate::id::PublicKey;
use crate::need::is_administrator;

impl Authority {
    /// The warrants of a `Device` or a `DeviceRevoke` by which its author is the person, as far as the grant goes: by the
    /// person's key, or by a link that carries the grant.
    pub(super) fn own_for(
        &self,
        op: Index,
        person: &PublicKey,
        grant: GrantId,
        dag: &Dag,
        costs: &mut Costs,
    ) -> Vec<Title> {
        let mut own = Vec::new();
        for &title in self.warrants(op) {
            let of_person = self.grants[title.grant].subject == *person;
            let carried = |costs| {
                title
                    .link
                    .is_none_or(|link| self.carries_but_short(link, grant, dag, costs))
            };
            if of_person && carried(costs) {
                own.push(title);
            }
        }
        own
    }

    /// Whether the link carries the grant once enough roots have signed it, where it takes them.
    pub(super) fn carries_but_short(
        &self,
        link: LinkId,
        grant: GrantId,
        dag: &Dag,
        costs: &mut Costs,
    ) -> bool {
        if let Some(&known) = self.carried.borrow().get(&(link, grant)) {
            return known;
        }
        let Link {
            op, person, void, ..
        } = &self.links[link];
        let to = &self.grants[grant];
        let carries = to.subject == *person
            && void.is_none()
            && (!self.own_for(*op, person, grant, dag, costs).is_empty()
                || to.right().is_some()
                    && dag.before(to.op, *op, costs)
                    && self
                        .warrants(*op)
                        .iter()
                        .any(|it| self.could_grant(*it, grant)));
        self.carried.borrow_mut().insert((link, grant), carries);
        carries
    }

    /// Whether the title gives the right to make such a grant.
    pub(super) fn could_grant(&self, title: Title, grant: GrantId) -> bool {
        match (self.grants[title.grant].right(), self.grants[grant].right()) {
            (Some((Role::Root, _)), Some(_)) => true,
            (Some((Role::PolicyAdmin, own)), Some((role, scope))) => {
                !is_administrator(role) && scope.is_subset(own)
            }
            (Some(_) | None, _) => false,
        }
    }
}
