//! Reasons: why an op is not applied (`docs/policy-model.md`, Reasons).

use core::fmt;
use core::str::FromStr;

/// Declares an enum of reasons whose order is the order of precedence and whose names are the wire names.
macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $(#[doc = $doc:literal] $variant:ident = $text:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $(#[doc = $doc] $variant,)* }

        impl $name {
            /// Every reason, in order of precedence.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name in exports, vectors and logs.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What the reason means, in a sentence for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $doc.trim_ascii(),)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = UnknownReason;

            fn from_str(text: &str) -> Result<Self, UnknownReason> {
                match text { $($text => Ok(Self::$variant),)* _ => Err(UnknownReason) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A text that names no reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown reason")]
pub struct UnknownReason;

reasons! {
    /// Why an op never enters the DAG: judged from its bytes and its past alone, hence final.
    Refusal {
        /// The bytes are not the one canonical encoding of an op.
        NonCanonical = "non_canonical",
        /// The signature does not verify under ZIP 215.
        BadSignature = "bad_signature",
        /// The op does not descend from this project's genesis.
        ForeignProject = "foreign_project",
        /// No feature in the op's past names the kind of its payload.
        UnknownKind = "unknown_kind",
        /// `seq` is not one more than the greatest of the author's ops in the past (0 for the first).
        BadSequence = "bad_sequence",
        /// The stamp is not strictly greater than that of every parent.
        HlcNotMonotonic = "hlc_not_monotonic",
        /// A parent has been refused.
        RefusedParent = "refused_parent",
        /// No grant in the past names the author.
        NoGrant = "no_grant",
        /// The credential is absent from the grant's past, malformed, or names somebody else.
        BadCredential = "bad_credential",
        /// No issuer key in the grant's past verifies the credential.
        UntrustedIssuer = "untrusted_issuer",
        /// The credential names a status list that is not in the grant's past.
        StatusUnknown = "status_unknown",
        /// No scope meets the resource's tags (or contains the scope that is handed on).
        OutOfScope = "out_of_scope",
        /// The role does not permit the action.
        ActionNotPermitted = "action_not_permitted",
        /// The op's physical time lies before the credential's `validFrom`.
        NotYetValid = "not_yet_valid",
        /// The op's physical time lies at or after the credential's `validUntil`.
        Expired = "expired",
        /// A denial in the op's past kills every grant.
        Revoked = "revoked",
        /// The author signed two ops with one sequence number, and no grant was made after seeing both.
        Frozen = "frozen",
    }
}

reasons! {
    /// Why an admitted op is rolled back: judged from what others did concurrently.
    Denial {
        /// A revocation that had not seen the op matches its grant.
        Revoked = "revoked",
        /// A status list that had not seen the op sets its credential's bit.
        StatusRevoked = "status_revoked",
        /// The issuer key that vouches for the credential was revoked.
        IssuerKeyRevoked = "issuer_key_revoked",
        /// The authority of the grant's own author was killed.
        GranterDenied = "granter_denied",
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
            "non_canonical bad_signature foreign_project unknown_kind bad_sequence hlc_not_monotonic refused_parent no_grant \
             bad_credential untrusted_issuer status_unknown out_of_scope action_not_permitted not_yet_valid expired revoked frozen"
        );
        let denied: Vec<_> = Denial::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(
            denied.join(" "),
            "revoked status_revoked issuer_key_revoked granter_denied"
        );
        assert!(Refusal::ALL.is_sorted() && Denial::ALL.is_sorted());
        for reason in Refusal::ALL {
            assert_eq!(reason.name().parse(), Ok(*reason));
        }
        for reason in Denial::ALL {
            assert_eq!(reason.name().parse(), Ok(*reason));
        }
    }
}
