//! The file `config.json` of a project directory: which project, which key, and the names that the user gave.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use ecac_core::{ProjectId, PublicKey};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::file;
use crate::key_name::KeyName;
use crate::petname::Petname;

/// Name of the file.
pub const CONFIG: &str = "config.json";
/// The latest version of its form that this program knows.
pub const VERSION: u32 = 2;
/// The version of a file that says nothing of reading, so that earlier programs read it.
const VERSION_PLAIN: u32 = 1;
/// Longest file, in bytes: some ten thousand names.
const BYTES_MAX: u64 = 1 << 20;

/// What a project directory says beside its store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of the form of this file and of the directory.
    version: u32,
    /// The project, as the op id of its genesis.
    pub project: ProjectId,
    /// The key in the home with which the user of this directory signs.
    pub key: KeyName,
    /// Whom the user calls what.
    pub petnames: BTreeMap<Petname, PublicKey>,
    /// Whether the audit log of this machine says which confidential values were opened here; since version 2.
    #[serde(default, skip_serializing_if = "is_off")]
    pub views: bool,
}

/// As serde asks whether a member is left out.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
const fn is_off(on: &bool) -> bool {
    !*on
}

/// What every version of the file has.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Config {
    /// A config without names.
    #[must_use]
    pub const fn new(project: ProjectId, key: KeyName) -> Self {
        Self {
            version: VERSION_PLAIN,
            project,
            key,
            petnames: BTreeMap::new(),
            views: false,
        }
    }

    /// The name of the key's owner, if the user gave one.
    #[must_use]
    pub fn petname(&self, key: &PublicKey) -> Option<&Petname> {
        let mut names = self.petnames.iter();
        names.find(|(_, named)| *named == key).map(|(name, _)| name)
    }

    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(CONFIG);
        let bad = |what: String| Error::BadFile {
            file: path.clone(),
            what,
        };
        let metadata = fs::metadata(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::Unfinished {
                folder: folder.to_owned(),
            },
            _ => Error::io("read", &path, error),
        })?;
        if !metadata.is_file() || metadata.len() > BYTES_MAX {
            return Err(bad("it is no file of this program".to_owned()));
        }
        let text = fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
        let version: Version = serde_json::from_slice(&text)
            .map_err(|error| bad(format!("it is no JSON with a version: {error}")))?;
        if version.version > VERSION {
            return Err(Error::Newer {
                file: path,
                found: version.version,
                known: VERSION,
            });
        }
        serde_json::from_slice(&text).map_err(|error| bad(error.to_string()))
    }

    pub(crate) fn write(&mut self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(CONFIG);
        self.version = if self.views { VERSION } else { VERSION_PLAIN };
        let text = serde_json::to_vec_pretty(self);
        let mut text = text.map_err(|error| Error::io("write", &path, error.into()))?;
        text.push(b'\n');
        file::replace(&path, &text)
    }
}
