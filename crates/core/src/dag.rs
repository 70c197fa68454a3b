//! The DAG of admitted ops and its happens-before relation.
//!
//! Parent links alone decide causality. The ops are split into chains in each of which every op has its
//! predecessor in its past; an honest author has one chain, each further branch of an equivocating author is
//! one more. The past of an op is then one number per chain (a vector clock over chains), and "does a happen
//! before b?" is one binary search. The split depends on arrival order, the relation does not.

use std::collections::BTreeMap;

use crate::costs::Costs;
use crate::id::{OpId, PublicKey};
use crate::op::VerifiedOp;

/// Position of an op in the DAG, in order of admission: parents come before children.
pub(crate) type Index = usize;

/// The strict ancestors of an op: of each chain, how many of its first ops. Sorted by chain, no zeros.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Past(Box<[(u32, u32)]>);

impl Past {
    /// How many of the first ops of a chain belong to the past.
    pub(crate) fn count(&self, chain: u32) -> u32 {
        match self.0.binary_search_by_key(&chain, |entry| entry.0) {
            Ok(at) => self.0[at].1,
            Err(_) => 0,
        }
    }
}

#[derive(Debug)]
struct Node {
    op: VerifiedOp,
    chain: u32,
    position: u32,
    past: Past,
}

/// The ops of one author.
#[derive(Debug, Default)]
struct AuthorOps {
    chains: Vec<u32>,
    /// Ops by sequence number; more than one is an equivocation. Admitted sequence numbers have no gaps.
    by_seq: Vec<Index>,
    forks: BTreeMap<u64, Vec<Index>>,
}

/// The admitted ops.
#[derive(Debug, Default)]
pub(crate) struct Dag {
    nodes: Vec<Node>,
    index: BTreeMap<OpId, Index>,
    chains: Vec<Vec<Index>>,
    authors: BTreeMap<PublicKey, AuthorOps>,
}

impl Dag {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn find(&self, id: &OpId) -> Option<Index> {
        self.index.get(id).copied()
    }

    pub(crate) fn op(&self, at: Index) -> &VerifiedOp {
        &self.nodes[at].op
    }

    pub(crate) fn id(&self, at: Index) -> OpId {
        self.nodes[at].op.id()
    }

    pub(crate) fn past(&self, at: Index) -> &Past {
        &self.nodes[at].past
    }

    /// Chain and position of an op.
    pub(crate) fn place(&self, at: Index) -> (u32, u32) {
        (self.nodes[at].chain, self.nodes[at].position)
    }

    /// The past of an op with these parents: the parents and their pasts.
    pub(crate) fn past_of(&self, parents: &[Index]) -> Past {
        let mut merged = BTreeMap::new();
        let mut raise = |chain: u32, count: u32| {
            let entry = merged.entry(chain).or_insert(0);
            *entry = count.max(*entry);
        };
        for &parent in parents {
            let node = &self.nodes[parent];
            node.past
                .0
                .iter()
                .for_each(|&(chain, count)| raise(chain, count));
            raise(node.chain, node.position + 1);
        }
        Past(merged.into_iter().collect())
    }

    /// Whether the op lies in the past.
    pub(crate) fn contains(&self, past: &Past, at: Index, costs: &mut Costs) -> bool {
        costs.ancestor_queries += 1;
        let node = &self.nodes[at];
        past.count(node.chain) > node.position
    }

    /// Whether `a` happens before `b`: whether it is a strict ancestor.
    pub(crate) fn before(&self, a: Index, b: Index, costs: &mut Costs) -> bool {
        self.contains(&self.nodes[b].past, a, costs)
    }

    /// The sequence number that an author's next op after this past has.
    pub(crate) fn next_seq(&self, author: &PublicKey, past: &Past) -> u64 {
        let Some(ops) = self.authors.get(author) else {
            return 0;
        };
        let last_seq = |&chain: &u32| {
            let last = past.count(chain).checked_sub(1)?;
            Some(
                self.op(self.chains[chain as usize][last as usize])
                    .body()
                    .seq
                    + 1,
            )
        };
        ops.chains.iter().filter_map(last_seq).max().unwrap_or(0)
    }

    /// Adds an op whose parents, sequence number and authority have been judged.
    pub(crate) fn push(&mut self, op: VerifiedOp, past: Past) -> Index {
        let at = self.nodes.len();
        let body = op.body();
        let author = self.authors.entry(body.author).or_default();
        let extendable = |&&chain: &&u32| {
            let length = self.chains[chain as usize].len();
            past.count(chain) as usize == length
        };
        let chain = match author.chains.iter().find(extendable) {
            Some(&chain) => chain,
            None => {
                let chain =
                    u32::try_from(self.chains.len()).expect("fewer than 2^32 chains fit in memory");
                self.chains.push(Vec::new());
                author.chains.push(chain);
                chain
            }
        };
        match author
            .by_seq
            .get(usize::try_from(body.seq).unwrap_or(usize::MAX))
        {
            Some(&first) => {
                author
                    .forks
                    .entry(body.seq)
                    .or_insert_with(|| vec![first])
                    .push(at);
            }
            None => {
                assert_eq!(
                    author.by_seq.len() as u64,
                    body.seq,
                    "admitted sequence numbers have no gaps"
                );
                author.by_seq.push(at);
            }
        }
        let ops = &mut self.chains[chain as usize];
        let position = u32::try_from(ops.len()).expect("fewer than 2^32 ops fit in memory");
        ops.push(at);
        self.index.insert(op.id(), at);
        self.nodes.push(Node {
            op,
            chain,
            position,
            past,
        });
        at
    }

    /// Groups of different ops that an author signed with one sequence number, by ascending number.
    pub(crate) fn forks(&self, author: &PublicKey) -> impl Iterator<Item = &[Index]> {
        let forks = self.authors.get(author).map(|ops| ops.forks.values());
        forks.into_iter().flatten().map(Vec::as_slice)
    }

    /// Whether the op shares its sequence number with another op of its author.
    pub(crate) fn is_fork(&self, at: Index) -> bool {
        let body = self.op(at).body();
        self.authors
            .get(&body.author)
            .is_some_and(|ops| ops.forks.contains_key(&body.seq))
    }

    /// Authors who signed two ops with one sequence number, with the groups, in order of their keys.
    pub(crate) fn equivocators(
        &self,
    ) -> impl Iterator<Item = (&PublicKey, &BTreeMap<u64, Vec<Index>>)> {
        let equivocating = |(_, ops): &(&PublicKey, &AuthorOps)| !ops.forks.is_empty();
        self.authors
            .iter()
            .filter(equivocating)
            .map(|(author, ops)| (author, &ops.forks))
    }

    /// Every op in the total order: parents first, ties by (stamp, op id).
    ///
    /// A child's stamp is strictly greater than its parents', so sorting by (stamp, op id) puts parents first.
    pub(crate) fn total_order(&self) -> Vec<Index> {
        let mut order: Vec<Index> = (0..self.len()).collect();
        order.sort_unstable_by_key(|&at| (self.op(at).body().hlc, self.id(at)));
        order
    }
}
