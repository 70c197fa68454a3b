//! Reading a file that a user names or a stranger sent: a regular one, of a bounded size, and nothing that blocks.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::Result;
use ecac_artifact::{escape, exit};

use crate::host::error::Failure;

/// Reads a file of at most `bytes_max` bytes.
///
/// A pipe would let this program wait for somebody else, and a device never end: neither is opened, and no link that
/// is exchanged for one meanwhile makes the program wait.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let told = |error: io::Error| unreadable(path, &error);
    check(path, &fs::metadata(path).map_err(told)?, bytes_max)?;
    let file = open(path).map_err(told)?;
    check(path, &file.metadata().map_err(told)?, bytes_max)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(told)?;
    match bytes.len() as u64 > bytes_max {
        true => Err(too_large(path, bytes_max).into()),
        false => Ok(bytes),
    }
}

/// A path for a message: on one line.
pub fn shown(path: &Path) -> String {
    escape(&path.to_string_lossy())
}

fn check(path: &Path, metadata: &Metadata, bytes_max: u64) -> Result<(), Failure> {
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(refused(path, "is a directory").hint("name a file in it"));
    }
    if !kind.is_file() {
        return Err(
            refused(path, "is a pipe, a device or a socket, not a regular file")
                .hint("save the contents to a file, and name that"),
        );
    }
    match metadata.len() > bytes_max {
        true => Err(too_large(path, bytes_max)),
        false => Ok(()),
    }
}

fn too_large(path: &Path, bytes_max: u64) -> Failure {
    refused(path, &format!("has more than {bytes_max} bytes"))
        .hint("nothing of the kind is that large; look whether it is the right file")
}

fn refused(path: &Path, problem: &str) -> Failure {
    Failure::new(exit::BAD_INPUT, format!("{} {problem}", shown(path)))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Failure::new(exit::NOT_FOUND, format!("{} does not exist", shown(path)))
        }
        kind => {
            let error = io::Error::from(kind);
            Failure::environment(format!("{} cannot be read: {error}", shown(path)))
        }
    }
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::fs::OFlags;

    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let flags = i32::try_from(flags).map_err(io::Error::other)?;
    File::options().read(true).custom_flags(flags).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::error::{exit_code, hint};

    #[track_caller]
    fn check(path: &Path, code: u8, says: &str) {
        let error = read(path, 4).unwrap_err();
        assert_eq!(exit_code(&error), code, "{error}");
        assert!(error.to_string().ends_with(says), "{error}");
        assert!(code == exit::NOT_FOUND || hint(&error).is_some(), "{error}");
    }

    #[test]
    fn regular_files_of_a_bounded_size_are_read_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("four"), "1234").unwrap();
        fs::write(path("five"), "12345").unwrap();
        assert_eq!(read(&path("four"), 4).unwrap(), b"1234");
        check(&path("five"), exit::BAD_INPUT, "has more than 4 bytes");
        check(
            &path("absent\n"),
            exit::NOT_FOUND,
            "absent\\n does not exist",
        );
        check(dir.path(), exit::BAD_INPUT, "is a directory");
    }

    #[cfg(unix)]
    #[test]
    fn neither_pipes_nor_devices_nor_links_to_them_are_opened() {
        use std::os::unix::fs::symlink;

        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        for target in [&pipe, Path::new("/dev/zero"), Path::new("/dev/null")] {
            let link = dir.path().join("link");
            symlink(target, &link).unwrap();
            check(&link, exit::BAD_INPUT, "not a regular file");
            fs::remove_file(link).unwrap();
        }
        check(&pipe, exit::BAD_INPUT, "not a regular file");
        // What is exchanged for a pipe between the look and the opening is not waited for.
        let opened = open(&pipe).unwrap();
        assert!(super::check(&pipe, &opened.metadata().unwrap(), 4).is_err());
        let link = dir.path().join("link");
        fs::write(dir.path().join("file"), "1234").unwrap();
        symlink("file", &link).unwrap();
        assert_eq!(read(&link, 4).unwrap(), b"1234");
    }
}
