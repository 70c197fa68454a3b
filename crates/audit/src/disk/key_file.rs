//! The file that holds a node's key.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use thiserror::Error;

use crate::disk::folder::sync_folder;
use crate::node_key::NodeKey;

/// Hexadecimal digits of a key file.
const DIGITS: usize = 64;
/// The longest key file: the digits and a line ending.
const BYTES_MAX: u64 = DIGITS as u64 + 2;

/// Why a key file is not read or not made. No text of it repeats anything of the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Others than its owner may read or change the file.
    #[error("others than its owner have access to it (mode {mode:03o})")]
    Access {
        /// The permission bits of the file.
        mode: u32,
    },
    /// The file does not hold a key.
    #[error("it is not 64 hexadecimal digits")]
    Content,
}

/// Writes a new key file: the 64 hexadecimal digits of an Ed25519 seed (RFC 8032) and a newline.
///
/// The file is made for its owner alone (mode 0600), and so is the directory around it where that is absent (mode 0700).
/// A file that is there is never replaced. The key belongs in a directory of its own and not beside the log: whoever
/// copies the log must not get the key with it.
///
/// # Errors
///
/// [`KeyFileError::Io`], of [`io::ErrorKind::AlreadyExists`] where there is such a file.
#[expect(
    clippy::disallowed_types,
    reason = "the seed comes in and goes into a file that nobody else may read"
)]
pub fn create_key_file(path: &Path, seed: [u8; 32]) -> Result<NodeKey, KeyFileError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        create_private_folder(folder)?;
    }
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    let written = file
        .write_all(format!("{}\n", hex::encode(seed)).as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| sync_folder(folder));
    if let Err(error) = written {
        // Half a key is of no use to anybody.
        let removed = fs::remove_file(path);
        return Err(removed.err().unwrap_or(error).into());
    }
    Ok(NodeKey::from_seed(seed))
}

/// Makes the directory for its owner alone, unless it is there.
fn create_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Ok(()) => sync_folder(folder.parent()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Reads a key file: 64 hexadecimal digits, perhaps with a line ending, which nobody but its owner has access to.
///
/// # Errors
///
/// [`KeyFileError`]; [`KeyFileError::Access`] is mended by `chmod 600`.
#[expect(
    clippy::disallowed_types,
    reason = "what is read is looked at through the same open file whose mode was looked at"
)]
pub fn read_key_file(path: &Path) -> Result<NodeKey, KeyFileError> {
    let file = fs::File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory).into());
    }
    check_private(&metadata)?;
    let mut text = Vec::new();
    file.take(BYTES_MAX + 1).read_to_end(&mut text)?;
    let digits = text.strip_suffix(b"\n").unwrap_or(&text);
    let digits = digits.strip_suffix(b"\r").unwrap_or(digits);
    let mut seed = [0; 32];
    hex::decode_to_slice(digits, &mut seed).map_err(|_| KeyFileError::Content)?;
    Ok(NodeKey::from_seed(seed))
}

/// Whoever can read a node key can sign as the node.
#[cfg(unix)]
fn check_private(metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(KeyFileError::Access { mode })
    }
}

#[cfg(not(unix))]
fn check_private(_: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}
