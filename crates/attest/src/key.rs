//! Keys: what signs a release, and what a reader trusts.

mod cosign;
mod pbes2;
mod private;
mod public;

use thiserror::Error;

use crate::JsonError;

pub use pbes2::SaltAndIv;
pub use private::PrivateKey;
pub use public::PublicKey;

/// The largest key file that is read, in bytes; a key of any form has less than 2 KiB.
const FILE_BYTES_MAX: usize = 16 << 10;

/// The most memory that deriving a key from a password may take, in bytes.
const MEMORY_BYTES_MAX: u64 = 256 << 20;

/// The most work that scrypt may do, as a product of its three parameters: eight times what OWASP recommends.
const SCRYPT_WORK_MAX: u64 = 8 * (1 << 17) * 8;

/// Why a key cannot be had from a file.
#[derive(Debug, Error)]
pub enum KeyError {
    /// More bytes than any key has.
    #[error("the key file has {size} bytes, and more than {FILE_BYTES_MAX} are not read")]
    TooLarge {
        /// How many there are.
        size: usize,
    },
    /// Not one PEM block and nothing else (RFC 7468).
    #[error("the key file is not a PEM file: {0}")]
    Pem(pkcs8::der::pem::Error),
    /// A PEM block of another kind.
    #[error("the key file holds a `{}`, expected a {expected}", .label.escape_debug())]
    Label {
        /// What the block calls itself.
        label: String,
        /// What was looked for.
        expected: &'static str,
    },
    /// The block is no PKCS #8 private key of P-256 (RFC 5958, RFC 5915).
    #[error("the private key is not one of P-256 in PKCS #8: {0}")]
    Private(pkcs8::Error),
    /// The block is no public key of P-256 (RFC 5280 section 4.1, RFC 5480).
    #[error("the public key is not one of P-256: {0}")]
    Public(pkcs8::spki::Error),
    /// The key is encrypted, and no password was given.
    #[error("the private key is encrypted, and there is no password")]
    PasswordNeeded,
    /// The password is wrong, or the file is damaged.
    #[error("the password does not open the private key, or the file is damaged")]
    PasswordWrong,
    /// The key is encrypted in a way that is not read.
    #[error("the private key is encrypted in a way that is not read: {0}")]
    Scheme(String),
    /// Deriving the key from the password would take more than is spent on it.
    #[error("the private key asks for {what}, more than is spent on a key")]
    Cost {
        /// The parameters that are out of bounds.
        what: String,
    },
    /// The inside of a key that cosign encrypted is not what it should be.
    #[error("the encrypted key of cosign is malformed: {0}")]
    Cosign(JsonError),
}

/// Refuses scrypt parameters that would take too much memory or time.
fn check_scrypt(n: u64, r: u64, p: u64) -> Result<(), KeyError> {
    let memory_bytes = n
        .checked_mul(r)
        .and_then(|product| product.checked_mul(128));
    let work = n.checked_mul(r).and_then(|product| product.checked_mul(p));
    let is_cheap = memory_bytes.is_some_and(|bytes| bytes <= MEMORY_BYTES_MAX)
        && work.is_some_and(|work| work <= SCRYPT_WORK_MAX);
    match is_cheap {
        true => Ok(()),
        false => Err(KeyError::Cost {
            what: format!("scrypt with N={n}, r={r}, p={p}"),
        }),
    }
}
