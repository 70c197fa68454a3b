//! What an independent builder says: I built this version of this commit, and got these sums.
//!
//! An attestation is an in-toto Statement v1 (in-toto.io/Statement/v1) about the file `SHA256SUMS`, in a DSSE envelope:
//!
//! ```json
//! {
//!   "_type": "https://in-toto.io/Statement/v1",
//!   "subject": [{ "name": "SHA256SUMS", "digest": { "sha256": "…" } }],
//!   "predicateType": "https://github.com/ecac-project/ecac/blob/main/docs/attestations/README.md#the-attestation-v2",
//!   "predicate": { "commit": "…", "format": 2, "version": "0.1.0" }
//! }
//! ```
//!
//! Version and commit are signed with the sums, so a copy under another version is seen for what it is. Of format 1 is a
//! signature over `SHA256SUMS` alone, which says of neither; [`crate::Bundle::verify_attestation`] tells the two apart.

use ecac_artifact::{Artifact, Commit, Digest, ParseCommitError, ParseVersionError, Version};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::descriptor::DigestSet;
use crate::json::{self, JsonError};
use crate::statement::{STATEMENT_TYPE, Subject};

/// The type of the predicate, with the repository of this program in it.
pub const ATTESTATION_TYPE: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/blob/main/docs/attestations/README.md#the-attestation-v2"
);

/// The version of the predicate's form.
const FORMAT: u32 = 2;

/// What one builder says of the sums that a run of his own gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// The version that was built.
    pub version: Version,
    /// The commit that was built, and that the files cite.
    pub commit: Commit,
    /// SHA-256 of `SHA256SUMS`.
    pub sums: Digest,
}

/// What a signature beside sums says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attested {
    /// Somebody had these sums, of whatever version and commit: format 1.
    Unbound,
    /// These are the sums of a version and a commit: format 2.
    Bound(Attestation),
}

/// Why a payload is no attestation.
#[derive(Debug, Error)]
pub enum AttestationError {
    /// No JSON, or a member is missing, duplicate, unknown or of the wrong kind.
    #[error("the attestation is malformed: {0}")]
    Malformed(JsonError),
    /// A statement or predicate of another type, such as the provenance of a release.
    #[error("the statement is a `{}`, expected `{expected}`", .found.escape_debug())]
    Type {
        /// What it says it is.
        found: String,
        /// What is read.
        expected: &'static str,
    },
    /// A predicate of another form.
    #[error("the attestation has format {found}, but {FORMAT} is known")]
    Format {
        /// Which it states.
        found: u32,
    },
    /// It is not about one file `SHA256SUMS` with a SHA-256.
    #[error("the attestation has to be about SHA256SUMS alone, with its sha256")]
    Subject,
    /// The version is none.
    #[error("the attestation is of the version `{}`: {reason}", .found.escape_debug())]
    Version {
        /// What it states.
        found: String,
        /// Why it is none.
        reason: ParseVersionError,
    },
    /// The commit is none.
    #[error("the attestation is of the commit `{}`: {reason}", .found.escape_debug())]
    Commit {
        /// What it states.
        found: String,
        /// Why it is none.
        reason: ParseCommitError,
    },
    /// The tree that was built differed from its commit: nobody else can build that.
    #[error("the attestation is of a tree that differed from its commit {commit}")]
    Dirty {
        /// What it states.
        commit: Commit,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(rename = "_type")]
    statement_type: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

/// All of it is read, so nothing else is let through.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    commit: String,
    format: u32,
    version: String,
}

impl Attestation {
    /// The payload of the envelope.
    ///
    /// # Panics
    ///
    /// If the tree that was built differed from its commit: nobody else can build that.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        assert!(!self.commit.is_dirty(), "a commit is attested, not a tree");
        let document = Document {
            statement_type: STATEMENT_TYPE.to_owned(),
            subject: vec![Subject {
                name: Artifact::SUMS_NAME.to_owned(),
                digest: DigestSet::sha256(self.sums),
            }],
            predicate_type: ATTESTATION_TYPE.to_owned(),
            predicate: Predicate {
                commit: self.commit.to_string(),
                format: FORMAT,
                version: self.version.to_string(),
            },
        };
        serde_json::to_vec(&document).expect("strings and numbers have an encoding")
    }

    /// Reads the payload of an envelope whose signature has been verified.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, AttestationError> {
        // The type comes first: of another statement every member would be wrong.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Types {
            #[serde(rename = "_type")]
            statement_type: String,
            predicate_type: String,
        }
        let malformed = AttestationError::Malformed;
        let types: Types = json::read(bytes, json::BYTES_MAX).map_err(malformed)?;
        for (found, expected) in [
            (types.statement_type, STATEMENT_TYPE),
            (types.predicate_type, ATTESTATION_TYPE),
        ] {
            if found != expected {
                return Err(AttestationError::Type { found, expected });
            }
        }
        let document: Document = json::read(bytes, json::BYTES_MAX).map_err(malformed)?;
        let Predicate {
            commit,
            format,
            version,
        } = document.predicate;
        if format != FORMAT {
            return Err(AttestationError::Format { found: format });
        }
        let sums = match &document.subject[..] {
            [subject] if subject.name == Artifact::SUMS_NAME => subject.digest.sha256,
            _ => None,
        };
        let sums = sums.ok_or(AttestationError::Subject)?;
        let version = match version.parse() {
            Ok(version) => version,
            Err(reason) => {
                return Err(AttestationError::Version {
                    found: version,
                    reason,
                });
            }
        };
        let commit: Commit = match commit.parse() {
            Ok(commit) => commit,
            Err(reason) => {
                return Err(AttestationError::Commit {
                    found: commit,
                    reason,
                });
            }
        };
        match commit.is_dirty() {
            true => Err(AttestationError::Dirty { commit }),
            false => Ok(Self {
                version,
                commit,
                sums,
            }),
        }
    }
}
