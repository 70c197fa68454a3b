//! Refused ops: kept apart, because the audit log speaks of them and the store does not keep them.
//!
//! What the audit log of a node says of an op is borne out only by who has the op; and what builds on a refused op is refused, which a
//! replica can say only if it remembers the op.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ecac_core::split_op_log;

use crate::error::Error;
use crate::file;

/// Name of the file: a CBOR sequence (RFC 8742) of ops.
pub const REFUSED: &str = "refused.cborseq";

/// The file of refused ops of a project directory.
#[derive(Debug)]
pub(crate) struct RefusedOps {
    path: PathBuf,
}

impl RefusedOps {
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            path: folder.join(REFUSED),
        }
    }

    /// The envelopes, in the order in which they came. What a crash tore off at the end is left out: nothing speaks of it yet.
    pub(crate) fn read(&self) -> Result<Vec<Vec<u8>>, Error> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io("read", &self.path, error)),
        };
        let whole = match split_op_log(&bytes) {
            Ok(items) => return Ok(items.into_iter().map(<[u8]>::to_vec).collect()),
            Err(ecac_core::OpLogError::Empty) => return Ok(Vec::new()),
            Err(ecac_core::OpLogError::Truncated { offset, .. }) => offset,
            Err(error) => {
                return Err(Error::BadFile {
                    file: self.path.clone(),
                    what: error.to_string(),
                });
            }
        };
        let items = split_op_log(&bytes[..whole]).unwrap_or_default();
        let items: Vec<Vec<u8>> = items.into_iter().map(<[u8]>::to_vec).collect();
        Ok(items)
    }

    /// Adds envelopes, and forgets what a crash tore.
    pub(crate) fn add(&self, known: &[Vec<u8>], new: &[Vec<u8>]) -> Result<(), Error> {
        let length: usize = known.iter().map(Vec::len).sum();
        let found = fs::metadata(&self.path).map_or(0, |it| it.len());
        if found == length as u64 {
            return file::append(&self.path, &new.concat());
        }
        file::replace(&self.path, &[known.concat(), new.concat()].concat())
    }
}
