//! Writing: standard output, standard error, and files that appear whole or not at all.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::error::{ContextKind, ContextValue};
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

/// How a command that has both forms prints its answer.
#[derive(Debug, clap::Args)]
pub(crate) struct Form {
    /// Lines for people or one JSON document
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl Form {
    /// The form that is asked for.
    pub(crate) const fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format }
    }
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

/// A destination at which nothing stands in the way, as far as can be seen before the work is done.
#[derive(Debug)]
pub(crate) struct Claimed<'a>(&'a Destination);

impl Destination {
    /// Looks whether the destination can be written, before any work is done.
    pub(crate) fn claim(&self) -> Result<Claimed<'_>, Failure> {
        if let Some(path) = &self.out {
            check_vacant(path, self.force)?;
        }
        Ok(Claimed(self))
    }
}

impl Claimed<'_> {
    /// Writes the bytes, and nothing after them.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        match &self.0.out {
            None => print(bytes),
            Some(path) => write_files(vec![(path.clone(), bytes)], self.0.force),
        }
    }
}

impl Claimed<'_> {
    /// Writes the bytes, into a file that its owner alone has access to.
    pub(crate) fn write_privately(&self, bytes: &[u8]) -> Result<(), Failure> {
        match &self.0.out {
            None => print(bytes),
            Some(path) => place_files(vec![(path.clone(), bytes)], self.0.force, PRIVATE),
        }
    }
}

/// Writes to standard output. A reader that has gone away, as in `… | head`, has seen what it wanted.
pub(crate) fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(bytes).and_then(|()| stdout.flush());
    settle(written)
}

/// Writes one indented JSON document to standard output. What a terminal would obey or reorder is escaped; whoever parses
/// the document gets it back.
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let written = serde_json::to_string_pretty(value);
    let mut json = written.map_err(|error| Failure::write("JSON", &error.into()))?;
    json.push('\n');
    print(escape_json(&json).as_bytes())
}

/// The JSON text with DEL and everything beyond ASCII that does not print as `\uXXXX` (RFC 8259 section 7). Such
/// characters stand in strings only, in which the serializer has escaped the other controls.
fn escape_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || ecac_core::is_plain(character) {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

/// Prints the help, the version, or what is wrong with the command line; the exit code. Arguments are quoted in it only by
/// single quotation marks, so what does not print in them is escaped first.
pub(crate) fn print_clap(mut error: clap::Error) -> u8 {
    defuse_arguments(&mut error);
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

fn defuse_arguments(error: &mut clap::Error) {
    let hostile = error.context().any(|(_, value)| match value {
        ContextValue::String(text) => is_hostile(text),
        ContextValue::Strings(texts) => texts.iter().any(|text| is_hostile(text)),
        _ => false,
    });
    if !hostile {
        return;
    }
    let defused = |(kind, value): (ContextKind, &ContextValue)| {
        let value = match value {
            ContextValue::String(text) => ContextValue::String(text::escape(text)),
            ContextValue::Strings(texts) => {
                ContextValue::Strings(texts.iter().map(|text| text::escape(text)).collect())
            }
            // A suggestion repeats the argument, in one line.
            ContextValue::StyledStrs(texts) => {
                let texts = texts.iter().map(|text| text::escape(&text.to_string()));
                ContextValue::StyledStrs(texts.map(Into::into).collect())
            }
            _ => return None,
        };
        Some((kind, value))
    };
    let defused: Vec<_> = error.context().filter_map(defused).collect();
    for (kind, value) in defused {
        error.insert(kind, value);
    }
}

fn is_hostile(text: &str) -> bool {
    !text.chars().all(ecac_core::is_plain)
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
    place_files(files, force, COMMON)
}

/// The rights of a result, of which the umask takes some away, and those of what is confidential.
const COMMON: u32 = 0o666;
const PRIVATE: u32 = 0o600;

fn place_files(files: Vec<(PathBuf, &[u8])>, force: bool, mode: u32) -> Result<(), Failure> {
    for (path, _) in &files {
        check_vacant(path, force)?;
    }
    let mut prepared = Vec::new();
    for (path, bytes) in files {
        let file = prepare(&path, bytes, mode)
            .map_err(|error| Failure::write(&text::path(&path), &error))?;
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

/// Without `force`, nothing may be there; with it, a plain file may. The folder around it must be there.
pub(crate) fn check_vacant(path: &Path, force: bool) -> Result<(), Failure> {
    check_folder(path)?;
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

/// The folder that a file or directory is to be put into must exist.
pub(crate) fn check_folder(path: &Path) -> Result<(), Failure> {
    let folder = folder_of(path);
    let fault = match fs::metadata(folder) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => "is not a folder",
        Err(error) if error.kind() == io::ErrorKind::NotFound => "does not exist",
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => "is within a plain file",
        Err(error) => return Err(Failure::write(&text::path(path), &error)),
    };
    let folder = text::path(folder);
    Err(Failure::new(
        exit::ENVIRONMENT,
        format!("write {}", text::path(path)),
        format!("the folder {folder} {fault}"),
        format!("make the folder first, as with `mkdir -p {folder}`, or name another --out"),
    ))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// A complete file beside the place where it belongs; it removes itself unless it is moved there.
#[cfg_attr(
    not(unix),
    expect(unused_variables, reason = "other systems have no such rights")
)]
fn prepare(path: &Path, bytes: &[u8], mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".ecac-").suffix(".tmp");
    // Temporary files are private by default; a result has the rights that the umask gives it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    let mut file = builder.tempfile_in(folder_of(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_what_does_not_print_and_says_the_same() {
        let hostile = "a\u{1b}\u{7f}\u{9b}\u{202e}\u{2028}\u{feff}\u{e0041}\u{301}ä東\n";
        let json = serde_json::to_string_pretty(&[hostile]).unwrap();
        let escaped = escape_json(&json);
        let shown = "a\\u001b\\u007f\\u009b\\u202e\\u2028\\ufeff\\udb40\\udc41\u{301}ä東\\n";
        assert_eq!(escaped, format!("[\n  \"{shown}\"\n]"));
        let parsed: Vec<String> = serde_json::from_str(&escaped).unwrap();
        assert_eq!(parsed, [hostile]);
    }

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
