//! A detached signature: ECDSA over P-256 and SHA-256.

use std::fmt;

use p256::ecdsa;
use thiserror::Error;

use crate::base64;

/// The longest DER form: two integers of 33 bytes with their heads in a sequence.
const DER_BYTES_MAX: usize = 72;

/// An ECDSA signature (FIPS 186-5) over P-256 and SHA-256.
///
/// Its binary form is the DER of RFC 3279 section 2.2.3, which openssl takes; its text form, displayed and parsed, is the
/// base64 of that, which cosign takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature(pub(crate) ecdsa::Signature);

/// Why something is not the signature that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignatureError {
    /// The text is not base64.
    #[error("the signature is not base64 with padding")]
    Base64,
    /// The bytes are not the DER of two integers below the order of the curve.
    #[error("the signature is not the DER of a P-256 signature")]
    Der,
    /// The signature is that of another message or of another key.
    #[error("the signature does not verify under this key")]
    Mismatch,
}

impl Signature {
    /// Reads the DER form.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Der`].
    pub fn from_der(bytes: &[u8]) -> Result<Self, SignatureError> {
        let is_short = bytes.len() <= DER_BYTES_MAX;
        let signature = is_short.then(|| ecdsa::Signature::from_der(bytes).ok());
        signature.flatten().map(Self).ok_or(SignatureError::Der)
    }

    /// The DER form.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        self.0.to_der().as_bytes().to_vec()
    }

    /// Reads a file with the text form, with or without a newline at its end.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Base64`] or [`SignatureError::Der`].
    pub fn from_file(bytes: &[u8]) -> Result<Self, SignatureError> {
        let text = str::from_utf8(bytes).map_err(|_| SignatureError::Base64)?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let is_short = text.len() <= DER_BYTES_MAX.div_ceil(3) * 4;
        let der = is_short.then(|| base64::decode(text)).flatten();
        Self::from_der(&der.ok_or(SignatureError::Base64)?)
    }

    /// The file with the text form: one line.
    #[must_use]
    pub fn to_file(&self) -> Vec<u8> {
        format!("{self}\n").into_bytes()
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode(&self.to_der()))
    }
}
