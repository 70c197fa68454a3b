//! Private keys in files that nobody but their owner has access to.

use core::fmt;
use std::path::Path;

use ecac_core::{PublicKey, SigningKey, public_key};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Error;
use crate::file;
use crate::key_name::KeyName;

/// What a key file says of its form.
const FORMAT: &str = "ecac-key-v1";
/// Longest key file, in bytes.
const BYTES_MAX: u64 = 1024;

/// What a key is for. One key has one use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyUse {
    /// Signs a person's ops.
    Author,
    /// Signs credentials and status lists.
    Issuer,
    /// Signs the audit log of this machine.
    Node,
}

impl KeyUse {
    /// The directory within the home in which such keys lie.
    #[must_use]
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Author => "keys",
            Self::Issuer => "issuers",
            Self::Node => "nodes",
        }
    }
}

/// A private key with its name. It is never printed.
#[derive(Clone)]
pub struct Key {
    name: KeyName,
    seed: Zeroizing<[u8; 32]>,
    public: PublicKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("name", &self.name)
            .field("public", &self.public)
            .finish_non_exhaustive()
    }
}

/// The contents of a key file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    #[serde(rename = "use")]
    used: KeyUse,
    did: PublicKey,
    /// The seed of RFC 8032, in hexadecimal.
    seed: String,
}

impl Drop for Document {
    fn drop(&mut self) {
        self.seed.zeroize();
    }
}

impl Key {
    /// The key of an Ed25519 seed (RFC 8032).
    #[must_use]
    pub fn of(name: KeyName, seed: [u8; 32]) -> Self {
        let public = public_key(&SigningKey::from(seed));
        Self {
            name,
            seed: Zeroizing::new(seed),
            public,
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The public key.
    #[must_use]
    pub const fn public(&self) -> PublicKey {
        self.public
    }

    /// What signs.
    #[must_use]
    pub fn signing(&self) -> SigningKey {
        SigningKey::from(*self.seed)
    }

    /// What signs audit logs.
    pub(crate) fn node(&self) -> ecac_audit::NodeKey {
        ecac_audit::NodeKey::from_seed(*self.seed)
    }

    /// Reads a key file that nobody but its owner has access to.
    pub(crate) fn read(path: &Path, name: KeyName, used: KeyUse) -> Result<Self, Error> {
        let document: Document = file::read_secret(path, BYTES_MAX, "it is no key file")?;
        let damaged = |what: &str| Error::BadFile {
            file: path.to_owned(),
            what: what.to_owned(),
        };
        if document.format != FORMAT {
            return Err(damaged("it is a key file of another version"));
        }
        if document.used != used {
            return Err(damaged("the key is for another use"));
        }
        let mut seed = Zeroizing::new([0; 32]);
        hex::decode_to_slice(&document.seed, seed.as_mut())
            .map_err(|_| damaged("its seed is not 64 hexadecimal digits"))?;
        let key = Self::of(name, *seed);
        if key.public != document.did {
            return Err(damaged("its seed is not that of its did:key"));
        }
        Ok(key)
    }

    /// Writes the key into a new file.
    pub(crate) fn write(&self, path: &Path, used: KeyUse) -> Result<(), Error> {
        let document = Document {
            format: FORMAT.to_owned(),
            used,
            did: self.public,
            seed: hex::encode(*self.seed),
        };
        file::create_secret(path, BYTES_MAX, &document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_key_is_that_of_a_file() {
        for good in ["me", "a-b_c.1", &"x".repeat(64)] {
            assert!(good.parse::<KeyName>().is_ok(), "{good}");
        }
        for bad in ["", ".a", "a/b", "..", "a b", "ä", &"x".repeat(65), "a\0"] {
            assert!(bad.parse::<KeyName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        let key = Key::of("me".parse().unwrap(), [0xab; 32]);
        assert!(!format!("{key:?}").contains("abab"));
    }
}
