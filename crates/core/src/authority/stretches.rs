//! Stretches: which ops were admitted under one set of titles.

use crate::dag::{Dag, Index, Past};
use crate::tight;

/// Number of a set of titles under which ops were admitted.
pub(crate) type WarrantsId = u32;

/// The ops that were admitted under one set of titles: of each chain the stretches, as first position and end. Sorted by
/// chain; mostly there is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Stretches(Vec<(u32, Vec<(u32, u32)>)>);

impl Stretches {
    /// Adds the op at the position, the last of its chain.
    pub(super) fn push(&mut self, chain: u32, position: u32) {
        let known = self.0.binary_search_by_key(&chain, |it| it.0);
        let at = known.unwrap_or_else(|at| {
            tight::room_for(&mut self.0, 1);
            self.0.insert(at, (chain, Vec::new()));
            at
        });
        let (_, stretches) = &mut self.0[at];
        match stretches.last_mut() {
            Some((_, end)) if *end == position => *end += 1,
            Some(_) | None => tight::push(stretches, (position, position + 1)),
        }
    }

    /// The ops outside of the past.
    pub(super) fn outside<'a>(
        &'a self,
        dag: &'a Dag,
        past: &'a Past,
    ) -> impl Iterator<Item = Index> + 'a {
        self.0.iter().flat_map(move |(chain, stretches)| {
            let chain = *chain;
            let seen = past.count(chain);
            let from = stretches.partition_point(|&(_, end)| end <= seen);
            stretches[from..].iter().flat_map(move |&(first, end)| {
                let ops = &dag.chain(chain)[first.max(seen) as usize..end as usize];
                ops.iter().map(|&op| op as Index)
            })
        })
    }
}
