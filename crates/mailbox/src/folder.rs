//! A bucket in a folder: a USB stick, a share.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use crate::bucket::{Bucket, BucketError, Listed, Object};

/// Entries of a directory that are looked at; what is beyond them is not seen.
const ENTRIES_MAX: usize = 1 << 20;

/// A folder with a file for each object. A file is written under another name, synced and then renamed, so that nobody sees
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

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<String> {
        let file = self.path.join(name);
        let directory = file.parent().unwrap_or(&self.path);
        fs::create_dir_all(directory)?;
        let new = directory.join(format!(".{}.new", self.tag));
        let mut out = File::create(&new)?;
        out.write_all(bytes)?;
        out.sync_all()?;
        drop(out);
        fs::rename(&new, &file)?;
        File::open(directory)?.sync_all()?;
        version(&fs::metadata(&file)?)
    }

    fn read(&self, name: &str, bytes_max: usize) -> io::Result<Option<Object>> {
        let path = self.path.join(name);
        // What is no file, a pipe for instance, might never end.
        if !fs::metadata(&path)?.is_file() {
            return Ok(None);
        }
        let file = File::open(path)?;
        let version = version(&file.metadata()?)?;
        let mut bytes = Vec::new();
        let count = file.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
        Ok((count <= bytes_max).then_some(Object { bytes, version }))
    }

    fn entries(&self, first: &str) -> io::Result<Vec<Listed>> {
        let entries = match fs::read_dir(self.path.join(first)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut listed = Vec::new();
        for entry in entries.take(ENTRIES_MAX) {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|it| !it.starts_with('.')) else {
                continue;
            };
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // It went while the list was made.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            listed.push(Listed {
                name: name.to_owned(),
                version: version(&metadata)?,
            });
        }
        listed.sort_unstable();
        Ok(listed)
    }
}

impl Bucket for Folder {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<String, BucketError> {
        self.replace(name, bytes)
            .map_err(|source| failed(name, source))
    }

    fn get(&self, name: &str, bytes_max: usize) -> Result<Option<Object>, BucketError> {
        match self.read(name, bytes_max) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map_err(|source| failed(name, source)),
        }
    }

    fn list(&self, first: &str) -> Result<Vec<Listed>, BucketError> {
        self.entries(first).map_err(|source| failed(first, source))
    }
}

/// The length and the time of the last change.
fn version(metadata: &Metadata) -> io::Result<String> {
    let changed = metadata.modified()?.duration_since(UNIX_EPOCH);
    let changed_ns = changed.map_or(0, |it| it.as_nanos());
    Ok(format!("{}-{changed_ns}", metadata.len()))
}

fn failed(name: &str, source: io::Error) -> BucketError {
    let name = name.to_owned();
    BucketError { name, source }
}
