//! PKCS #8 under a password: PBES2 (RFC 8018 section 6.2).

use pkcs8::der::{Decode as _, Encode as _};
use pkcs8::pkcs5::{self, EncryptionScheme, pbes2};
use pkcs8::{EncryptedPrivateKeyInfoOwned, EncryptedPrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::{KeyError, check_scrypt};

/// How often a key that is written hashes its password: what OWASP recommends for HMAC-SHA-256.
const ITERATIONS: u32 = 600_000;

/// How often a key that is read may hash its password.
const ITERATIONS_MAX: u32 = 10_000_000;

/// The random bytes of an encrypted key; each key needs its own.
#[derive(Debug, Clone, Copy)]
pub struct SaltAndIv {
    /// Goes into the key with the password.
    pub salt: [u8; 16],
    /// The initialisation vector of the cipher.
    pub iv: [u8; 16],
}

/// The DER of an `EncryptedPrivateKeyInfo`.
pub(super) fn encrypt(der: &[u8], password: &[u8], random: &SaltAndIv) -> Vec<u8> {
    let parameters =
        pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(ITERATIONS, &random.salt, random.iv);
    let parameters = parameters.expect("the parameters are within their bounds");
    let encrypted = parameters.encrypt(password, der);
    let encrypted = encrypted.expect("a short key can be encrypted");
    let info = EncryptedPrivateKeyInfoOwned {
        encryption_algorithm: parameters.into(),
        encrypted_data: pkcs8::der::asn1::OctetString::new(encrypted).expect("a key is short"),
    };
    info.to_der().expect("a short key has an encoding")
}

/// The DER of the private key inside.
pub(super) fn decrypt<'p>(
    der: &[u8],
    password: impl FnOnce() -> Result<&'p [u8], KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let info = EncryptedPrivateKeyInfoRef::from_der(der)
        .map_err(|error| KeyError::Scheme(format!("not PBES2 ({error})")))?;
    let EncryptionScheme::Pbes2(parameters) = &info.encryption_algorithm else {
        return Err(KeyError::Scheme("not PBES2".to_owned()));
    };
    check_cost(&parameters.kdf)?;
    let plain = parameters.decrypt(password()?, info.encrypted_data.as_bytes());
    plain.map(Zeroizing::new).map_err(|error| match error {
        pkcs5::Error::DecryptFailed => KeyError::PasswordWrong,
        error => KeyError::Scheme(error.to_string()),
    })
}

fn check_cost(kdf: &pbes2::Kdf) -> Result<(), KeyError> {
    if let Some(scrypt) = kdf.scrypt() {
        let (r, p) = (scrypt.block_size.into(), scrypt.parallelization.into());
        return check_scrypt(scrypt.cost_parameter, r, p);
    }
    match kdf.pbkdf2() {
        Some(pbkdf2) if pbkdf2.iteration_count <= ITERATIONS_MAX => Ok(()),
        Some(pbkdf2) => Err(KeyError::Cost {
            what: format!("{} iterations of PBKDF2", pbkdf2.iteration_count),
        }),
        None => Err(KeyError::Scheme(kdf.oid().to_string())),
    }
}
