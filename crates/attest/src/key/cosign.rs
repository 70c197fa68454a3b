//! The form in which cosign keeps a private key: JSON with the parameters of scrypt and a nacl/secretbox around a PKCS #8
//! key (github.com/secure-systems-lab/go-securesystemslib, package `encrypted`).

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::XSalsa20;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{FILE_BYTES_MAX, KeyError, check_scrypt};
use crate::{base64, json};

/// How long the authenticator before the ciphertext is, in bytes.
const TAG_BYTES: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encrypted {
    kdf: Kdf,
    cipher: Cipher,
    #[serde(with = "base64")]
    ciphertext: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kdf {
    name: String,
    params: Params,
    #[serde(with = "base64")]
    salt: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cipher {
    name: String,
    #[serde(with = "base64")]
    nonce: Vec<u8>,
}

/// The DER of the private key inside.
pub(super) fn decrypt<'p>(
    bytes: &[u8],
    password: impl FnOnce() -> Result<&'p [u8], KeyError>,
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let Encrypted {
        kdf,
        cipher,
        ciphertext,
    } = json::read(bytes, FILE_BYTES_MAX).map_err(KeyError::Cosign)?;
    if (kdf.name.as_str(), cipher.name.as_str()) != ("scrypt", "nacl/secretbox") {
        let scheme = format!("{} with {}", kdf.name, cipher.name);
        return Err(KeyError::Scheme(scheme.escape_debug().to_string()));
    }
    let Params { n, r, p } = kdf.params;
    check_scrypt(n, r.into(), p.into())?;
    let unusable = || KeyError::Scheme(format!("scrypt with N={n}, r={r}, p={p}"));
    if !n.is_power_of_two() {
        return Err(unusable());
    }
    // The logarithm of a 64-bit number fits a byte.
    let log_n = n.ilog2() as u8;
    let parameters = scrypt::Params::new(log_n, r, p).map_err(|_| unusable())?;
    let nonce = cipher.nonce.try_into();
    let nonce = nonce.map_err(|_| KeyError::Scheme("a nonce that has not 24 bytes".to_owned()))?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password()?, &kdf.salt, &parameters, &mut *key).map_err(|_| unusable())?;
    open_secretbox(&key, &nonce, &ciphertext).ok_or(KeyError::PasswordWrong)
}

/// Opens a `crypto_secretbox_xsalsa20poly1305` of NaCl: the first 32 bytes of the key stream are the key of the
/// authenticator, which comes first and covers the ciphertext; the rest of the stream encrypts.
fn open_secretbox(key: &[u8; 32], nonce: &[u8; 24], boxed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (tag, ciphertext) = boxed.split_at_checked(TAG_BYTES)?;
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut tag_key = Zeroizing::new([0; 32]);
    stream.apply_keystream(&mut *tag_key);
    let expected = Poly1305::new((&*tag_key).into()).compute_unpadded(ciphertext);
    if !bool::from(expected.as_slice().ct_eq(tag)) {
        return None;
    }
    let mut plain = Zeroizing::new(ciphertext.to_vec());
    stream.apply_keystream(&mut plain);
    Some(plain)
}
