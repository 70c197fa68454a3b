//! Where attestations are kept: `docs/attestations/v<version>/<signer>/` has a builder's own `SHA256SUMS` and what the
//! builder signed of them; the keys that count are those in `docs/attestations/signers/<signer>.pub`.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, Result};
use ecac_artifact::{Version, exit};

use xtask::host::error::Failure;
use xtask::host::input;

/// The directory, relative to the workspace.
pub(super) const DIR: [&str; 2] = ["docs", "attestations"];

/// The directory of the keys that count, inside.
pub(super) const SIGNERS: &str = "signers";

/// The name of the signature beside the sums.
pub(super) const SIGNATURE_NAME: &str = "SHA256SUMS.sigstore.json";

/// The largest file of an attestation that is read, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 64 << 10;

/// Longest name of a signer, in bytes.
const SIGNER_BYTES_MAX: usize = 40;

/// Names that are devices on Windows, whatever follows them after a dot.
const DEVICES: [&str; 4] = ["aux", "con", "nul", "prn"];

/// A signer's name: a plain name of a directory on every system.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Signer(String);

impl Signer {
    /// The path of the key that counts as this signer's, inside the directory of attestations.
    pub(super) fn key(&self) -> PathBuf {
        Path::new(SIGNERS).join(format!("{self}.pub"))
    }

    /// The directory of what this signer attests of a version, inside the directory of attestations.
    pub(super) fn filed(&self, version: &Version) -> PathBuf {
        Path::new(&version.tag()).join(&self.0)
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Signer {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, &'static str> {
        let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let holds = name.starts_with(|first: char| first.is_ascii_lowercase())
            && !name.ends_with('-')
            && name.len() <= SIGNER_BYTES_MAX
            && name.bytes().all(is_plain)
            && name != SIGNERS
            && !is_device(name);
        match holds {
            true => Ok(Self(name.to_owned())),
            false => Err("a signer is 1 to 40 of a-z, 0-9 and -, the first one a letter"),
        }
    }
}

fn is_device(name: &str) -> bool {
    let is_port = |stem: &str| {
        let number = name.strip_prefix(stem).unwrap_or_default();
        number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    DEVICES.contains(&name) || is_port("com") || is_port("lpt")
}

/// Creates directories below `base`, and follows no link on the way down, so that what is written stays there.
pub(super) fn create_dir<'a>(
    base: &Path,
    parts: impl IntoIterator<Item = &'a std::ffi::OsStr>,
) -> Result<PathBuf> {
    let mut dir = base.to_owned();
    for part in parts {
        dir.push(part);
        let there = match dir.symlink_metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir(&dir).with_context(|| format!("create {}", input::shown(&dir)))?;
                continue;
            }
            there => there.with_context(|| format!("read {}", input::shown(&dir)))?,
        };
        if !there.is_dir() {
            let message = format!("{} is not a directory", input::shown(&dir));
            return Err(Failure::environment(message)
                .hint("remove it; attestations are written to real directories of this workspace")
                .into());
        }
    }
    Ok(dir)
}

/// Reads a small file that is no link; nothing where there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Ok(metadata) if metadata.is_symlink() => {
            let message = format!("{} is a symbolic link", input::shown(path));
            Err(Failure::new(exit::BAD_INPUT, message)
                .hint("put the file itself there")
                .into())
        }
        _ => input::read(path, FILE_BYTES_MAX).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xtask::host::error::exit_code;

    #[test]
    fn names_of_signers() {
        let longest = "a".repeat(40);
        let too_long = "a".repeat(41);
        for (name, holds) in [
            ("ada", true),
            ("ada-2", true),
            ("a", true),
            ("common", true),
            (&longest, true),
            (&too_long, false),
            ("", false),
            ("-ada", false),
            ("ada-", false),
            ("2ada", false),
            ("Ada", false),
            ("ada.pub", false),
            ("..", false),
            ("../ada", false),
            ("ada/bob", false),
            ("ada\\bob", false),
            ("ada\n", false),
            ("ada\u{1b}", false),
            ("ädä", false),
            ("signers", false),
            ("con", false),
            ("com1", false),
            ("lpt9", false),
        ] {
            assert_eq!(name.parse::<Signer>().is_ok(), holds, "{name:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn directories_are_made_below_their_base_and_never_through_a_link() {
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let (base, outside) = (dir.path().join("base"), dir.path().join("outside"));
        fs::create_dir(&base).unwrap();
        fs::create_dir(&outside).unwrap();
        let made = |parts: [&str; 2]| create_dir(&base, parts.map(std::ffi::OsStr::new));
        assert_eq!(made(["a", "b"]).unwrap(), base.join("a/b"));
        assert_eq!(made(["a", "b"]).unwrap(), base.join("a/b"));
        symlink(&outside, base.join("link")).unwrap();
        symlink("absent", base.join("dangling")).unwrap();
        fs::write(base.join("file"), "").unwrap();
        for name in ["link", "dangling", "file"] {
            let error = made([name, "b"]).unwrap_err();
            assert_eq!(exit_code(&error), exit::ENVIRONMENT);
            let error = error.to_string();
            assert!(
                error.ends_with(&format!("{name} is not a directory")),
                "{error}"
            );
        }
        assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_read_that_are_no_links() {
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs::write(path("file"), "sums").unwrap();
        symlink("file", path("link")).unwrap();
        assert_eq!(read(&path("file")).unwrap().unwrap(), b"sums");
        assert_eq!(read(&path("absent")).unwrap(), None);
        let error = read(&path("link")).unwrap_err();
        assert!(
            error.to_string().ends_with("link is a symbolic link"),
            "{error}"
        );
        assert!(read(dir.path()).is_err());
    }
}
