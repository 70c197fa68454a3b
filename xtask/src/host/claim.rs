//! Claims on temporary directories: a run holds a lock on each of its own for as long as it lives.
//!
//! The kernel drops the lock with the process, also when that is killed. So a directory with the right name and
//! without a lock is what a killed run left behind.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::host::error::Failure;
use crate::host::interrupt;

/// How often a turn is asked for.
const POLL: Duration = Duration::from_millis(10);

/// How long another run may take to publish: it renames two directories.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lock on a directory, until it is dropped. Where the platform has no such locks it says nothing.
#[derive(Debug)]
pub struct Claim {
    locked: Option<File>,
}

impl Claim {
    /// Claims a directory that this process has just made.
    pub fn on(dir: &Path) -> Self {
        Self {
            locked: open(dir).filter(|dir| dir.try_lock().is_ok()),
        }
    }

    /// Waits until nobody else has a turn in `dir`, and takes one.
    pub fn turn(dir: &Path) -> Result<Self> {
        let Some(file) = open(dir) else {
            return Ok(Self { locked: None });
        };
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    return Ok(Self { locked: Some(file) });
                }
                Err(TryLockError::WouldBlock) if start.elapsed() < PATIENCE => {
                    interrupt::check()?;
                    thread::sleep(POLL);
                }
                Err(TryLockError::WouldBlock) => {
                    let message = format!("another program holds a lock on {}", dir.display());
                    return Err(Failure::environment(message)
                        .hint("wait until it has ended, or choose another directory with --out")
                        .into());
                }
                // A file system without locks has no turns to wait for.
                Err(TryLockError::Error(_)) => return Ok(Self { locked: None }),
            }
        }
    }
}

/// A child whose standard input this is holds the claim for as long as it lives.
impl From<Claim> for Stdio {
    fn from(claim: Claim) -> Self {
        claim.locked.map_or_else(Self::null, Self::from)
    }
}

/// The directories in `parent` that a killed run left behind, by name: those that begin with `prefix`, belong to
/// nobody who lives, and can be opened by this user.
pub fn abandoned(parent: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let list = || format!("list {}", parent.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(parent).with_context(list)? {
        let entry = entry.with_context(list)?;
        let is_ours = entry
            .file_name()
            .as_encoded_bytes()
            .starts_with(prefix.as_bytes());
        let is_dir = || entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours && is_dir() && open(&entry.path()).is_some_and(|dir| dir.try_lock().is_ok()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Opens a directory for locking, where the platform can.
fn open(dir: &Path) -> Option<File> {
    let opened: io::Result<File> = match cfg!(unix) {
        true => File::open(dir),
        false => return None,
    };
    opened.ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn only_a_directory_of_the_dead_is_abandoned() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["run-a", "run-b", "other"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        fs::write(parent.path().join("run-c"), "").unwrap();
        let claim = Claim::on(&parent.path().join("run-a"));
        let found = || abandoned(parent.path(), "run-").unwrap();
        assert_eq!(found(), [parent.path().join("run-b")]);
        drop(claim);
        assert_eq!(found().len(), 2);
    }

    #[test]
    fn turns_are_taken_one_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let first = Claim::turn(dir.path()).unwrap();
        let path = dir.path().to_owned();
        let second = thread::spawn(move || Claim::turn(&path).is_ok());
        thread::sleep(POLL * 5);
        assert!(!second.is_finished());
        drop(first);
        assert!(second.join().unwrap());
    }
}
