//! Roles: what the subject of a credential may do.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};

/// What the subject of a credential may do, from the widest to the narrowest; the table is in `docs/policy-model.md`,
/// Roles and actions.
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
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownRole, parse_err_fn = unknown)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Role {
    /// Everything.
    Root,
    /// Trust ops: issuer keys, their revocation and status lists.
    IssuerAdmin,
    /// Grants of `editor` and `reader` within its own scope, and revocations.
    PolicyAdmin,
    /// Rotation of the keys of confidential tags, and their grants.
    KeyAdmin,
    /// Data ops within its scope.
    Editor,
    /// Reading within its scope.
    Reader,
}

impl Role {
    /// Every role.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in credentials, ops and exports.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is root, issuer_admin, policy_admin, key_admin, editor or reader")]
pub struct UnknownRole;

const fn unknown(_: &str) -> UnknownRole {
    UnknownRole
}

impl TryFrom<String> for Role {
    type Error = UnknownRole;

    fn try_from(text: String) -> Result<Self, UnknownRole> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_engine_section_2() {
        let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
        assert_eq!(
            names.join(" "),
            "root issuer_admin policy_admin key_admin editor reader"
        );
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(*role));
            let json = serde_json::to_string(role).unwrap();
            assert_eq!(json, format!("{:?}", role.to_string()));
            assert_eq!(serde_json::from_str::<Role>(&json).unwrap(), *role);
        }
        for text in ["", "Root", "editor ", "admin"] {
            assert_eq!(text.parse::<Role>(), Err(UnknownRole), "{text}");
        }
    }
}
