//! Who writes in a store: a note beside it, for the message that a second writer gets.
//!
//! The lock itself is the operating system's, on the store's own file, and ends with the process. The note decides nothing: it
//! can be absent, old or damaged without harm.

use core::fmt;
use std::fs;
use std::path::{Path, PathBuf};

/// Longest note that is read, in bytes.
const NOTE_BYTES_MAX: usize = 512;

/// A process that has a store open to write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Holder {
    /// Its number.
    pub process: u32,
    /// The name of its program.
    pub program: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (process {})", self.program, self.process)
    }
}

/// The note of this process, which is removed with it.
#[derive(Debug)]
pub(crate) struct Note {
    path: PathBuf,
}

impl Note {
    /// The note beside the file.
    pub(crate) fn path(file: &Path) -> PathBuf {
        let mut name = file.as_os_str().to_owned();
        name.push(".holder");
        name.into()
    }

    /// Leaves a note; where that cannot be done there is none.
    pub(crate) fn leave(file: &Path) -> Option<Self> {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(Path::file_name);
        let program = program.map_or("a program".into(), |it| it.to_string_lossy());
        let path = Self::path(file);
        let written = fs::write(&path, format!("{} {program}\n", std::process::id()));
        written.is_ok().then_some(Self { path })
    }

    /// Who left the note beside the file.
    pub(crate) fn read(file: &Path) -> Option<Holder> {
        let note = fs::read(Self::path(file)).ok()?;
        if note.len() > NOTE_BYTES_MAX {
            return None;
        }
        let note = String::from_utf8(note).ok()?;
        let (process, program) = note.trim_end().split_once(' ')?;
        Some(Holder {
            process: process.parse().ok()?,
            program: program.chars().filter(|it| !it.is_control()).collect(),
        })
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        // A note that stays behind says nothing while nobody holds the lock.
        drop(fs::remove_file(&self.path));
    }
}
