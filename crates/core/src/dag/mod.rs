//! The causal skeleton of the admitted ops: who, which number, when, and what happened before what.
//!
//! Parent links alone decide causality. The ops are split into chains in each of which every op has its
//! predecessor in its past and the sequence number after that one's; an honest author has one chain, each further
//! branch of an equivocating author is one more. The past of an op is then one number per chain (a vector clock over
//! chains), and "does a happen before b?" is one look-up. The split depends on arrival order, the relation
//! does not.

mod authors;
mod clocks;
mod close;
mod ids;
mod index;
mod near;
mod past;
mod saved;
mod told;

use std::collections::BTreeSet;

use crate::costs::Costs;
use crate::hlc::Hlc;
use crate::id::{OpId, PublicKey};
use crate::limits::PARENTS_MAX;
use crate::segments::Segments;
use crate::tight;
use authors::AuthorOps;
use clocks::Clocks;
use ids::Ids;
pub(crate) use index::{Index, narrow};
pub(crate) use past::Past;
pub(crate) use told::TellMemory;

/// What the DAG knows of an op.
#[derive(Debug, Clone, Copy)]
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
    pub(crate) continues: Option<u32>,
}

#[derive(Debug, Clone)]
struct Placed {
    id: OpId,
    hlc: Hlc,
    chain: u32,
    position: u32,
    /// The last op of the chain, up to this one, that has other parents than the one before it.
    base: u32,
    /// The end of its other parents in the list of all.
    parents_end: u32,
}

#[derive(Debug, Clone)]
struct Chain {
    author: u32,
    first_seq: u64,
    ops: Vec<u32>,
}

/// The admitted ops.
#[derive(Debug, Clone, Default)]
pub(crate) struct Dag {
    nodes: Segments<Placed>,
    /// The parents of all ops but those that come before them in their chains.
    parents: Vec<u32>,
    ids: Ids,
    chains: Vec<Chain>,
    authors: Vec<AuthorOps>,
    author_ids: Ids,
    clocks: Clocks,
    /// Of each op whether it is somebody's parent, and the ops that are nobody's.
    has_child: Vec<bool>,
    frontier: BTreeSet<u32>,
}

impl Dag {
    pub(crate) const fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, at: Index) -> Node {
        let placed = &self.nodes[at];
        let chain = &self.chains[placed.chain as usize];
        Node {
            id: placed.id,
            author: self.authors[chain.author as usize].key,
            seq: chain.first_seq + u64::from(placed.position),
            hlc: placed.hlc,
        }
    }

    pub(crate) fn id(&self, at: Index) -> OpId {
        self.nodes[at].id
    }

    pub(crate) fn hlc(&self, at: Index) -> Hlc {
        self.nodes[at].hlc
    }

    fn other_parents(&self, at: Index) -> &[u32] {
        let start = at
            .checked_sub(1)
            .map_or(0, |before| self.nodes[before].parents_end);
        &self.parents[start as usize..self.nodes[at].parents_end as usize]
    }

    /// Chain and position of an op.
    pub(crate) fn position(&self, at: Index) -> (u32, u32) {
        (self.nodes[at].chain, self.nodes[at].position)
    }

    /// How many chains there are.
    pub(crate) const fn chain_count(&self) -> usize {
        self.chains.len()
    }

    /// The ops of the chain, in order.
    pub(crate) fn chain(&self, chain: u32) -> &[u32] {
        &self.chains[chain as usize].ops
    }

    /// The author of the chain.
    pub(crate) fn author_of_chain(&self, chain: u32) -> PublicKey {
        self.authors[self.chains[chain as usize].author as usize].key
    }

    /// Ops whose pasts, with themselves, are the op's past: its parents, and the op before it in its chain.
    pub(crate) fn covering(&self, at: Index) -> Vec<Index> {
        let (chain, position) = self.position(at);
        let before = position.checked_sub(1);
        let before = before.and_then(|it| self.chain(chain).get(it as usize));
        let others = self.other_parents(at).iter();
        let mut covering: Vec<Index> = others.chain(before).map(|&op| op as Index).collect();
        covering.sort_unstable();
        covering.dedup();
        covering
    }

    /// The past of an op with these parents: the parents and their pasts.
    pub(crate) fn past_of(&self, parents: &[Index]) -> Past {
        self.past_beyond(parents, |_| ())
    }

    /// The same, and those of the parents that no other one of them has in its past, in order of admission.
    pub(crate) fn past_and_ends(&self, parents: &[Index]) -> (Past, Vec<Index>) {
        let mut ends = Vec::with_capacity(parents.len());
        let past = self.past_beyond(parents, |end| ends.push(end));
        ends.reverse();
        (past, ends)
    }

    /// The same; calls `end` with those parents that no later one has in its past, the latest first.
    fn past_beyond(&self, parents: &[Index], mut end: impl FnMut(Index)) -> Past {
        if let [only] = *parents {
            let (chain, position) = self.position(only);
            end(only);
            return self.past(only).with(chain, position + 1);
        }
        let mut pasts: Vec<Past> = Vec::with_capacity(parents.len());
        let (mut few, mut many) = ([0; PARENTS_MAX], Vec::new());
        let latest_first = few.get_mut(..parents.len()).unwrap_or_else(|| {
            many.resize(parents.len(), 0);
            &mut many
        });
        latest_first.copy_from_slice(parents);
        latest_first.sort_unstable_by(|a, b| b.cmp(a));
        for &parent in &*latest_first {
            let (chain, position) = self.position(parent);
            // What a later parent has in its past adds nothing.
            let mut later = pasts.iter().take(PARENTS_MAX);
            if later.all(|past| past.count(chain) <= position) {
                pasts.push(self.past(parent).with(chain, position + 1));
                end(parent);
            }
        }
        Past::join(&pasts)
    }

    /// The past, the op, and what the op has in its past.
    pub(crate) fn with(&self, past: &Past, op: Index) -> Past {
        Past::join(&[past.clone(), self.past_of(&[op])])
    }

    /// The past, and what the op has in its past.
    pub(crate) fn with_past(&self, past: &Past, op: Index) -> Past {
        Past::join(&[past.clone(), self.past(op)])
    }

    /// The past of an op that has seen everything.
    pub(crate) fn everything(&self) -> Past {
        let whole = self.chains.iter().map(|chain| narrow(chain.ops.len()));
        Past::of_counts(whole.collect())
    }

    /// Whether the op lies in the past.
    pub(crate) fn contains(&self, past: &Past, at: Index, costs: &mut Costs) -> bool {
        costs.ancestor_queries += 1;
        let placed = &self.nodes[at];
        past.count(placed.chain) > placed.position
    }

    /// Whether `a` happens before `b`: whether it is a strict ancestor.
    pub(crate) fn before(&self, a: Index, b: Index, costs: &mut Costs) -> bool {
        costs.ancestor_queries += 1;
        let (first, second) = (&self.nodes[a], &self.nodes[b]);
        if a >= b || first.chain == second.chain {
            return a < b;
        }
        self.base_past(second.base).count(first.chain) > first.position
    }

    /// Makes room for so many ops, where there are none yet.
    pub(crate) fn reserve(&mut self, ops: usize) {
        self.has_child.reserve_exact(ops);
        self.ids.reserve(ops);
    }

    /// Adds an op whose parents, sequence number and authority have been judged; `own` is that of its author in its
    /// past. The past stays at hand for good if it is to be kept.
    pub(crate) fn push(
        &mut self,
        node: Node,
        parents: &[Index],
        past: Past,
        own: Own,
        keep: bool,
    ) -> Index {
        assert_eq!(
            node.seq, own.next_seq,
            "an op is admitted with the number that is due"
        );
        let at = self.nodes.len();
        let (author, chain) = match own.continues {
            Some(chain) => (self.chains[chain as usize].author, chain),
            None => {
                let author = self.author_id(node.author);
                (author, self.begin_chain(author, node.seq))
            }
        };
        self.count_number(author, node.seq, at);
        let is_base = self.append(&node, chain, parents);
        for &parent in parents {
            if !core::mem::replace(&mut self.has_child[parent], true) {
                self.frontier.remove(&narrow(parent));
            }
        }
        tight::push(&mut self.has_child, false);
        self.frontier.insert(narrow(at));
        self.keep_past(is_base.then_some(past));
        if keep {
            self.clocks.stays(self.nodes[at].base);
        }
        at
    }

    /// Adds the op's row, and says whether the op has a past of its own: it does not follow the last of its chain alone.
    fn append(&mut self, node: &Node, chain: u32, parents: &[Index]) -> bool {
        let at = narrow(self.nodes.len());
        let ops = &mut self.chains[chain as usize].ops;
        let (position, before) = (narrow(ops.len()), ops.last().copied());
        tight::push(ops, at);
        let begin = self.parents.len();
        tight::room_for(&mut self.parents, parents.len());
        let others = parents.iter().map(|&parent| narrow(parent));
        self.parents
            .extend(others.filter(|&parent| Some(parent) != before));
        let follows = before.filter(|_| self.parents.len() == begin);
        let id_at = |at: Index| self.nodes[at].id.as_bytes();
        self.ids.push(node.id.as_bytes(), id_at);
        let placed = Placed {
            id: node.id,
            hlc: node.hlc,
            chain,
            position,
            base: follows.map_or(at, |before| self.nodes[before as Index].base),
            parents_end: narrow(self.parents.len()),
        };
        self.nodes.push(placed);
        follows.is_none()
    }

    /// Every op in the total order: parents first, ties by (stamp, op id).
    ///
    /// A child's stamp is strictly greater than its parents', so sorting by (stamp, op id) puts parents first.
    pub(crate) fn total_order(&self) -> Vec<Index> {
        let mut order: Vec<Index> = (0..self.len()).collect();
        order.sort_unstable_by_key(|&at| (self.hlc(at), self.id(at)));
        order
    }

    /// The ops that are nobody's parent, in order of admission.
    pub(crate) fn frontier(&self) -> impl Iterator<Item = Index> {
        self.frontier.iter().map(|&op| op as Index)
    }

    /// Whether the op is nobody's parent.
    pub(crate) fn is_free(&self, op: Index) -> bool {
        !self.has_child[op]
    }

    /// The ends of all these ops, of which the first are nobody's parents.
    pub(crate) fn ends_beside(&self, free: &[Index], others: &[Index]) -> Vec<Index> {
        let covered = self.past_of(free);
        let is_left = |&op: &Index| {
            let (chain, position) = self.position(op);
            covered.count(chain) <= position
        };
        let left: Vec<Index> = others.iter().copied().filter(is_left).collect();
        let mut ends = self.ends(&left);
        ends.extend_from_slice(free);
        ends.sort_unstable();
        ends
    }

    /// Those of the ops that no other of them has in its past, in order of admission. Linear in the pasts of the ops.
    pub(crate) fn ends(&self, ops: &[Index]) -> Vec<Index> {
        if let [] | [_] = ops {
            return ops.to_vec();
        }
        let mut covered = Past::default();
        for &op in ops {
            covered = Past::join(&[covered, self.past(op)]);
        }
        let is_end = |&op: &Index| {
            let (chain, position) = self.position(op);
            covered.count(chain) <= position
        };
        let mut ends: Vec<Index> = ops.iter().copied().filter(is_end).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An op by the author after these parents; ids are counted up.
    pub(super) fn op(dag: &mut Dag, author: u8, parents: &[Index]) -> Index {
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
        dag.push(node, parents, past, own, false)
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
        let last: Vec<Index> = dag.last_of(&author);
        assert_eq!(last, [merged]);
        assert_eq!(dag.ends(&[root, x, y2, merged, merged]), [merged, y2]);
    }
}
