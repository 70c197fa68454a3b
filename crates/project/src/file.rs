//! Files and directories that are written whole, and private ones.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::error::Error;

/// The permission bits that give others access.
const OTHERS: u32 = 0o077;

/// Requires that nobody but the owner has access to a file or directory.
#[cfg(unix)]
pub(crate) fn check_private(path: &Path, metadata: &fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(Error::Access {
        path: path.to_owned(),
        mode,
        wanted: mode & !OTHERS,
    })
}

/// Other systems than Unix have no such bits.
#[cfg(not(unix))]
pub(crate) fn check_private(_: &Path, _: &fs::Metadata) -> Result<(), Error> {
    Ok(())
}

/// Requires that nobody but the owner has access to a directory, if it is there.
pub(crate) fn check_private_folder(path: &Path) -> Result<(), Error> {
    match fs::metadata(path) {
        Ok(metadata) => check_private(path, &metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

/// The document in a file of a secret; `none` says that there is none in it.
pub(crate) fn read_secret<T: DeserializeOwned>(
    path: &Path,
    bytes_max: u64,
    none: &str,
) -> Result<T, Error> {
    let text = read_private(path, bytes_max)?;
    // The error of the parser may repeat what it read.
    serde_json::from_slice(&text).map_err(|_| Error::BadFile {
        file: path.to_owned(),
        what: none.to_owned(),
    })
}

/// Writes the document of a secret into a new file for its owner alone, of at most so many bytes.
pub(crate) fn create_secret(
    path: &Path,
    bytes_max: u64,
    document: &impl Serialize,
) -> Result<(), Error> {
    let mut text = room_for(bytes_max);
    let written = serde_json::to_writer(&mut *text, document);
    written.map_err(|error| Error::io("write", path, error.into()))?;
    text.push(b'\n');
    create_private(path, &text)
}

/// Room for so many bytes at once, so that no copy stays behind where it would have grown.
fn room_for(bytes: u64) -> Zeroizing<Vec<u8>> {
    let room = usize::try_from(bytes).unwrap_or_default() + 1;
    Zeroizing::new(Vec::with_capacity(room))
}

/// What is in a file that nobody but its owner has access to, and that has at most so many bytes.
fn read_private(path: &Path, bytes_max: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let opened = File::open(path).map_err(|error| Error::io("read", path, error))?;
    let metadata = opened.metadata();
    let metadata = metadata.map_err(|error| Error::io("read", path, error))?;
    check_private(path, &metadata)?;
    let mut bytes = room_for(bytes_max);
    let read = opened.take(bytes_max + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::io("read", path, error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(Error::BadFile {
            file: path.to_owned(),
            what: "it is too long to be a key".to_owned(),
        });
    }
    Ok(bytes)
}

/// Makes a directory for its owner alone, and those around it; one that is there has to be private.
pub(crate) fn private_folder(path: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    let made = builder.create(path);
    made.map_err(|error| Error::io("make the directory", path, error))?;
    let metadata = fs::metadata(path);
    let metadata = metadata.map_err(|error| Error::io("read", path, error))?;
    check_private(path, &metadata)
}

/// Writes a new file for its owner alone; one that is there is never replaced.
fn create_private(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path);
    let mut file = file.map_err(|error| Error::io("write", path, error))?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_around(path));
    written.map_err(|error| {
        // Half a key is of no use to anybody.
        drop(fs::remove_file(path));
        Error::io("write", path, error)
    })
}

/// Writes a file, or takes the place of one, so that it is there whole or as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let replaced = || -> io::Result<()> {
        let mut file = File::create(&beside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        sync_around(path)
    };
    replaced().map_err(|error| Error::io("write", path, error))
}

/// Writes a file, or takes the place of one, without waiting for the disk: after a loss of power it may be as it was, or not whole.
pub(crate) fn replace_lazily(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let replaced = fs::write(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    replaced.map_err(|error| Error::io("write", path, error))
}

/// Appends to a file, which is made where it is absent.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let appended = || -> io::Result<()> {
        let mut file = File::options().create(true).append(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    appended().map_err(|error| Error::io("write", path, error))
}

/// Sees to it that a name survives a loss of power.
fn sync_around(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}
