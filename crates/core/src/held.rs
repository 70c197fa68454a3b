//! What a replica keeps outside of the DAG, within limits.

use std::collections::BTreeMap;

use crate::id::OpId;

/// How much a replica keeps of what strangers can send without limit (`docs/protocol.md`, Limits).
///
/// No verdict depends on these limits. What falls out is what came first, and it can come again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Pending ops: those of which an ancestor is absent.
    pub pending_ops: usize,
    /// Envelopes of pending ops, in bytes.
    pub pending_bytes: usize,
    /// Ops that this program cannot judge, and what builds on them.
    pub unsupported_ops: usize,
    /// Envelopes of unsupported ops, in bytes.
    pub unsupported_bytes: usize,
    /// Refused ops of which id, reason, witness and stamp are remembered.
    pub refused_ops: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            pending_ops: 16_384,
            pending_bytes: 64 << 20,
            unsupported_ops: 65_536,
            unsupported_bytes: 256 << 20,
            refused_ops: 65_536,
        }
    }
}

impl Limits {
    /// No limits: for who holds all that can come in memory already.
    #[must_use]
    pub const fn unbounded() -> Self {
        Self {
            pending_ops: usize::MAX,
            pending_bytes: usize::MAX,
            unsupported_ops: usize::MAX,
            unsupported_bytes: usize::MAX,
            refused_ops: usize::MAX,
        }
    }
}

/// What is held outside of the DAG, and what fell out of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Pending ops that are held.
    pub pending_ops: usize,
    /// Their envelopes, in bytes.
    pub pending_bytes: usize,
    /// Pending ops that fell out.
    pub pending_dropped: u64,
    /// Unsupported ops that are held.
    pub unsupported_ops: usize,
    /// Their envelopes, in bytes.
    pub unsupported_bytes: usize,
    /// Unsupported ops that fell out.
    pub unsupported_dropped: u64,
    /// Refused ops that are remembered.
    pub refused_ops: usize,
    /// Refused ops that are forgotten.
    pub refused_dropped: u64,
    /// Bytes that were no op, each time that they came; nothing is kept of them.
    pub rejected: u64,
}

/// A map that holds so many entries and bytes, and lets go of what came first.
#[derive(Debug, Clone)]
pub(crate) struct Held<T> {
    entries: BTreeMap<OpId, Entry<T>>,
    /// Entries by the order in which they came.
    order: BTreeMap<u64, OpId>,
    next: u64,
    bytes: usize,
    ops_max: usize,
    bytes_max: usize,
    dropped: u64,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    number: u64,
    bytes: usize,
    value: T,
}

impl<T> Held<T> {
    pub(crate) const fn new(ops_max: usize, bytes_max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
            next: 0,
            bytes: 0,
            ops_max,
            bytes_max,
            dropped: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn contains(&self, id: &OpId) -> bool {
        self.entries.contains_key(id)
    }

    pub(crate) fn get(&self, id: &OpId) -> Option<&T> {
        self.entries.get(id).map(|entry| &entry.value)
    }

    /// The entries by op id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OpId, &T)> {
        self.entries.iter().map(|(id, entry)| (id, &entry.value))
    }

    /// Holds one more entry, and returns those that have to go for it, which can include itself.
    pub(crate) fn insert(&mut self, id: OpId, bytes: usize, value: T) -> Vec<(OpId, T)> {
        self.remove(&id);
        let number = self.next;
        self.next += 1;
        self.bytes += bytes;
        self.order.insert(number, id);
        self.entries.insert(
            id,
            Entry {
                number,
                bytes,
                value,
            },
        );
        let mut gone = Vec::new();
        while self.entries.len() > self.ops_max || self.bytes > self.bytes_max {
            let Some((_, first)) = self.order.first_key_value() else {
                break;
            };
            let first = *first;
            gone.extend(self.remove(&first).map(|value| (first, value)));
            self.dropped += 1;
        }
        gone
    }

    pub(crate) fn remove(&mut self, id: &OpId) -> Option<T> {
        let entry = self.entries.remove(id)?;
        self.order.remove(&entry.number);
        self.bytes -= entry.bytes;
        Some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> OpId {
        OpId::from_bytes([number; 32])
    }

    #[test]
    fn what_came_first_goes_first() {
        let mut held = Held::new(2, 100);
        assert!(held.insert(id(9), 10, 'a').is_empty());
        assert!(held.insert(id(1), 10, 'b').is_empty());
        assert_eq!(held.insert(id(5), 10, 'c'), [(id(9), 'a')]);
        assert_eq!((held.len(), held.bytes(), held.dropped()), (2, 20, 1));
        assert_eq!(held.insert(id(6), 95, 'd'), [(id(1), 'b'), (id(5), 'c')]);
        assert_eq!(held.insert(id(7), 101, 'e'), [(id(6), 'd'), (id(7), 'e')]);
        assert_eq!((held.len(), held.bytes(), held.dropped()), (0, 0, 5));
    }

    #[test]
    fn an_entry_that_comes_again_is_the_last_one() {
        let mut held = Held::new(2, 100);
        held.insert(id(1), 10, 'a');
        held.insert(id(2), 10, 'b');
        held.insert(id(1), 20, 'c');
        assert_eq!(held.bytes(), 30);
        assert_eq!(held.insert(id(3), 10, 'd'), [(id(2), 'b')]);
        assert_eq!(held.remove(&id(1)), Some('c'));
        assert_eq!(held.remove(&id(1)), None);
        assert_eq!(held.bytes(), 10);
    }
}
