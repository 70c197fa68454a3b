//! A directory of RocksDB, whose files are copied and put back.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

use super::CACHE_BYTES;
use super::place::Place;
use crate::backend::Backend;
use crate::durable::DurableReplica;
use crate::error::Error;
use crate::rocks::Rocks;

/// The files of a directory, by their names.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// What RocksDB notes for people; not a part of the store.
const NOTES: &str = "LOG";

/// A directory of its own for one store.
#[derive(Debug)]
pub(super) struct Folder {
    around: TempDir,
}

impl Folder {
    pub(super) fn new() -> Self {
        Self {
            around: tempfile::tempdir().unwrap(),
        }
    }

    /// One with these files.
    pub(super) fn of(files: &Files) -> Self {
        let folder = Self::new();
        folder.put(files);
        folder
    }

    pub(super) fn path(&self) -> PathBuf {
        self.around.path().join("store")
    }

    /// Puts these files in the place of what is there.
    pub(super) fn put(&self, files: &Files) {
        let path = self.path();
        if path.exists() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::create_dir(&path).unwrap();
        for (name, bytes) in files {
            fs::write(path.join(name), bytes).unwrap();
        }
    }

    /// The files, at a moment at which RocksDB does nothing of its own accord.
    pub(super) fn files(&self) -> Files {
        loop {
            let before = lengths(&self.path());
            let files: Option<Files> = before
                .keys()
                .map(|name| Some((name.clone(), fs::read(self.path().join(name)).ok()?)))
                .collect();
            sleep(Duration::from_millis(2));
            if let Some(files) = files.filter(|_| lengths(&self.path()) == before) {
                return files;
            }
        }
    }
}

fn lengths(path: &Path) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(path).unwrap().map(Result::unwrap);
    let entries = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        // What was removed meanwhile is not there.
        let length = entry.metadata().ok()?.len();
        (!name.starts_with(NOTES)).then_some((name, length))
    });
    entries.collect()
}

impl Place for Folder {
    fn make(&self) -> Box<dyn Backend> {
        Box::new(Rocks::create(&self.path(), CACHE_BYTES).unwrap())
    }

    fn find(&self) -> Result<Box<dyn Backend>, Error> {
        Ok(Box::new(Rocks::open(&self.path(), CACHE_BYTES, false)?))
    }

    fn kill(&self, replica: DurableReplica) {
        let left = self.files();
        drop(replica);
        self.put(&left);
    }
}
