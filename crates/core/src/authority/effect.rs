//! Effects: what an op of trust or policy does, or that it counts for nothing and why
//! (`docs/policy-model.md`, Effects).

use serde::{Deserialize, Serialize};
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

use crate::id::OpId;

/// A text that names no effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown effect")]
pub struct UnknownEffect;

const fn unknown(_: &str) -> UnknownEffect {
    UnknownEffect
}

/// What an op of trust or policy comes to.
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
    EnumMessage,
    EnumString,
    IntoStaticStr,
    VariantArray,
    Serialize,
    Deserialize,
)]
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownEffect, parse_err_fn = unknown)]
#[serde(into = "&'static str", try_from = "String")]
pub enum EffectCode {
    /// names the roots of the project
    Founds,
    /// carries a credential that grants can refer to
    Carries,
    /// grants what the credential says
    Grants,
    /// takes grants away
    Revokes,
    /// lists an issuer's key
    Lists,
    /// lists an issuer's key beside another one under the same key id
    Conflicts,
    /// revokes issuer keys
    RevokesKey,
    /// withdraws credentials under which grants count
    Withdraws,
    /// counts, but sets no bit of a credential under which a grant counts
    WithdrawsNothing,
    /// puts a feature in force
    Upgrades,
    /// adds rules to the schema map
    AddsRules,
    /// the JWT cannot be read as what it has to be
    Unreadable,
    /// the JWT is for another audience than this project
    OtherProject,
    /// the op that it names is no credential that its author had seen
    NoCredential,
    /// the credential is somebody else's
    OtherSubject,
    /// no key of that issuer and key id is listed
    UnlistedKey,
    /// no listed key of that issuer and key id has a window that holds it
    OutsideWindow,
    /// every listed key of that issuer and key id had been revoked
    DeadKey,
    /// no listed key of that issuer and key id signed the JWT
    BadSignature,
    /// the credential names a status list that its author had not seen
    StatusUnknown,
    /// it lies beyond 64 links of delegation
    TooDeep,
    /// it is denied itself
    Denied,
    /// a denial has ended it
    Ended,
    /// it had reached nobody: no grant to the subject counts, but for those that were made after it
    NoGrant,
    /// no grant to the subject has that role and scope
    NotMatched,
    /// the grants that it names lie beyond its author's authority
    OutOfReach,
    /// names a feature that this program does not know: upgrade this program
    UnknownFeature,
    /// the feature does not allow these parameters
    BadParameters,
    /// says what was in force already
    InForce,
    /// too few roots have signed it
    Short,
    /// its author had been ended within what a final seal seals, which had not seen it
    Stale,
    /// a final seal passed it over before enough roots had signed it
    Dropped,
    /// takes away some of what it names; for the grants of root among it too few roots have signed
    InPart,
    /// takes away only what its author can reach; other grants that it names go on
    WithinReach,
    /// says that its past stands
    Seals,
    /// signs an op with other roots
    Cosigns,
    /// signs for a person or with a key that has signed already, or for nobody who is a root
    AddsNobody,
    /// reinstates data ops
    Reinstates,
    /// names data ops that count without it
    ReinstatesNothing,
    /// links a device to a person
    Links,
    /// the device's key did not sign for the person
    BadProof,
    /// a person needs no link to the own key
    OwnKey,
    /// the person has no grant that the link could carry
    CarriesNothing,
    /// ends a device's links to a person
    Unlinks,
    /// it had reached no link: there is none of that device and person, but for those that were made after it
    NoLink,
    /// publishes a key to which content keys can be sealed
    Publishes,
    /// the project seals no content keys to a key of this KEM
    OtherKem,
    /// makes a content key
    Rotates,
    /// one of its tags is not confidential
    NotConfidential,
    /// gives a content key to its recipients
    HandsOn,
}

impl TryFrom<String> for EffectCode {
    type Error = UnknownEffect;

    fn try_from(name: String) -> Result<Self, UnknownEffect> {
        name.parse()
    }
}

impl EffectCode {
    /// Every effect.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in exports and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it means, for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.get_documentation()
            .expect("every variant has its documentation")
    }

    /// Whether the op counts for something; `None` if this program cannot know.
    #[must_use]
    pub const fn counts(self) -> Option<bool> {
        match self {
            Self::Founds
            | Self::Carries
            | Self::Grants
            | Self::Revokes
            | Self::Lists
            | Self::Conflicts
            | Self::RevokesKey
            | Self::Withdraws
            | Self::WithdrawsNothing
            | Self::Upgrades
            | Self::AddsRules
            | Self::InPart
            | Self::WithinReach
            | Self::Seals
            | Self::Cosigns
            | Self::Reinstates
            | Self::ReinstatesNothing
            | Self::Links
            | Self::Unlinks
            | Self::Publishes
            | Self::Rotates
            | Self::HandsOn => Some(true),
            Self::Unreadable
            | Self::OtherProject
            | Self::NoCredential
            | Self::OtherSubject
            | Self::UnlistedKey
            | Self::OutsideWindow
            | Self::DeadKey
            | Self::BadSignature
            | Self::StatusUnknown
            | Self::TooDeep
            | Self::Denied
            | Self::Ended
            | Self::NoGrant
            | Self::NotMatched
            | Self::OutOfReach
            | Self::BadParameters
            | Self::InForce
            | Self::Short
            | Self::Stale
            | Self::Dropped
            | Self::AddsNobody
            | Self::BadProof
            | Self::OwnKey
            | Self::CarriesNothing
            | Self::NoLink
            | Self::OtherKem
            | Self::NotConfidential => Some(false),
            Self::UnknownFeature => None,
        }
    }

    /// Whether the op does less than it says, for want of signatures, of authority, or of what a seal has left of it: it may
    /// come to something else.
    #[must_use]
    pub const fn falls_short(self) -> bool {
        matches!(
            self,
            Self::Short | Self::Stale | Self::Dropped | Self::InPart | Self::WithinReach
        )
    }

    /// Whether the op has never counted for anything: neither has a denial taken from it what it once was.
    #[must_use]
    pub fn is_void(self) -> bool {
        self.counts() == Some(false) && !matches!(self, Self::Denied | Self::Ended)
    }
}

/// The effect of an admitted op of trust or policy: a function of the set of admitted ops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// What it comes to.
    pub code: EffectCode,
    /// The ops that it concerns, ascending: those that it ends, or those that show why it counts for nothing.
    pub on: Vec<OpId>,
}

impl Effect {
    /// An effect that concerns no other op.
    pub(crate) const fn new(code: EffectCode) -> Self {
        Self {
            code,
            on: Vec::new(),
        }
    }
}

impl Serialize for Effect {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut it = serializer.serialize_struct("Effect", 3)?;
        it.serialize_field("code", &self.code)?;
        it.serialize_field("counts", &self.code.counts())?;
        it.serialize_field("on", &self.on)?;
        it.end()
    }
}
