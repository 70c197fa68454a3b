//! The lock of a directory: one process writes, or many read. RocksDB has one of its own, for writers only, which it takes when it
//! begins to write.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::Error;
use crate::holder::Note;

/// The file that is locked; it is empty.
const NAME: &str = "ecac.lock";

/// Ends with this, or with the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Whether a directory was made by this program.
    pub(super) fn is_there(directory: &Path) -> bool {
        directory.join(NAME).exists()
    }

    /// Makes the file of a new directory, and locks it to write.
    pub(super) fn create(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(NAME);
        let file = File::create_new(&path).map_err(|error| Error::io(&path, "create", error))?;
        Self::of(directory, file, false)
    }

    /// Locks the directory to read or to write.
    pub(super) fn take(directory: &Path, reads_only: bool) -> Result<Self, Error> {
        let path = directory.join(NAME);
        let opened = OpenOptions::new().read(true).write(!reads_only).open(&path);
        let file = opened.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Error::Foreign {
                file: directory.to_owned(),
            },
            _ => Error::io(&path, "open", error),
        })?;
        Self::of(directory, file, reads_only)
    }

    fn of(directory: &Path, file: File, reads_only: bool) -> Result<Self, Error> {
        let locked = if reads_only {
            file.try_lock_shared()
        } else {
            file.try_lock()
        };
        match locked {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Held {
                file: directory.to_owned(),
                holder: Note::read(directory),
            }),
            Err(TryLockError::Error(error)) => Err(Error::io(directory, "lock", error)),
        }
    }
}
