//! Project directories: finding, founding, joining and opening them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ecac_core::{Genesis, Kem, ProjectId, PublicKey, Replica, ReplicaBuilder};
use ecac_store::{DurableReplica, Options};

use crate::config::Config;
use crate::error::Error;
use crate::home::Home;
use crate::key::{Key, KeyUse};
use crate::key_name::KeyName;
use crate::petname::Petname;
use crate::reader::Reader;
use crate::refused::RefusedOps;
use crate::trail::Trail;
use crate::writer::Writer;

/// Name of a project directory.
pub const FOLDER: &str = ".ecac";
/// Name of the store in it.
pub const STORE: &str = "store.redb";
/// Name of the directory of the audit log in it.
pub const AUDIT: &str = "audit";

/// A project directory.
#[derive(Debug, Clone)]
pub struct Project {
    folder: PathBuf,
    home: Home,
    config: Config,
    behind_is_fine: bool,
}

/// What a project is founded with.
#[derive(Debug)]
pub struct Founding<'a> {
    /// The genesis.
    pub genesis: Genesis,
    /// The key that signs it.
    pub key: &'a Key,
    /// The name of the key of this machine in the home.
    pub node: &'a KeyName,
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// The project directory in `start`, or in the nearest directory above it that has one.
///
/// # Errors
/// [`Error::NoProject`].
pub fn find(start: &Path) -> Result<PathBuf, Error> {
    let mut above = start.ancestors().map(|it| it.join(FOLDER));
    above
        .find(|it| it.is_dir())
        .ok_or_else(|| Error::NoProject {
            start: start.to_owned(),
        })
}

/// The project directory of a place: in it, unless the place is one.
#[must_use]
pub fn folder_in(place: &Path) -> PathBuf {
    if place.ends_with(FOLDER) {
        place.to_owned()
    } else {
        place.join(FOLDER)
    }
}

/// Makes a new directory, or takes an empty one.
fn make(folder: &Path) -> Result<(), Error> {
    let exists = || Error::Exists {
        folder: folder.to_owned(),
    };
    match fs::create_dir(folder) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let entries = fs::read_dir(folder);
            let mut entries = entries.map_err(|_| exists())?;
            entries.next().map_or(Ok(()), |_| Err(exists()))
        }
        Err(error) => Err(Error::io("make the directory", folder, error)),
    }
}

/// A replica that verifies on every core of this machine.
fn on_all_cores() -> ReplicaBuilder {
    let cores = std::thread::available_parallelism();
    Replica::builder().threads(cores.map_or(1, usize::from))
}

impl Project {
    /// Founds a project in a new directory.
    ///
    /// # Errors
    /// [`Error::Exists`]; [`Error::Store`] if the genesis breaks a rule of the format. Then nothing is left of the directory.
    pub fn found(folder: &Path, home: &Home, founding: Founding<'_>) -> Result<Self, Error> {
        make(folder)?;
        let founded = || -> Result<Self, Error> {
            let signing = founding.key.signing();
            let options = Options::new().markers(home.markers());
            let (genesis, now_ms) = (founding.genesis, founding.now_ms);
            let store = folder.join(STORE);
            let replica = options.create(store, genesis, &signing, now_ms)?;
            let mut project = Self {
                folder: folder.to_owned(),
                home: home.clone(),
                config: Config::new(replica.project(), founding.key.name().clone()),
                behind_is_fine: false,
            };
            project.writer(replica, founding.node)?.close()?;
            project.config.write(folder)?;
            Ok(project)
        };
        founded().inspect_err(|_| drop(fs::remove_dir_all(folder)))
    }

    /// Makes a directory for a project that others have founded; it holds nothing yet.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Io`]. Then nothing is left of the directory.
    pub fn join(
        folder: &Path,
        home: &Home,
        project: ProjectId,
        key: &KeyName,
    ) -> Result<Self, Error> {
        Self::made(folder, home, project, key, |file| {
            DurableReplica::join(file, project)
        })
    }

    /// Makes a directory for a project that others have founded, which starts from a sealed snapshot that anybody carries, as
    /// [`DurableReplica::start_from`] does.
    ///
    /// # Errors
    /// [`Error::Store`] if nothing starts from it; [`Error::Exists`], [`Error::Io`]. Then nothing is left of the directory.
    pub fn start_from(
        folder: &Path,
        home: &Home,
        project: ProjectId,
        key: &KeyName,
        carried: &[u8],
    ) -> Result<Self, Error> {
        Self::made(folder, home, project, key, |file| {
            let options = Options::new().replica(on_all_cores());
            options.start_from(file, project, carried)
        })
    }

    fn made(
        folder: &Path,
        home: &Home,
        project: ProjectId,
        key: &KeyName,
        store: impl FnOnce(PathBuf) -> Result<DurableReplica, ecac_store::Error>,
    ) -> Result<Self, Error> {
        make(folder)?;
        let joined = || -> Result<Self, Error> {
            store(folder.join(STORE))?.close()?;
            let mut config = Config::new(project, key.clone());
            config.write(folder)?;
            Ok(Self {
                folder: folder.to_owned(),
                home: home.clone(),
                config,
                behind_is_fine: false,
            })
        };
        joined().inspect_err(|_| drop(fs::remove_dir_all(folder)))
    }

    /// Opens a project directory; its store stays closed.
    ///
    /// # Errors
    /// [`Error::NoProject`], [`Error::Unfinished`], [`Error::Newer`], [`Error::BadFile`].
    pub fn open(folder: &Path, home: &Home) -> Result<Self, Error> {
        if !folder.is_dir() {
            return Err(Error::NoProject {
                start: folder.to_owned(),
            });
        }
        Ok(Self {
            folder: folder.to_owned(),
            home: home.clone(),
            config: Config::read(folder)?,
            behind_is_fine: false,
        })
    }

    /// Whether to write, and to look ahead, while this program is behind the project ([`Replica::behind`]); no, if nothing is
    /// said. What is written then is written without knowing all that the project says.
    #[must_use]
    pub const fn behind_is_fine(mut self, is_fine: bool) -> Self {
        self.behind_is_fine = is_fine;
        self
    }

    fn options(&self) -> Options {
        Options::new().replica(on_all_cores().behind_is_fine(self.behind_is_fine))
    }

    /// The directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the store lies.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.folder.join(STORE)
    }

    /// Where the audit log of this machine lies.
    #[must_use]
    pub fn audit(&self) -> PathBuf {
        self.folder.join(AUDIT)
    }

    /// Which project, which key, and which names.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// The key with which the user signs.
    ///
    /// # Errors
    /// As [`Home::key`].
    pub fn key(&self) -> Result<Key, Error> {
        self.home.key(KeyUse::Author, &self.config.key)
    }

    /// Calls somebody by a name, in the place of any earlier one.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn call(&mut self, name: Petname, key: PublicKey) -> Result<(), Error> {
        self.config.petnames.retain(|_, named| *named != key);
        self.config.petnames.insert(name, key);
        self.config.write(&self.folder)
    }

    /// Says whether the audit log of this machine is to record which confidential values are opened here.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn record_views(&mut self, on: bool) -> Result<(), Error> {
        self.config.views = on;
        self.config.write(&self.folder)
    }

    /// The reader key of the user of this directory, if there is one of that KEM.
    ///
    /// # Errors
    /// As [`Home::reader`].
    pub fn reader(&self, kem: Kem) -> Result<Option<Reader>, Error> {
        self.home.reader(kem, &self.config.key)
    }

    /// Opens the store to read it, beside others that read.
    ///
    /// # Errors
    /// [`Error::Store`].
    pub fn read(&self) -> Result<DurableReplica, Error> {
        let replica = self.options().open_read_only(self.store())?;
        self.check(&replica)?;
        Ok(replica)
    }

    /// The ops that were refused, which the store does not keep.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadFile`].
    pub fn refused(&self) -> Result<Vec<Vec<u8>>, Error> {
        RefusedOps::of(&self.folder).read()
    }

    /// Opens store and audit log to write in them; `node` is the name of this machine's key in the home.
    ///
    /// # Errors
    /// [`Error::Store`], if another process has it open among others; [`Error::Audit`]; [`Error::NoKey`].
    pub fn write(&self, node: &KeyName) -> Result<Writer, Error> {
        let options = self.options().markers(self.home.markers());
        let replica = options.open(self.store())?;
        self.check(&replica)?;
        self.writer(replica, node)
    }

    fn check(&self, replica: &DurableReplica) -> Result<(), Error> {
        let (project, wanted) = (replica.project(), self.config.project);
        if project == wanted {
            return Ok(());
        }
        Err(Error::Store(ecac_store::Error::OtherProject {
            file: self.store(),
            project,
            wanted,
        }))
    }

    fn writer(&self, replica: DurableReplica, node: &KeyName) -> Result<Writer, Error> {
        let node = self.home.key(KeyUse::Node, node)?;
        let head = self.home.head(&replica.project(), &node.public())?;
        Writer::on(replica, RefusedOps::of(&self.folder), |replica, refused| {
            Trail::open(&self.audit(), head, node.node(), replica, refused)
        })
    }
}
