//! Errors: what went wrong, in one sentence each, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use ecac_audit::DiskError;
use ecac_core::{AuthorError, DraftError, StartError, quote};

use crate::key_name::KeyName;

/// Why something was not done in a project directory or in a home. Nothing was changed, unless the sentence says something else.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no project directory there, or above.
    #[error("there is no project in {} or above it", shown(start))]
    NoProject {
        /// Where it was looked for.
        start: PathBuf,
    },
    /// A new project directory does not take the place of one.
    #[error("{} exists already", shown(folder))]
    Exists {
        /// The directory.
        folder: PathBuf,
    },
    /// The directory was never finished.
    #[error(
        "{} is no whole project directory: it has no config.json",
        shown(folder)
    )]
    Unfinished {
        /// The directory.
        folder: PathBuf,
    },
    /// A later version of this program wrote the directory.
    #[error(
        "{} was written by a newer version: its format is {found}, and this program knows up to {known}",
        shown(file)
    )]
    Newer {
        /// The file that says so.
        file: PathBuf,
        /// The version of the format.
        found: u32,
        /// The latest version that this program knows.
        known: u32,
    },
    /// A file is not what it should be.
    #[error("{} cannot be read: {what}", shown(file))]
    BadFile {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Others than its owner have access to what is private.
    #[error(
        "others than its owner have access to {} (mode {mode:03o})",
        shown(path)
    )]
    Access {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The same without those for others.
        wanted: u32,
    },
    /// There is no such key.
    #[error("there is no key {name} in {}", shown(folder))]
    NoKey {
        /// Its name.
        name: KeyName,
        /// Where keys lie.
        folder: PathBuf,
    },
    /// A key never takes the place of another one.
    #[error("there is a key {name} already, in {}", shown(folder))]
    KeyExists {
        /// Its name.
        name: KeyName,
        /// Where keys lie.
        folder: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", shown(path))]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] ecac_store::Error),
    /// The op cannot be written.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// The audit log.
    #[error("the audit log {}: {source}", shown(folder))]
    Audit {
        /// Its directory.
        folder: PathBuf,
        /// What is wrong.
        source: Box<DiskError>,
    },
    /// This machine has signed an audit log of the project, and the directory has none: two logs of one key would contradict
    /// each other.
    #[error(
        "this machine has signed an audit log of the project, and {} has none",
        shown(folder)
    )]
    AuditElsewhere {
        /// Where the log would be.
        folder: PathBuf,
    },
    /// What was written is in the store, and the audit log does not speak of it yet.
    #[error("what was written is in the store, and not in the audit log: {0}")]
    Unrecorded(#[source] Box<Self>),
    /// The head that was kept apart from the audit log is damaged.
    #[error("{} is no signed head of the audit log", shown(file))]
    Head {
        /// The file.
        file: PathBuf,
    },
}

/// What sort of thing an [`Error`] is, for exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Something that is named is not there.
    Missing,
    /// The machine: access, room, another process, an old program.
    Environment,
    /// A file is of another kind.
    BadInput,
    /// What is on the disk is not what was written.
    Damaged,
    /// The project does not allow it.
    Refused,
}

fn shown(path: &Path) -> String {
    quote(&path.to_string_lossy())
}

impl Error {
    pub(crate) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }

    /// What sort of thing it is.
    #[must_use]
    pub fn cause(&self) -> Cause {
        use ecac_store::Error as Store;
        match self {
            Self::NoKey { .. } => Cause::Missing,
            Self::NoProject { .. }
            | Self::Exists { .. }
            | Self::Newer { .. }
            | Self::Access { .. }
            | Self::KeyExists { .. }
            | Self::Io { .. } => Cause::Environment,
            Self::Unfinished { .. } | Self::BadFile { .. } => Cause::BadInput,
            Self::Head { .. } => Cause::Damaged,
            Self::Draft(error) => of_draft(error),
            Self::Store(Store::Author(AuthorError::Draft(error))) => of_draft(error),
            Self::Store(
                Store::Empty { .. }
                | Store::Foreign { .. }
                | Store::OtherProject { .. }
                | Store::Start(
                    StartError::OtherForm
                    | StartError::Malformed { .. }
                    | StartError::OtherProject { .. },
                ),
            ) => Cause::BadInput,
            Self::Store(
                Store::Damaged { .. }
                | Store::Snapshot { .. }
                | Store::RestoredBackup { .. }
                | Store::NoMarker { .. }
                | Store::Start(_)
                | Store::Regain(_),
            ) => Cause::Damaged,
            Self::Store(_) => Cause::Environment,
            Self::Audit { source, .. } => match &**source {
                DiskError::Io { .. } | DiskError::Locked | DiskError::Broken => Cause::Environment,
                _ => Cause::Damaged,
            },
            Self::AuditElsewhere { .. } => Cause::Environment,
            Self::Unrecorded(error) => error.cause(),
        }
    }

    /// What it means that the op would be refused, if that is the error.
    #[must_use]
    pub fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Draft(DraftError::Refused { reason, .. })
            | Self::Store(ecac_store::Error::Author(AuthorError::Draft(DraftError::Refused {
                reason,
                ..
            }))) => Some(reason.meaning()),
            _ => None,
        }
    }

    /// What to do about it, in one sentence.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoProject { .. } => "found one with `ecac init NAME`, join one with `ecac join LINE`, or name its place with --project-dir".to_owned(),
            Self::Exists { .. } => "choose another place, or use the project that is there".to_owned(),
            Self::Unfinished { .. } => "it was left by a program that was stopped: look into it, move it away, and begin again".to_owned(),
            Self::Newer { .. } => "upgrade this program".to_owned(),
            Self::BadFile { .. } => "keep it, and bring back a copy that is whole".to_owned(),
            Self::Access { path, wanted, .. } => format!(
                "whoever could read it may have the key; if nobody did: `chmod {wanted:03o} {}`",
                shown(path)
            ),
            Self::NoKey { .. } => "list them with `ecac key list`, or make one with `ecac key new NAME`".to_owned(),
            Self::KeyExists { .. } => "choose another name, or use the key that is there".to_owned(),
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "look at who may write there".to_owned(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk".to_owned(),
                _ => "look at the path and at the disk".to_owned(),
            },
            Self::Draft(error) => hint_of_draft(error).to_owned(),
            Self::Store(ecac_store::Error::Author(AuthorError::Draft(error))) => hint_of_draft(error).to_owned(),
            Self::Store(ecac_store::Error::NoMarker { .. }) => {
                "import from a peer first, so that nothing is missing, and then say so: `ecac import FILE --complete`".to_owned()
            }
            Self::Store(ecac_store::Error::RestoredBackup { .. }) => {
                "import from a peer first (`ecac import FILE`) until the op is here: what is signed twice under one number freezes its author".to_owned()
            }
            Self::Store(error) => error.hint().unwrap_or("look at the key").to_owned(),
            Self::Audit { source, .. } => match &**source {
                DiskError::Locked => "wait until the other process has ended",
                DiskError::Behind { .. } | DiskError::Forked { .. } => {
                    "a backup was restored, or somebody cut the log: bring the later copy back; who cannot, joins anew in another directory, with a home of its own (ECAC_HOME=DIR)"
                }
                DiskError::Io { .. } => "look at the disk and at who may write there",
                _ => "keep the directory and look at it with `ecac audit-verify`",
            }
            .to_owned(),
            Self::AuditElsewhere { .. } => {
                "work in the directory that has it; a second replica on one machine needs a home of its own, with its own keys (ECAC_HOME=DIR)".to_owned()
            }
            Self::Head { .. } => "remove the file if you trust the audit log as it is".to_owned(),
            Self::Unrecorded(error) => format!("{}; do not write it again: the next write records it", error.hint()),
        }
    }
}

const fn of_draft(error: &DraftError) -> Cause {
    match error {
        DraftError::Refused { .. } => Cause::Refused,
        DraftError::NoGenesis { .. } => Cause::Missing,
        DraftError::Encoding { .. } => Cause::BadInput,
        DraftError::Store(_) => Cause::Damaged,
        _ => Cause::Environment,
    }
}

const fn hint_of_draft(error: &DraftError) -> &'static str {
    match error {
        DraftError::Behind { .. } => {
            "upgrade this program; or write without what it cannot judge, `--behind`"
        }
        DraftError::Unsupported => "upgrade this program",
        DraftError::NoGenesis { .. } => {
            "the project holds nothing yet: import what somebody exported, `ecac import FILE`"
        }
        DraftError::Refused { .. } => {
            "`ecac members` and `ecac can NAME ACTION OBJECT FIELD` say who may what; ask somebody who may grant it"
        }
        DraftError::Encoding { .. } => "shorten or mend the names or the value",
        DraftError::Clock { .. } => "mend the clock of this machine",
        DraftError::Pruned => "ask a root whose replica has every envelope to seal",
        _ => "open the project again",
    }
}

#[cfg(test)]
mod tests {
    use ecac_core::{OpId, RegainError};

    use super::*;

    #[test]
    fn an_op_that_is_not_what_was_told_of_it_is_damage() {
        let op = OpId::from_bytes([7; 32]);
        let error = Error::from(ecac_store::Error::from(RegainError::Contradicts { op }));
        assert_eq!(error.cause(), Cause::Damaged);
        assert!(error.to_string().contains(&op.to_string()), "{error}");
        let hint = error.hint();
        assert!(hint.contains("join anew"), "{hint}");
    }
}
