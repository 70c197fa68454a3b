//! The version of the workspace that a set of artifacts comes from.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// Longest version, in bytes.
const VERSION_BYTES_MAX: usize = 40;

/// A version as Semantic Versioning 2.0.0 writes it, of at most 40 bytes: `0.1.0`, `0.2.0-rc.1`, `0.2.0+linux`.
///
/// Displayed and parsed without a leading `v`. Such a text is a plain file name on every system, cannot leave the
/// directory it is written to, and says nothing to a terminal or a shell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(String);

impl Version {
    /// The three numbers, without what may follow them.
    #[must_use]
    pub fn core(&self) -> &str {
        self.0.split(['-', '+']).next().unwrap_or(&self.0)
    }

    /// The name of a directory or of a tag: `v0.1.0`.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("v{self}")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no [`Version`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a version is three numbers such as 0.1.0, then `-` or `+` with letters, digits, `-` and `.`, 40 bytes at most"
)]
pub struct ParseVersionError;

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, ParseVersionError> {
        if text.len() > VERSION_BYTES_MAX {
            return Err(ParseVersionError);
        }
        let (rest, build) = split(text, '+');
        let (core, pre) = split(rest, '-');
        let numbers: Vec<_> = core.split('.').collect();
        let holds = numbers.len() == 3
            && numbers.iter().all(|number| is_number(number))
            && build.is_none_or(|build| build.split('.').all(is_identifier))
            && pre.is_none_or(|pre| pre.split('.').all(is_identifier));
        match holds {
            true => Ok(Self(text.to_owned())),
            false => Err(ParseVersionError),
        }
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn is_number(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

fn is_identifier(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_what_is_none() {
        let longest = format!("1.2.3-{}", "a".repeat(34));
        let too_long = format!("1.2.3-{}", "a".repeat(35));
        for (text, core) in [
            ("0.1.0", Some("0.1.0")),
            ("10.20.30", Some("10.20.30")),
            ("1.0.0-rc.1", Some("1.0.0")),
            ("1.0.0+linux-gnu.2", Some("1.0.0")),
            ("1.0.0-rc-2+3.4-5", Some("1.0.0")),
            (&longest, Some("1.2.3")),
            (&too_long, None),
            ("", None),
            ("v0.1.0", None),
            ("0.1", None),
            ("0.1.0.0", None),
            ("0.01.0", None),
            ("0.1.", None),
            ("0.1.0-", None),
            ("0.1.0+", None),
            ("0.1.0-a..b", None),
            ("0.1.0/../../..", None),
            ("../0.1.0", None),
            ("0.1.0\\a", None),
            ("0.1.0 ", None),
            ("0.1.0\n", None),
            ("0.1.0-\u{1b}[2K", None),
            ("0.1.0-ä", None),
            ("٠.1.0", None),
        ] {
            let parsed = text.parse::<Version>();
            assert_eq!(parsed.as_ref().ok().map(Version::core), core, "{text:?}");
            if let Ok(version) = parsed {
                assert_eq!(version.to_string(), text);
                assert_eq!(crate::check_name(&version.tag()), Ok(()));
            }
        }
    }
}
