//! The user's own directory: private keys, and what tells a restored backup from what it was.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ecac_core::{Kem, ProjectId, PublicKey};

use crate::error::Error;
use crate::file;
use crate::key::{Key, KeyUse};
use crate::key_name::KeyName;
use crate::reader::Reader;

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
        names_in(&self.keys(used))
    }

    /// The reader keys, by KEM and name.
    ///
    /// # Errors
    /// As [`Home::reader`].
    pub fn readers(&self) -> Result<Vec<Reader>, Error> {
        let mut readers = Vec::new();
        for kem in Kem::ALL {
            let [all, of_kem] = Reader::folder(*kem);
            for name in names_in(&self.folder.join(all).join(of_kem))? {
                readers.extend(self.reader(*kem, &name)?);
            }
        }
        Ok(readers)
    }

    /// The key of that name.
    ///
    /// # Errors
    /// [`Error::NoKey`]; [`Error::Access`] if others have access to it or to its directory; [`Error::BadFile`].
    pub fn key(&self, used: KeyUse, name: &KeyName) -> Result<Key, Error> {
        let (folder, path) = (self.keys(used), self.path(used, name));
        for private in [&self.folder, &folder] {
            file::check_private_folder(private)?;
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

    /// Where the reader key of that name lies, and in which directories.
    fn reader_path(&self, kem: Kem, name: &KeyName) -> (PathBuf, [PathBuf; 3]) {
        let [all, of_kem] = Reader::folder(kem);
        let all = self.folder.join(all);
        let of_kem = all.join(of_kem);
        let path = of_kem.join(format!("{name}.{EXTENSION}"));
        (path, [self.folder.clone(), all, of_kem])
    }

    /// The reader key of that name and KEM, if there is one.
    ///
    /// # Errors
    /// [`Error::Access`] if others have access to it or to a directory in which it lies; [`Error::BadFile`].
    pub fn reader(&self, kem: Kem, name: &KeyName) -> Result<Option<Reader>, Error> {
        let (path, folders) = self.reader_path(kem, name);
        for private in &folders {
            file::check_private_folder(private)?;
        }
        match Reader::read(&path, name.clone(), kem) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Keeps a new reader key that follows from 32 bytes of a random source.
    ///
    /// # Errors
    /// [`Error::KeyExists`]; [`Error::Access`] if others have access to the home; [`Error::Io`].
    pub fn keep_reader(&self, kem: Kem, name: &KeyName, random: [u8; 32]) -> Result<Reader, Error> {
        let (path, folders) = self.reader_path(kem, name);
        for private in &folders {
            file::private_folder(private)?;
        }
        let reader = Reader::derive(name.clone(), kem, random);
        match reader.write(&path) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
                let [_, _, folder] = folders;
                Err(Error::KeyExists {
                    name: name.clone(),
                    folder,
                })
            }
            written => written.map(|()| reader),
        }
    }
}

/// The names of the keys that lie in a directory, in order; none if it is not there.
fn names_in(folder: &Path) -> Result<Vec<KeyName>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", folder, error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("read", folder, error))?;
        let file = entry.file_name();
        let name = file.to_str().and_then(|it| it.strip_suffix(".json"));
        names.extend(name.and_then(|it| it.parse::<KeyName>().ok()));
    }
    names.sort_unstable();
    Ok(names)
}
