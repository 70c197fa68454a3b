//! Op stores: where the envelopes of admitted ops are kept.

use core::fmt::Debug;
use core::ops::ControlFlow;
use std::borrow::Cow;
use std::collections::BTreeMap;
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
/// What is appended is never changed, and taken away only by [`OpStore::prune`], of which [`OpStore::regain`] puts some back. An implementation gives back the bytes that it
/// was given, or fails: the engine takes them for verified.
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

    /// Drops the envelopes at these positions; the positions stay, and [`OpStore::is_pruned`] says so of each.
    ///
    /// # Errors
    /// [`StoreError`] if the store keeps every envelope, as one does that says nothing else; it is then as it was.
    fn prune(&mut self, positions: &[usize]) -> Result<(), StoreError> {
        if positions.is_empty() {
            return Ok(());
        }
        Err(StoreError::new("this store keeps every envelope"))
    }

    /// Puts envelopes back that were dropped, each at its position; each position is there once.
    ///
    /// # Errors
    /// [`StoreError`] if the store takes no envelope back, as one does that says nothing else, or if one of them was not dropped;
    /// it is then as it was.
    fn regain(&mut self, envelopes: &[(usize, &[u8])]) -> Result<(), StoreError> {
        if envelopes.is_empty() {
            return Ok(());
        }
        Err(StoreError::new("this store takes no envelope back"))
    }

    /// Whether the envelope at the position was dropped, and was not put back.
    fn is_pruned(&self, _position: usize) -> bool {
        false
    }

    /// A store with the same envelopes for a trial: what is appended to it does not show here.
    ///
    /// # Errors
    /// [`StoreError`] if there cannot be one.
    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError>;

    /// Calls `take` with each envelope from the position on that was not dropped, in order, until it breaks off.
    ///
    /// # Errors
    /// [`StoreError`] for the first that cannot be read.
    fn scan(
        &self,
        from: usize,
        take: &mut dyn FnMut(usize, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        for position in (from..self.len()).filter(|&it| !self.is_pruned(it)) {
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
const SEGMENT_BYTES: usize = 1 << 18;

/// A store in memory. A copy shares what it holds. An envelope has bytes: one without stands for one that was dropped.
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

    /// The same envelopes but for these positions, each of which has these bytes from now on.
    fn with(&self, others: &BTreeMap<usize, &[u8]>) -> Result<Self, StoreError> {
        let mut store = Self::new();
        for position in 0..self.len() {
            let other = others.get(&position).copied();
            let bytes = other.or_else(|| self.bytes(position));
            store.append(bytes.unwrap_or_default())?;
        }
        Ok(store)
    }

    /// The bytes at the position, of which there are none if the envelope was dropped.
    fn bytes(&self, position: usize) -> Option<&[u8]> {
        let end = *self.ends.get(position)? as usize;
        let number = self.firsts.partition_point(|&first| first <= position);
        let number = number.checked_sub(1)?;
        let start = match position.checked_sub(1) {
            Some(before) if self.firsts[number] < position => self.ends[before] as usize,
            Some(_) | None => 0,
        };
        self.segments[number].get(start..end)
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

    fn prune(&mut self, positions: &[usize]) -> Result<(), StoreError> {
        if let Some(beyond) = positions.iter().find(|&&it| it >= self.len()) {
            let reason = format!("there is no envelope at position {beyond}");
            return Err(StoreError::new(reason));
        }
        if positions.is_empty() {
            return Ok(());
        }
        let none: &[u8] = &[];
        *self = self.with(&positions.iter().map(|&it| (it, none)).collect())?;
        Ok(())
    }

    fn regain(&mut self, envelopes: &[(usize, &[u8])]) -> Result<(), StoreError> {
        let is_back = |it: &&(usize, &[u8])| it.1.is_empty() || !self.is_pruned(it.0);
        if let Some((position, _)) = envelopes.iter().find(is_back) {
            let reason = format!("no envelope was dropped at position {position}");
            return Err(StoreError::new(reason));
        }
        if !envelopes.is_empty() {
            *self = self.with(&envelopes.iter().copied().collect())?;
        }
        Ok(())
    }

    fn is_pruned(&self, position: usize) -> bool {
        self.bytes(position).is_some_and(<[u8]>::is_empty)
    }

    fn read(&self, position: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        let failed = |what| StoreError::new(format!("{what} at position {position}"));
        match self.bytes(position) {
            Some([]) => Err(failed("an envelope was dropped")),
            Some(bytes) => Ok(Cow::Borrowed(bytes)),
            None => Err(failed("there is no envelope")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_is_read_at_its_position() {
        let mut store = MemoryStore::new();
        assert!(store.is_empty() && store.read(0).is_err());
        let sizes = [2, 1, 300, 70_000, SEGMENT_BYTES, SEGMENT_BYTES + 1, 5, 5];
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

    #[test]
    fn what_was_dropped_is_gone_and_the_rest_is_where_it_was() {
        let mut store = MemoryStore::new();
        let envelope = |at: usize| vec![u8::try_from(at % 256).unwrap(); 5000];
        for at in 0..500 {
            store.append(&envelope(at)).unwrap();
        }
        let (before, full) = (store.memory(), store.clone());
        assert!(store.prune(&[500]).is_err());
        let gone = |at: usize| !at.is_multiple_of(10);
        let first: Vec<usize> = (0..250).filter(|&at| gone(at)).collect();
        let second: Vec<usize> = (200..500).filter(|&at| gone(at)).collect();
        store.prune(&first).unwrap();
        store.prune(&second).unwrap();
        store.append(&envelope(500)).unwrap();
        for at in 0..500 {
            assert_eq!(store.is_pruned(at), gone(at));
            assert_eq!(store.read(at).is_err(), gone(at));
            assert!(gone(at) || store.read(at).unwrap() == envelope(at));
        }
        let mut seen = 0;
        let mut take = |_: usize, _: &[u8]| {
            seen += 1;
            ControlFlow::Continue(())
        };
        store.scan(0, &mut take).unwrap();
        assert_eq!((seen, store.len()), (51, 501));
        assert!(store.memory() < before / 2);
        assert!(full.read(1).is_ok());
        // Some of it comes back; what is there does not, nor does what was never there, nor nothing.
        let pruned = store.clone();
        let (one, two) = (envelope(7), envelope(499));
        for bad in [(10, &one[..]), (501, &one[..]), (8, &[][..])] {
            assert!(store.regain(&[(7, &one), bad]).is_err());
            assert!(store.is_pruned(7));
        }
        store.regain(&[(499, &two), (7, &one)]).unwrap();
        for at in 0..501 {
            let is_back = at == 7 || at == 499;
            assert_eq!(store.is_pruned(at), pruned.is_pruned(at) && !is_back);
            assert!(store.is_pruned(at) || store.read(at).unwrap() == envelope(at));
        }
        store.prune(&[7, 499]).unwrap();
        assert!((0..501).all(|at| store.is_pruned(at) == pruned.is_pruned(at)));
    }

    /// A store that keeps everything.
    #[derive(Debug)]
    struct Keeping(MemoryStore);

    impl OpStore for Keeping {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
            self.0.append(envelope)
        }

        fn read(&self, position: usize) -> Result<Cow<'_, [u8]>, StoreError> {
            self.0.read(position)
        }

        fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
            self.0.branch()
        }
    }

    #[test]
    fn a_store_that_says_nothing_of_it_drops_nothing_and_takes_nothing_back() {
        let mut store = Keeping(MemoryStore::new());
        store.append(b"one").unwrap();
        assert!(store.prune(&[]).is_ok() && store.regain(&[]).is_ok());
        let (dropped, regained) = (store.prune(&[0]), store.regain(&[(0, b"one")]));
        assert!(dropped.unwrap_err().to_string().contains("keeps"));
        assert!(regained.unwrap_err().to_string().contains("back"));
        assert_eq!(*store.read(0).unwrap(), *b"one");
    }
}
