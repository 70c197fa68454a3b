//! The causal skeleton of the admitted ops: who, which number, when, and what happened before what.
//!
//! Parent links alone decide causality. The ops are split into chains in each of which every op has its
//! predecessor in its past and the sequence number after that one's; an honest author has one chain, each further
//! branch of an equivocating author is one more. The past of an op is then one number per chain (a vector clock over
//! chains), and "does a happen before b?" is one binary search. The split depends on arrival order, the relation
//! does not.

use std::collections::BTreeMap;

use crate::costs::Costs;
use crate::hlc::Hlc;
use crate::id::{OpId, PublicKey};

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

    /// Of each chain with ops in the past, how many of its first ops.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().copied()
    }

    /// How many chains have ops in the past.
    pub(crate) fn chains(&self) -> usize {
        self.0.len()
    }
}

/// What the DAG knows of an op.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) id: OpId,
    pub(crate) author: PublicKey,
    pub(crate) seq: u64,
    pub(crate) hlc: Hlc,
}

/// What an author's own ops in a past come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Own {
    /// The number that the author's next op has.
    pub(crate) next_seq: u64,
    /// How many ops there are beyond one for each number; not zero iff the past holds an equivocation.
    pub(crate) surplus: u64,
    /// The chain that the next op continues.
    continues: Option<u32>,
}

/// The numbers of the ops of a chain that lie in a past: from `first` to before `end`, not seen from `unseen` on.
#[derive(Debug, Clone, Copy)]
struct Run {
    chain: u32,
    first: u64,
    unseen: u64,
    end: u64,
}

#[derive(Debug, Clone)]
struct Placed {
    node: Node,
    chain: u32,
    position: u32,
    past: Past,
}

#[derive(Debug, Clone)]
struct Chain {
    author: PublicKey,
    first_seq: u64,
    ops: Vec<Index>,
}

/// The ops of one author.
#[derive(Debug, Clone, Default)]
struct AuthorOps {
    chains: Vec<u32>,
    /// The first op of each sequence number. Admitted sequence numbers have no gaps.
    by_seq: Vec<Index>,
    /// The ops of each number that has several: an equivocation.
    forks: BTreeMap<u64, Vec<Index>>,
}

/// The admitted ops.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dag {
    nodes: Vec<Placed>,
    index: BTreeMap<OpId, Index>,
    chains: Vec<Chain>,
    authors: BTreeMap<PublicKey, AuthorOps>,
}

impl Dag {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn find(&self, id: &OpId) -> Option<Index> {
        self.index.get(id).copied()
    }

    pub(crate) fn node(&self, at: Index) -> &Node {
        &self.nodes[at].node
    }

    pub(crate) fn id(&self, at: Index) -> OpId {
        self.nodes[at].node.id
    }

    pub(crate) fn past(&self, at: Index) -> &Past {
        &self.nodes[at].past
    }

    /// Chain and position of an op.
    pub(crate) fn position(&self, at: Index) -> (u32, u32) {
        (self.nodes[at].chain, self.nodes[at].position)
    }

    /// The ops of each chain, in order.
    pub(crate) fn chains(&self) -> impl Iterator<Item = &[Index]> {
        self.chains.iter().map(|chain| chain.ops.as_slice())
    }

    /// The ops of an author with the greatest sequence number; several, if the author signed that number twice.
    pub(crate) fn last_of(&self, author: &PublicKey) -> &[Index] {
        let Some(ops) = self.authors.get(author) else {
            return &[];
        };
        match (ops.by_seq.len().checked_sub(1), ops.by_seq.last()) {
            (Some(seq), Some(last)) => ops
                .forks
                .get(&(seq as u64))
                .map_or(core::slice::from_ref(last), Vec::as_slice),
            _ => &[],
        }
    }

    /// The past of an op with these parents: the parents and their pasts.
    pub(crate) fn past_of(&self, parents: &[Index]) -> Past {
        let with_parent = |&parent: &Index| {
            let placed = &self.nodes[parent];
            let own = (placed.chain, placed.position + 1);
            merge(&placed.past.0, &[own])
        };
        let mut merged = parents.iter().map(with_parent);
        let first = merged.next().unwrap_or_default();
        Past(
            merged
                .fold(first, |all, next| merge(&all, &next))
                .into_boxed_slice(),
        )
    }

    /// The past, the op, and what the op has in its past.
    pub(crate) fn with(&self, past: &Past, op: Index) -> Past {
        Past(merge(&past.0, &self.past_of(&[op]).0).into_boxed_slice())
    }

    /// The past of an op that has seen everything.
    pub(crate) fn everything(&self) -> Past {
        let whole = self.chains.iter().enumerate().map(|(id, chain)| {
            let narrow = |number| u32::try_from(number).expect("fewer than 2^32 ops fit in memory");
            (narrow(id), narrow(chain.ops.len()))
        });
        Past(whole.collect())
    }

    /// Whether the op lies in the past.
    pub(crate) fn contains(&self, past: &Past, at: Index, costs: &mut Costs) -> bool {
        costs.ancestor_queries += 1;
        let placed = &self.nodes[at];
        past.count(placed.chain) > placed.position
    }

    /// Whether `a` happens before `b`: whether it is a strict ancestor.
    pub(crate) fn before(&self, a: Index, b: Index, costs: &mut Costs) -> bool {
        self.contains(&self.nodes[b].past, a, costs)
    }

    /// The author's chains that have ops in the past, each with how many. Looks at the chains of the past or at those of
    /// the author, whichever are fewer.
    fn own_chains(&self, author: &PublicKey, past: &Past, mut take: impl FnMut(u32, u32)) {
        let chains = self
            .authors
            .get(author)
            .map_or(&[][..], |ops| ops.chains.as_slice());
        if past.chains() < chains.len() {
            for (chain, length) in past.iter() {
                if self.chains[chain as usize].author == *author {
                    take(chain, length);
                }
            }
        } else {
            for &chain in chains {
                let length = past.count(chain);
                if length > 0 {
                    take(chain, length);
                }
            }
        }
    }

    /// What the author's own ops in the past come to.
    pub(crate) fn own(&self, author: &PublicKey, past: &Past) -> Own {
        let mut own = Own {
            next_seq: 0,
            surplus: 0,
            continues: None,
        };
        let mut count = 0;
        self.own_chains(author, past, |id, length| {
            let chain = &self.chains[id as usize];
            let next_seq = chain.first_seq + u64::from(length);
            count += u64::from(length);
            let whole = chain.ops.len() == length as usize;
            if next_seq > own.next_seq {
                own.next_seq = next_seq;
                own.continues = whole.then_some(id);
            } else if next_seq == own.next_seq && whole && own.continues.is_none() {
                own.continues = Some(id);
            }
        });
        own.surplus = count - own.next_seq;
        own
    }

    /// Of the author's ops in `past` that share their number with another one there, the one outside of `seen` with
    /// the least number, then the least id, with the number.
    ///
    /// A chain holds a run of numbers, and what is seen of it is a beginning of the run. So the number is one at which
    /// some run or some unseen rest of a run begins, and one pass over these in ascending order finds it.
    pub(crate) fn unseen_fork(
        &self,
        author: &PublicKey,
        past: &Past,
        seen: &Past,
        costs: &mut Costs,
    ) -> Option<(u64, OpId)> {
        let mut runs: Vec<Run> = Vec::new();
        self.own_chains(author, past, |chain, length| {
            let first = self.chains[chain as usize].first_seq;
            let numbers = |count: u32| first + u64::from(count);
            runs.push(Run {
                chain,
                first,
                unseen: numbers(seen.count(chain).min(length)),
                end: numbers(length),
            });
        });
        costs.ancestor_queries += runs.len() as u64;
        let mut steps: BTreeMap<u64, (i64, i64)> = BTreeMap::new();
        for run in &runs {
            steps.entry(run.first).or_default().0 += 1;
            steps.entry(run.unseen).or_default().1 += 1;
            let (held, unseen) = steps.entry(run.end).or_default();
            *held -= 1;
            *unseen -= 1;
        }
        let (mut held, mut unseen) = (0, 0);
        let number = steps.into_iter().find_map(|(number, step)| {
            held += step.0;
            unseen += step.1;
            (held > 1 && unseen > 0).then_some(number)
        })?;
        let here = runs
            .iter()
            .filter(|run| (run.unseen..run.end).contains(&number));
        let ops = here.filter_map(|run| {
            let position = usize::try_from(number - run.first).ok()?;
            self.chains[run.chain as usize].ops.get(position)
        });
        let least = ops.map(|&op| self.id(op)).min()?;
        Some((number, least))
    }

    /// The ops of the author that share their number with another one.
    pub(crate) fn forks_of(&self, author: &PublicKey) -> Vec<Index> {
        let forks = self.authors.get(author).map(|ops| ops.forks.values());
        forks.into_iter().flatten().flatten().copied().collect()
    }

    /// How many ops of the author there are beyond one for each number.
    pub(crate) fn surplus(&self, author: &PublicKey) -> u64 {
        let forks = self.authors.get(author).map(|ops| ops.forks.values());
        forks
            .into_iter()
            .flatten()
            .map(|group| group.len() as u64 - 1)
            .sum()
    }

    /// Adds an op whose parents, sequence number and authority have been judged; `own` is that of its author in its
    /// past.
    pub(crate) fn push(&mut self, node: Node, past: Past, own: Own) -> Index {
        assert_eq!(
            node.seq, own.next_seq,
            "an op is admitted with the number that is due"
        );
        let at = self.nodes.len();
        let author = self.authors.entry(node.author).or_default();
        let chain = own.continues.unwrap_or_else(|| {
            let chain =
                u32::try_from(self.chains.len()).expect("fewer than 2^32 chains fit in memory");
            self.chains.push(Chain {
                author: node.author,
                first_seq: node.seq,
                ops: Vec::new(),
            });
            author.chains.push(chain);
            chain
        });
        match author
            .by_seq
            .get(usize::try_from(node.seq).unwrap_or(usize::MAX))
        {
            Some(&first) => {
                author
                    .forks
                    .entry(node.seq)
                    .or_insert_with(|| vec![first])
                    .push(at);
            }
            None => {
                assert_eq!(
                    author.by_seq.len() as u64,
                    node.seq,
                    "admitted sequence numbers have no gaps"
                );
                author.by_seq.push(at);
            }
        }
        let ops = &mut self.chains[chain as usize].ops;
        let position = u32::try_from(ops.len()).expect("fewer than 2^32 ops fit in memory");
        ops.push(at);
        self.index.insert(node.id, at);
        self.nodes.push(Placed {
            node,
            chain,
            position,
            past,
        });
        at
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
        order.sort_unstable_by_key(|&at| (self.node(at).hlc, self.id(at)));
        order
    }

    /// Those of the ops that no other of them has in its past, in order of admission. Linear in the pasts of the ops.
    pub(crate) fn ends(&self, ops: &[Index]) -> Vec<Index> {
        let mut covered: BTreeMap<u32, u32> = BTreeMap::new();
        for &op in ops {
            for (chain, length) in self.nodes[op].past.iter() {
                let longest = covered.entry(chain).or_default();
                *longest = length.max(*longest);
            }
        }
        let is_end = |&op: &Index| {
            let (chain, position) = self.position(op);
            covered.get(&chain).is_none_or(|&length| length <= position)
        };
        let mut ends: Vec<Index> = ops.iter().copied().filter(is_end).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}

/// The union of two pasts: of each chain the longer prefix.
fn merge(a: &[(u32, u32)], b: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().peekable(), b.iter().peekable());
    loop {
        match (a.peek(), b.peek()) {
            (Some(&&(x, m)), Some(&&(y, n))) => {
                if x <= y {
                    a.next();
                }
                if y <= x {
                    b.next();
                }
                merged.push(match x.cmp(&y) {
                    core::cmp::Ordering::Less => (x, m),
                    core::cmp::Ordering::Greater => (y, n),
                    core::cmp::Ordering::Equal => (x, m.max(n)),
                });
            }
            (Some(_), None) => {
                merged.extend(a.by_ref());
            }
            (None, Some(_)) => {
                merged.extend(b.by_ref());
            }
            (None, None) => return merged,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_union_of_pasts_has_the_longer_prefix_of_each_chain() {
        let check = |a: &[(u32, u32)], b: &[(u32, u32)], want: &[(u32, u32)]| {
            assert_eq!(merge(a, b), want);
            assert_eq!(merge(b, a), want);
        };
        check(&[], &[], &[]);
        check(&[(1, 2)], &[], &[(1, 2)]);
        check(
            &[(1, 2), (4, 1)],
            &[(1, 3), (2, 1)],
            &[(1, 3), (2, 1), (4, 1)],
        );
    }

    /// An op by the author after these parents; ids are counted up.
    fn op(dag: &mut Dag, author: u8, parents: &[Index]) -> Index {
        let author = PublicKey::from_bytes([author; 32]);
        let past = dag.past_of(parents);
        let own = dag.own(&author, &past);
        let mut id = [0; 32];
        id[..8].copy_from_slice(&(dag.len() as u64).to_be_bytes());
        let node = Node {
            id: OpId::from_bytes(id),
            author,
            seq: own.next_seq,
            hlc: Hlc {
                physical_ms: dag.len() as u64,
                logical: 0,
                node: 0,
            },
        };
        dag.push(node, past, own)
    }

    #[test]
    fn the_surplus_of_a_past_tells_whether_it_holds_an_equivocation() {
        let dag = &mut Dag::default();
        let author = PublicKey::from_bytes([1; 32]);
        let root = op(dag, 0, &[]);
        let (x, y) = (op(dag, 1, &[root]), op(dag, 1, &[root]));
        let x2 = op(dag, 1, &[x]);
        let surplus =
            |dag: &Dag, parents: &[Index]| dag.own(&author, &dag.past_of(parents)).surplus;
        assert_eq!(surplus(dag, &[x2]), 0);
        assert_eq!(surplus(dag, &[y]), 0);
        assert_eq!(surplus(dag, &[x2, y]), 1);
        let merged = op(dag, 1, &[x2, y]);
        assert_eq!(dag.node(merged).seq, 2);
        assert_eq!(surplus(dag, &[merged]), 1);
        let y2 = op(dag, 1, &[y]);
        assert_eq!(surplus(dag, &[merged, y2]), 2);
        assert_eq!(dag.surplus(&author), 2);
        let (costs, seen) = (&mut Costs::default(), dag.past_of(&[merged]));
        let all = dag.past_of(&[merged, y2]);
        let unseen = dag.unseen_fork(&author, &all, &seen, costs);
        assert_eq!(unseen, Some((1, dag.id(y2))));
        let nothing = dag.past_of(&[root]);
        let unseen = dag.unseen_fork(&author, &all, &nothing, costs);
        assert_eq!(unseen, Some((0, dag.id(x))));
        let half = dag.past_of(&[x]);
        let unseen = dag.unseen_fork(&author, &all, &half, costs);
        assert_eq!(unseen, Some((0, dag.id(y))));
        assert_eq!(dag.unseen_fork(&author, &seen, &seen, costs), None);
        let last: Vec<Index> = dag.last_of(&author).to_vec();
        assert_eq!(last, [merged]);
        assert_eq!(dag.ends(&[root, x, y2, merged, merged]), [merged, y2]);
    }
}
