//! Pasts: the strict ancestors of an op, as one number per chain.

use std::sync::Arc;

/// Of each chain, how many of its first ops: a vector clock over chains, dense where it is wide.
#[derive(Debug)]
enum Clock {
    /// Chains and numbers, sorted by chain, no zeros.
    Sparse(Box<[(u32, u32)]>),
    /// The numbers by chain.
    Dense(Box<[u32]>),
}

impl Clock {
    fn count(&self, chain: u32) -> u32 {
        match self {
            Self::Sparse(entries) => match entries.binary_search_by_key(&chain, |entry| entry.0) {
                Ok(at) => entries[at].1,
                Err(_) => 0,
            },
            Self::Dense(counts) => counts.get(chain as usize).copied().unwrap_or(0),
        }
    }

    /// The clock in whichever form is smaller.
    fn of_dense(mut counts: Vec<u32>) -> Self {
        while counts.last() == Some(&0) {
            counts.pop();
        }
        let held = counts.iter().filter(|&&count| count > 0).count();
        if held * 2 < counts.len() {
            let entries = (0..).zip(counts).filter(|&(_, count)| count > 0);
            Self::Sparse(entries.collect())
        } else {
            Self::Dense(counts.into_boxed_slice())
        }
    }

    const fn width(&self) -> usize {
        match self {
            Self::Sparse(entries) => entries.len(),
            Self::Dense(counts) => counts.len(),
        }
    }
}

/// Stands for no chain.
const NONE: (u32, u32) = (u32::MAX, 0);

/// A set of ops that has the past of each of its ops: of each chain, how many of its first ops. Cheap to copy: an op that
/// follows another one shares its clock.
#[derive(Debug, Clone)]
pub(crate) struct Past {
    clock: Arc<Clock>,
    /// Chains of which more belongs to the past than the clock says.
    more: [(u32, u32); 2],
}

impl Default for Past {
    fn default() -> Self {
        Self::of_clock(Clock::Sparse(Box::default()))
    }
}

impl Past {
    fn of_clock(clock: Clock) -> Self {
        Self {
            clock: Arc::new(clock),
            more: [NONE; 2],
        }
    }

    /// The past with these numbers by chain.
    pub(super) fn of_counts(counts: Vec<u32>) -> Self {
        Self::of_clock(Clock::of_dense(counts))
    }

    /// How many of the first ops of a chain belong to the past.
    pub(crate) fn count(&self, chain: u32) -> u32 {
        for (of, count) in self.more {
            if of == chain {
                return count;
            }
        }
        self.clock.count(chain)
    }

    /// Calls `take` for each chain with ops in the past, in no particular order, with how many of its first ops.
    pub(crate) fn each(&self, mut take: impl FnMut(u32, u32)) {
        let [(first, _), (second, _)] = self.more;
        match &*self.clock {
            Clock::Sparse(entries) => {
                for &(chain, count) in entries {
                    if chain != first && chain != second {
                        take(chain, count);
                    }
                }
            }
            Clock::Dense(counts) => {
                for (chain, &count) in (0..).zip(counts.iter()) {
                    if count > 0 && chain != first && chain != second {
                        take(chain, count);
                    }
                }
            }
        }
        for (chain, count) in self.more {
            if chain != NONE.0 {
                take(chain, count);
            }
        }
    }

    /// About how many chains have ops in the past: the work of [`Past::each`].
    pub(super) fn width(&self) -> usize {
        self.clock.width() + 2
    }

    /// The memory of the clock, in bytes.
    pub(super) fn bytes(&self) -> usize {
        match &*self.clock {
            Clock::Sparse(entries) => 64 + size_of_val(&**entries),
            Clock::Dense(counts) => 64 + size_of_val(&**counts),
        }
    }

    /// The past with at least the first `count` ops of the chain.
    pub(super) fn with(mut self, chain: u32, count: u32) -> Self {
        if self.count(chain) >= count {
            return self;
        }
        for entry in &mut self.more {
            if entry.0 == chain || entry.0 == NONE.0 {
                *entry = (chain, count);
                return self;
            }
        }
        let mut joined = Joined::new(&[&self], chain);
        joined.raise(chain, count);
        joined.past()
    }

    /// The union of the pasts: of each chain the longer prefix.
    pub(super) fn join(pasts: &[Self]) -> Self {
        match pasts {
            [] => Self::default(),
            [only] => only.clone(),
            [first, rest @ ..] => {
                let few = pasts.iter().map(Self::width).sum::<usize>() <= FEW;
                let sparse = |past: &Self| matches!(&*past.clock, Clock::Sparse(_));
                if few && pasts.iter().all(sparse) {
                    let all = rest
                        .iter()
                        .fold(first.entries(), |all, next| merge(&all, &next.entries()));
                    return Self::of_clock(Clock::Sparse(all.into_boxed_slice()));
                }
                Joined::new(&pasts.iter().collect::<Vec<_>>(), 0).past()
            }
        }
    }

    fn entries(&self) -> Vec<(u32, u32)> {
        let mut entries = Vec::with_capacity(self.width());
        self.each(|chain, count| entries.push((chain, count)));
        entries.sort_unstable();
        entries
    }
}

/// Entries up to which a union is made by merging sorted lists.
const FEW: usize = 48;

/// A union in the making, dense.
struct Joined(Vec<u32>);

impl Joined {
    /// The union of the pasts, with room for the chain.
    fn new(pasts: &[&Past], chain: u32) -> Self {
        let mut width = chain as usize + 1;
        let mut widest: &[u32] = &[];
        for past in pasts {
            match &*past.clock {
                Clock::Sparse(entries) => {
                    width = width.max(entries.last().map_or(0, |last| last.0 as usize + 1));
                }
                Clock::Dense(counts) => {
                    width = width.max(counts.len());
                    if counts.len() > widest.len() {
                        widest = counts;
                    }
                }
            }
            for (chain, _) in past.more {
                if chain != NONE.0 {
                    width = width.max(chain as usize + 1);
                }
            }
        }
        let mut counts = Vec::with_capacity(width);
        counts.extend_from_slice(widest);
        counts.resize(width, 0);
        let mut joined = Self(counts);
        for past in pasts {
            match &*past.clock {
                Clock::Sparse(entries) => {
                    for &(chain, count) in entries {
                        joined.raise(chain, count);
                    }
                }
                Clock::Dense(counts) => {
                    if !core::ptr::eq(&**counts, widest) {
                        for (all, &count) in joined.0.iter_mut().zip(counts.iter()) {
                            *all = (*all).max(count);
                        }
                    }
                }
            }
            for (chain, count) in past.more {
                if chain != NONE.0 {
                    joined.raise(chain, count);
                }
            }
        }
        joined
    }

    fn raise(&mut self, chain: u32, count: u32) {
        let all = &mut self.0[chain as usize];
        *all = (*all).max(count);
    }

    fn past(self) -> Past {
        Past::of_counts(self.0)
    }
}

/// The union of two sorted lists: of each chain the greater number.
fn merge(a: &[(u32, u32)], b: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while let (Some(&(x, m)), Some(&(y, n))) = (a.get(i), b.get(j)) {
        i += usize::from(x <= y);
        j += usize::from(y <= x);
        merged.push(match x.cmp(&y) {
            core::cmp::Ordering::Less => (x, m),
            core::cmp::Ordering::Greater => (y, n),
            core::cmp::Ordering::Equal => (x, m.max(n)),
        });
    }
    merged.extend_from_slice(&a[i..]);
    merged.extend_from_slice(&b[j..]);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(entries: &[(u32, u32)]) -> Past {
        Past::of_clock(Clock::Sparse(entries.into()))
    }

    #[test]
    fn a_union_of_pasts_has_the_longer_prefix_of_each_chain() {
        let check = |a: &[(u32, u32)], b: &[(u32, u32)], want: &[(u32, u32)]| {
            let dense = |entries: &[(u32, u32)]| {
                let mut counts = vec![0; 2];
                for &(chain, count) in entries {
                    counts.resize(counts.len().max(chain as usize + 1), 0);
                    counts[chain as usize] = count;
                }
                Past::of_clock(Clock::Dense(counts.into()))
            };
            for a in [past(a), dense(a)] {
                for b in [past(b), dense(b)] {
                    assert_eq!(Past::join(&[a.clone(), b.clone()]).entries(), want);
                    assert_eq!(Past::join(&[b, a.clone()]).entries(), want);
                }
            }
        };
        check(&[], &[], &[]);
        check(&[(1, 2)], &[], &[(1, 2)]);
        check(
            &[(1, 2), (4, 1)],
            &[(1, 3), (2, 1)],
            &[(1, 3), (2, 1), (4, 1)],
        );
        let wide: Vec<(u32, u32)> = (0..100).map(|chain| (chain, chain + 1)).collect();
        check(&wide, &[(50, 7), (70, 99)], &{
            let mut want = wide.clone();
            want[70].1 = 99;
            want
        });
    }

    #[test]
    fn what_follows_shares_the_clock_as_long_as_it_can() {
        let base = past(&[(1, 2), (3, 4)]);
        let more = base.clone().with(5, 1).with(3, 9);
        assert!(Arc::ptr_eq(&base.clock, &more.clock));
        assert_eq!(more.entries(), [(1, 2), (3, 9), (5, 1)]);
        assert_eq!(more.clone().with(5, 1).entries(), more.entries());
        assert_eq!(more.clone().with(5, 3).entries(), [(1, 2), (3, 9), (5, 3)]);
        let most = more.with(0, 8);
        assert!(!Arc::ptr_eq(&base.clock, &most.clock));
        assert_eq!(most.entries(), [(0, 8), (1, 2), (3, 9), (5, 1)]);
        assert_eq!((most.count(0), most.count(3), most.count(2)), (8, 9, 0));
    }
}
