//! The right edge of a Merkle tree (RFC 9162 section 2.1): all that appending needs to know of what came before.

use ecac_core::limits::INTEGER_MAX;
use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::merkle::TreeHead;

/// Prefix of the hash of a leaf (RFC 9162 section 2.1.1).
const LEAF: u8 = 0x00;
/// Prefix of the hash of an inner node.
const NODE: u8 = 0x01;

/// The roots of the perfect subtrees that a tree consists of: one for each bit that is set in its size, the largest
/// subtree first.
///
/// It takes at most 53 hashes, however many leaves there are, and gives the root of the tree and of every tree that
/// appending makes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    hashes: Vec<Digest>,
}

impl Frontier {
    /// The frontier of a tree of `size` leaves; `None` where `hashes` are not as many as such a tree has, or no log
    /// gets so large.
    #[must_use]
    pub fn from_hashes(size: u64, hashes: Vec<Digest>) -> Option<Self> {
        let is_possible = size <= INTEGER_MAX / 2 && size.count_ones() as usize == hashes.len();
        is_possible.then_some(Self { size, hashes })
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the perfect subtrees, the largest first.
    #[must_use]
    pub fn hashes(&self) -> &[Digest] {
        &self.hashes
    }

    /// Appends a leaf.
    ///
    /// # Panics
    ///
    /// Beyond 2^53 - 1 leaves, which canonical JSON cannot number.
    pub fn push(&mut self, leaf: &[u8]) {
        self.push_hash(leaf_hash(leaf));
    }

    /// Appends a leaf of which the hash is given.
    pub(crate) fn push_hash(&mut self, leaf: Digest) {
        assert!(self.size < INTEGER_MAX, "the index fits canonical JSON");
        let mut hash = leaf;
        // Each subtree of the size of the new one is its left sibling.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.hashes.pop() {
                hash = node(&left, &hash);
            }
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// Size and root of the tree.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        let mut hashes = self.hashes.iter().rev();
        let root = match hashes.next() {
            None => Digest::of(b""),
            Some(last) => hashes.fold(*last, |right, left| node(left, &right)),
        };
        TreeHead {
            size: self.size,
            root,
        }
    }
}

/// The hash of a leaf.
pub(crate) fn leaf_hash(leaf: &[u8]) -> Digest {
    hash(LEAF, &[leaf])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(NODE, &[left.as_bytes(), right.as_bytes()])
}

fn hash(prefix: u8, parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    hasher.update([prefix]);
    for part in parts {
        hasher.update(part);
    }
    Digest::from_bytes(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::MerkleLog;

    #[test]
    fn its_root_is_that_of_the_whole_tree_and_its_hashes_are_few() {
        let mut log = MerkleLog::default();
        let mut frontier = Frontier::default();
        for leaf in 0..300_u64 {
            assert_eq!(frontier.head(), log.head());
            assert_eq!(frontier.hashes().len(), leaf.count_ones() as usize);
            let again = Frontier::from_hashes(leaf, frontier.hashes().to_vec());
            assert_eq!(again.as_ref(), Some(&frontier));
            let leaf = format!("leaf {leaf}");
            frontier.push(leaf.as_bytes());
            log.push(leaf);
        }
    }

    #[test]
    fn a_wrong_number_of_hashes_is_no_frontier() {
        let hash = Digest::of(b"x");
        for (size, hashes) in [(0, 1), (1, 0), (3, 1), (4, 2), (1 << 60, 1)] {
            assert_eq!(Frontier::from_hashes(size, vec![hash; hashes]), None);
        }
    }
}
