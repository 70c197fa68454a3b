//! Revocations: which grants they name, and which they reach.

use std::collections::BTreeSet;

use super::grant::Grant;
use crate::credential::Role;
use crate::dag::Index;
use crate::name::Tags;
use crate::need;

/// How far a `Revoke` reaches, judged from its author's authority.
#[derive(Debug, Clone)]
pub(super) enum RevokeReach {
    Everything,
    Users(BTreeSet<String>),
}

impl RevokeReach {
    /// Whether its author had authority over grants of that role and scope.
    pub(super) fn holds(&self, role: Role, scope: &BTreeSet<String>) -> bool {
        match self {
            Self::Everything => true,
            Self::Users(tags) => !need::is_administrator(role) && !tags.is_disjoint(scope),
        }
    }
}

/// A `Revoke` of one subject.
#[derive(Debug, Clone)]
pub(crate) struct Revocation {
    pub(crate) op: Index,
    pub(super) role: Option<Role>,
    pub(super) scope: Option<Tags>,
    pub(super) reach: RevokeReach,
}

impl Revocation {
    /// Whether it names grants of that role and scope.
    pub(crate) fn matches(&self, role: Role, scope: &BTreeSet<String>) -> bool {
        self.role.is_none_or(|named| named == role)
            && self
                .scope
                .as_ref()
                .is_none_or(|named| need::meets(named, scope) || role == Role::Root)
    }

    /// Whether its author had authority over grants of that role and scope.
    pub(crate) fn reaches(&self, role: Role, scope: &BTreeSet<String>) -> bool {
        self.reach.holds(role, scope)
    }

    pub(super) fn kills(&self, grant: &Grant) -> bool {
        grant
            .right()
            .is_some_and(|(role, scope)| self.matches(role, scope) && self.reaches(role, scope))
    }
}
