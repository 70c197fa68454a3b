//! What an op needs of a grant: actions, the role table, and how scopes have to lie (`docs/policy-model.md`).

use std::collections::BTreeSet;

use strum::{Display, EnumString, IntoStaticStr, VariantArray};

use crate::credential::Role;
use crate::id::PublicKey;
use crate::name::Tags;

/// What an op does, as far as roles are concerned.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Display,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// Write data.
    Edit,
    /// Carry a credential into the log.
    Present,
    /// Grant `editor` or `reader`.
    GrantUser,
    /// Grant an administrator role.
    GrantAdministrator,
    /// Revoke, without naming an administrator role.
    RevokeUser,
    /// Revoke an administrator role by name.
    RevokeAdministrator,
    /// Issuer keys and status lists.
    Trust,
    /// Change what the project is, its features and its schema map; seal it; sign with others.
    Found,
    /// Link devices to a person, and end their links; everybody may for the own person, whatever the role.
    Link,
    /// Read what is confidential, and publish a key for that.
    Read,
    /// Make the keys of confidential tags, and hand them on.
    ManageKeys,
}

impl Action {
    /// Every action.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name, such as `edit` or `grant_user`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// The one table from roles to actions (`docs/policy-model.md`, Roles and actions).
pub(crate) const fn permits(role: Role, action: Action) -> bool {
    match role {
        Role::Root => true,
        Role::IssuerAdmin => matches!(action, Action::Trust | Action::Present),
        Role::PolicyAdmin => {
            matches!(
                action,
                Action::GrantUser | Action::RevokeUser | Action::Present | Action::Link
            )
        }
        Role::KeyAdmin => matches!(action, Action::Read | Action::ManageKeys),
        Role::Editor => matches!(action, Action::Edit | Action::Read | Action::ManageKeys),
        Role::Reader => matches!(action, Action::Read),
    }
}

/// Whether only root may hand the role on or take it away.
pub(crate) const fn is_administrator(role: Role) -> bool {
    !matches!(role, Role::Editor | Role::Reader)
}

/// How the scope of a grant has to lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Any scope will do.
    Any,
    /// The scope meets these tags: data with these tags is touched.
    Meets(Tags),
    /// The scope meets each of these: several fields are touched.
    MeetsEach(BTreeSet<Tags>),
    /// The scope contains these tags: authority over them is handed on.
    Contains(BTreeSet<String>),
}

/// What an op needs of a grant of its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) action: Action,
    pub(crate) reach: Reach,
    /// The person who may do it whatever the role.
    pub(crate) person: Option<PublicKey>,
}

impl Need {
    /// The action, whatever the scope.
    pub(crate) const fn any(action: Action) -> Self {
        Self {
            action,
            reach: Reach::Any,
            person: None,
        }
    }

    /// The action, whatever the scope; and of the person, whatever the role.
    pub(crate) const fn for_person(action: Action, person: PublicKey) -> Self {
        Self {
            action,
            reach: Reach::Any,
            person: Some(person),
        }
    }

    /// Whether a grant of the role to the subject permits the action.
    pub(crate) fn permitted_by(&self, role: Role, subject: &PublicKey) -> bool {
        permits(role, self.action) || self.person.as_ref() == Some(subject)
    }

    /// Whether the scope lies as needed; root's authority is not bounded by a scope.
    pub(crate) fn reached_by(&self, role: Role, scope: &BTreeSet<String>) -> bool {
        role == Role::Root
            || match &self.reach {
                Reach::Any => true,
                Reach::Meets(tags) => meets(tags, scope),
                Reach::MeetsEach(fields) => fields.iter().all(|tags| meets(tags, scope)),
                Reach::Contains(tags) => tags.is_subset(scope),
            }
    }
}

/// Whether tags and scope have one in common.
pub(crate) fn meets(tags: &Tags, scope: &BTreeSet<String>) -> bool {
    tags.iter().any(|tag| scope.contains(tag.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_table_is_the_one_of_the_design() {
        use Action::{
            Edit, Found, GrantAdministrator, GrantUser, Link, ManageKeys, Present, Read,
            RevokeAdministrator, RevokeUser, Trust,
        };
        let all = [
            Edit,
            Present,
            GrantUser,
            GrantAdministrator,
            RevokeUser,
            RevokeAdministrator,
            Trust,
            Found,
            Link,
            Read,
            ManageKeys,
        ];
        let check = |role: Role, want: &[Action]| {
            let have: Vec<Action> = all
                .into_iter()
                .filter(|&action| permits(role, action))
                .collect();
            assert_eq!(have, want, "{role:?}");
        };
        check(Role::Root, &all);
        check(Role::IssuerAdmin, &[Present, Trust]);
        check(Role::PolicyAdmin, &[Present, GrantUser, RevokeUser, Link]);
        check(Role::KeyAdmin, &[Read, ManageKeys]);
        check(Role::Editor, &[Edit, Read, ManageKeys]);
        check(Role::Reader, &[Read]);
    }
}
