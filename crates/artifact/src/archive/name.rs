//! How an archive is called.

use crate::Commit;

/// The directory inside the archive, without a slash; with `.tar.gz`, the name of the archive.
#[must_use]
pub fn directory(commit: &Commit) -> String {
    format!("{DIRECTORY_STEM}{commit}")
}

/// What stands before the commit in [`directory`].
pub(super) const DIRECTORY_STEM: &str = "ecac-artifacts-";
