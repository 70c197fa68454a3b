//! The names of keys, which are names of files.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name of a key, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// The name of a key: 1 to 64 ASCII letters, digits, `-`, `_` and `.`, the first of which is no `.`; so it is the name of a file
/// everywhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct KeyName(String);

/// A text that is no [`KeyName`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a key is 1 to 64 letters, digits, `-`, `_` and `.`, and does not begin with `.`"
)]
pub struct KeyNameError;

impl KeyName {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        let is_good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        if text.is_empty()
            || text.len() > NAME_BYTES_MAX
            || text.starts_with('.')
            || !text.bytes().all(is_good)
        {
            return Err(KeyNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for KeyName {
    type Error = KeyNameError;

    fn try_from(text: String) -> Result<Self, KeyNameError> {
        text.parse()
    }
}

impl From<KeyName> for String {
    fn from(name: KeyName) -> Self {
        name.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
