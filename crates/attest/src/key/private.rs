//! The private key and the files that it is kept in.

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{self, SigningKey};
use pkcs8::der::pem;
use pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding, PrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::{FILE_BYTES_MAX, KeyError, PublicKey, SaltAndIv, cosign, pbes2};
use crate::Signature;

/// What the PEM blocks of private keys are called.
const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const COSIGN: [&str; 2] = [
    "ENCRYPTED SIGSTORE PRIVATE KEY",
    "ENCRYPTED COSIGN PRIVATE KEY",
];

/// A P-256 key that signs. It is wiped from memory when it is dropped, and does not show itself.
pub struct PrivateKey(SigningKey);

impl PrivateKey {
    /// The key of 32 random bytes; nothing if they are zero or not below the order of the curve, which has a chance of
    /// one in four thousand million, and then others have to be drawn.
    #[must_use]
    pub fn from_random(bytes: &[u8; 32]) -> Option<Self> {
        SigningKey::from_slice(bytes).ok().map(Self)
    }

    /// Reads a PEM file: PKCS #8 plain (RFC 5958), PKCS #8 under a password (PBES2 of RFC 8018), or the form in which
    /// cosign keeps a key (JSON with scrypt and nacl/secretbox). A plain key needs no password and ignores one.
    ///
    /// # Errors
    ///
    /// [`KeyError`]; a file that asks for more than some seconds or 256 MiB of password hashing is refused before any
    /// is done.
    pub fn from_pem(bytes: &[u8], password: Option<&[u8]>) -> Result<Self, KeyError> {
        if bytes.len() > FILE_BYTES_MAX {
            return Err(KeyError::TooLarge { size: bytes.len() });
        }
        let (label, block) = pem::decode_vec(bytes).map_err(KeyError::Pem)?;
        let block = Zeroizing::new(block);
        let password = || password.ok_or(KeyError::PasswordNeeded);
        let der = match label {
            PLAIN => block,
            ENCRYPTED => decrypted(pbes2::decrypt(&block, password)?)?,
            label if COSIGN.contains(&label) => decrypted(cosign::decrypt(&block, password)?)?,
            label => {
                return Err(KeyError::Label {
                    label: label.to_owned(),
                    expected: "private key in PKCS #8 or of cosign",
                });
            }
        };
        let key = SigningKey::from_pkcs8_der(&der).map_err(KeyError::Private)?;
        Ok(Self(key))
    }

    /// The PEM file with the plain key.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF);
        pem.expect("a short key fits a PEM block")
    }

    /// The PEM file with the key under a password, which openssl opens as well: PBKDF2 with HMAC-SHA-256 and AES-256
    /// in CBC mode.
    #[must_use]
    pub fn to_encrypted_pem(&self, password: &[u8], random: &SaltAndIv) -> Zeroizing<String> {
        let der = self.0.to_pkcs8_der();
        let der = der.expect("a short key has an encoding");
        let encrypted = pbes2::encrypt(der.as_bytes(), password, random);
        let pem = pem::encode_string(ENCRYPTED, LineEnding::LF, &encrypted);
        Zeroizing::new(pem.expect("a short key fits a PEM block"))
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::new(*self.0.verifying_key())
    }

    /// Signs SHA-256 of `message`. The nonce is that of RFC 6979, so one message has one signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature: ecdsa::Signature = self.0.sign(message);
        Signature(signature)
    }
}

/// Lets through what may be a PKCS #8 key. The padding of CBC alone lets one wrong password in 256 pass.
fn decrypted(der: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    match PrivateKeyInfoRef::try_from(der.as_slice()) {
        Ok(_) => Ok(der),
        Err(_) => Err(KeyError::PasswordWrong),
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey of {:?}", self.public())
    }
}
