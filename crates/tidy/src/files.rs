//! The files that the rules are about.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::{Context as _, Result};

use xtask::host::progress::Progress;
use xtask::host::workspace;
use xtask::source::repository::Repository;
use xtask::source::tree;

/// One file.
#[derive(Debug)]
pub(super) struct File {
    /// The path from the top, with `/` between its parts.
    pub(super) path: String,
    /// What it holds.
    pub(super) bytes: Vec<u8>,
}

impl File {
    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What follows the last dot of the name.
    pub(super) fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, end)| end)
    }

    /// What the file holds if that is text, else nothing.
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap_or_default()
    }
}

/// Files in the order of their paths.
#[derive(Debug)]
pub(super) struct Files(Vec<File>);

impl Files {
    /// The files of the repository: those that git tracks or, in a source archive, those that were unpacked.
    pub(super) fn of_repository() -> &'static Self {
        static FILES: OnceLock<Files> = OnceLock::new();
        FILES.get_or_init(|| read().expect("the files of the repository"))
    }

    /// A tree that holds these files and no others.
    pub(super) fn of_tree<T: AsRef<[u8]>>(tree: &[(&str, T)]) -> Self {
        let files = tree.iter().map(|(path, bytes)| File {
            path: (*path).to_owned(),
            bytes: bytes.as_ref().to_vec(),
        });
        Self::sorted(files.collect())
    }

    fn sorted(mut files: Vec<File>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self(files)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &File> {
        self.0.iter()
    }

    /// Those with this extension.
    pub(super) fn with_extension(&self, extension: &str) -> impl Iterator<Item = &File> {
        self.iter()
            .filter(move |file| file.extension() == extension)
    }

    /// The file with this path.
    pub(super) fn get(&self, path: &str) -> Option<&File> {
        let found = self.0.binary_search_by(|file| file.path.as_str().cmp(path));
        found.ok().map(|at| &self.0[at])
    }

    /// Whether there is a file with this path, or one below it.
    pub(super) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let below = format!("{path}/");
        let mut files = self.iter();
        path.is_empty() || files.any(|file| file.path == path || file.path.starts_with(&below))
    }
}

fn read() -> Result<Files> {
    let root = workspace::root()?;
    let progress = Progress::new(0);
    let paths = match Repository::at(&root, &progress)? {
        Some(repository) => repository.tracked_files()?,
        None => tree::archive_files(&root)?,
    };
    let files = paths.iter().map(|path| read_file(&root, path));
    Ok(Files::sorted(files.collect::<Result<_>>()?))
}

fn read_file(root: &Path, path: &Path) -> Result<File> {
    let full = root.join(path);
    let bytes = fs::read(&full).with_context(|| format!("read {}", full.display()))?;
    let parts = path.iter().map(|part| part.to_string_lossy());
    Ok(File {
        path: parts.collect::<Vec<_>>().join("/"),
        bytes,
    })
}

#[test]
fn the_repository_is_read() {
    let files = Files::of_repository();
    for path in [".ci/run", "Cargo.lock", "xtask/src/main.rs"] {
        assert!(files.get(path).is_some(), "{path}");
    }
    assert!(files.has("crates/core") && files.has("crates/core/"));
    assert!(!files.has("target") && !files.has("crates/cor"));
}
