//! Effects: what an op of trust or policy does, or that it counts for nothing and why
//! (`docs/policy-model.md`, Effects).

use core::fmt;

use serde::Serialize;

use crate::id::OpId;

/// Declares the effects: name, whether it counts, and what it means.
macro_rules! effects {
    ($($(#[doc = $doc:literal])* $code:ident = $name:literal, $counts:expr, $meaning:literal;)*) => {
        /// What an op of trust or policy comes to.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EffectCode { $(#[doc = $meaning] $code,)* }

        impl EffectCode {
            /// Every effect.
            pub const ALL: &'static [Self] = &[$(Self::$code,)*];

            /// The name in exports and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            /// Whether the op counts for something; `None` if this program cannot know.
            #[must_use]
            pub const fn counts(self) -> Option<bool> {
                match self { $(Self::$code => $counts,)* }
            }

            /// What it means, for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$code => $meaning,)* }
            }
        }
    };
}

effects! {
    Founds = "founds", Some(true), "names the roots of the project";
    Carries = "carries", Some(true), "carries a credential that grants can refer to";
    Grants = "grants", Some(true), "grants what the credential says";
    Revokes = "revokes", Some(true), "takes grants away";
    Lists = "lists", Some(true), "lists an issuer's key";
    Conflicts = "conflicts", Some(true), "lists an issuer's key beside another one under the same key id";
    RevokesKey = "revokes_key", Some(true), "revokes issuer keys";
    Withdraws = "withdraws", Some(true), "withdraws credentials under which grants count";
    WithdrawsNothing = "withdraws_nothing", Some(true), "counts, but sets no bit of a credential under which a grant counts";
    Upgrades = "upgrades", Some(true), "puts a feature in force";
    AddsRules = "adds_rules", Some(true), "adds rules to the schema map";
    Unreadable = "unreadable", Some(false), "the JWT cannot be read as what it has to be";
    OtherProject = "other_project", Some(false), "the JWT is for another audience than this project";
    NoCredential = "no_credential", Some(false), "the op that it names is no credential that its author had seen";
    OtherSubject = "other_subject", Some(false), "the credential is somebody else's";
    UnlistedKey = "unlisted_key", Some(false), "no key of that issuer and key id is listed";
    OutsideWindow = "outside_window", Some(false), "no listed key of that issuer and key id has a window that holds it";
    DeadKey = "dead_key", Some(false), "every listed key of that issuer and key id had been revoked";
    BadSignature = "bad_signature", Some(false), "no listed key of that issuer and key id signed the JWT";
    StatusUnknown = "status_unknown", Some(false), "the credential names a status list that its author had not seen";
    TooDeep = "too_deep", Some(false), "it lies beyond 64 links of delegation";
    Denied = "denied", Some(false), "it is denied itself";
    Ended = "ended", Some(false), "a denial has ended it";
    NoGrant = "no_grant", Some(false), "it had reached nobody: no grant to the subject counts, but for those that were made after it";
    NotMatched = "not_matched", Some(false), "no grant to the subject has that role and scope";
    OutOfReach = "out_of_reach", Some(false), "the grants that it names lie beyond its author's authority";
    UnknownFeature = "unknown_feature", None, "names a feature that this program does not know: upgrade this program";
    BadParameters = "bad_parameters", Some(false), "the feature does not allow these parameters";
    InForce = "in_force", Some(false), "says what was in force already";
}

impl EffectCode {
    /// Whether the op has never counted for anything: neither has a denial taken from it what it once was.
    #[must_use]
    pub fn is_void(self) -> bool {
        self.counts() == Some(false) && !matches!(self, Self::Denied | Self::Ended)
    }
}

impl fmt::Display for EffectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for EffectCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
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
