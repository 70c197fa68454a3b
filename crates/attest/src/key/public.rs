//! The public key.

use std::fmt;

use ecac_artifact::Digest;
use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::Verifier as _;
use pkcs8::der::pem;
use pkcs8::{DecodePublicKey as _, EncodePublicKey as _, LineEnding};

use super::{FILE_BYTES_MAX, KeyError};
use crate::{Signature, SignatureError, base64};

/// What the PEM block of a public key is called.
const LABEL: &str = "PUBLIC KEY";

/// A P-256 key that verifies.
///
/// Ordered and compared by its SubjectPublicKeyInfo (RFC 5480) with the point uncompressed, so one key is one value
/// however its file spells it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    spki: Vec<u8>,
    key: VerifyingKey,
}

impl PublicKey {
    pub(super) fn new(key: VerifyingKey) -> Self {
        let spki = key.to_public_key_der();
        let spki = spki.expect("the encoding of a point has a fixed length");
        Self {
            spki: spki.into_vec(),
            key,
        }
    }

    /// Reads a PEM file with a SubjectPublicKeyInfo, as `openssl pkey -pubout` and cosign write it.
    ///
    /// # Errors
    ///
    /// [`KeyError`].
    pub fn from_pem(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(KeyError::TooLarge { size: bytes.len() });
        }
        let (label, der) = pem::decode_vec(bytes).map_err(KeyError::Pem)?;
        if label != LABEL {
            return Err(KeyError::Label {
                label: label.to_owned(),
                expected: LABEL,
            });
        }
        let key = VerifyingKey::from_public_key_der(&der).map_err(KeyError::Public)?;
        Ok(Self::new(key))
    }

    /// The PEM file.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode_string(LABEL, LineEnding::LF, &self.spki).expect("a short key fits a PEM block")
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.spki)
    }

    /// How a Sigstore bundle names the key: the base64 of [`Self::digest`].
    #[must_use]
    pub fn hint(&self) -> String {
        base64::encode(self.digest().as_bytes())
    }

    /// Verifies the signature of `message`.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Mismatch`].
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let verdict = self.key.verify(message, &signature.0);
        verdict.map_err(|_| SignatureError::Mismatch)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.hint())
    }
}
