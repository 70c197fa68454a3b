//! The temporary directory of a run: gone on every way out, unless it is to be kept.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::host::claim::Claim;
use crate::host::error::Failure;
use crate::host::output;
use crate::host::removal;

/// How the names begin.
const PREFIX: &str = "ecac-repro-";

/// A fresh directory below the system's temporary directory.
pub struct WorkDir {
    path: PathBuf,
    keep: bool,
    /// There until the directory is dropped.
    claim: Option<Claim>,
}

impl WorkDir {
    /// Creates the directory; `keep` leaves it behind and says where it is. Names those that killed runs left, and
    /// goes on removing those that they were about to remove.
    pub fn new(keep: bool) -> Result<Self> {
        for left in removal::resume(&std::env::temp_dir(), PREFIX).unwrap_or_default() {
            output::note(&format!(
                "note: a run that was killed, or was told to keep it, left {}; it can be removed\n",
                left.display()
            ));
        }
        let dir = tempfile::Builder::new()
            .prefix(PREFIX)
            .tempdir()
            .map_err(|error| {
                Failure::environment(format!("cannot create a temporary directory: {error}"))
                    .hint("make room, or set TMPDIR to a writable directory")
            })?;
        // The compiler records real paths, so the remapping must know the real path.
        let path = dir
            .path()
            .canonicalize()
            .with_context(|| format!("resolve {}", dir.path().display()))?;
        let claim = Some(Claim::on(&path));
        let _ = dir.keep();
        Ok(Self { path, keep, claim })
    }

    /// A fresh directory inside.
    pub fn create(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::create_dir(&path).with_context(|| format!("create {}", path.display()))?;
        Ok(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if self.keep {
            output::note_at_the_end(&format!("kept {}\n", self.path.display()));
        } else if let Some(claim) = self.claim.take() {
            removal::remove(&self.path, claim);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_goes_unless_it_is_kept() {
        let gone = {
            let work = WorkDir::new(false).unwrap();
            work.create("tree").unwrap();
            work.path().to_owned()
        };
        assert!(!gone.exists());
        let kept = WorkDir::new(true).unwrap().path().to_owned();
        assert!(kept.exists());
        std::fs::remove_dir_all(kept).unwrap();
    }
}
