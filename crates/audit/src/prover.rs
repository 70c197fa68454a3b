//! Proofs from one pass over the leaves: which subtrees a proof consists of is known before any leaf is.

use core::ops::Range;

use crate::digest::Digest;
use crate::frontier::{Frontier, leaf_hash};

/// A Merkle proof in the making, which wants to see every leaf of the tree once, in order.
///
/// It keeps one hash for each subtree of the proof and one frontier, some hundred hashes at most.
#[derive(Debug)]
pub(crate) struct Prover {
    /// Leaves of each subtree, with the place of its hash in the proof; in the order of the leaves, no leaf in two.
    subtrees: Vec<(Range<u64>, usize)>,
    hashes: Vec<Digest>,
    /// The first subtree that is not complete.
    at: usize,
    /// The leaves of that subtree so far.
    frontier: Frontier,
    /// Leaves seen.
    seen: u64,
}

impl Prover {
    /// The inclusion path of leaf `index` in the tree of `size` leaves (RFC 9162 section 2.1.3.1); `None` outside of it.
    pub(crate) fn of_inclusion(index: u64, size: u64) -> Option<Self> {
        (index < size).then(|| {
            let (mut low, mut high) = (0, size);
            let mut path = Vec::new();
            while high - low > 1 {
                let middle = low + split(high - low);
                if index < middle {
                    path.push(middle..high);
                    high = middle;
                } else {
                    path.push(low..middle);
                    low = middle;
                }
            }
            Self::of(path)
        })
    }

    /// The proof that the tree of `size` leaves extends that of its first `old` ones (RFC 9162 section 2.1.4.1), which
    /// is empty where either tree is empty or both are the same; `None` where the tree is smaller.
    pub(crate) fn of_extension(old: u64, size: u64) -> Option<Self> {
        (old <= size).then(|| {
            let (mut low, mut high) = (0, size);
            let mut path = Vec::new();
            while old > 0 && old != high {
                let middle = low + split(high - low);
                if old <= middle {
                    path.push(middle..high);
                    high = middle;
                } else {
                    path.push(low..middle);
                    low = middle;
                }
            }
            if low > 0 {
                path.push(low..high);
            }
            Self::of(path)
        })
    }

    /// `path` goes from the root to the leaf, a proof the other way.
    fn of(path: Vec<Range<u64>>) -> Self {
        let places = (0..path.len()).rev();
        let mut subtrees: Vec<_> = path.into_iter().zip(places).collect();
        subtrees.sort_by_key(|(leaves, _)| leaves.start);
        Self {
            hashes: vec![Digest::from_bytes([0; 32]); subtrees.len()],
            subtrees,
            at: 0,
            frontier: Frontier::default(),
            seen: 0,
        }
    }

    /// Takes the next leaf in.
    pub(crate) fn push(&mut self, leaf: &[u8]) {
        if let Some((leaves, place)) = self.subtrees.get(self.at)
            && leaves.start <= self.seen
        {
            self.frontier.push_hash(leaf_hash(leaf));
            if self.seen + 1 == leaves.end {
                self.hashes[*place] = core::mem::take(&mut self.frontier).head().root;
                self.at += 1;
            }
        }
        self.seen += 1;
    }

    /// The proof; `None` where leaves are missing.
    pub(crate) fn finish(self) -> Option<Vec<Digest>> {
        (self.at == self.subtrees.len()).then_some(self.hashes)
    }
}

/// The largest power of two below `size`, which is at least 2: how many leaves the left subtree has.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::MerkleLog;

    #[test]
    fn proofs_are_those_of_the_whole_tree() {
        let mut log = MerkleLog::default();
        let leaves: Vec<String> = (0..40).map(|leaf| format!("leaf {leaf}")).collect();
        assert!(Prover::of_inclusion(0, 0).is_none());
        for (size, leaf) in (1_u64..).zip(&leaves) {
            log.push(leaf.clone());
            let finish = |prover: Option<Prover>| {
                let mut prover = prover.unwrap();
                let seen = usize::try_from(size).unwrap();
                for leaf in &leaves[..seen] {
                    prover.push(leaf.as_bytes());
                }
                prover.finish()
            };
            for index in 0..size {
                let path = finish(Prover::of_inclusion(index, size));
                assert_eq!(path, log.prove_inclusion(index), "{index} of {size}");
            }
            for old in 0..=size {
                let path = finish(Prover::of_extension(old, size));
                assert_eq!(path, log.prove_consistency(old), "{old} to {size}");
            }
            assert!(Prover::of_inclusion(size, size).is_none());
            assert!(Prover::of_extension(size + 1, size).is_none());
        }
        let mut unfinished = Prover::of_inclusion(0, 3).unwrap();
        unfinished.push(b"leaf 0");
        assert_eq!(unfinished.finish(), None);
    }
}
