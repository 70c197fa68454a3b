//! The commit that a set of artifacts cites.

use core::fmt;
use core::str::FromStr;

use thiserror::Error;

/// Marks a tree that differs from its commit.
const DIRTY_SUFFIX: &str = "-dirty";

/// A full git commit id, 40 lower-case hexadecimal digits, and whether the tree differed from it.
///
/// Displayed and parsed as `<40 digits>` or `<40 digits>-dirty`. Artifacts of a dirty tree never become golden.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commit {
    hash: String,
    dirty: bool,
}

impl Commit {
    /// The 40 hexadecimal digits, without the dirty mark.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Whether the tree differed from the commit.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// The same commit, marked as built from a tree that differs from it.
    #[must_use]
    pub fn into_dirty(self) -> Self {
        Self {
            dirty: true,
            ..self
        }
    }
}

impl fmt::Display for Commit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.hash)?;
        f.write_str(if self.dirty { DIRTY_SUFFIX } else { "" })
    }
}

/// A text that is no [`Commit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a commit is 40 lower-case hexadecimal digits, then `-dirty` if the tree differs from it")]
pub struct ParseCommitError;

impl FromStr for Commit {
    type Err = ParseCommitError;

    fn from_str(text: &str) -> Result<Self, ParseCommitError> {
        let (hash, dirty) = match text.strip_suffix(DIRTY_SUFFIX) {
            Some(hash) => (hash, true),
            None => (text, false),
        };
        let is_hex = hash
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hash.len() != 40 || !is_hex {
            return Err(ParseCommitError);
        }
        Ok(Self {
            hash: hash.to_owned(),
            dirty,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn parse_and_display_agree() {
        for (text, dirty) in [
            (HASH.to_owned(), false),
            (format!("{HASH}{DIRTY_SUFFIX}"), true),
        ] {
            let commit: Commit = text.parse().unwrap();
            assert_eq!(commit.to_string(), text);
            assert_eq!((commit.hash(), commit.is_dirty()), (HASH, dirty));
            assert_eq!(
                commit.into_dirty().to_string(),
                format!("{HASH}{DIRTY_SUFFIX}")
            );
        }
    }

    #[test]
    fn abbreviated_upper_case_and_decorated_texts_are_no_commits() {
        let upper = HASH.to_uppercase();
        let long = format!("{HASH}0");
        let twice = format!("{HASH}-dirty-dirty");
        let spaced = format!("{HASH}\n");
        for text in [
            "",
            "-dirty",
            "unknown",
            &HASH[..7],
            &upper,
            &long,
            &twice,
            &spaced,
        ] {
            assert_eq!(text.parse::<Commit>(), Err(ParseCommitError), "{text:?}");
        }
    }
}
