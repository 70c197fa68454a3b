//! Stretches: which ops were admitted under one set of titles.

use crate::dag::{Dag, Index, Past};
use crate::tight;

/// The ops that were admitted under one set of titles: of each chain the stretches, as first position and end. Mostly there is
/// one.
#[derive(Debug, Clone)]
pub(super) enum Stretches {
    /// One of a chain, or none where it ends as it begins.
    One { chain: u32, stretch: (u32, u32) },
    /// Those of each chain, sorted by chain.
    Several(Vec<(u32, Vec<(u32, u32)>)>),
}

impl Default for Stretches {
    fn default() -> Self {
        Self::One {
            chain: 0,
            stretch: (0, 0),
        }
    }
}

impl Stretches {
    /// Adds the op at the position, the last of its chain.
    pub(super) fn push(&mut self, chain: u32, position: u32) {
        match self {
            Self::One { stretch, .. } if stretch.0 == stretch.1 => {
                let stretch = (position, position + 1);
                *self = Self::One { chain, stretch };
            }
            Self::One { chain: of, stretch } if *of == chain && stretch.1 == position => {
                stretch.1 += 1;
            }
            Self::One { chain: of, stretch } => {
                let mut several = vec![(*of, vec![*stretch])];
                add(&mut several, chain, position);
                *self = Self::Several(several);
            }
            Self::Several(several) => add(several, chain, position),
        }
    }

    /// The ops outside of the past.
    pub(super) fn outside<'a>(
        &'a self,
        dag: &'a Dag,
        past: &'a Past,
    ) -> impl Iterator<Item = Index> + 'a {
        let (one, several) = match self {
            Self::One { chain, stretch } => {
                (Some((*chain, core::slice::from_ref(stretch))), &[][..])
            }
            Self::Several(several) => (None, &several[..]),
        };
        let several = several
            .iter()
            .map(|(chain, stretches)| (*chain, &stretches[..]));
        one.into_iter()
            .chain(several)
            .flat_map(move |(chain, stretches)| {
                let seen = past.count(chain);
                let from = stretches.partition_point(|&(_, end)| end <= seen);
                stretches[from..].iter().flat_map(move |&(first, end)| {
                    let ops = &dag.chain(chain)[first.max(seen) as usize..end as usize];
                    ops.iter().map(|&op| op as Index)
                })
            })
    }
}

fn add(several: &mut Vec<(u32, Vec<(u32, u32)>)>, chain: u32, position: u32) {
    let known = several.binary_search_by_key(&chain, |it| it.0);
    let at = known.unwrap_or_else(|at| {
        tight::room_for(several, 1);
        several.insert(at, (chain, Vec::new()));
        at
    });
    let (_, stretches) = &mut several[at];
    match stretches.last_mut() {
        Some((_, end)) if *end == position => *end += 1,
        Some(_) | None => tight::push(stretches, (position, position + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_begin_where_an_op_does_not_follow() {
        let mut stretches = Stretches::default();
        let pushed = [(7, 3), (7, 4), (7, 6), (2, 0), (7, 7), (2, 1)];
        let of = |stretches: &Stretches| match stretches {
            Stretches::One { chain, stretch } => vec![(*chain, vec![*stretch])],
            Stretches::Several(several) => several.clone(),
        };
        for (chain, position) in pushed {
            stretches.push(chain, position);
            if position == 4 {
                assert_eq!(of(&stretches), [(7, vec![(3, 5)])]);
            }
        }
        let want = [(2, vec![(0, 2)]), (7, vec![(3, 5), (6, 8)])];
        assert_eq!(of(&stretches), want);
    }
}
