//! Clocks whose numbers lie close together, in a byte for each chain.
//!
//! Where many write at about the same pace, most of a clock's numbers are within the last two hundred. So wide clocks take
//! half the memory, and are joined in half the time.

/// The distance of floors: clocks whose middle numbers differ little have the same one most of the time.
const STEP: u32 = 128;
/// How far the middle number is above the floor at least, where it is not less itself.
const MIDDLE: u32 = 64;
/// For so many chains one may be far.
const PER_FAR: usize = 16;
/// Of so many chains one has a number at least.
const PER_HELD: usize = 4;

/// The numbers by chain, of which nearly all lie above a floor, and at most 255 above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Near {
    floor: u32,
    /// By chain: how far the number is above the floor; 0 if it does not lie there.
    above: Box<[u8]>,
    /// Chains and numbers that do not, sorted by chain, no zeros.
    far: Box<[(u32, u32)]>,
}

impl Near {
    /// The clock with these numbers by chain, of which the last is not 0, if they are such.
    pub(super) fn of<T: Copy + Into<u32>>(counts: &[T]) -> Option<Self> {
        let mut sorted: Vec<u32> = counts.iter().map(|&it| it.into()).collect();
        let half = sorted.len() / 2;
        if half == 0 {
            return None;
        }
        let (_, &mut middle, _) = sorted.select_nth_unstable(half);
        let floor = middle.saturating_sub(MIDDLE) / STEP * STEP;
        let mut far = Vec::new();
        let above = (0..).zip(counts).map(|(chain, &count)| {
            let count: u32 = count.into();
            let above = within(floor, count);
            if above == 0 && count > 0 {
                far.push((chain, count));
            }
            above
        });
        let above = above.collect();
        (far.len() * PER_FAR <= counts.len()).then(|| Self {
            floor,
            above,
            far: far.into(),
        })
    }

    pub(super) fn count(&self, chain: u32) -> u32 {
        match self.above.get(chain as usize) {
            Some(&above) if above > 0 => self.floor + u32::from(above),
            Some(_) | None => match self.far.binary_search_by_key(&chain, |entry| entry.0) {
                Ok(at) => self.far[at].1,
                Err(_) => 0,
            },
        }
    }

    /// Beyond the greatest chain with a number.
    pub(super) const fn width(&self) -> usize {
        self.above.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        size_of_val(&*self.above) + size_of_val(&*self.far)
    }

    /// What no number of it is beyond.
    pub(super) fn bound(&self) -> u32 {
        let near = self.floor.saturating_add(u8::MAX.into());
        let far = self.far.iter().map(|&(_, count)| count);
        far.fold(near, u32::max)
    }

    /// Calls `take` for each chain with a number, first those above the floor.
    pub(super) fn each(&self, mut take: impl FnMut(u32, u32)) {
        for (chain, &above) in (0..).zip(self.above.iter()) {
            if above > 0 {
                take(chain, self.floor + u32::from(above));
            }
        }
        for &(chain, count) in &self.far {
            take(chain, count);
        }
    }

    /// The numbers by chain.
    pub(super) fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.width()];
        self.each(|chain, count| counts[chain as usize] = count);
        counts
    }

    /// Of each chain the greater number: those of the clocks, of which there is one at least, and of chains by themselves. None
    /// if that is not such a clock, or if the floors differ.
    pub(super) fn join<'a>(
        clocks: impl Iterator<Item = &'a Self> + Clone,
        entries: impl Iterator<Item = (u32, u32)> + Clone,
    ) -> Option<Self> {
        let floor = clocks.clone().next()?.floor;
        if clocks.clone().any(|it| it.floor != floor) {
            return None;
        }
        let widest = clocks.clone().max_by_key(|it| it.width())?;
        let others = clocks.filter(|it| !core::ptr::eq(*it, widest));
        let last = entries.clone().map(|(chain, _)| chain as usize + 1).max();
        let width = last.map_or(widest.width(), |last| last.max(widest.width()));
        let mut above = Vec::with_capacity(width);
        above.extend_from_slice(&widest.above);
        above.resize(width, 0);
        for clock in others.clone() {
            for (known, &other) in above.iter_mut().zip(&clock.above) {
                *known = other.max(*known);
            }
        }
        // Those of several clocks are mostly the same.
        let mut far = widest.far.to_vec();
        let listed = far.len();
        for (chain, count) in others.flat_map(|it| &it.far).copied().chain(entries) {
            match within(floor, count) {
                0 => match far[..listed].binary_search_by_key(&chain, |entry| entry.0) {
                    Ok(at) => far[at].1 = count.max(far[at].1),
                    Err(_) => far.push((chain, count)),
                },
                more => {
                    let known = &mut above[chain as usize];
                    *known = more.max(*known);
                }
            }
        }
        // Who comes late can make it wide, and it is to stay dense.
        let held = || above.iter().filter(|&&it| it > 0).count();
        if width > widest.width() && held() * PER_HELD < width {
            return None;
        }
        if far.len() > listed {
            // The greatest number of a chain comes first, and stays.
            far.sort_unstable_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
            far.dedup_by_key(|entry| entry.0);
        }
        far.retain(|&(chain, count)| {
            let known = &mut above[chain as usize];
            if count > floor {
                *known = 0;
            }
            count > 0 && *known == 0
        });
        (far.len() * PER_FAR <= width).then(|| Self {
            floor,
            above: above.into(),
            far: far.into(),
        })
    }
}

/// How far the number is above the floor; 0 if it is not, or too far for a byte.
fn within(floor: u32, count: u32) -> u8 {
    u8::try_from(count.saturating_sub(floor)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_lie_close_together_are_kept_in_bytes() {
        let check = |counts: &[u32], want: Option<(u32, usize)>| {
            let near = Near::of(counts);
            let found = near.as_ref().map(|it| (it.floor, it.far.len()));
            assert_eq!(found, want, "{counts:?}");
            if let Some(near) = near {
                assert_eq!(near.counts(), counts);
                for (chain, &count) in (0..).zip(counts) {
                    assert_eq!(near.count(chain), count);
                    assert!(count <= near.bound());
                }
            }
        };
        let with = |most: u32, other: u32| {
            let mut counts = vec![most; 20];
            counts[3] = other;
            counts
        };
        check(&[], None);
        check(&[7], None);
        check(&with(255, 0), Some((128, 0)));
        check(&with(191, 256), Some((0, 1)));
        check(&with(192, 383), Some((128, 0)));
        check(&with(192, 384), Some((128, 1)));
        check(&with(1_000_000, 5), Some((999_936, 1)));
        check(&[1000, 2, 3, 1000], None);
    }

    #[test]
    fn a_union_has_the_greater_number_of_each_chain() {
        let check = |all: &[&[u32]], entries: &[(u32, u32)], is_near: bool| {
            let clocks: Vec<Near> = all.iter().map(|it| Near::of(it).unwrap()).collect();
            let mut want = vec![0; 40];
            let raise = |want: &mut Vec<u32>, chain: usize, count: u32| {
                want[chain] = count.max(want[chain])
            };
            for counts in all {
                for (chain, &count) in counts.iter().enumerate() {
                    raise(&mut want, chain, count);
                }
            }
            for &(chain, count) in entries {
                raise(&mut want, chain as usize, count);
            }
            let joined = Near::join(clocks.iter(), entries.iter().copied());
            assert_eq!(joined.is_some(), is_near);
            if let Some(near) = joined {
                let found: Vec<u32> = (0..40).map(|chain| near.count(chain)).collect();
                assert_eq!(found, want);
            }
        };
        let base = vec![300; 33];
        let mut other = base.clone();
        (other[2], other[7]) = (5, 310);
        let mut third = base.clone();
        (third[2], third[0]) = (9, 100);
        check(&[&base, &other], &[], true);
        check(&[&other, &third], &[(7, 311), (39, 200)], true);
        check(&[&other, &base[..20]], &[(2, 8)], true);
        check(&[&other], &[(2, 11), (39, 0)], true);
        check(&[&base, &third], &[(2, 500)], true);
        check(&[&base, &other], &[(2, 500), (3, 500), (4, 500)], false);
        check(&[&base, &[600; 33]], &[], false);
        check(&[&[300; 6]], &[(23, 300)], true);
        check(&[&[300; 6]], &[(30, 300)], false);
        check(&[&other], &[(36, 1), (37, 1), (38, 1)], false);
    }
}
