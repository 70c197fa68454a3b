//! A bucket in a folder: a USB stick, a share.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::bucket::{Bucket, BucketError, Put};

/// A folder with a file for each object. A file is written under another name, synced and then linked, so that nobody sees
/// a part of it.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Marks files that are being written by this one.
    tag: String,
}

impl Folder {
    /// The folder at the path. What it writes has names with the tag until it is whole: no two writers share one.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, tag: [u8; 16]) -> Self {
        Self {
            path: path.into(),
            tag: hex::encode(tag),
        }
    }

    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<Put> {
        let file = self.path.join(name);
        if file.try_exists()? {
            return Ok(Put::Exists);
        }
        let directory = file.parent().unwrap_or(&self.path);
        fs::create_dir_all(directory)?;
        let new = directory.join(format!(".{}.new", self.tag));
        let mut out = File::create(&new)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        drop(out);
        let put = link(&new, &file);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let put = put?;
        File::open(directory)?.sync_all()?;
        Ok(put)
    }
}

/// Gives the file its name unless there is one with it. Where there are no links, as on a USB stick, it is renamed.
fn link(new: &Path, file: &Path) -> io::Result<Put> {
    match fs::hard_link(new, file) {
        Ok(()) => Ok(Put::Created),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Put::Exists),
        Err(_) => fs::rename(new, file).map(|()| Put::Created),
    }
}

impl Bucket for Folder {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<Put, BucketError> {
        self.create(name, bytes)
            .map_err(|source| failed(name, source))
    }

    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, BucketError> {
        let file = match File::open(self.path.join(name)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(name, source)),
        };
        let mut bytes = Vec::new();
        let mut some = file.take(bytes_max as u64 + 1);
        match some.read_to_end(&mut bytes) {
            Ok(count) => Ok((count <= bytes_max).then_some(bytes)),
            Err(source) => Err(failed(name, source)),
        }
    }

    fn list(&self, first: &str) -> Result<Vec<String>, BucketError> {
        let entries = match fs::read_dir(self.path.join(first)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(first, source)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|source| failed(first, source))?;
            let name = entry.file_name();
            names.extend(
                name.to_str()
                    .filter(|it| !it.starts_with('.'))
                    .map(str::to_owned),
            );
        }
        names.sort_unstable();
        Ok(names)
    }
}

fn failed(name: &str, source: io::Error) -> BucketError {
    let name = name.to_owned();
    BucketError { name, source }
}
