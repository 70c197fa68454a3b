//! Writing: standard output, standard error, and files that appear whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use ecac_artifact::exit;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::failure::Failure;
use crate::text;

/// How a command prints its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Lines for people
    #[default]
    Text,
    /// One JSON document for machines
    Json,
}

/// Where the bytes of an export go.
#[derive(Debug, clap::Args)]
pub(crate) struct Destination {
    /// Write to FILE instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace FILE if it exists
    #[arg(long, requires = "out")]
    force: bool,
}

impl Destination {
    /// Writes the bytes, and nothing after them.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        match &self.out {
            None => print(bytes),
            Some(path) => write_files(vec![(path.clone(), bytes)], self.force),
        }
    }
}

/// Writes to standard output. A reader that has gone away, as in `… | head`, has seen what it wanted.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    settle(written)
}

/// Writes one indented JSON document to standard output.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    let written = serde_json::to_writer_pretty(&mut bytes, value);
    written.map_err(|error| Failure::write("JSON", &error.into()))?;
    bytes.push(b'\n');
    print(&bytes)
}

/// Prints the help, the version, or what is wrong with the command line; the exit code.
pub(crate) fn print_clap(error: &clap::Error) -> u8 {
    let printed = settle(error.print().and_then(|()| io::stdout().flush()));
    match printed {
        Err(failure) if !error.use_stderr() => {
            note(&failure.to_string());
            failure.code
        }
        _ if error.use_stderr() => exit::USAGE,
        _ => exit::SUCCESS,
    }
}

fn settle(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::write("to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// Writes to standard error; where that is closed there is nobody left to tell.
pub(crate) fn note(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Writes all of the files or none of them: each is prepared under another name beside its place, and all are moved
/// there at the end. Without `force` no file may exist.
pub(crate) fn write_files(files: Vec<(PathBuf, &[u8])>, force: bool) -> Result<(), Failure> {
    for (path, _) in &files {
        check_vacant(path, force)?;
    }
    let mut prepared = Vec::new();
    for (path, bytes) in files {
        let file =
            prepare(&path, bytes).map_err(|error| Failure::write(&text::path(&path), &error))?;
        prepared.push((path, file));
    }
    let mut moved: Vec<PathBuf> = Vec::new();
    for (path, file) in prepared {
        let placed = if force {
            file.persist(&path)
        } else {
            file.persist_noclobber(&path)
        };
        if let Err(error) = placed {
            if !force {
                for path in &moved {
                    let _ = fs::remove_file(path);
                }
            }
            return Err(Failure::write(&text::path(&path), &error.error));
        }
        moved.push(path);
    }
    Ok(())
}

/// Without `force`, nothing may be there; with it, a plain file may.
fn check_vacant(path: &Path, force: bool) -> Result<(), Failure> {
    let doing = || format!("write {}", text::path(path));
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Failure::write(&text::path(path), &error)),
        Ok(found) if !found.is_file() => Err(Failure::new(
            exit::ENVIRONMENT,
            doing(),
            "it exists and is not a plain file",
            "name another place",
        )),
        Ok(_) if force => Ok(()),
        Ok(_) => Err(Failure::new(
            exit::ENVIRONMENT,
            doing(),
            "it exists already",
            "name another place, or replace it with --force",
        )),
    }
}

/// A complete file beside the place where it belongs; it removes itself unless it is moved there.
fn prepare(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ecac-").suffix(".tmp");
    // Temporary files are private by default; a result has the rights that the umask gives it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_or_none() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("b"), "old").unwrap();
        let failure = write_files(vec![(at("a"), b"1"), (at("b"), b"2")], false).unwrap_err();
        assert_eq!(failure.code, exit::ENVIRONMENT);
        assert_eq!(fs::read(at("b")).unwrap(), b"old");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        write_files(vec![(at("a"), b"1"), (at("b"), b"2")], true).unwrap();
        assert_eq!(fs::read(at("a")).unwrap(), b"1");
        assert_eq!(fs::read(at("b")).unwrap(), b"2");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_plain_file_is_never_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().join("d");
        fs::create_dir(&at).unwrap();
        assert!(write_files(vec![(at.clone(), b"1")], true).is_err());
        assert!(at.is_dir());
    }
}
