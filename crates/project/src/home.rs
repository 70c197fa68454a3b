//! The user's own directory: private keys, and what tells a restored backup from what it was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ecac_core::{ProjectId, PublicKey};

use crate::error::Error;
use crate::file;
use crate::key::{Key, KeyUse};
use crate::key_name::KeyName;

/// What the name of a key file ends with.
const EXTENSION: &str = "json";

/// A directory of the user, apart from every project, so that who copies a project gets no key and no marker with it.
///
/// It and what is in it belong to its owner alone; keys in a directory that others have access to are not used.
#[derive(Debug, Clone)]
pub struct Home {
    folder: PathBuf,
}

impl Home {
    /// The home at the path, which need not be there yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// Its path.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn keys(&self, used: KeyUse) -> PathBuf {
        self.folder.join(used.folder())
    }

    fn path(&self, used: KeyUse, name: &KeyName) -> PathBuf {
        self.keys(used).join(format!("{name}.{EXTENSION}"))
    }

    /// The markers of the store.
    pub(crate) fn markers(&self) -> PathBuf {
        self.folder.join("markers")
    }

    /// Where the last signed head of this machine's audit log of the project is kept.
    pub(crate) fn head(&self, project: &ProjectId, node: &PublicKey) -> Result<PathBuf, Error> {
        let folder = self.folder.join("heads");
        file::private_folder(&folder)?;
        let node = hex::encode(node.as_bytes());
        Ok(folder.join(format!("{project}-{node}.note")))
    }

    /// The names of the keys for the use, in order.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn list(&self, used: KeyUse) -> Result<Vec<KeyName>, Error> {
        let folder = self.keys(used);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", &folder, error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Error::io("read", &folder, error))?;
            let file = entry.file_name();
            let name = file.to_str().and_then(|it| it.strip_suffix(".json"));
            names.extend(name.and_then(|it| it.parse::<KeyName>().ok()));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The key of that name.
    ///
    /// # Errors
    /// [`Error::NoKey`]; [`Error::Access`] if others have access to it or to its directory; [`Error::BadFile`].
    pub fn key(&self, used: KeyUse, name: &KeyName) -> Result<Key, Error> {
        let (folder, path) = (self.keys(used), self.path(used, name));
        for private in [&self.folder, &folder] {
            match fs::metadata(private) {
                Ok(metadata) => file::check_private(private, &metadata)?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("read", private, error)),
            }
        }
        match Key::read(&path, name.clone(), used) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(Error::NoKey {
                    name: name.clone(),
                    folder,
                })
            }
            read => read,
        }
    }

    /// Keeps a new key of an Ed25519 seed (RFC 8032), which the caller has from a random source.
    ///
    /// # Errors
    /// [`Error::KeyExists`]; [`Error::Access`] if others have access to the home; [`Error::Io`].
    pub fn keep(&self, used: KeyUse, name: &KeyName, seed: [u8; 32]) -> Result<Key, Error> {
        let (folder, path) = (self.keys(used), self.path(used, name));
        file::private_folder(&self.folder)?;
        file::private_folder(&folder)?;
        let key = Key::of(name.clone(), seed);
        match key.write(&path, used) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::KeyExists {
                    name: name.clone(),
                    folder,
                })
            }
            written => written.map(|()| key),
        }
    }
}
