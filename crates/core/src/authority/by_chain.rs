//! Denials of one thing, chain by chain.
//!
//! Along a chain each op has seen all before it. So on each chain the denials that count for an op come first, and those that
//! somebody had seen likewise: a few questions find which are left, however often the same thing is denied.

use crate::dag::{Dag, Index, narrow};

/// So many are looked at one by one.
const FEW: usize = 16;

/// Denials of one thing, of each chain in its order.
#[derive(Debug, Clone, Default)]
pub(super) struct ByChain {
    /// Sorted by chain.
    chains: Vec<(u32, Vec<u32>)>,
    len: usize,
}

impl ByChain {
    /// Adds the denial, which is admitted last.
    pub(super) fn push(&mut self, denial: Index, dag: &Dag) {
        let (chain, _) = dag.position(denial);
        let known = self.chains.binary_search_by_key(&chain, |it| it.0);
        let at = known.unwrap_or_else(|at| {
            self.chains.insert(at, (chain, Vec::new()));
            at
        });
        self.chains[at].1.push(narrow(denial));
        self.len += 1;
    }

    /// At least the denials that `ask` says count and are not early; all, if they are few. On each chain what counts comes
    /// first, and what is early likewise.
    pub(super) fn near(&self, mut ask: impl FnMut(Question, Index) -> bool) -> Vec<Index> {
        let mut near = Vec::new();
        for (_, denials) in &self.chains {
            let mut found = &denials[..];
            if self.len > FEW {
                let mut count = |denials: &[u32], question| {
                    denials.partition_point(|&it| ask(question, it as Index))
                };
                found = &found[..count(found, Question::Counts)];
                found = &found[count(found, Question::IsEarly)..];
            }
            near.extend(found.iter().map(|&it| it as Index));
        }
        near
    }
}

/// What is asked of a denial.
#[derive(Debug, Clone, Copy)]
pub(super) enum Question {
    Counts,
    IsEarly,
}
