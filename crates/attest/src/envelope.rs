//! The DSSE envelope of a statement (github.com/secure-systems-lab/dsse, v1.0.2).
//!
//! What is signed is not the payload alone but its pre-authentication encoding, so a signature over a statement can
//! never pass for one over another kind of document.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::json::{self, JsonError};
use crate::{PrivateKey, PublicKey, Signature, SignatureError, Statement, StatementError, base64};

/// The type of the payload: an in-toto statement in JSON.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// A statement and its signature, of which nothing has been verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    #[serde(with = "base64")]
    payload: Vec<u8>,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    /// Whose it is said to be; cosign leaves it empty.
    #[serde(default)]
    keyid: String,
    #[serde(with = "base64")]
    sig: Vec<u8>,
}

/// Why an envelope does not say what it should, or is not to be believed.
#[derive(Debug, Error)]
pub enum EnvelopeError {
    /// The file is no envelope.
    #[error("the envelope is malformed: {0}")]
    Malformed(JsonError),
    /// There is none, or there are several.
    #[error("the envelope has {count} signatures, expected one")]
    SignatureCount {
        /// How many there are.
        count: usize,
    },
    /// The envelope says that another key signed it.
    #[error("the envelope names the key `{}`, which is not the one to verify with", .keyid.escape_debug())]
    KeyId {
        /// What it says.
        keyid: String,
    },
    /// The signature is malformed, or that of another payload or key.
    #[error("the envelope is not to be believed: {0}")]
    Signature(SignatureError),
    /// The payload is of another type.
    #[error("the payload is `{}`, expected `{PAYLOAD_TYPE}`", .found.escape_debug())]
    PayloadType {
        /// What it says it is.
        found: String,
    },
    /// The payload is signed, but no provenance.
    #[error("the statement is signed but malformed: {0}")]
    Statement(StatementError),
}

// The text of each names its cause, so none is told a second time as a source.
impl From<JsonError> for EnvelopeError {
    fn from(error: JsonError) -> Self {
        Self::Malformed(error)
    }
}

impl From<SignatureError> for EnvelopeError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<StatementError> for EnvelopeError {
    fn from(error: StatementError) -> Self {
        Self::Statement(error)
    }
}

impl Envelope {
    /// Signs a statement.
    #[must_use]
    pub fn sign(key: &PrivateKey, statement: &Statement) -> Self {
        Self::of_payload(key, PAYLOAD_TYPE, statement.to_bytes())
    }

    /// Signs any payload.
    pub(crate) fn of_payload(key: &PrivateKey, payload_type: &str, payload: Vec<u8>) -> Self {
        let signature = key.sign(&pre_authentication_encoding(payload_type, &payload));
        Self {
            payload,
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature {
                keyid: key.public().hint(),
                sig: signature.to_der(),
            }],
        }
    }

    /// Reads an `.intoto.jsonl` file of one line, or the same as plain JSON.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Malformed`] or [`EnvelopeError::SignatureCount`].
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let envelope: Self = json::read(bytes, json::BYTES_MAX)?;
        envelope.signature()?;
        Ok(envelope)
    }

    /// An `.intoto.jsonl` file of one line.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        json::write_line(self)
    }

    /// Verifies the signature and reads the statement that it covers.
    ///
    /// # Errors
    ///
    /// Every [`EnvelopeError`]; those of the payload only after its signature has been verified.
    pub fn open(&self, key: &PublicKey) -> Result<Statement, EnvelopeError> {
        Ok(Statement::parse(self.payload(key)?)?)
    }

    /// Verifies the signature and the type of the payload that it covers.
    pub(crate) fn payload(&self, key: &PublicKey) -> Result<&[u8], EnvelopeError> {
        let signature = self.signature()?;
        if !signature.keyid.is_empty() && signature.keyid != key.hint() {
            return Err(EnvelopeError::KeyId {
                keyid: signature.keyid.clone(),
            });
        }
        let message = pre_authentication_encoding(&self.payload_type, &self.payload);
        key.verify(&message, &Signature::from_der(&signature.sig)?)?;
        self.payload_unverified()
    }

    /// Reads the statement without a look at the signature: for a caller whom cosign has told that it holds, as with
    /// keyless signatures, which only cosign verifies.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::PayloadType`] or [`EnvelopeError::Statement`].
    pub fn statement_unverified(&self) -> Result<Statement, EnvelopeError> {
        Ok(Statement::parse(self.payload_unverified()?)?)
    }

    fn payload_unverified(&self) -> Result<&[u8], EnvelopeError> {
        match self.payload_type == PAYLOAD_TYPE {
            true => Ok(&self.payload),
            false => Err(EnvelopeError::PayloadType {
                found: self.payload_type.clone(),
            }),
        }
    }

    fn signature(&self) -> Result<&EnvelopeSignature, EnvelopeError> {
        match &self.signatures[..] {
            [signature] => Ok(signature),
            signatures => Err(EnvelopeError::SignatureCount {
                count: signatures.len(),
            }),
        }
    }
}

/// `PAE(type, body)`: what is signed.
fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let type_len = payload_type.len();
    let head = format!("DSSEv1 {type_len} {payload_type} {} ", payload.len());
    [head.as_bytes(), payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        // The example of protocol.md, test vectors.
        let encoding = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world");
        let expected = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(encoding, expected.as_bytes());
    }
}
