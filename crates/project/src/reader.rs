//! Private reader keys in files that nobody but their owner has access to.

use core::fmt;
use std::path::Path;

use ecac_core::Kem;
use ecac_core::payload::{ReaderKey, Share};
use ecac_seal::{ContentKey, Opener, ReaderSecret, Unopened};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::error::Error;
use crate::file;
use crate::key_name::KeyName;

/// What a file of a reader key says of its form.
const FORMAT: &str = "ecac-reader-key-v1";
/// Longest file, in bytes: a public key of X-Wing has 2,432 hexadecimal digits.
const BYTES_MAX: u64 = 4096;
/// The directory within the home in which reader keys lie, in one directory for each KEM.
const FOLDER: &str = "readers";

/// A private reader key with its name, which is that of the key with which its owner signs. It opens what was sealed to its
/// owner, and is never printed.
#[derive(Clone)]
pub struct Reader {
    name: KeyName,
    secret: ReaderSecret,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("name", &self.name)
            .field("kem", &self.secret.kem().name())
            .finish_non_exhaustive()
    }
}

/// The contents of a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: String,
    /// Name of the KEM.
    kem: String,
    /// The public key, in hexadecimal.
    public: String,
    /// The private key, in hexadecimal.
    secret: String,
}

impl Drop for Document {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl Opener for Reader {
    fn reader_key(&self) -> ReaderKey {
        self.secret.reader_key()
    }

    fn open_share(&self, share: &Share, info: &[u8]) -> Result<ContentKey, Unopened> {
        self.secret.open_share(share, info)
    }
}

impl Reader {
    /// The key that follows from 32 random bytes.
    pub(crate) fn derive(name: KeyName, kem: Kem, random: [u8; 32]) -> Self {
        Self {
            name,
            secret: ReaderSecret::derive(kem, random),
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The KEM.
    #[must_use]
    pub const fn kem(&self) -> Kem {
        self.secret.kem()
    }

    /// Within a home, where the reader keys of the KEM lie.
    pub(crate) fn folder(kem: Kem) -> [&'static str; 2] {
        [FOLDER, kem.name()]
    }

    /// Reads a file that nobody but its owner has access to.
    pub(crate) fn read(path: &Path, name: KeyName, kem: Kem) -> Result<Self, Error> {
        let document: Document =
            file::read_secret(path, BYTES_MAX, "it is no file of a reader key")?;
        let damaged = |what: &str| Error::BadFile {
            file: path.to_owned(),
            what: what.to_owned(),
        };
        if document.format != FORMAT {
            return Err(damaged("it is a reader key of another version"));
        }
        if document.kem != kem.name() {
            return Err(damaged("the reader key is of another KEM"));
        }
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(&document.secret, bytes.as_mut())
            .map_err(|_| damaged("its secret is not 64 hexadecimal digits"))?;
        let secret = ReaderSecret::from_bytes(kem, *bytes)
            .map_err(|_| damaged("its secret is no private key of the KEM"))?;
        if hex::encode(secret.reader_key().public) != document.public {
            return Err(damaged("its secret is not that of its public key"));
        }
        Ok(Self { name, secret })
    }

    /// Writes the key into a new file.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let document = Document {
            format: FORMAT.to_owned(),
            kem: self.kem().name().to_owned(),
            public: hex::encode(self.reader_key().public),
            secret: hex::encode(self.secret.as_bytes()),
        };
        file::create_secret(path, BYTES_MAX, &document)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn name() -> KeyName {
        "me".parse().unwrap()
    }

    #[test]
    fn a_key_is_what_its_file_says_and_is_not_printed() {
        let directory = tempfile::tempdir().unwrap();
        for kem in Kem::ALL {
            let path = directory.path().join(kem.name());
            let key = Reader::derive(name(), *kem, [7; 32]);
            key.write(&path).unwrap();
            let read = Reader::read(&path, name(), *kem).unwrap();
            assert_eq!(read.reader_key(), key.reader_key());
            let secret = hex::encode(key.secret.as_bytes());
            assert!(!format!("{read:?}").contains(&secret[..8]));
            assert!(fs::read_to_string(&path).unwrap().contains(&secret));
        }
    }

    #[test]
    fn a_file_that_is_none_is_an_error_that_shows_nothing_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("me.json");
        Reader::derive(name(), Kem::X25519, [7; 32])
            .write(&path)
            .unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let secret = hex::encode(
            ReaderSecret::derive(Kem::X25519, [7; 32])
                .as_bytes()
                .as_slice(),
        );
        let other = hex::encode(
            ReaderSecret::derive(Kem::X25519, [8; 32])
                .as_bytes()
                .as_slice(),
        );
        for bad in [
            good.replace(&secret, &other),
            good.replace(&secret, &secret[1..]),
            good.replace("key-v1", "key-v2"),
            good.replace("x25519", "x-wing"),
            good.replace("\"public\"", "\"pub\""),
            good.replace('\n', &" ".repeat(4096)),
            String::new(),
        ] {
            fs::write(&path, &bad).unwrap();
            let error = Reader::read(&path, name(), Kem::X25519).unwrap_err();
            assert!(matches!(error, Error::BadFile { .. }), "{error}");
            assert!(!error.to_string().contains(&secret[..8]), "{error}");
        }
    }
}
