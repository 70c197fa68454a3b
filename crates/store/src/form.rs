//! The forms in which a store can lie on a disk.

use std::path::Path;

use crate::backend::Backend;
use crate::disk::{Check, Disk};
use crate::error::Error;
#[cfg(feature = "rocksdb")]
use crate::rocks::Rocks;

/// In which form a new store is made. A store that is there tells by itself which one it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Form {
    /// One file, by redb.
    #[default]
    Redb,
    /// A directory, by RocksDB.
    #[cfg(feature = "rocksdb")]
    RocksDb,
}

impl Form {
    /// Every form that this program knows.
    pub const ALL: &'static [Self] = &[
        Self::Redb,
        #[cfg(feature = "rocksdb")]
        Self::RocksDb,
    ];

    /// A new backend at the path, where nothing is.
    pub(crate) fn create(self, path: &Path, cache_bytes: usize) -> Result<Box<dyn Backend>, Error> {
        Ok(match self {
            Self::Redb => Box::new(Disk::create(path, cache_bytes)?),
            #[cfg(feature = "rocksdb")]
            Self::RocksDb => Box::new(Rocks::create(path, cache_bytes)?),
        })
    }
}

/// The backend at the path, of whichever form it is. RocksDB verifies what it reads whatever is asked for.
pub(crate) fn open(
    path: &Path,
    cache_bytes: usize,
    reads_only: bool,
    check: Check,
) -> Result<Box<dyn Backend>, Error> {
    #[cfg(feature = "rocksdb")]
    if Rocks::may_be_at(path) {
        return Ok(Box::new(Rocks::open(path, cache_bytes, reads_only)?));
    }
    Ok(Box::new(Disk::open(path, cache_bytes, reads_only, check)?))
}

/// Removes what [`Form::create`] has made, because no store came of it. Where that fails, too, what is left says that no store
/// was finished there.
pub(crate) fn remove_new(path: &Path) {
    drop(if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    });
}
