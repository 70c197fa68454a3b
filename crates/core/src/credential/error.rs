//! Why a text is not a credential or a status list.

use core::fmt;

use thiserror::Error;

use crate::limits::{JWT_BYTES_MAX, STATUS_LIST_BYTES_MAX, STATUS_LIST_BYTES_MIN};

/// One of the three parts of a compact JWS (RFC 7515 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The JOSE header.
    Header,
    /// The payload: the claims.
    Payload,
    /// The signature.
    Signature,
}

impl Part {
    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is not a credential or a status list: the first rule that it breaks.
///
/// Members are named by their path in the document, such as `credentialSubject.role`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// Longer than [`JWT_BYTES_MAX`].
    #[error("{bytes} bytes are more than the {JWT_BYTES_MAX} of the longest JWT")]
    TooLong {
        /// Length of the text.
        bytes: usize,
    },
    /// Not three parts with a dot between them.
    #[error("a compact JWS has three parts with dots between them")]
    NotThreeParts,
    /// Not base64url without padding, or with bits set behind the last byte.
    #[error("{part} is not canonical base64url without padding")]
    NotBase64url {
        /// The part at fault.
        part: Part,
    },
    /// Not the 64 bytes of an Ed25519 signature.
    #[error("an Ed25519 signature has 64 bytes, not {bytes}")]
    SignatureLength {
        /// Length of the decoded signature.
        bytes: usize,
    },
    /// Not one JSON text of at most 127 levels.
    #[error("{part} is not JSON from line {line}, column {column}")]
    NotJson {
        /// The part at fault.
        part: Part,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault in bytes, from 1 (0 before the first).
        column: usize,
    },
    /// One name occurs twice in one object, so that readers disagree about its value.
    #[error("{part} names the member {name:?} twice")]
    DuplicateMember {
        /// The part at fault.
        part: Part,
        /// The name, cut to its first 64 characters.
        name: String,
    },
    /// A member that must be there is not.
    #[error("`{member}` is missing")]
    Missing {
        /// Path of the member.
        member: &'static str,
    },
    /// A member has another type or value than the ones that are allowed.
    #[error("`{member}` is not {expected}")]
    Malformed {
        /// Path of the member.
        member: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
    /// A member that would change how the rest is to be read.
    #[error("`{member}` must be absent")]
    Forbidden {
        /// Path of the member.
        member: &'static str,
    },
    /// A member of the top level that could be a withdrawal, and that is not `credentialStatus`.
    #[error("{name:?} could be a withdrawal, and of those only `credentialStatus` is understood")]
    OtherStatus {
        /// The name, cut to its first 64 characters.
        name: String,
    },
    /// A registered JWT claim contradicts the credential.
    #[error("`{claim}` differs from `{member}`")]
    Mismatch {
        /// The claim.
        claim: &'static str,
        /// Path of the member that it repeats.
        member: &'static str,
    },
    /// An array is longer than its limit.
    #[error("`{member}` has more than {max} elements")]
    TooMany {
        /// Path of the member.
        member: &'static str,
        /// The limit.
        max: usize,
    },
    /// A tag occurs twice in a scope.
    #[error("`credentialSubject.scope` names the tag {tag:?} twice")]
    RepeatedTag {
        /// The tag.
        tag: String,
    },
    /// The validity ends before it begins, once `nbf` and `exp` have narrowed it.
    #[error("the validity ends before it begins")]
    EmptyWindow,
    /// The bitstring is not one sound gzip member (RFC 1952).
    #[error("`credentialSubject.encodedList` is not sound gzip")]
    NotGzip,
    /// Bytes follow the gzip member.
    #[error("{bytes} bytes follow the gzip member of `credentialSubject.encodedList`")]
    TrailingBytes {
        /// How many.
        bytes: usize,
    },
    /// The bitstring is longer than [`STATUS_LIST_BYTES_MAX`]; how much longer is not known, as unpacking stops.
    #[error("the bitstring is longer than {STATUS_LIST_BYTES_MAX} bytes")]
    ListTooLong,
    /// The bitstring is shorter than [`STATUS_LIST_BYTES_MIN`].
    #[error("the bitstring has {bytes} bytes, fewer than {STATUS_LIST_BYTES_MIN}")]
    ListTooShort {
        /// Length of the unpacked bitstring.
        bytes: usize,
    },
}
