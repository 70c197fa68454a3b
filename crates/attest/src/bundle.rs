//! The Sigstore bundle, version 0.3 (github.com/sigstore/protobuf-specs, `sigstore_bundle.proto`): a signature together
//! with what it takes to verify it.
//!
//! This crate writes and verifies bundles of a key. Keyless ones, with a certificate and entries of a transparency
//! log, are read so that a caller can tell them apart, but only cosign verifies them.

use ecac_artifact::Digest;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::attestation::{Attestation, AttestationError, Attested};
use crate::json::{self, JsonError};
use crate::{Envelope, EnvelopeError, PrivateKey, PublicKey, Signature, SignatureError};
use crate::{Statement, base64, envelope};

/// The media type of the bundle.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// How the protobuf JSON names SHA-256.
const ALGORITHM: &str = "SHA2_256";

/// A bundle of which nothing has been verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundle {
    media_type: String,
    verification_material: VerificationMaterial,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_signature: Option<MessageSignature>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dsse_envelope: Option<Envelope>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VerificationMaterial {
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<PublicKeyIdentifier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tlog_entries: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicKeyIdentifier {
    hint: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MessageSignature {
    message_digest: MessageDigest,
    #[serde(with = "base64")]
    signature: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageDigest {
    algorithm: String,
    #[serde(with = "base64")]
    digest: Vec<u8>,
}

/// Why a bundle is not what it should be, or is not to be believed.
#[derive(Debug, Error)]
pub enum BundleError {
    /// The file is no bundle.
    #[error("the bundle is malformed: {0}")]
    Malformed(JsonError),
    /// A bundle of another version, or another kind of file.
    #[error("the bundle is `{}`, expected `{MEDIA_TYPE}`", .found.escape_debug())]
    MediaType {
        /// What it says it is.
        found: String,
    },
    /// Neither a message signature nor an envelope, or both.
    #[error("the bundle has to hold a message signature or an envelope, and not both")]
    Content,
    /// Neither a key nor a certificate, or both.
    #[error("the bundle has to name a public key or hold a certificate, and not both")]
    Signer,
    /// The bundle was signed keyless.
    #[error("the bundle was signed without a key, by the owner of a certificate")]
    Keyless,
    /// The bundle names another key than the one to verify with.
    #[error("the bundle names the key `{}`, which is not the one to verify with", .hint.escape_debug())]
    Hint {
        /// Which it names.
        hint: String,
    },
    /// The bundle holds an envelope where a message signature is looked for.
    #[error("the bundle holds an envelope and no message signature")]
    NoMessage,
    /// The bundle holds a message signature where an envelope is looked for.
    #[error("the bundle holds a message signature and no envelope")]
    NoEnvelope,
    /// The digest in the bundle is not made with SHA-256.
    #[error("the digest in the bundle is made with `{}`, expected `{ALGORITHM}`", .algorithm.escape_debug())]
    Algorithm {
        /// What it is made with.
        algorithm: String,
    },
    /// The bundle is about another message.
    #[error("the bundle is about another file, which has not sha256:{actual}")]
    Digest {
        /// The digest of the message that is there.
        actual: Digest,
    },
    /// The signature is malformed, or that of another message or key.
    #[error("the bundle is not to be believed: {0}")]
    Signature(SignatureError),
    /// The envelope in the bundle is not to be believed.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The envelope is to be believed, but holds no attestation.
    #[error(transparent)]
    Attestation(#[from] AttestationError),
    /// The attestation is about other sums.
    #[error("the attestation is about other sums, which have not sha256:{actual}")]
    Sums {
        /// The digest of the sums that are there.
        actual: Digest,
    },
}

// The text of each names its cause, so none is told a second time as a source.
impl From<JsonError> for BundleError {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error)
    }
}

impl From<SignatureError> for BundleError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl Bundle {
    /// Signs a message.
    #[must_use]
    pub fn of_message(key: &PrivateKey, message: &[u8]) -> Self {
        let signature = MessageSignature {
            message_digest: MessageDigest {
                algorithm: ALGORITHM.to_owned(),
                digest: Digest::of(message).as_bytes().to_vec(),
            },
            signature: key.sign(message).to_der(),
        };
        Self {
            message_signature: Some(signature),
            ..Self::of_key(&key.public())
        }
    }

    /// Signs an attestation.
    #[must_use]
    pub fn of_attestation(key: &PrivateKey, attestation: &Attestation) -> Self {
        let payload = attestation.to_bytes();
        let envelope = Envelope::of_payload(key, envelope::PAYLOAD_TYPE, payload);
        Self::of_envelope(&key.public(), envelope)
    }

    /// Puts an envelope, which `key` signed, into a bundle.
    #[must_use]
    pub fn of_envelope(key: &PublicKey, envelope: Envelope) -> Self {
        Self {
            dsse_envelope: Some(envelope),
            ..Self::of_key(key)
        }
    }

    fn of_key(key: &PublicKey) -> Self {
        Self {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: VerificationMaterial {
                public_key: Some(PublicKeyIdentifier { hint: key.hint() }),
                ..VerificationMaterial::default()
            },
            message_signature: None,
            dsse_envelope: None,
        }
    }

    /// Reads a bundle.
    ///
    /// Entries of a transparency log and timestamps are let through: they can add to the trust in a signature, but not
    /// replace the key.
    ///
    /// # Errors
    ///
    /// [`BundleError::Malformed`], [`BundleError::MediaType`], [`BundleError::Content`], [`BundleError::Signer`] or
    /// that of the envelope inside.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        let bundle: Self = json::read(bytes, 2 * json::BYTES_MAX)?;
        if bundle.media_type != MEDIA_TYPE {
            return Err(BundleError::MediaType {
                found: bundle.media_type,
            });
        }
        if bundle.message_signature.is_some() == bundle.dsse_envelope.is_some() {
            return Err(BundleError::Content);
        }
        let material = &bundle.verification_material;
        if material.public_key.is_some() == material.certificate.is_some() {
            return Err(BundleError::Signer);
        }
        Ok(bundle)
    }

    /// The file: one line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        json::write_line(self)
    }

    /// The hint of the key; nothing if the bundle was signed keyless.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        let key = self.verification_material.public_key.as_ref()?;
        Some(&key.hint)
    }

    /// The envelope, if it is that what the bundle holds.
    #[must_use]
    pub fn envelope(&self) -> Option<&Envelope> {
        self.dsse_envelope.as_ref()
    }

    /// The signature of a message, if it is that what the bundle holds, in its binary form.
    #[must_use]
    pub fn message_signature(&self) -> Option<&[u8]> {
        let signature = self.message_signature.as_ref()?;
        Some(&signature.signature)
    }

    /// Verifies that `key` signed `message`.
    ///
    /// # Errors
    ///
    /// Every [`BundleError`] but those of [`Self::parse`].
    pub fn verify_message(&self, key: &PublicKey, message: &[u8]) -> Result<(), BundleError> {
        self.check_key(key)?;
        let Some(content) = &self.message_signature else {
            return Err(BundleError::NoMessage);
        };
        let digest = &content.message_digest;
        if digest.algorithm != ALGORITHM {
            return Err(BundleError::Algorithm {
                algorithm: digest.algorithm.clone(),
            });
        }
        let actual = Digest::of(message);
        if digest.digest != actual.as_bytes() {
            return Err(BundleError::Digest { actual });
        }
        Ok(key.verify(message, &Signature::from_der(&content.signature)?)?)
    }

    /// Verifies that `key` attests to the file `SHA256SUMS` with the contents `sums`, in either form.
    ///
    /// # Errors
    ///
    /// Every [`BundleError`] but those of [`Self::parse`].
    pub fn verify_attestation(
        &self,
        key: &PublicKey,
        sums: &[u8],
    ) -> Result<Attested, BundleError> {
        let Some(envelope) = self.envelope() else {
            self.verify_message(key, sums)?;
            return Ok(Attested::Unbound);
        };
        self.check_key(key)?;
        let attestation = Attestation::parse(envelope.payload(key)?)?;
        let actual = Digest::of(sums);
        match attestation.sums == actual {
            true => Ok(Attested::Bound(attestation)),
            false => Err(BundleError::Sums { actual }),
        }
    }

    /// Verifies that `key` signed the envelope, and reads the statement in it.
    ///
    /// # Errors
    ///
    /// Every [`BundleError`] but those of [`Self::parse`].
    pub fn verify_statement(&self, key: &PublicKey) -> Result<Statement, BundleError> {
        self.check_key(key)?;
        let envelope = self.envelope().ok_or(BundleError::NoEnvelope)?;
        Ok(envelope.open(key)?)
    }

    fn check_key(&self, key: &PublicKey) -> Result<(), BundleError> {
        let hint = self.hint().ok_or(BundleError::Keyless)?;
        match hint == key.hint() {
            true => Ok(()),
            false => Err(BundleError::Hint {
                hint: hint.to_owned(),
            }),
        }
    }
}
