//! Inventory: what a replica can hand on to another, by author (`docs/sync.md`).
//!
//! That is every op that is admitted or `unsupported`. Their parents are among them, so whoever has the whole of it can
//! take it in parents first. Pending and refused ops are not handed on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Replica;
use crate::hlc::Hlc;
use crate::id::{OpId, PublicKey};
use crate::op::VerifiedOp;
use crate::order::order_by_links;

/// What a replica has of one author, so briefly that two replicas can compare it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The author.
    pub author: PublicKey,
    /// How far it goes.
    pub tip: Tip,
}

/// How far the ops of an author go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tip {
    /// One chain without a fork, all of it judged.
    Linear {
        /// The number of its last op; the numbers before it are all there.
        seq: u64,
        /// Its last op, which has all the others in its past.
        op: OpId,
    },
    /// Several chains, or ops that this program cannot judge.
    Set {
        /// BLAKE3 of the ids of all ops of the author, in ascending order.
        digest: [u8; 32],
    },
}

/// An op that can be handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stocked {
    /// Where it stands in an order in which parents come before children; for an admitted op its position in the order of
    /// admission.
    pub rank: usize,
    /// Its stamp.
    pub hlc: Hlc,
    /// The op.
    pub op: OpId,
}

impl Replica {
    /// What the replica has of each author, by author.
    ///
    /// ```
    /// # use ecac_core::{Genesis, Name, Replica, SigningKey, Tip, public_key};
    /// # let key = SigningKey::from([1; 32]);
    /// # let genesis = Genesis {
    /// #     name: Name::new("shop")?, nonce: [0; 16], roots: [public_key(&key)].into(),
    /// #     schema: [].into(), features: [].into(),
    /// # };
    /// let replica = Replica::create(genesis, &key, 1)?;
    /// let heads = replica.chain_heads();
    /// assert_eq!(heads[0].author, public_key(&key));
    /// assert_eq!(heads[0].tip, Tip::Linear { seq: 0, op: replica.project() });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn chain_heads(&self) -> Vec<ChainHead> {
        let dag = &self.log.dag;
        let mut sets: BTreeMap<PublicKey, Vec<OpId>> = BTreeMap::new();
        for op in self.log.unsupported() {
            sets.entry(op.body().author).or_default().push(op.id());
        }
        let mut tips: BTreeMap<PublicKey, Tip> = BTreeMap::new();
        for chain in 0..crate::dag::narrow(dag.chain_count()) {
            let author = dag.author_of_chain(chain);
            let ops = dag.chain(chain);
            let is_known = tips.contains_key(&author) || sets.contains_key(&author);
            match ops.last() {
                Some(&last) if !is_known => {
                    let node = dag.node(last as usize);
                    let (seq, op) = (node.seq, node.id);
                    tips.insert(author, Tip::Linear { seq, op });
                }
                Some(_) | None => {
                    sets.entry(author).or_default();
                }
            }
        }
        for (author, mut ids) in sets {
            ids.extend(self.admitted_of(&author, 0).map(|at| dag.id(at)));
            ids.sort_unstable();
            let mut hasher = blake3::Hasher::new();
            for id in &ids {
                hasher.update(id.as_bytes());
            }
            let digest = *hasher.finalize().as_bytes();
            tips.insert(author, Tip::Set { digest });
        }
        let head = |(author, tip)| ChainHead { author, tip };
        tips.into_iter().map(head).collect()
    }

    /// The admitted op of the author with the number; the one that was admitted first, if there are several.
    #[must_use]
    pub fn chain_op(&self, author: &PublicKey, seq: u64) -> Option<OpId> {
        let dag = &self.log.dag;
        let with = |&at: &usize| dag.node(at).seq == seq;
        let found = self.admitted_of(author, seq).filter(with).min()?;
        Some(dag.id(found))
    }

    /// The admitted ops of the author with this number or a greater one, chain by chain; [`Stocked::rank`] puts parents before
    /// children. They are not gathered: a log may have millions.
    pub fn ops_of(&self, author: &PublicKey, from_seq: u64) -> impl Iterator<Item = Stocked> {
        let dag = &self.log.dag;
        self.admitted_of(author, from_seq).map(|at| Stocked {
            rank: at,
            hlc: dag.hlc(at),
            op: dag.id(at),
        })
    }

    /// The ops that this program cannot judge, each with its author, parents before children; they rank after the admitted
    /// ops that there are at the time.
    #[must_use]
    pub fn unsupported_ops(&self) -> Vec<(PublicKey, Stocked)> {
        let ordered = order_by_links(self.log.unsupported().cloned());
        let first = self.log.dag.len();
        let stocked = |(at, op): (usize, &VerifiedOp)| {
            let stocked = Stocked {
                rank: first + at,
                hlc: op.body().hlc,
                op: op.id(),
            };
            (op.body().author, stocked)
        };
        ordered.iter().enumerate().map(stocked).collect()
    }

    /// The envelope of an op that can be handed on, byte for byte as it was signed; `None` for any other op.
    #[must_use]
    pub fn envelope(&self, op: &OpId) -> Option<Cow<'_, [u8]>> {
        if let Some(at) = self.log.dag.find(op) {
            return self.log.envelope_at(at);
        }
        let held = self.log.unsupported_op(op);
        held.map(|it| Cow::Borrowed(it.envelope()))
    }

    /// The envelope of the admitted op of this [rank](Stocked::rank), without a look-up by id; `None` if there is none, or it was
    /// dropped.
    #[must_use]
    pub fn envelope_at(&self, rank: usize) -> Option<Cow<'_, [u8]>> {
        self.log.envelope_at(rank)
    }

    /// Whether the envelope of the admitted op of this [rank](Stocked::rank) was dropped, without a look-up by id.
    #[must_use]
    pub fn is_pruned_at(&self, rank: usize) -> bool {
        self.log.is_hollow(rank)
    }

    /// Where the author's admitted ops from the number on stand in the order of admission.
    fn admitted_of(&self, author: &PublicKey, from_seq: u64) -> impl Iterator<Item = usize> {
        let dag = &self.log.dag;
        let chains = dag.chains_of(author).iter();
        chains.flat_map(move |&chain| {
            let ops = dag.chain(chain);
            let first = ops.first().map_or(0, |&at| dag.node(at as usize).seq);
            let skip = usize::try_from(from_seq.saturating_sub(first)).unwrap_or(usize::MAX);
            ops.iter().skip(skip).map(|&at| at as usize)
        })
    }
}
