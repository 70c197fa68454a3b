//! A directory of the operating system.

use std::fs;
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use crate::disk::Directory;

/// The file whose lock says that somebody writes to the directory; it is empty, and stays.
pub(crate) const LOCK: &str = "lock";

/// A directory of the operating system, by its path.
///
/// The lock is that of the operating system (`flock` or its like): it ends with the process, and where a file system
/// has no locks, writing is refused. On systems other than Unix, names are durable when the operating system decides.
#[expect(
    clippy::disallowed_types,
    reason = "the one place of the log that opens files; everything else gets a directory as an input"
)]
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    lock: Option<fs::File>,
    /// The file that was appended to last, so that a fault of its writing shows when it is made durable.
    appended: Option<(String, fs::File)>,
}

impl Folder {
    /// The directory at `path`, which must be there.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`], [`io::ErrorKind::NotADirectory`], and what else the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        if !fs::metadata(path)?.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self {
            path: path.to_owned(),
            lock: None,
            appended: None,
        })
    }

    /// The directory at `path`, which is made where it is absent; the one around it must be there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn create(path: &Path) -> io::Result<Self> {
        match fs::create_dir(path) {
            Ok(()) => sync_folder(path.parent())?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        Self::open(path)
    }

    /// The path of the directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[expect(
    clippy::disallowed_types,
    reason = "the one place of the log that opens files; everything else gets a directory as an input"
)]
impl Directory for Folder {
    fn lock(&mut self) -> io::Result<bool> {
        let mut options = fs::File::options();
        let file = options.create(true).append(true).open(self.at(LOCK))?;
        match file.try_lock() {
            Ok(()) => {
                self.lock = Some(file);
                Ok(true)
            }
            Err(fs::TryLockError::WouldBlock) => Ok(false),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?;
        names
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    fn read(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        Ok(Box::new(fs::File::open(self.at(name))?))
    }

    fn length(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.at(name))?.len())
    }

    fn append(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.appended.take() {
            Some((open, file)) if open == name => file,
            _ => {
                let mut options = fs::File::options();
                options.create(true).append(true).open(self.at(name))?
            }
        };
        file.write_all(bytes)?;
        self.appended = Some((name.to_owned(), file));
        Ok(())
    }

    fn truncate(&mut self, name: &str, length: u64) -> io::Result<()> {
        self.appended = None;
        let file = fs::File::options().write(true).open(self.at(name))?;
        file.set_len(length)
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        match &self.appended {
            Some((open, file)) if open == name => file.sync_all(),
            _ => {
                let file = fs::File::options().append(true).open(self.at(name))?;
                file.sync_all()
            }
        }
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.appended = None;
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.appended = None;
        fs::remove_file(self.at(name))
    }

    fn sync_names(&mut self) -> io::Result<()> {
        sync_folder(Some(&self.path))
    }
}

/// Makes the names in a directory durable; a path without one is in the working directory.
#[cfg(unix)]
#[expect(
    clippy::disallowed_types,
    reason = "directories are made durable through an open file"
)]
pub(crate) fn sync_folder(path: Option<&Path>) -> io::Result<()> {
    let here = Path::new(".");
    let path = path.filter(|path| !path.as_os_str().is_empty());
    fs::File::open(path.unwrap_or(here))?.sync_all()
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: Option<&Path>) -> io::Result<()> {
    Ok(())
}
