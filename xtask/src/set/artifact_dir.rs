//! Reading a directory that should hold an artifact set.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use ecac_artifact::exit;

use crate::host::error::{Failure, exit_code};
use crate::host::interrupt;

/// The largest file that is read, in bytes; a set is far smaller.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// What a directory holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The regular files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Everything else, and what it is.
    pub irregular: BTreeMap<String, &'static str>,
}

impl Listing {
    /// Reads a directory like [`Self::read`]; where there is none, the hint says how to make it.
    pub fn read_or_hint(dir: &Path, hint: &str) -> Result<Self> {
        Self::read(dir).map_err(|error| match exit_code(&error) {
            exit::NOT_FOUND => Failure::new(exit::NOT_FOUND, format!("{error:#}"))
                .hint(hint)
                .into(),
            _ => error,
        })
    }

    /// Reads a directory without following links. A name that is not UTF-8 stands with replacement characters: it
    /// is nobody's expected name.
    pub fn read(dir: &Path) -> Result<Self> {
        let entries = fs::read_dir(dir).map_err(|error| {
            let (code, problem) = match error.kind() {
                std::io::ErrorKind::NotFound => (exit::NOT_FOUND, "does not exist".to_owned()),
                std::io::ErrorKind::NotADirectory => {
                    (exit::BAD_INPUT, "is not a directory".to_owned())
                }
                _ => (exit::ENVIRONMENT, error.to_string()),
            };
            Failure::new(code, format!("the directory {} {problem}", dir.display()))
        })?;
        let mut listing = Self::default();
        for entry in entries {
            interrupt::check()?;
            let entry = entry.with_context(|| format!("list {}", dir.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = entry.path();
            let metadata = path
                .symlink_metadata()
                .with_context(|| format!("read {}", path.display()))?;
            match irregularity(&metadata) {
                Some(kind) => {
                    listing.irregular.insert(name, kind);
                }
                None => {
                    let bytes =
                        fs::read(&path).with_context(|| format!("read {}", path.display()))?;
                    listing.files.insert(name, bytes);
                }
            }
        }
        Ok(listing)
    }

    /// Every name, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self
            .files
            .keys()
            .map(String::as_str)
            .chain(self.irregular.keys().map(String::as_str))
            .collect();
        names.sort_unstable();
        names
    }
}

fn irregularity(metadata: &fs::Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_symlink() {
        Some("a symbolic link")
    } else if kind.is_dir() {
        Some("a directory")
    } else if !kind.is_file() {
        Some("a special file")
    } else if metadata.len() > FILE_BYTES_MAX {
        Some("a file of more than 1 GiB")
    } else {
        None
    }
}
