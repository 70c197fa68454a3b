//! Stretches: which ops were admitted under one set of titles.

use std::collections::BTreeMap;

use crate::dag::{Dag, Index, Past};

/// Number of a set of titles under which ops were admitted.
pub(crate) type WarrantsId = u32;

/// The ops that were admitted under one set of titles: of each chain the stretches, as first position and end.
#[derive(Debug, Clone, Default)]
pub(super) struct Stretches(BTreeMap<u32, Vec<(u32, u32)>>);

impl Stretches {
    /// Adds the op at the position, the last of its chain.
    pub(super) fn push(&mut self, chain: u32, position: u32) {
        let stretches = self.0.entry(chain).or_default();
        match stretches.last_mut() {
            Some((_, end)) if *end == position => *end += 1,
            Some(_) | None => stretches.push((position, position + 1)),
        }
    }

    /// The ops outside of the past.
    pub(super) fn outside<'a>(
        &'a self,
        dag: &'a Dag,
        past: &'a Past,
    ) -> impl Iterator<Item = Index> + 'a {
        self.0.iter().flat_map(move |(&chain, stretches)| {
            let seen = past.count(chain);
            let from = stretches.partition_point(|&(_, end)| end <= seen);
            stretches[from..].iter().flat_map(move |&(first, end)| {
                let ops = &dag.chain(chain)[first.max(seen) as usize..end as usize];
                ops.iter().map(|&op| op as Index)
            })
        })
    }
}
