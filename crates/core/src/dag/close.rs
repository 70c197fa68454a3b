//! Clocks whose numbers lie closer together still, in half a byte for each chain.
//!
//! Where a thousand write by turns and hear of each other, all that an op has seen of them ends within a few ops. Such clocks
//! take half the memory of [`Near`](super::near::Near) ones, and so twice as many are near when they are joined.

/// The distance of floors.
const STEP: u32 = 4;
/// How far the middle number is above the floor at least, where it is not less itself.
const MIDDLE: u32 = 5;
/// The greatest number above the floor.
const MOST: u32 = 15;
/// For so many chains one may be far.
const PER_FAR: usize = 16;
/// If more than one of so many is far, a higher floor is tried.
const PER_AHEAD: usize = 256;
/// Of so many chains one has a number at least.
const PER_HELD: usize = 4;
/// Bytes that are searched together for what is missing.
const LINE: usize = 32;
/// Fewer chains are not worth it.
const CHAINS_MIN: usize = 256;

/// The numbers by chain, of which nearly all lie above a floor, and at most 15 above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Close {
    floor: u32,
    /// Of two chains each, the even one in the low half: how far the number is above the floor; 0 if it does not lie there.
    above: Box<[u8]>,
    /// Chains and numbers that do not, sorted by chain, no zeros.
    far: Box<[(u32, u32)]>,
}

impl Close {
    /// The clock with these numbers by chain, of which the last is not 0, if they are such.
    pub(super) fn of<T: Copy + Into<u32>>(counts: &[T]) -> Option<Self> {
        if counts.len() < CHAINS_MIN {
            return None;
        }
        let mut sorted: Vec<u32> = counts.iter().map(|&it| it.into()).collect();
        let half = sorted.len() / 2;
        let (_, &mut middle, _) = sorted.select_nth_unstable(half);
        let floor = middle.saturating_sub(MIDDLE) / STEP * STEP;
        let mut above = vec![0; counts.len().div_ceil(2)];
        let mut far = Vec::new();
        for (chain, &count) in (0..).zip(counts) {
            let count: u32 = count.into();
            match within(floor, count) {
                0 if count > 0 => far.push((chain, count)),
                more => lift(&mut above, chain, more),
            }
        }
        (far.len() * PER_FAR <= counts.len()).then(|| Self {
            floor,
            above: above.into(),
            far: far.into(),
        })
    }

    pub(super) fn count(&self, chain: u32) -> u32 {
        match self.above_floor(chain) {
            0 => match self.far.binary_search_by_key(&chain, |entry| entry.0) {
                Ok(at) => self.far[at].1,
                Err(_) => 0,
            },
            above => self.floor + above,
        }
    }

    /// How far the number of the chain is above the floor; 0 if it does not lie there.
    fn above_floor(&self, chain: u32) -> u32 {
        let two = self.above.get(chain as usize / 2);
        two.map_or(0, |&two| half(two, chain).into())
    }

    /// Beyond the greatest chain with a number.
    pub(super) const fn width(&self) -> usize {
        self.above.len() * 2
    }

    pub(super) const fn bytes(&self) -> usize {
        size_of_val(&*self.above) + size_of_val(&*self.far)
    }

    /// What no number of it is beyond.
    pub(super) fn bound(&self) -> u32 {
        let close = self.floor.saturating_add(MOST);
        let far = self.far.iter().map(|&(_, count)| count);
        far.fold(close, u32::max)
    }

    /// Calls `take` for each chain with a number, first those above the floor.
    pub(super) fn each(&self, mut take: impl FnMut(u32, u32)) {
        for (first, &two) in (0..).step_by(2).zip(self.above.iter()) {
            for chain in [first, first + 1] {
                let above = half(two, chain);
                if above > 0 {
                    take(chain, self.floor + u32::from(above));
                }
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
    /// if that is not such a clock.
    pub(super) fn join<'a>(
        clocks: impl Iterator<Item = &'a Self> + Clone,
        entries: impl Iterator<Item = (u32, u32)> + Clone,
    ) -> Option<Self> {
        let floor = clocks.clone().map(|it| it.floor).max()?;
        let widest = clocks.clone().map(Self::width).max()?;
        let joined = Self::join_above(floor, clocks.clone(), entries.clone());
        // Who comes late can make it wide, and it is to stay dense.
        if joined.width() > widest && joined.held() * PER_HELD < joined.width() {
            return None;
        }
        if joined.far.len() * PER_AHEAD <= joined.width() {
            return Some(joined);
        }
        let higher = Self::join_above(floor.saturating_add(STEP), clocks, entries);
        let joined = [joined, higher].into_iter().min_by_key(|it| it.far.len())?;
        (joined.far.len() * PER_FAR <= joined.width()).then_some(joined)
    }

    /// How many chains have a number that lies above the floor.
    fn held(&self) -> usize {
        let held = |two: &u8| u8::from(two & 0x0f > 0).wrapping_add(u8::from(two & 0xf0 > 0));
        // A line has no more than fit into a byte.
        let of = |line: &[u8]| usize::from(line.iter().map(held).fold(0, u8::wrapping_add));
        self.above.chunks(LINE).map(of).sum()
    }

    /// The union with this floor, above which none of the clocks' lies.
    fn join_above<'a>(
        floor: u32,
        clocks: impl Iterator<Item = &'a Self> + Clone,
        entries: impl Iterator<Item = (u32, u32)> + Clone,
    ) -> Self {
        let widths = clocks.clone().map(|it| it.above.len());
        let lasts = entries.clone().map(|(chain, _)| chain as usize / 2 + 1);
        let width = widths.chain(lasts).max().unwrap_or(0);
        let mut above = Vec::with_capacity(width);
        let first = clocks.clone().find(|it| it.floor == floor);
        above.extend_from_slice(first.map_or(&[], |it| &it.above));
        above.resize(width, 0);
        for clock in clocks.clone() {
            if first.is_none_or(|it| !core::ptr::eq(it, clock)) {
                raise(&mut above, &clock.above, floor - clock.floor);
            }
        }
        let mut far: Vec<(u32, u32)> = Vec::new();
        let listed = clocks.clone().flat_map(|it| &it.far).copied();
        for (chain, count) in listed.chain(entries) {
            match within(floor, count) {
                0 => far.push((chain, count)),
                more => lift(&mut above, chain, more),
            }
        }
        // What no clock has above the floor can be above a lower one.
        let lower = clocks.filter(|it| it.floor < floor);
        if lower.clone().next().is_some() {
            for (line, first) in above.chunks(LINE).zip((0..).step_by(LINE * 2)) {
                if has_gap(line) {
                    sunk(lower.clone(), (first, line), &mut far);
                }
            }
        }
        // The greatest number of a chain comes first, and stays.
        far.sort_unstable_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
        far.dedup_by_key(|entry| entry.0);
        far.retain(|&(chain, count)| {
            let two = &mut above[chain as usize / 2];
            if count > floor {
                *two &= !(0xf << shift(chain));
            }
            count > 0 && half(*two, chain) == 0
        });
        Self {
            floor,
            above: above.into(),
            far: far.into(),
        }
    }
}

/// How far the number is above the floor; 0 if it is not, or too far for half a byte.
fn within(floor: u32, count: u32) -> u8 {
    let above = count.saturating_sub(floor);
    u8::try_from(above).map_or(0, |it| if above > MOST { 0 } else { it })
}

const fn shift(chain: u32) -> u32 {
    (chain & 1) * 4
}

/// That half of the byte which is the chain's.
const fn half(two: u8, chain: u32) -> u8 {
    two >> shift(chain) & 0xf
}

/// Raises the half of the chain.
fn lift(above: &mut [u8], chain: u32, more: u8) {
    let two = &mut above[chain as usize / 2];
    let known = half(*two, chain);
    *two = *two & !(0xf << shift(chain)) | known.max(more) << shift(chain);
}

/// Raises each half to that of the others, which stand so much lower.
fn raise(all: &mut [u8], others: &[u8], lower: u32) {
    let pairs = all.iter_mut().zip(others);
    match u8::try_from(lower) {
        // Of two bytes the one with the greater high half is greater.
        Ok(0) => pairs.for_each(|(two, &other)| {
            *two = (*two).max(other) & 0xf0 | (*two & 0x0f).max(other & 0x0f);
        }),
        Ok(low @ 1..0xf) => pairs.for_each(|(two, &other)| {
            let first = (*two & 0x0f).max((other & 0x0f).saturating_sub(low));
            let second = (*two & 0xf0).max((other & 0xf0).saturating_sub(low << 4));
            *two = first | second;
        }),
        Ok(_) | Err(_) => {}
    }
}

/// Whether a half of a byte is 0.
fn has_gap(line: &[u8]) -> bool {
    let gap = |two: &u8| u8::from(two & 0x0f == 0) | u8::from(two & 0xf0 == 0);
    line.iter().fold(0, |all, two| all | gap(two)) != 0
}

/// Lists what lies above the lower floors of these clocks, of the chains of a line that have nothing above its own; the line begins at
/// the chain.
fn sunk<'a>(
    lower: impl Iterator<Item = &'a Close> + Clone,
    (first, line): (u32, &[u8]),
    far: &mut Vec<(u32, u32)>,
) {
    for (first, &two) in (first..).step_by(2).zip(line) {
        for chain in [first, first + 1] {
            if half(two, chain) == 0 {
                let held = lower.clone().filter(|it| it.above_floor(chain) > 0);
                far.extend(held.map(|it| (chain, it.floor + it.above_floor(chain))));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of so many chains, all the same but for these.
    fn with(chains: usize, most: u32, others: &[(usize, u32)]) -> Vec<u32> {
        let mut counts = vec![most; chains];
        for &(chain, count) in others {
            counts[chain] = count;
        }
        counts
    }

    #[test]
    fn numbers_that_lie_closer_together_are_kept_in_half_bytes() {
        let check = |counts: &[u32], want: Option<(u32, usize)>| {
            let close = Close::of(counts);
            let found = close.as_ref().map(|it| (it.floor, it.far.len()));
            assert_eq!(found, want, "{counts:?}");
            if let Some(close) = close {
                assert_eq!(close.counts()[..counts.len()], *counts);
                for (chain, &count) in (0..).zip(counts) {
                    assert_eq!(close.count(chain), count);
                    assert!(count <= close.bound());
                }
                assert_eq!(close.count(1 << 20), 0);
            }
        };
        check(&with(255, 7, &[]), None);
        check(&with(256, 7, &[]), Some((0, 0)));
        check(
            &with(300, 9, &[(3, 0), (4, 19), (5, 5), (6, 4)]),
            Some((4, 1)),
        );
        check(&with(301, 9, &[(300, 20)]), Some((4, 1)));
        check(&with(301, 1_000_000, &[(0, 1)]), Some((999_992, 1)));
        let spread: Vec<u32> = (1..=300).collect();
        check(&spread, None);
    }

    #[test]
    fn a_union_has_the_greater_number_of_each_chain() {
        let check = |all: &[&[u32]], entries: &[(u32, u32)], is_close: bool| {
            let clocks: Vec<Close> = all.iter().map(|it| Close::of(it).unwrap()).collect();
            let entry = |&(chain, count): &(u32, u32)| (chain as usize, count);
            let told = all.iter().flat_map(|it| it.iter().copied().enumerate());
            let mut want = vec![0; 2_000];
            for (chain, count) in told.chain(entries.iter().map(entry)) {
                want[chain] = count.max(want[chain]);
            }
            let joined = Close::join(clocks.iter(), entries.iter().copied());
            assert_eq!(joined.is_some(), is_close);
            if let Some(close) = joined {
                let found: Vec<u32> = (0..2_000).map(|chain| close.count(chain)).collect();
                assert_eq!(found, want);
                let mut told = vec![0; 2_000];
                close.each(|chain, count| told[chain as usize] += count);
                assert_eq!(told, want);
            }
        };
        let base = with(301, 20, &[]);
        let other = with(301, 20, &[(2, 5), (7, 25), (8, 12)]);
        // Its floor is higher than that of the others, so some of theirs sink below it.
        let higher = with(
            298,
            26,
            &[(2, 4), (7, 31), (8, 1), (9, 40), (11, 19), (12, 2)],
        );
        assert!(Close::of(&higher).unwrap().floor > Close::of(&base).unwrap().floor);
        check(&[&base], &[], true);
        check(&[&base, &other], &[(2, 8), (300, 21)], true);
        check(&[&other, &higher], &[(7, 32), (9, 3), (400, 200)], true);
        check(&[&higher, &other, &base], &[(310, 0)], true);
        let low = with(256, 3, &[(9, 0), (255, 1)]);
        check(&[&higher, &low], &[(0, 27)], true);
        // Those who go on raise the floor, as far as the others come with them.
        let ahead: Vec<(u32, u32)> = (0..40).map(|chain| (chain, 35)).collect();
        check(&[&base], &ahead, false);
        let all: Vec<(u32, u32)> = (0..250).map(|chain| (chain, 33)).collect();
        check(&[&base], &all, false);
        let half: Vec<(u32, u32)> = (0..290).map(|chain| (chain, 34)).collect();
        check(&[&with(301, 24, &[])], &half, true);
        check(&[&base], &[(1_999, 20)], false);
    }
}
