//! Names of artifact files.

use thiserror::Error;

/// Longest name of an artifact file, in bytes: the `name` field of a ustar header (POSIX.1-2024, pax, "ustar
/// Interchange Format").
pub const NAME_BYTES_MAX: usize = 100;

/// Why a text cannot be the name of an artifact file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum NameFault {
    /// No characters at all.
    #[error("the name is empty")]
    Empty,
    /// More than [`NAME_BYTES_MAX`] bytes.
    #[error("the name is longer than 100 bytes")]
    TooLong,
    /// `.` or `..`, which name directories.
    #[error("the name is that of a directory")]
    Dots,
    /// A `/` or `\`, which would lead into another directory on some system.
    #[error("the name contains a path separator")]
    Separator,
    /// A control character, a space, or anything beyond ASCII.
    #[error("the name contains a character other than printable ASCII")]
    Character,
}

/// Checks that `name` is a plain file name: 1 to 100 bytes of printable ASCII without space, `/` and `\`, and
/// neither `.` nor `..`.
///
/// Such a name cannot leave the directory it is written to, needs no escape in `SHA256SUMS`, and fits a ustar
/// header.
///
/// # Errors
///
/// The first [`NameFault`] in the order of its declaration.
pub fn check_name(name: &str) -> Result<(), NameFault> {
    if name.is_empty() {
        Err(NameFault::Empty)
    } else if name.len() > NAME_BYTES_MAX {
        Err(NameFault::TooLong)
    } else if matches!(name, "." | "..") {
        Err(NameFault::Dots)
    } else if name.contains(['/', '\\']) {
        Err(NameFault::Separator)
    } else if !name.bytes().all(|byte| byte.is_ascii_graphic()) {
        Err(NameFault::Character)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        for (name, verdict) in [
            ("SHA256SUMS", Ok(())),
            (".hidden", Ok(())),
            ("a..b", Ok(())),
            (&"n".repeat(100), Ok(())),
            ("", Err(NameFault::Empty)),
            (&"n".repeat(101), Err(NameFault::TooLong)),
            (".", Err(NameFault::Dots)),
            ("..", Err(NameFault::Dots)),
            ("../a", Err(NameFault::Separator)),
            ("/a", Err(NameFault::Separator)),
            ("a\\b", Err(NameFault::Separator)),
            ("a b", Err(NameFault::Character)),
            ("a\n", Err(NameFault::Character)),
            ("a\0", Err(NameFault::Character)),
            ("a\u{7f}", Err(NameFault::Character)),
            ("ä", Err(NameFault::Character)),
        ] {
            assert_eq!(check_name(name), verdict, "{name:?}");
        }
    }
}
