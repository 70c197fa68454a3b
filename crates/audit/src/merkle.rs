//! The Merkle tree over the entries (RFC 9162 section 2.1), its heads, and its proofs.

use core::fmt;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ecac_core::limits::INTEGER_MAX;
use sha2::Sha256;
use thiserror::Error;

use crate::digest::Digest;

/// Size and root of a Merkle tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// Number of leaves.
    pub size: u64,
    /// Merkle Tree Hash (RFC 9162 section 2.1.1); of the empty tree, SHA-256 of nothing.
    pub root: Digest,
}

impl TreeHead {
    /// Whether some tree can have this head: the empty tree has only one.
    pub(crate) fn is_possible(&self) -> bool {
        self.size > 0 || self.root == Digest::of(b"")
    }
}

/// Why a Merkle proof does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// A tree size or index beyond what canonical JSON can carry, or an index outside the tree.
    #[error("index or size is out of range")]
    OutOfRange,
    /// The number of hashes is not the one for this index and these sizes.
    #[error("the proof has {found} hashes, which is not the number for this index and size")]
    Length {
        /// Hashes in the proof.
        found: usize,
    },
    /// The hashes do not lead to the root.
    #[error("the hashes do not lead to the root")]
    Root,
}

/// An append-only Merkle tree in memory; keeps the leaves.
#[derive(Clone, Default)]
pub(crate) struct MerkleLog {
    tree: MemoryBackedTree<Sha256, String>,
}

impl MerkleLog {
    pub(crate) fn push(&mut self, leaf: String) {
        assert!(self.size() < INTEGER_MAX, "the index fits canonical JSON");
        self.tree.push(leaf);
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.len()
    }

    pub(crate) fn head(&self) -> TreeHead {
        TreeHead {
            size: self.tree.len(),
            root: Digest::from_bytes((*self.tree.root().as_bytes()).into()),
        }
    }

    pub(crate) fn leaves(&self) -> &[String] {
        self.tree.items()
    }

    /// The inclusion path of leaf `index` in the whole tree; `None` outside it.
    pub(crate) fn prove_inclusion(&self, index: u64) -> Option<Vec<Digest>> {
        let index = usize::try_from(index)
            .ok()
            .filter(|_| index < self.size())?;
        Some(digests(self.tree.prove_inclusion(index).as_bytes()))
    }

    /// The proof that the whole tree extends its first `size` leaves; `None` beyond it. The proof from the empty
    /// tree is empty.
    pub(crate) fn prove_consistency(&self, size: u64) -> Option<Vec<Digest>> {
        let added = self.size().checked_sub(size)?;
        if size == 0 {
            return Some(Vec::new());
        }
        let added = usize::try_from(added).ok()?;
        Some(digests(self.tree.prove_consistency(added).as_bytes()))
    }
}

impl fmt::Debug for MerkleLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.head().fmt(f)
    }
}

/// Checks that the tree of `head` has `leaf` at `index` (RFC 9162 section 2.1.3.2).
///
/// # Errors
///
/// [`ProofError`] when the index is outside the tree, or `path` is not the leaf's path.
pub fn verify_inclusion(
    head: &TreeHead,
    index: u64,
    leaf: &[u8],
    path: &[Digest],
) -> Result<(), ProofError> {
    use ct_merkle::InclusionVerifError as Fault;
    if head.size > INTEGER_MAX {
        return Err(ProofError::OutOfRange);
    }
    let proof = InclusionProof::from_digests(&hashes(path));
    root_hash(head)
        .verify_inclusion(&leaf, index, &proof)
        .map_err(|fault| match fault {
            Fault::IndexOutOfRange | Fault::TreeEmpty => ProofError::OutOfRange,
            Fault::MalformedProof => ProofError::Length { found: path.len() },
            Fault::IncorrectHash => ProofError::Root,
        })
}

/// Checks that the tree of `new` extends that of `old` (RFC 9162 section 2.1.4.2).
///
/// Every tree extends the empty one, by the empty proof.
///
/// # Errors
///
/// [`ProofError`] when `new` is the smaller tree, `path` does not lead to both roots, or one of the trees is empty and
/// has not the one root of the empty tree.
pub fn verify_consistency(
    old: &TreeHead,
    new: &TreeHead,
    path: &[Digest],
) -> Result<(), ProofError> {
    use ct_merkle::ConsistencyVerifError as Fault;
    if new.size > INTEGER_MAX || old.size > new.size {
        return Err(ProofError::OutOfRange);
    }
    if !old.is_possible() || !new.is_possible() {
        return Err(ProofError::Root);
    }
    if old.size == 0 {
        return if path.is_empty() {
            Ok(())
        } else {
            Err(ProofError::Length { found: path.len() })
        };
    }
    let proof = ConsistencyProof::from_digests(&hashes(path));
    root_hash(new)
        .verify_consistency(&root_hash(old), &proof)
        .map_err(|fault| match fault {
            Fault::MalformedProof => ProofError::Length { found: path.len() },
            Fault::VerificationFailure => ProofError::Root,
            Fault::OldTreeEmpty | Fault::OldTreeLarger | Fault::NewTreeTooBig => {
                ProofError::OutOfRange
            }
        })
}

type Hash = ct_merkle::digest::Output<Sha256>;

fn root_hash(head: &TreeHead) -> RootHash<Sha256> {
    RootHash::new((*head.root.as_bytes()).into(), head.size)
}

fn hashes(path: &[Digest]) -> Vec<Hash> {
    path.iter().map(|hash| (*hash.as_bytes()).into()).collect()
}

fn digests(proof: &[u8]) -> Vec<Digest> {
    let (hashes, rest) = proof.as_chunks();
    assert!(rest.is_empty(), "a proof is whole hashes");
    hashes.iter().copied().map(Digest::from_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The leaves, roots and proofs of the Certificate Transparency reference implementation
    // (certificate-transparency-go, merkle tree tests), which are raw bytes.
    const LEAVES: [&str; 8] = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ];
    const ROOTS: [&str; 9] = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn digest(text: &str) -> Digest {
        text.parse().unwrap()
    }

    fn path(texts: &[&str]) -> Vec<Digest> {
        texts.iter().map(|text| digest(text)).collect()
    }

    /// Trees of this crate hold text, so the raw leaves go into the library's tree, as `MerkleLog` does.
    fn trees() -> Vec<MemoryBackedTree<Sha256, Vec<u8>>> {
        let mut tree = MemoryBackedTree::new();
        let mut trees = vec![tree.clone()];
        for leaf in LEAVES {
            tree.push(hex::decode(leaf).unwrap());
            trees.push(tree.clone());
        }
        trees
    }

    fn head(size: usize) -> TreeHead {
        TreeHead {
            size: size as u64,
            root: digest(ROOTS[size]),
        }
    }

    #[test]
    fn roots_are_those_of_certificate_transparency() {
        for (size, tree) in trees().iter().enumerate() {
            assert_eq!(hex::encode(tree.root().as_bytes()), ROOTS[size], "{size}");
        }
        assert_eq!(MerkleLog::default().head(), head(0));
    }

    #[test]
    fn inclusion_proofs_are_those_of_certificate_transparency() {
        let h00 = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
        let table: [(usize, usize, &[&str]); 4] = [
            (1, 0, &[]),
            (
                8,
                0,
                &[
                    h00,
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                8,
                5,
                &[
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                3,
                2,
                &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
            ),
        ];
        let trees = trees();
        for (size, index, want) in table {
            let want = path(want);
            assert_eq!(digests(trees[size].prove_inclusion(index).as_bytes()), want);
            let leaf = hex::decode(LEAVES[index]).unwrap();
            assert_eq!(
                verify_inclusion(&head(size), index as u64, &leaf, &want),
                Ok(())
            );
        }
    }

    #[test]
    fn consistency_proofs_are_those_of_certificate_transparency() {
        let table: [(usize, usize, &[&str]); 4] = [
            (1, 1, &[]),
            (
                1,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                &[
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                &[
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        let trees = trees();
        for (old, new, want) in table {
            let want = path(want);
            let proof = trees[new].prove_consistency(new - old);
            assert_eq!(digests(proof.as_bytes()), want, "{old} to {new}");
            assert_eq!(
                verify_consistency(&head(old), &head(new), &want),
                Ok(()),
                "{old} to {new}"
            );
        }
    }

    /// RFC 9162 section 2.1.1, word for word.
    fn tree_hash(leaves: &[String]) -> Digest {
        let (prefix, parts) = match leaves {
            [] => return Digest::of(b""),
            [leaf] => (0, vec![leaf.as_bytes().to_vec()]),
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                let parts = [left, right].map(|half| tree_hash(half).as_bytes().to_vec());
                (1, parts.to_vec())
            }
        };
        Digest::of(&[&[prefix][..], &parts.concat()].concat())
    }

    #[test]
    fn every_proof_between_small_trees_holds_and_no_other() {
        let leaves: Vec<String> = (0..17).map(|leaf| format!("leaf {leaf}")).collect();
        let heads: Vec<TreeHead> = (0..=leaves.len())
            .map(|size| TreeHead {
                size: size as u64,
                root: tree_hash(&leaves[..size]),
            })
            .collect();
        let mut log = MerkleLog::default();
        assert_eq!(log.prove_inclusion(0), None);
        for (size, head) in (1_u64..).zip(&heads[1..]) {
            let last = usize::try_from(size).unwrap() - 1;
            log.push(leaves[last].clone());
            assert_eq!(log.head(), *head);
            for index in 0..size {
                let leaf = leaves[usize::try_from(index).unwrap()].as_bytes();
                let path = log.prove_inclusion(index).unwrap();
                assert_eq!(verify_inclusion(head, index, leaf, &path), Ok(()));
                assert!(verify_inclusion(head, index, b"other", &path).is_err());
                assert!(verify_inclusion(head, index + 1, leaf, &path).is_err());
                let longer = [&path[..], &[head.root]].concat();
                assert_eq!(
                    verify_inclusion(head, index, leaf, &longer),
                    Err(ProofError::Length {
                        found: longer.len()
                    })
                );
            }
            assert_eq!(log.prove_inclusion(size), None);
            for old in &heads[..=last + 1] {
                let path = log.prove_consistency(old.size).unwrap();
                assert_eq!(verify_consistency(old, head, &path), Ok(()));
                let other = TreeHead {
                    root: Digest::of(b"other"),
                    ..*old
                };
                assert_eq!(
                    verify_consistency(&other, head, &path),
                    Err(ProofError::Root)
                );
            }
            assert_eq!(log.prove_consistency(size + 1), None);
        }
        assert_eq!(
            verify_consistency(&heads[3], &heads[2], &[]),
            Err(ProofError::OutOfRange)
        );
        // Two heads of size 0 that differ are not two trees.
        let empty = |root| TreeHead { size: 0, root };
        let (none, other) = (empty(Digest::of(b"")), empty(Digest::from_bytes([7; 32])));
        for (old, new, want) in [
            (&none, &none, Ok(())),
            (&none, &other, Err(ProofError::Root)),
            (&other, &none, Err(ProofError::Root)),
            (&other, &other, Err(ProofError::Root)),
            (&other, &heads[1], Err(ProofError::Root)),
            (&heads[1], &none, Err(ProofError::OutOfRange)),
        ] {
            assert_eq!(verify_consistency(old, new, &[]), want, "{old:?} {new:?}");
        }
        let huge = TreeHead {
            size: u64::MAX,
            ..heads[1]
        };
        assert_eq!(
            verify_inclusion(&huge, u64::MAX - 1, b"", &[]),
            Err(ProofError::OutOfRange)
        );
        assert_eq!(
            verify_consistency(&heads[1], &huge, &[]),
            Err(ProofError::OutOfRange)
        );
    }
}
