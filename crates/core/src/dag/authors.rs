//! Authors: whose the chains are, what an author's ops in a past come to, and equivocation.

use std::collections::BTreeMap;

use super::{Chain, Dag, Index, Own, Past, narrow};
use crate::costs::Costs;
use crate::id::{OpId, PublicKey};

/// The numbers of the ops of a chain that lie in a past: from `first` to before `end`, not seen from `unseen` on.
#[derive(Debug, Clone, Copy)]
struct Run {
    chain: u32,
    first: u64,
    unseen: u64,
    end: u64,
}

/// The ops of one author.
#[derive(Debug, Clone)]
pub(super) struct AuthorOps {
    pub(super) key: PublicKey,
    pub(super) chains: Chains,
    /// The first op of each sequence number; not kept for an author with one chain. Admitted sequence numbers have no gaps.
    pub(super) by_seq: Vec<u32>,
    /// The ops of each number that has several: an equivocation.
    forks: BTreeMap<u64, Vec<Index>>,
    /// How many ops there are beyond one for each number.
    surplus: u64,
}

/// The chains of an author, who has one but for equivocation.
#[derive(Debug, Clone, Default)]
pub(super) enum Chains {
    #[default]
    None,
    One(u32),
    Several(Vec<u32>),
}

impl Chains {
    pub(super) fn all(&self) -> &[u32] {
        match self {
            Self::None => &[],
            Self::One(only) => core::slice::from_ref(only),
            Self::Several(several) => several,
        }
    }

    fn push(&mut self, chain: u32) {
        match self {
            Self::None => *self = Self::One(chain),
            Self::One(only) => *self = Self::Several(vec![*only, chain]),
            Self::Several(several) => several.push(chain),
        }
    }
}

impl Dag {
    /// The chains of the author.
    pub(crate) fn chains_of(&self, author: &PublicKey) -> &[u32] {
        self.author(author).map_or(&[], |ops| ops.chains.all())
    }

    fn author(&self, author: &PublicKey) -> Option<&AuthorOps> {
        Some(&self.authors[self.author_number(author)?])
    }

    pub(super) fn author_number(&self, author: &PublicKey) -> Option<usize> {
        let key_at = |at: usize| self.authors[at].key.as_bytes();
        self.author_ids.find(author.as_bytes(), key_at)
    }

    /// The ops of an author with the greatest sequence number; several, if the author signed that number twice.
    pub(crate) fn last_of(&self, author: &PublicKey) -> Vec<Index> {
        let Some(ops) = self.author(author) else {
            return Vec::new();
        };
        if let &[only] = ops.chains.all() {
            let last = self.chains[only as usize].ops.last();
            return last.map(|&last| last as Index).into_iter().collect();
        }
        match (ops.by_seq.len().checked_sub(1), ops.by_seq.last()) {
            (Some(seq), Some(&last)) => ops
                .forks
                .get(&(seq as u64))
                .map_or_else(|| vec![last as Index], Clone::clone),
            (None, _) | (_, None) => Vec::new(),
        }
    }

    /// The author's chains that have ops in the past, each with how many. Looks at the chains of the past or at those of
    /// the author, whichever are fewer.
    fn own_chains(&self, author: &PublicKey, past: &Past, mut take: impl FnMut(u32, u32)) {
        let Some(id) = self.author_number(author) else {
            return;
        };
        let chains = self.authors[id].chains.all();
        if past.width() < chains.len() {
            past.each(|chain, length| {
                if self.chains[chain as usize].author as usize == id {
                    take(chain, length);
                }
            });
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
        let least = ops.map(|&op| self.id(op as Index)).min()?;
        Some((number, least))
    }

    /// The ops of the author that share their number with another one.
    pub(crate) fn forks_of(&self, author: &PublicKey) -> Vec<Index> {
        let forks = self.author(author).map(|ops| ops.forks.values());
        forks.into_iter().flatten().flatten().copied().collect()
    }

    /// Whether the op shares its number with another one by its author.
    pub(crate) fn is_fork(&self, op: Index) -> bool {
        let chain = &self.chains[self.nodes[op].chain as usize];
        let seq = chain.first_seq + u64::from(self.nodes[op].position);
        let forks = &self.authors[chain.author as usize].forks;
        forks.contains_key(&seq)
    }

    /// How many ops of the author there are beyond one for each number.
    pub(crate) fn surplus(&self, author: &PublicKey) -> u64 {
        self.author(author).map_or(0, |ops| ops.surplus)
    }

    pub(super) fn author_id(&mut self, key: PublicKey) -> u32 {
        if let Some(id) = self.author_number(&key) {
            return narrow(id);
        }
        let id = narrow(self.authors.len());
        let key_at = |at: usize| self.authors[at].key.as_bytes();
        self.author_ids.push(key.as_bytes(), key_at);
        self.authors.push(AuthorOps {
            key,
            chains: Chains::None,
            by_seq: Vec::new(),
            forks: BTreeMap::new(),
            surplus: 0,
        });
        id
    }

    pub(super) fn begin_chain(&mut self, author: u32, first_seq: u64) -> u32 {
        let chain = narrow(self.chains.len());
        self.chains.push(Chain {
            author,
            first_seq,
            ops: Vec::new(),
        });
        let ops = &mut self.authors[author as usize];
        if let &[only] = ops.chains.all() {
            ops.by_seq = self.chains[only as usize].ops.clone();
        }
        ops.chains.push(chain);
        chain
    }

    /// Counts the op among those of its author with its number.
    pub(super) fn count_number(&mut self, author: u32, seq: u64, at: Index) {
        let ops = &mut self.authors[author as usize];
        if let Chains::One(_) = ops.chains {
            return;
        }
        let first = usize::try_from(seq)
            .ok()
            .and_then(|seq| ops.by_seq.get(seq));
        match first {
            Some(&first) => {
                let group = ops.forks.entry(seq);
                group.or_insert_with(|| vec![first as Index]).push(at);
                ops.surplus += 1;
            }
            None => {
                assert_eq!(
                    ops.by_seq.len() as u64,
                    seq,
                    "admitted sequence numbers have no gaps"
                );
                ops.by_seq.push(narrow(at));
            }
        }
    }

    /// Authors who signed two ops with one sequence number, with the groups, in order of their keys.
    pub(crate) fn equivocators(
        &self,
    ) -> impl Iterator<Item = (&PublicKey, &BTreeMap<u64, Vec<Index>>)> {
        let forked = self.authors.iter().filter(|ops| !ops.forks.is_empty());
        let mut forked: Vec<_> = forked.map(|ops| (&ops.key, &ops.forks)).collect();
        forked.sort_unstable_by_key(|(key, _)| **key);
        forked.into_iter()
    }
}
