//! What a store stands on: tables of bytes, changed in transactions.

use core::fmt::Debug;
use core::ops::ControlFlow;

use crate::error::Error;

/// A table: an ordered map of byte strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// What the store is.
    Meta,
    /// Envelopes of admitted ops.
    Ops,
    /// Envelopes of ops outside of the DAG.
    Held,
    /// The snapshot, in parts.
    Snapshot,
    /// Envelopes of admitted ops that were dropped, and came back. A store need not have it: then it is empty.
    Regained,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Meta,
        Self::Ops,
        Self::Held,
        Self::Snapshot,
        Self::Regained,
    ];

    /// Its name on the disk.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Ops => "ops",
            Self::Held => "held",
            Self::Snapshot => "snapshot",
            Self::Regained => "regained",
        }
    }
}

/// Changes that are made together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Table, key, and the new value; none to remove the key.
    pub changes: Vec<(Table, Vec<u8>, Option<Vec<u8>>)>,
}

impl Batch {
    /// Sets a value.
    pub fn put(&mut self, table: Table, key: &[u8], value: Vec<u8>) {
        self.changes.push((table, key.to_vec(), Some(value)));
    }

    /// Removes a key.
    pub fn remove(&mut self, table: Table, key: &[u8]) {
        self.changes.push((table, key.to_vec(), None));
    }
}

/// Takes keys and values until it breaks off.
pub type Take<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// Tables of bytes on a disk.
///
/// What is read is what the last transaction left; after a crash, too, of which the last one that [`Backend::commit`] returned
/// from is a part. The store puts a check of its own into each value, so that an implementation that gives back other bytes
/// than it was given is found out. No bytes on the disk make an implementation panic.
pub trait Backend: Debug + Send {
    /// The value of the key.
    ///
    /// # Errors
    /// [`Error`] if it cannot be read.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The greatest key that is not above this one, with its value.
    ///
    /// # Errors
    /// [`Error`] if it cannot be read.
    fn at_or_before(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, Error>;

    /// The least key above this one, with its value.
    ///
    /// # Errors
    /// [`Error`] if it cannot be read.
    fn after(&self, table: Table, key: &[u8]) -> Result<Option<Pair>, Error>;

    /// Calls `take` with every key and value, by key, until it breaks off.
    ///
    /// # Errors
    /// [`Error`] if one cannot be read.
    fn each(&self, table: Table, take: &mut Take<'_>) -> Result<(), Error>;

    /// Whether it can only be read.
    fn reads_only(&self) -> bool;

    /// Makes the changes, all or none, and returns when they survive a loss of power.
    ///
    /// # Errors
    /// [`Error`]: then none of them has been made, or all, and the backend is not to be used any more.
    fn commit(&mut self, batch: &Batch) -> Result<(), Error>;

    /// Ends the use of the files; what was committed stays. Of what it keeps about so many bytes are in use: an implementation
    /// gives back to the system what is far beyond.
    ///
    /// # Errors
    /// [`Error`] if they cannot be put in order, which the next one to open them does.
    fn close(&mut self, in_use_bytes: u64) -> Result<(), Error>;
}
