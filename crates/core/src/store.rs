//! Op stores: where the envelopes of admitted ops are kept.

use core::fmt::Debug;
use core::ops::ControlFlow;
use std::borrow::Cow;
use std::sync::Arc;

use crate::id::OpId;
use crate::op::VerifiedOp;
use crate::tight;

/// A store that failed; its log takes in nothing more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the op store failed: {reason}")]
#[non_exhaustive]
pub struct StoreError {
    /// What went wrong, in the words of the store.
    pub reason: Arc<str>,
}

impl StoreError {
    /// A failure for this reason.
    #[must_use]
    pub fn new(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// Envelopes of admitted ops by position, which is the order of admission: parents come before children.
///
/// What is appended is never changed and never taken away. An implementation gives back the bytes that it was given, or
/// fails: the engine takes them for verified.
pub trait OpStore: Debug + Send {
    /// How many envelopes there are.
    fn len(&self) -> usize;

    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends an envelope at the position [`OpStore::len`].
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be kept; the store is then as it was.
    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError>;

    /// The envelope at the position.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read, or if there is none at the position.
    fn read(&self, position: usize) -> Result<Cow<'_, [u8]>, StoreError>;

    /// A store with the same envelopes for a trial: what is appended to it does not show here.
    ///
    /// # Errors
    /// [`StoreError`] if there cannot be one.
    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError>;

    /// Calls `take` with each envelope from the position on, in order, until it breaks off.
    ///
    /// # Errors
    /// [`StoreError`] for the first that cannot be read.
    fn scan(
        &self,
        from: usize,
        take: &mut dyn FnMut(usize, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        for position in from..self.len() {
            if take(position, &self.read(position)?).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// The position of an op, by looking at each; a store with an index does better. The engine has its own.
    ///
    /// # Errors
    /// [`StoreError`] if an envelope before it cannot be read.
    fn find(&self, id: &OpId) -> Result<Option<usize>, StoreError> {
        let mut found = None;
        self.scan(0, &mut |position, envelope| {
            if VerifiedOp::stored(envelope).is_some_and(|op| op.id() == *id) {
                found = Some(position);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }
}

/// Bytes of memory that are asked for at once.
const SEGMENT_BYTES: usize = 1 << 20;

/// A store in memory. A copy shares what it holds.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    segments: Vec<Arc<Vec<u8>>>,
    /// The position of the first envelope of each segment.
    firsts: Vec<usize>,
    /// By position: where in its segment the envelope ends.
    ends: Vec<u32>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The memory that it takes up, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        let segments = self.segments.iter();
        let segments = segments.map(|it| it.capacity()).sum::<usize>();
        segments + self.ends.capacity() * size_of::<u32>()
    }
}

impl OpStore for MemoryStore {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
        let room = |segment: &Arc<Vec<u8>>| segment.capacity() - segment.len() >= envelope.len();
        if !self.segments.last().is_some_and(room) {
            let bytes = SEGMENT_BYTES.max(envelope.len());
            self.segments.push(Arc::new(Vec::with_capacity(bytes)));
            self.firsts.push(self.ends.len());
        }
        if let Some(segment) = self.segments.last_mut()
            && let Ok(end) = u32::try_from(segment.len() + envelope.len())
        {
            Arc::make_mut(segment).extend_from_slice(envelope);
            tight::push(&mut self.ends, end);
            return Ok(());
        }
        Err(StoreError::new("the envelope is longer than any segment"))
    }

    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn read(&self, position: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        let none = || StoreError::new(format!("there is no envelope at position {position}"));
        let end = *self.ends.get(position).ok_or_else(none)? as usize;
        let number = self.firsts.partition_point(|&first| first <= position);
        let number = number.checked_sub(1).ok_or_else(none)?;
        let start = match position.checked_sub(1) {
            Some(before) if self.firsts[number] < position => self.ends[before] as usize,
            Some(_) | None => 0,
        };
        let bytes = self.segments[number].get(start..end);
        bytes.map(Cow::Borrowed).ok_or_else(none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_read_at_its_position() {
        let mut store = MemoryStore::new();
        assert!(store.is_empty() && store.read(0).is_err());
        let sizes = [0, 1, 300, 70_000, SEGMENT_BYTES, SEGMENT_BYTES + 1, 5, 0];
        let envelope = |at: usize| vec![u8::try_from(at % 256).unwrap(); sizes[at % sizes.len()]];
        for at in 0..100 {
            store.append(&envelope(at)).unwrap();
        }
        assert_eq!(store.len(), 100);
        for at in 0..100 {
            assert_eq!(store.read(at).unwrap(), envelope(at));
        }
        assert!(store.read(100).is_err());
        let mut seen = Vec::new();
        let mut take = |at: usize, bytes: &[u8]| {
            assert_eq!(bytes, envelope(at));
            seen.push(at);
            if at == 95 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        store.scan(90, &mut take).unwrap();
        assert_eq!(seen, [90, 91, 92, 93, 94, 95]);
    }
}
