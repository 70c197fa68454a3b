//! Reasons: why an op is not applied (`docs/policy-model.md`, Reasons).

use serde::{Deserialize, Serialize};
use strum::{Display, EnumMessage, EnumString, IntoStaticStr, VariantArray};

/// A text that names no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason")]
pub struct UnknownReason;

const fn unknown(_: &str) -> UnknownReason {
    UnknownReason
}

/// Why an op never enters the DAG: judged from its bytes and its past alone, hence final.
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
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownReason, parse_err_fn = unknown)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Refusal {
    /// The bytes are not the one canonical encoding of an op.
    NonCanonical,
    /// The signature does not verify under ZIP 215.
    BadSignature,
    /// The op does not descend from this project's genesis.
    ForeignProject,
    /// No feature in the op's past names the kind of its payload.
    UnknownKind,
    /// `seq` is not one more than the greatest of the author's ops in the past (0 for the first).
    BadSequence,
    /// The stamp is not strictly greater than that of every parent.
    HlcNotMonotonic,
    /// A parent has been refused.
    RefusedParent,
    /// It names an op that it cannot name: no quorum op, no data op, or no content key, of its past.
    BadTarget,
    /// No grant in the past names the author.
    NoGrant,
    /// The credential is absent from the grant's past, malformed, or names somebody else.
    BadCredential,
    /// No issuer key in the grant's past verifies the credential.
    UntrustedIssuer,
    /// The credential names a status list that is not in the grant's past.
    StatusUnknown,
    /// No scope meets the resource's tags (or contains the scope that is handed on).
    OutOfScope,
    /// The role does not permit the action.
    ActionNotPermitted,
    /// The op's physical time lies before the credential's `validFrom`.
    NotYetValid,
    /// The op's physical time lies at or after the credential's `validUntil`.
    Expired,
    /// A denial in the op's past kills every grant.
    Revoked,
    /// The author signed two ops with one sequence number, and no grant was made after seeing both.
    Frozen,
    /// The key is not one for the secret tags of the field, or somebody would have it who may not read them.
    StaleKey,
    /// The field has secret tags, and the value is not sealed.
    NotSealed,
}

impl Refusal {
    /// Every reason, in order of precedence.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in exports, vectors and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What the reason means, in a sentence for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.get_documentation()
            .expect("every variant has its documentation")
    }
}

impl TryFrom<String> for Refusal {
    type Error = UnknownReason;

    fn try_from(text: String) -> Result<Self, UnknownReason> {
        text.parse()
    }
}

/// Why an admitted op is rolled back: judged from what others did concurrently.
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
#[strum(serialize_all = "snake_case", parse_err_ty = UnknownReason, parse_err_fn = unknown)]
#[serde(into = "&'static str", try_from = "String")]
pub enum DenialReason {
    /// A revocation that had not seen the op matches its grant.
    Revoked,
    /// A status list that had not seen the op sets its credential's bit.
    StatusRevoked,
    /// The issuer key that vouches for the credential was revoked.
    IssuerKeyRevoked,
    /// The authority of the grant's own author was killed.
    GranterDenied,
}

impl DenialReason {
    /// Every reason, in order of precedence.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in exports, vectors and logs.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What the reason means, in a sentence for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.get_documentation()
            .expect("every variant has its documentation")
    }
}

impl TryFrom<String> for DenialReason {
    type Error = UnknownReason;

    fn try_from(text: String) -> Result<Self, UnknownReason> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precedence_is_the_order_of_the_policy_model() {
        let refused: Vec<_> = Refusal::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(
            refused.join(" "),
            "non_canonical bad_signature foreign_project unknown_kind bad_sequence hlc_not_monotonic refused_parent bad_target no_grant \
             bad_credential untrusted_issuer status_unknown out_of_scope action_not_permitted not_yet_valid expired revoked frozen stale_key not_sealed"
        );
        let denied: Vec<_> = DenialReason::ALL
            .iter()
            .map(|reason| reason.name())
            .collect();
        assert_eq!(
            denied.join(" "),
            "revoked status_revoked issuer_key_revoked granter_denied"
        );
        assert!(Refusal::ALL.is_sorted() && DenialReason::ALL.is_sorted());
        for reason in Refusal::ALL {
            assert_eq!(reason.name().parse(), Ok(*reason));
        }
        for reason in DenialReason::ALL {
            assert_eq!(reason.name().parse(), Ok(*reason));
        }
    }
}
