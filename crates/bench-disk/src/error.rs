//! Why a run is not kept on disk.

use std::io;
use std::path::PathBuf;

use ecac_audit::DiskError;

/// Why a run is not kept on disk; its temporary directory is removed all the same, as far as the system lets it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The temporary directory is not made, read or removed.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A replica is not kept.
    #[error(transparent)]
    Store(#[from] ecac_store::Error),
    /// The audit log is not kept.
    #[error(transparent)]
    Audit(#[from] DiskError),
    /// The run was asked to stop.
    #[error("the run was asked to stop")]
    Stopped,
}

impl Error {
    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
