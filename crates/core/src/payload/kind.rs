//! The kinds of payload that this program knows.

use strum::{FromRepr, IntoStaticStr, VariantArray};

use crate::feature::Feature;

/// A kind of payload that this program knows. The numbers are those of `docs/protocol.cddl`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, FromRepr, IntoStaticStr, VariantArray,
)]
#[repr(u16)]
pub enum Kind {
    /// Names the project, its root keys, its schema and its features.
    Genesis = 0,
    /// Writes a register.
    SetField = 1,
    /// Adds an element to a set.
    SetAdd = 2,
    /// Removes an element from a set.
    SetRemove = 3,
    /// Carries a verifiable credential into the log.
    Credential = 4,
    /// Grants to a subject what a credential in the past says.
    Grant = 5,
    /// Revokes matching grants of a subject.
    Revoke = 6,
    /// Trusts an issuer's key.
    IssuerKey = 7,
    /// Revokes every key that is listed under an issuer's key id.
    IssuerKeyRevoke = 8,
    /// Carries a Bitstring Status List credential into the log.
    StatusList = 9,
    /// Names one more feature.
    Upgrade = 10,
    /// Adds rules to the schema map.
    Schema = 11,
    /// Says that its past stands.
    Seal = 12,
    /// Signs, with other roots, an op in the past.
    Cosign = 13,
    /// Reinstates data ops.
    Endorse = 14,
    /// Links a device's key to a person.
    Device = 15,
    /// Ends the links of a device's key to a person.
    DeviceRevoke = 16,
    /// Publishes a key to which content keys are sealed.
    ReaderKey = 17,
    /// Makes a content key.
    KeyRotate = 18,
    /// Gives a content key to recipients.
    KeyGrant = 19,
    /// Writes a register with a sealed value.
    SetFieldSealed = 20,
    /// Adds an element with a sealed value to a set.
    SetAddSealed = 21,
}

impl Kind {
    /// Every kind.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The type of the payload on the wire.
    #[must_use]
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The kind of that number, if this program knows one.
    #[must_use]
    pub const fn numbered(number: u16) -> Option<Self> {
        Self::from_repr(number)
    }

    /// The name in exports and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The feature without which the kind does not count, if there is one.
    #[must_use]
    pub const fn feature(self) -> Option<Feature> {
        match self {
            Self::Schema => Some(Feature::Schema),
            Self::Seal => Some(Feature::Seal),
            Self::Cosign => Some(Feature::Quorum),
            Self::Endorse => Some(Feature::Endorse),
            Self::Device | Self::DeviceRevoke => Some(Feature::Device),
            Self::ReaderKey
            | Self::KeyRotate
            | Self::KeyGrant
            | Self::SetFieldSealed
            | Self::SetAddSealed => Some(Feature::Confidential),
            Self::Genesis
            | Self::SetField
            | Self::SetAdd
            | Self::SetRemove
            | Self::Credential
            | Self::Grant
            | Self::Revoke
            | Self::IssuerKey
            | Self::IssuerKeyRevoke
            | Self::StatusList
            | Self::Upgrade => None,
        }
    }
}
