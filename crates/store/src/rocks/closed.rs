//! What a directory that was closed says of itself: the number of its last change, and a check.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::directory::sync_parent;
use crate::error::{Error, Spot};
use crate::sealed::{self, CHECK_BYTES};

const NAME: &str = "ecac.closed";
/// What it is called until it is whole.
const NEW: &str = "ecac.closed.new";
const TABLE: &str = "closed";
const BYTES: usize = 8 + CHECK_BYTES;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closed {
    /// The number that RocksDB gave to the last change.
    pub(super) sequence: u64,
}

impl Closed {
    /// What the directory says, if it was closed.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(&path, "read", error)),
        };
        let sealed = (bytes.len() == BYTES).then_some(bytes);
        let opened = sealed.and_then(|it| sealed::open_in(TABLE, &[], it));
        let number = opened.and_then(|it| it.try_into().ok());
        let number = number.ok_or_else(|| {
            let what = "what it says of its last change does not match its check";
            Error::damaged(directory, Spot::Header, what)
        })?;
        Ok(Some(Self {
            sequence: u64::from_le_bytes(number),
        }))
    }

    /// Says so, durably.
    pub(super) fn write(self, directory: &Path) -> Result<(), Error> {
        let path = directory.join(NAME);
        let sealed = sealed::seal_in(TABLE, &[], self.sequence.to_le_bytes().to_vec());
        let new = directory.join(NEW);
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&sealed)?;
            file.sync_all()?;
            fs::rename(&new, &path)
        });
        written.map_err(|error| Error::io(&path, "write", error))?;
        sync_parent(&path)
    }

    /// Says nothing any more, durably.
    pub(super) fn remove(directory: &Path) -> Result<(), Error> {
        let path = directory.join(NAME);
        match fs::remove_file(&path) {
            Ok(()) => sync_parent(&path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io(&path, "remove", error)),
        }
    }
}
