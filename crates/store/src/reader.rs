//! Readers beside a replica that writes, in its process.

use core::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::inner::Inner;

/// Reads what is committed in a store that is open in this process. Copies read the same store, from any thread; each waits
/// while another one reads or the replica commits.
#[derive(Clone)]
pub struct Reader {
    inner: Arc<Mutex<Inner>>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl Reader {
    pub(crate) const fn of(inner: Arc<Mutex<Inner>>) -> Self {
        Self { inner }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many admitted ops are committed.
    #[must_use]
    pub fn ops(&self) -> u64 {
        self.inner().committed()
    }

    /// The envelope of the admitted op at the position, from 0, in order of admission; `None` if none is committed there, or it
    /// was dropped.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not what was written; [`Error::Broken`] if the store is closed.
    pub fn envelope(&self, position: u64) -> Result<Option<Vec<u8>>, Error> {
        let inner = &mut *self.inner();
        if position >= inner.committed() || inner.lacks(position) {
            return Ok(None);
        }
        inner.read(position).map(Some)
    }
}
