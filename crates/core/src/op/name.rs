//! Names: short NFC strings.

use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;

use crate::limits::NAME_BYTES_MAX;
use unicode_normalization::is_nfc;

/// A non-empty string in Unicode normalisation form C of at most [`NAME_BYTES_MAX`] bytes of UTF-8.
///
/// Objects, fields, set elements, tags, issuers and key ids are names, so that two spellings of one visible
/// text never name two things.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text is not a [`Name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No characters.
    #[error("a name is not empty")]
    Empty,
    /// Longer than [`NAME_BYTES_MAX`].
    #[error("a name has at most {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// Not in normalisation form C.
    #[error("a name is in Unicode normalisation form C")]
    NotNfc,
}

impl Name {
    /// The text as a name.
    ///
    /// # Errors
    /// [`NameError`] for an empty, over-long or non-NFC text.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        if text.is_empty() {
            Err(NameError::Empty)
        } else if text.len() > NAME_BYTES_MAX {
            Err(NameError::TooLong)
        } else if !is_nfc(&text) {
            Err(NameError::NotNfc)
        } else {
            Ok(Self(text))
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<&str> for Name {
    type Error = NameError;

    fn try_from(text: &str) -> Result<Self, NameError> {
        Self::new(text)
    }
}

impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_nonempty_and_nfc() {
        let check = |text: &str, want: Result<(), NameError>| {
            assert_eq!(Name::new(text).map(|_| ()), want, "{text:?}");
        };
        check("a", Ok(()));
        check(&"x".repeat(256), Ok(()));
        check("\u{e9}", Ok(()));
        check("", Err(NameError::Empty));
        check(&"x".repeat(257), Err(NameError::TooLong));
        check("e\u{301}", Err(NameError::NotNfc));
    }
}
