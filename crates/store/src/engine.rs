//! The store as the engine sees it: envelopes by position, those of the store, and those that a trial appends.

use core::fmt;
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ecac_core::{OpStore, StoreError};

use crate::error::Error;
use crate::inner::{Appended, Inner};

/// What the engine holds of a store.
pub(crate) struct Handle {
    inner: Arc<Mutex<Inner>>,
}

impl Handle {
    pub(crate) const fn of(inner: Arc<Mutex<Inner>>) -> Self {
        Self { inner }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle")
    }
}

fn position(at: usize) -> u64 {
    at as u64
}

fn engine_error(error: &Error) -> StoreError {
    StoreError::new(error.to_string())
}

impl OpStore for Handle {
    fn len(&self) -> usize {
        self.inner().len()
    }

    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
        if envelope.is_empty() {
            return Err(StoreError::new("an op without an envelope is not kept"));
        }
        self.inner().append(envelope);
        Ok(())
    }

    fn is_pruned(&self, at: usize) -> bool {
        self.inner().lacks(position(at))
    }

    fn read(&self, at: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        let read = self.inner().read(position(at));
        read.map(Cow::Owned).map_err(|error| engine_error(&error))
    }

    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
        Ok(Box::new(View {
            inner: Arc::clone(&self.inner),
            shared: self.len(),
            own: Appended::default(),
        }))
    }
}

/// The ops of a store that are appended once more: what is appended has to be what the store has there, as far as it has any.
#[derive(Debug)]
pub(crate) struct Growing {
    view: View,
    /// How many the store has.
    total: usize,
}

impl Growing {
    /// Of a store that has so many.
    pub(crate) fn of(inner: Arc<Mutex<Inner>>, total: usize) -> Self {
        let view = View {
            inner,
            shared: 0,
            own: Appended::default(),
        };
        Self { view, total }
    }
}

impl OpStore for Growing {
    fn len(&self) -> usize {
        self.view.len()
    }

    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
        let at = self.view.shared;
        if at == self.total {
            return self.view.append(envelope);
        }
        self.view.shared += 1;
        let is_same = if self.view.is_pruned(at) {
            envelope.is_empty()
        } else {
            *self.view.read(at)? == *envelope
        };
        if !is_same {
            self.view.shared = at;
            return Err(StoreError::new(format!("the store has another op at {at}")));
        }
        Ok(())
    }

    fn read(&self, at: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        self.view.read(at)
    }

    fn is_pruned(&self, at: usize) -> bool {
        self.view.is_pruned(at)
    }

    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
        self.view.branch()
    }
}

/// The first ops of a store, and others that are not in it.
pub(crate) struct View {
    inner: Arc<Mutex<Inner>>,
    /// How many ops are the store's.
    shared: usize,
    own: Appended,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("View")
    }
}

impl OpStore for View {
    fn len(&self) -> usize {
        self.shared + self.own.len()
    }

    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
        self.own.push(envelope);
        Ok(())
    }

    fn is_pruned(&self, at: usize) -> bool {
        if let Some(own) = at.checked_sub(self.shared) {
            return self.own.get(own).is_some_and(<[u8]>::is_empty);
        }
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.lacks(position(at))
    }

    fn read(&self, at: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        if let Some(own) = at.checked_sub(self.shared) {
            let found = self.own.get(own).map(Cow::Borrowed);
            return found.ok_or_else(|| StoreError::new(format!("there is no op at {at}")));
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let read = inner.read(position(at));
        read.map(Cow::Owned).map_err(|error| engine_error(&error))
    }

    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
        Ok(Box::new(Self {
            inner: Arc::clone(&self.inner),
            shared: self.shared,
            own: self.own.clone(),
        }))
    }
}
