//! Names: short NFC strings that show as they are, and sets of them.

use core::borrow::Borrow;
use core::fmt;
use core::ops::Deref;
use std::collections::BTreeSet;

use crate::limits::NAME_BYTES_MAX;
use smol_str::SmolStr;
use unicode_normalization::is_nfc;

/// A non-empty string in Unicode normalisation form C of at most [`NAME_BYTES_MAX`] bytes of UTF-8, without
/// control characters and without characters that reorder text.
///
/// Objects, fields, set elements, tags, issuers and key ids are names, so that two spellings of one visible
/// text never name two things, and no name shows as something else. A copy is cheap: of a short text the bytes, of a long one a share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(SmolStr);

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
    /// A control character, or one that reorders text.
    #[error("a name has no control characters and none that reorder text")]
    Control,
}

/// A set of names: resource tags.
pub type Tags = BTreeSet<Name>;

/// Why the text is no name, if it is none.
pub(crate) fn fault(text: &str) -> Option<NameError> {
    if text.is_empty() {
        Some(NameError::Empty)
    } else if text.len() > NAME_BYTES_MAX {
        Some(NameError::TooLong)
    } else if text.is_ascii() {
        // ASCII is in normalisation form C and reorders nothing.
        let has_control = text.bytes().any(|byte| byte.is_ascii_control());
        has_control.then_some(NameError::Control)
    } else if !is_nfc(text) {
        Some(NameError::NotNfc)
    } else if text.chars().any(|c| c.is_control() || reorders(c)) {
        Some(NameError::Control)
    } else {
        None
    }
}

/// Whether the character has the property `Bidi_Control` (Unicode Standard Annex 9, section 2).
#[must_use]
pub const fn reorders(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Name {
    /// The text as a name.
    ///
    /// # Errors
    /// [`NameError`] for an empty, over-long or non-NFC text, and for one with control characters.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
        match fault(text.as_ref()) {
            None => Ok(Self(SmolStr::new(text))),
            Some(fault) => Err(fault),
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

    #[test]
    fn names_show_as_they_are() {
        for c in [
            '\0', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{80}', '\u{85}', '\u{9f}', '\u{61c}',
            '\u{200e}', '\u{200f}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            assert_eq!(
                Name::new(format!("a{c}b")),
                Err(NameError::Control),
                "{c:?}"
            );
        }
        for c in [
            ' ', '=', '"', '\u{a0}', '\u{200d}', '\u{5d0}', '\u{2065}', '\u{206a}',
        ] {
            assert!(Name::new(format!("a{c}b")).is_ok(), "{c:?}");
        }
    }
}
