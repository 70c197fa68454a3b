//! Petnames: what the user calls somebody.

use core::fmt;
use core::str::FromStr;

use ecac_core::{Name, NameError};
use serde::{Deserialize, Serialize};

/// Longest petname, in bytes.
const BYTES_MAX: usize = 64;

/// The name that the user of a project directory gave to somebody, for their eyes only: nobody else gets to see it.
///
/// At most 64 bytes, a [`Name`] all of whose characters print, without space at either end. It is no `did:`, and not `me`, which
/// is the user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Petname(String);

/// Why a text is no [`Petname`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PetnameError {
    /// It is no name at all.
    #[error(transparent)]
    Name(#[from] NameError),
    /// It is longer than 64 bytes.
    #[error("the name of a person has at most {BYTES_MAX} bytes")]
    TooLong,
    /// It does not show as it is.
    #[error("the name of a person has only characters that print, and no space at its ends")]
    Hidden,
    /// It is a key.
    #[error("the name of a person does not begin with `did:`")]
    Did,
    /// It is the user's.
    #[error("`me` is you")]
    Me,
}

impl Petname {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Petname {
    type Err = PetnameError;

    fn from_str(text: &str) -> Result<Self, PetnameError> {
        Name::new(text)?;
        if text.len() > BYTES_MAX {
            Err(PetnameError::TooLong)
        } else if !text.chars().all(ecac_core::is_plain) || text.trim() != text {
            Err(PetnameError::Hidden)
        } else if text.starts_with("did:") {
            Err(PetnameError::Did)
        } else if text == "me" {
            Err(PetnameError::Me)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl TryFrom<String> for Petname {
    type Error = PetnameError;

    fn try_from(text: String) -> Result<Self, PetnameError> {
        text.parse()
    }
}

impl From<Petname> for String {
    fn from(petname: Petname) -> Self {
        petname.0
    }
}

impl fmt::Display for Petname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_petname_shows_as_it_is() {
        for good in ["ada", "Ada from the office", "東京", "z6Mk"] {
            assert_eq!(good.parse::<Petname>().unwrap().as_str(), good);
        }
        for (bad, why) in [
            ("", PetnameError::Name(NameError::Empty)),
            ("a\nb", PetnameError::Name(NameError::Control)),
            ("a\u{200b}", PetnameError::Hidden),
            (" a", PetnameError::Hidden),
            ("did:key:z6Mk", PetnameError::Did),
            ("me", PetnameError::Me),
            (&"x".repeat(65), PetnameError::TooLong),
        ] {
            assert_eq!(bad.parse::<Petname>(), Err(why), "{bad:?}");
        }
    }
}
