//! Roles: what the subject of a credential may do.

use core::fmt;
use core::str::FromStr;

/// What the subject of a credential may do, from the widest to the narrowest; the table is in `docs/policy-model.md`,
/// Roles and actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    pub const ALL: &'static [Self] = &[
        Self::Root,
        Self::IssuerAdmin,
        Self::PolicyAdmin,
        Self::KeyAdmin,
        Self::Editor,
        Self::Reader,
    ];

    /// The name in credentials, ops and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::IssuerAdmin => "issuer_admin",
            Self::PolicyAdmin => "policy_admin",
            Self::KeyAdmin => "key_admin",
            Self::Editor => "editor",
            Self::Reader => "reader",
        }
    }
}

/// A text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is root, issuer_admin, policy_admin, key_admin, editor or reader")]
pub struct UnknownRole;

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let named = Self::ALL.iter().find(|role| role.name() == text);
        named.copied().ok_or(UnknownRole)
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
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
