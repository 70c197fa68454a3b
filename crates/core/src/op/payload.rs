//! Payloads: what an op says (ENGINE section 2).

use std::collections::BTreeSet;

use super::name::Name;
use super::value::Value;
use crate::credential::Role;
use crate::id::{OpId, PublicKey};

/// A set of resource tags.
pub type Tags = BTreeSet<Name>;

/// One line of the schema map that genesis declares: the tags of the fields that match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SchemaRule {
    /// Object pattern: the object itself, or a prefix followed by one final `*`.
    pub object: Name,
    /// Field pattern, of the same form.
    pub field: Name,
    /// Tags of what matches, 1 to [`crate::limits::TAGS_MAX`].
    pub tags: Tags,
}

impl SchemaRule {
    /// Whether this rule speaks of the field of the object.
    #[must_use]
    pub fn matches(&self, object: &str, field: &str) -> bool {
        pattern_matches(&self.object, object) && pattern_matches(&self.field, field)
    }
}

fn pattern_matches(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => pattern == text,
    }
}

/// The first op of a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// Name of the project, for people.
    pub name: Name,
    /// Distinguishes projects that are otherwise alike.
    pub nonce: [u8; 16],
    /// Root keys, 1 to [`crate::limits::ROOTS_MAX`]; three are wise, because two that revoke each other both
    /// lose.
    pub roots: BTreeSet<PublicKey>,
    /// Schema map. A field that no rule matches has no tags, so only roots may write it.
    pub schema: BTreeSet<SchemaRule>,
}

impl Genesis {
    /// The tags of a field: the union over the rules that match.
    #[must_use]
    pub fn tags(&self, object: &str, field: &str) -> Tags {
        let matching = self
            .schema
            .iter()
            .filter(|rule| rule.matches(object, field));
        matching
            .flat_map(|rule| rule.tags.iter().cloned())
            .collect()
    }
}

/// What an op says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Names the project, its root keys and its schema; the one payload of the one op without parents.
    Genesis(Genesis),
    /// Writes a register.
    SetField {
        /// Object.
        object: Name,
        /// Field of the object.
        field: Name,
        /// New value.
        value: Value,
    },
    /// Adds an element to a set.
    SetAdd {
        /// Object.
        object: Name,
        /// Field of the object.
        field: Name,
        /// Element.
        element: Name,
        /// Value attached to the element.
        value: Value,
    },
    /// Removes an element from a set.
    SetRemove {
        /// Object.
        object: Name,
        /// Field of the object.
        field: Name,
        /// Element.
        element: Name,
    },
    /// Carries a verifiable credential (VC 2.0 as a JWT) into the log; grants refer to it.
    Credential {
        /// Compact JWS, ASCII.
        jwt: String,
    },
    /// Grants to a subject what a credential in the past says.
    Grant {
        /// Who gains authority.
        subject: PublicKey,
        /// The [`Payload::Credential`] op.
        credential: OpId,
    },
    /// Revokes matching grants of a subject.
    Revoke {
        /// Who loses authority.
        subject: PublicKey,
        /// Only grants of this role, if named.
        role: Option<Role>,
        /// Only grants whose scope meets this one, if named.
        scope: Option<Tags>,
    },
    /// Trusts an issuer's key for credentials whose `validFrom` lies in the window.
    IssuerKey {
        /// Issuer, as credentials name it.
        issuer: Name,
        /// Key id, as JWT headers name it.
        kid: Name,
        /// Ed25519 key.
        public_key: PublicKey,
        /// Start of the window, ms since the Unix epoch, inclusive.
        valid_from_ms: u64,
        /// End of the window, ms since the Unix epoch, exclusive.
        valid_until_ms: u64,
    },
    /// Revokes every key that is listed under an issuer's key id.
    IssuerKeyRevoke {
        /// Issuer.
        issuer: Name,
        /// Key id.
        kid: Name,
        /// Why, for people.
        reason: Name,
    },
    /// Carries a Bitstring Status List credential (as a JWT) into the log.
    StatusList {
        /// Compact JWS, ASCII.
        jwt: String,
    },
}

impl Payload {
    /// The name of the kind of payload, in exports and logs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "Genesis",
            Self::SetField { .. } => "SetField",
            Self::SetAdd { .. } => "SetAdd",
            Self::SetRemove { .. } => "SetRemove",
            Self::Credential { .. } => "Credential",
            Self::Grant { .. } => "Grant",
            Self::Revoke { .. } => "Revoke",
            Self::IssuerKey { .. } => "IssuerKey",
            Self::IssuerKeyRevoke { .. } => "IssuerKeyRevoke",
            Self::StatusList { .. } => "StatusList",
        }
    }

    /// The object and field that a data payload touches.
    #[must_use]
    pub const fn target(&self) -> Option<(&Name, &Name)> {
        match self {
            Self::SetField { object, field, .. }
            | Self::SetAdd { object, field, .. }
            | Self::SetRemove { object, field, .. } => Some((object, field)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_literal_or_a_prefix() {
        let rule = |object: &str, field: &str| SchemaRule {
            object: object.try_into().unwrap(),
            field: field.try_into().unwrap(),
            tags: Tags::new(),
        };
        assert!(rule("doc/*", "*").matches("doc/1", "title"));
        assert!(rule("doc/1", "title").matches("doc/1", "title"));
        assert!(!rule("doc/1", "title").matches("doc/10", "title"));
        assert!(!rule("doc/*", "title").matches("doc", "title"));
        assert!(
            !rule("*x", "*").matches("ax", "f"),
            "a star elsewhere than at the end is literal"
        );
    }
}
