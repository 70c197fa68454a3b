//! The directory that a file lies in.

use std::fs::File;
use std::path::Path;

use crate::error::Error;

/// Sees to it that the name of a new file, or that it is gone, survives a loss of power.
pub(crate) fn sync_parent(path: &Path) -> Result<(), Error> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    if cfg!(unix) {
        let synced = File::open(directory).and_then(|it| it.sync_all());
        synced.map_err(|error| Error::io(directory, "sync", error))?;
    }
    Ok(())
}
