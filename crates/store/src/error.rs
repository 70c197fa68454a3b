//! Errors: what went wrong, in one sentence each, and what to do about it.

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};

use ecac_core::{AuthorError, OpId, ProjectId, PublicKey, RegainError, RestoreError, StartError};

use crate::holder::Holder;

/// Why a store does not do what it was asked to.
///
/// Unless it says something else, nothing has been changed on the disk.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file.
    #[error("there is no store at {}", file.display())]
    NotFound {
        /// The file.
        file: PathBuf,
    },
    /// A new store does not take the place of a file.
    #[error("{} exists already", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// The file is empty, or was never finished.
    #[error("{} is empty: no store was finished there", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// The file is something else.
    #[error("{} is no store of ECAC", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// A later version of this program wrote the store.
    #[error(
        "{} was written by a newer version: its schema is {schema}, and this program knows up to {known}",
        file.display()
    )]
    Newer {
        /// The file.
        file: PathBuf,
        /// The schema of the store.
        schema: u32,
        /// The latest schema that this program knows.
        known: u32,
    },
    /// Another process has the store open: to write in it, or to read it while this one wants to write.
    #[error("{} is in use{}", file.display(), by(holder.as_ref()))]
    Held {
        /// The file.
        file: PathBuf,
        /// Who writes, if they said so.
        holder: Option<Holder>,
    },
    /// Bytes of a file are not those that were written.
    #[error("{} is damaged at {place}: {what}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where.
        place: Spot,
        /// How it shows.
        what: String,
    },
    /// The store is of another project.
    #[error("{} is of project {project}, and not of {wanted}", file.display())]
    OtherProject {
        /// The file.
        file: PathBuf,
        /// The project of the store.
        project: ProjectId,
        /// The project that was asked for.
        wanted: ProjectId,
    },
    /// The snapshot in the store does not fit the ops or this program; the ops are all there.
    #[error("the snapshot in {} cannot be used", file.display())]
    Snapshot {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        source: RestoreError,
    },
    /// The store has dropped envelopes, and its snapshot, which alone tells of them, does not fit this program or was to be done
    /// without.
    #[error(
        "{} has dropped envelopes, of which its snapshot alone tells, and that cannot be used",
        file.display()
    )]
    Pruned {
        /// The file.
        file: PathBuf,
        /// Why; none if the store was to be rebuilt.
        #[source]
        source: Option<RestoreError>,
    },
    /// The envelope at the position was dropped.
    #[error("{} has dropped the envelope at position {position}", file.display())]
    Dropped {
        /// The file.
        file: PathBuf,
        /// The position, from 0.
        position: u64,
    },
    /// The store was opened to be read.
    #[error("{} was opened to be read only", file.display())]
    ReadOnly {
        /// The file.
        file: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// An earlier call failed, so that what this process holds and what the store holds may differ.
    #[error("{} failed before: {reason}", file.display())]
    Broken {
        /// The file.
        file: PathBuf,
        /// The first failure.
        reason: String,
    },
    /// The op cannot be written; see [`AuthorError`].
    #[error(transparent)]
    Author(#[from] AuthorError),
    /// Nothing starts from the carried snapshot; see [`StartError`].
    #[error(transparent)]
    Start(#[from] StartError),
    /// Envelopes do not come back; see [`RegainError`].
    #[error(transparent)]
    Regain(#[from] RegainError),
    /// More ops than one transaction takes were to be written together.
    #[error("{found} ops were to be written together, and one transaction takes {most}")]
    TooMany {
        /// How many.
        found: usize,
        /// How many it takes.
        most: usize,
    },
    /// The author signed something that the store does not have: it is a backup that was restored, or somebody else's copy.
    #[error(
        "{author} has signed number {signed} already (op {op}, at generation {marked}), and {} is at generation {generation} and goes up to number {held}: a backup was restored",
        file.display()
    )]
    RestoredBackup {
        /// The file.
        file: PathBuf,
        /// The author.
        author: PublicKey,
        /// The last op that the author has signed here.
        op: OpId,
        /// Its number.
        signed: u64,
        /// How many ops of the author the store has: the number that a new op would get.
        held: u64,
        /// The generation of the store that was to have that op.
        marked: u64,
        /// The generation of the store.
        generation: u64,
    },
    /// The author has written in this store, and nothing here tells which op was the last one.
    #[error("nothing tells whether {} has all that {author} has signed: there is no marker {}", file.display(), marker.display())]
    NoMarker {
        /// The file.
        file: PathBuf,
        /// The author.
        author: PublicKey,
        /// The marker that is not there.
        marker: PathBuf,
    },
}

impl Error {
    /// What to do about it, in one sentence, if anything can be done.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        let hint = match self {
            Self::NotFound { .. } => "look at the path, or create a store, or join a project there",
            Self::Exists { .. } => "choose another path, or open what is there",
            Self::Empty { .. } => "remove the file and create the store again",
            Self::Foreign { .. } => "look at the path; nothing was written to the file",
            Self::Newer { .. } => "upgrade this program",
            Self::Held { .. } => "wait until the other process has ended, or end it",
            Self::Damaged { .. } => {
                "keep the file, and join the project anew: the ops come back from any peer; a backup of the store will do, too"
            }
            Self::OtherProject { .. } => "look at the path",
            Self::Snapshot { .. } => {
                "rebuild the store (`Options::rebuild`): everything but the snapshot is read, and a new one is written"
            }
            Self::Pruned { .. } => {
                "keep the file; open it with the version of the program that wrote it, or join the project anew and receive from a peer who keeps everything"
            }
            Self::Dropped { .. } => {
                "take it back from a peer who keeps everything (`DurableReplica::regain`)"
            }
            Self::ReadOnly { .. } => "open it to write",
            Self::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                    "make room on the disk and open the store again: it is as it was before"
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    "look at who may write there, or open the store to be read only"
                }
                _ => "look at the disk, and open the store again: it is as it was before",
            },
            Self::Broken { .. } => "open the store again",
            Self::Author(_) => return None,
            Self::Start(_) => {
                "take it from somebody else, or join and receive from a peer who keeps everything"
            }
            Self::Regain(RegainError::Contradicts { .. }) => {
                "what was told of the op is not so: join anew with a peer who keeps everything, and ask who signed the seal"
            }
            Self::Regain(_) => "look at the store: nothing came back",
            Self::TooMany { .. } => "write them in several transactions",
            Self::RestoredBackup { .. } => {
                "receive from a peer first until the op is here, or write with a new device key: what is signed twice under one number freezes its author"
            }
            Self::NoMarker { .. } => {
                "receive from a peer first, so that nothing is missing, and then say so (`DurableReplica::vouch`); or write with a new device key"
            }
        };
        Some(hint)
    }

    pub(crate) fn io(file: &Path, action: &'static str, source: io::Error) -> Self {
        Self::Io {
            file: file.to_owned(),
            action,
            source,
        }
    }

    pub(crate) fn damaged(file: &Path, place: Spot, what: impl Into<String>) -> Self {
        Self::Damaged {
            file: file.to_owned(),
            place,
            what: what.into(),
        }
    }
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || ": another process has it open".to_owned(),
        |it| format!(" by {it}"),
    )
}

/// Where in a file damage shows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spot {
    /// The first bytes, which say what the file is and which state of it counts.
    Header,
    /// The pages that index the others.
    Index,
    /// A page of the file.
    Page {
        /// Its first byte.
        offset: u64,
    },
    /// A value in a table.
    Value {
        /// The table.
        table: &'static str,
        /// The key.
        key: Vec<u8>,
    },
    /// The ops at these positions, which are stored together.
    Ops {
        /// The first position, from 0.
        first: u64,
        /// The op at the first position, if it can still be told.
        op: Option<OpId>,
    },
    /// The whole file.
    File,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("its header"),
            Self::Index => f.write_str("its index pages"),
            Self::Page { offset } => write!(f, "the page at byte {offset}"),
            Self::Value { table, key } => {
                write!(f, "table {table}, key ")?;
                key.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Ops { first, op: None } => write!(f, "the ops from position {first} on"),
            Self::Ops {
                first,
                op: Some(op),
            } => write!(f, "op {op}, position {first}"),
            Self::File => f.write_str("some place"),
        }
    }
}
