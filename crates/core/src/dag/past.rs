//! Pasts: the strict ancestors of an op, as one number per chain.

use core::hint::black_box;
use std::sync::Arc;

use minicbor::Decoder;
use minicbor::decode::Error;

use super::close::Close;
use super::near::Near;
use crate::columns::{self, damaged};
use crate::wire::{Out, Written};

/// Of each chain, how many of its first ops: a vector clock over chains, dense where it is wide.
#[derive(Debug)]
enum Clock {
    /// Chains and numbers, sorted by chain, no zeros.
    Sparse(Box<[(u32, u32)]>),
    /// The numbers by chain, where these are many and nearly all lie close together.
    Close(Close),
    /// The same where they lie less close, or are fewer.
    Near(Near),
    /// The numbers by chain, where all are small.
    Narrow(Box<[u16]>),
    /// The numbers by chain.
    Wide(Box<[u32]>),
}

impl Clock {
    fn count(&self, chain: u32) -> u32 {
        match self {
            Self::Sparse(entries) => match entries.binary_search_by_key(&chain, |entry| entry.0) {
                Ok(at) => entries[at].1,
                Err(_) => 0,
            },
            Self::Close(close) => close.count(chain),
            Self::Near(near) => near.count(chain),
            Self::Narrow(counts) => counts.get(chain as usize).map_or(0, |&it| it.into()),
            Self::Wide(counts) => counts.get(chain as usize).copied().unwrap_or(0),
        }
    }

    /// Calls `take` for each chain with a number.
    fn each(&self, mut take: impl FnMut(u32, u32)) {
        let mut held = |(chain, count): (u32, u32)| {
            if count > 0 {
                take(chain, count);
            }
        };
        match self {
            Self::Sparse(entries) => entries.iter().copied().for_each(held),
            Self::Close(close) => close.each(|chain, count| held((chain, count))),
            Self::Near(near) => near.each(|chain, count| held((chain, count))),
            Self::Narrow(counts) => (0..).zip(counts.iter().map(|&it| it.into())).for_each(held),
            Self::Wide(counts) => (0..).zip(counts.iter().copied()).for_each(&mut held),
        }
    }

    const fn close(&self) -> Option<&Close> {
        if let Self::Close(it) = self {
            return Some(it);
        }
        None
    }

    const fn near(&self) -> Option<&Near> {
        if let Self::Near(it) = self {
            return Some(it);
        }
        None
    }

    /// Chains and numbers, of a clock that has few.
    fn few(&self) -> &[(u32, u32)] {
        if let Self::Sparse(entries) = self {
            return entries;
        }
        &[]
    }

    const fn width(&self) -> usize {
        match self {
            Self::Sparse(entries) => entries.len(),
            Self::Close(close) => close.width(),
            Self::Near(near) => near.width(),
            Self::Narrow(counts) => counts.len(),
            Self::Wide(counts) => counts.len(),
        }
    }

    /// Reads where the numbers begin.
    fn approach(&self) {
        match self {
            Self::Sparse(entries) => {
                black_box(entries.first().copied());
            }
            Self::Close(close) => {
                black_box(close.count(0));
            }
            Self::Near(near) => {
                black_box(near.count(0));
            }
            Self::Narrow(counts) => {
                black_box(counts.first().copied());
            }
            Self::Wide(counts) => {
                black_box(counts.first().copied());
            }
        }
    }

    const fn bytes(&self) -> usize {
        match self {
            Self::Sparse(entries) => size_of_val(&**entries),
            Self::Close(close) => close.bytes(),
            Self::Near(near) => near.bytes(),
            Self::Narrow(counts) => size_of_val(&**counts),
            Self::Wide(counts) => size_of_val(&**counts),
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
        Self::of_clock(least(counts))
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
        self.clock.each(|chain, count| {
            if chain != first && chain != second {
                take(chain, count);
            }
        });
        for (chain, count) in self.more {
            if chain != NONE.0 {
                take(chain, count);
            }
        }
    }

    /// About how many chains have ops in the past: the work of [`Past::each`].
    pub(crate) fn width(&self) -> usize {
        self.clock.width() + 2
    }

    /// Reads what letting go of the past will read.
    pub(super) fn approach(&self) {
        self.clock.approach();
    }

    /// The memory of the past where it is kept, in bytes.
    pub(super) fn bytes(&self) -> usize {
        64 + self.clock.bytes()
    }

    /// Writes the past: the form of its clock, and the clock.
    pub(super) fn save(&self, out: &mut Out<'_>) -> Written {
        let whole = if self.more == [NONE; 2] {
            self.clone()
        } else {
            Self::join(&[self.clone(), Self::default()])
        };
        let plain;
        let clock = match &*whole.clock {
            Clock::Close(close) => {
                plain = written(close.counts());
                &plain
            }
            Clock::Near(near) => {
                plain = written(near.counts());
                &plain
            }
            clock => clock,
        };
        match clock {
            Clock::Sparse(entries) => {
                let rows = entries.iter().map(|&(chain, count)| [chain, count]);
                columns::write_rows(out.u8(0)?, rows)
            }
            Clock::Close(_) | Clock::Near(_) => unreachable!("what is written is by other numbers"),
            Clock::Narrow(counts) => {
                out.u8(1)?.bytes_len(size_of_val(&**counts) as u64)?;
                let bytes = counts.iter().flat_map(|count| count.to_le_bytes());
                out.writer_mut().extend(bytes);
                Ok(())
            }
            Clock::Wide(counts) => columns::write(out.u8(2)?, counts.iter().copied()),
        }
    }

    /// Reads a past, where the chains have so many ops.
    pub(super) fn restore(input: &mut Decoder<'_>, chains: &[u32]) -> Result<Self, Error> {
        let fits = |(count, &ops): (u32, &u32)| count <= ops;
        let (clock, is_sound) = match input.u8()? {
            0 => {
                let rows = columns::number_rows(input)?.iter().map(columns::numbers);
                let entries: Box<[_]> = rows.map(|[chain, count]| (chain, count)).collect();
                let of = |&(chain, count): &_| Some((count, chains.get(chain as usize)?));
                let all_fit = entries.iter().all(|entry| of(entry).is_some_and(fits));
                let is_sorted = entries.is_sorted_by(|a: &(u32, u32), b| a.0 < b.0);
                (Clock::Sparse(entries), all_fit && is_sorted)
            }
            1 => {
                let rows = columns::rows::<2>(input)?.iter();
                let counts: Box<[u16]> = rows.map(|it| u16::from_le_bytes(*it)).collect();
                let all_fit = counts.iter().map(|&it| it.into()).zip(chains).all(fits);
                let is_sound = all_fit && counts.len() <= chains.len();
                (Clock::Narrow(counts), is_sound)
            }
            2 => {
                let counts = columns::read(input)?.into_boxed_slice();
                let all_fit = counts.iter().copied().zip(chains).all(fits);
                let is_sound = all_fit && counts.len() <= chains.len();
                (Clock::Wide(counts), is_sound)
            }
            _ => return Err(damaged("the form of a clock")),
        };
        if is_sound {
            Ok(Self::of_clock(clock))
        } else {
            Err(damaged("the numbers of a clock"))
        }
    }

    /// Whether all its numbers are small.
    fn is_narrow(&self) -> bool {
        let small = |count: u32| count <= u16::MAX.into();
        self.more.iter().all(|&(_, count)| small(count))
            && match &*self.clock {
                Clock::Sparse(entries) => entries.iter().all(|&(_, count)| small(count)),
                Clock::Close(close) => small(close.bound()),
                Clock::Near(near) => small(near.bound()),
                Clock::Narrow(_) => true,
                Clock::Wide(_) => false,
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
        let one = Self {
            more: [(chain, count), NONE],
            ..Self::default()
        };
        Self::join(&[self, one])
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
                Self::of_clock(if let Some(joined) = Self::join_dense(pasts) {
                    joined
                } else if pasts.iter().all(Self::is_narrow) {
                    least(dense::<u16>(pasts))
                } else {
                    least(dense::<u32>(pasts))
                })
            }
        }
    }

    /// The past with these numbers by chain, in the memory of the spare one where that fits.
    pub(super) fn of_small(counts: &[u16], spare: Option<Self>) -> Self {
        if let Some(mut spare) = spare
            && counts.last().is_some_and(|&last| last > 0)
            && !is_sparse(counts)
            && let Some(Clock::Narrow(own)) = Arc::get_mut(&mut spare.clock)
            && own.len() == counts.len()
        {
            own.copy_from_slice(counts);
            spare.more = [NONE; 2];
            return spare;
        }
        Self::of_clock(written(counts.to_vec()))
    }

    /// Raises the numbers by chain to those of the past; `None` if one of them is too large.
    pub(super) fn raise(&self, counts: &mut Vec<u16>) -> Option<()> {
        match &*self.clock {
            Clock::Narrow(own) if counts.is_empty() => counts.extend_from_slice(own),
            Clock::Narrow(own) => {
                if counts.len() < own.len() {
                    counts.resize(own.len(), 0);
                }
                for (count, &own) in counts.iter_mut().zip(own) {
                    *count = own.max(*count);
                }
            }
            Clock::Sparse(_) | Clock::Close(_) | Clock::Near(_) | Clock::Wide(_) => {
                let mut fits = Some(());
                self.clock.each(|chain, count| {
                    fits = fits.and_then(|()| raise(counts, chain, count));
                });
                fits?;
            }
        }
        let more = self.more.iter().filter(|it| it.0 != NONE.0);
        more.map(|&(chain, count)| raise(counts, chain, count))
            .collect()
    }

    /// The union of pasts whose numbers lie close together, in one form of these, or are few.
    fn join_dense(pasts: &[Self]) -> Option<Clock> {
        let is_either = |clock: &Clock| matches!(clock, Clock::Narrow(_) | Clock::Wide(_));
        let clocks = pasts.iter().map(|past| &*past.clock);
        if clocks.clone().any(is_either) {
            return None;
        }
        let (close, near) = (
            clocks.clone().filter_map(Clock::close),
            clocks.filter_map(Clock::near),
        );
        let entries = pasts
            .iter()
            .flat_map(|past| past.clock.few().iter().chain(&past.more));
        let entries = entries.copied().filter(|it| it.0 != NONE.0);
        match (close.clone().next(), near.clone().next()) {
            (_, None) => Close::join(close, entries).map(Clock::Close),
            (None, Some(_)) => Near::join(near, entries).map(Clock::Near),
            (Some(_), Some(_)) => None,
        }
    }

    fn entries(&self) -> Vec<(u32, u32)> {
        let mut entries = Vec::with_capacity(self.width());
        self.each(|chain, count| entries.push((chain, count)));
        entries.sort_unstable();
        entries
    }
}

/// Raises the number of the chain; `None` if it is too large.
pub(super) fn raise(counts: &mut Vec<u16>, chain: u32, count: u32) -> Option<()> {
    let count = u16::try_from(count).ok()?;
    let chain = chain as usize;
    if counts.len() <= chain {
        counts.resize(chain + 1, 0);
    }
    counts[chain] = count.max(counts[chain]);
    Some(())
}

/// Entries up to which a union is made by merging sorted lists.
const FEW: usize = 48;

/// A number of a dense clock.
trait Count: Copy + Ord + Default + Into<u32> + TryFrom<u32> {
    /// The numbers of the clock, if it is dense and has such numbers.
    fn of(clock: &Clock) -> Option<&[Self]>;

    /// The dense clock with these numbers, in numbers as small as will do.
    fn clock(counts: Vec<Self>) -> Clock;
}

impl Count for u16 {
    fn of(clock: &Clock) -> Option<&[Self]> {
        match clock {
            Clock::Narrow(counts) => Some(counts),
            Clock::Sparse(_) | Clock::Close(_) | Clock::Near(_) | Clock::Wide(_) => None,
        }
    }

    fn clock(counts: Vec<Self>) -> Clock {
        Clock::Narrow(counts.into_boxed_slice())
    }
}

impl Count for u32 {
    fn of(clock: &Clock) -> Option<&[Self]> {
        match clock {
            Clock::Wide(counts) => Some(counts),
            Clock::Sparse(_) | Clock::Close(_) | Clock::Near(_) | Clock::Narrow(_) => None,
        }
    }

    fn clock(counts: Vec<Self>) -> Clock {
        let small = |&count: &u32| u16::try_from(count);
        match counts.iter().map(small).collect() {
            Ok(narrow) => Clock::Narrow(narrow),
            Err(_) => Clock::Wide(counts.into_boxed_slice()),
        }
    }
}

/// The union of the pasts by chain; the caller knows that the numbers fit.
fn dense<T: Count>(pasts: &[Past]) -> Vec<T> {
    let width = |past: &Past| {
        let more = past.more.iter().filter(|it| it.0 != NONE.0);
        let last = more.map(|it| it.0 as usize + 1).max().unwrap_or(0);
        last.max(match &*past.clock {
            Clock::Sparse(entries) => entries.last().map_or(0, |last| last.0 as usize + 1),
            Clock::Close(close) => close.width(),
            Clock::Near(near) => near.width(),
            Clock::Narrow(counts) => counts.len(),
            Clock::Wide(counts) => counts.len(),
        })
    };
    let mut all: Vec<T> = Vec::with_capacity(pasts.iter().map(width).max().unwrap_or(0));
    let like = pasts.iter().filter_map(|past| T::of(&past.clock));
    let widest = like.max_by_key(|counts| counts.len()).unwrap_or(&[]);
    all.extend_from_slice(widest);
    all.resize(all.capacity(), T::default());
    let raise = |all: &mut [T], chain: u32, count: u32| {
        if let Ok(count) = T::try_from(count) {
            let known = &mut all[chain as usize];
            *known = count.max(*known);
        }
    };
    for past in pasts {
        match T::of(&past.clock) {
            Some(counts) if core::ptr::eq(counts, widest) => {}
            Some(counts) => {
                for (known, &count) in all.iter_mut().zip(counts) {
                    *known = count.max(*known);
                }
            }
            None => past.each(|chain, count| raise(&mut all, chain, count)),
        }
        for (chain, count) in past.more {
            if chain != NONE.0 {
                raise(&mut all, chain, count);
            }
        }
    }
    all
}

/// The clock in whichever form is smaller, and in bytes or half of them if it is dense and they will do.
fn least<T: Count>(mut counts: Vec<T>) -> Clock {
    let few = sparse(&mut counts);
    few.or_else(|| Close::of(&counts).map(Clock::Close))
        .or_else(|| Near::of(&counts).map(Clock::Near))
        .unwrap_or_else(|| T::clock(counts))
}

/// The clock in whichever of the forms that are written is smaller.
fn written<T: Count>(mut counts: Vec<T>) -> Clock {
    sparse(&mut counts).unwrap_or_else(|| T::clock(counts))
}

/// The clock as a list of what chains have, if that is smaller; cuts off the chains at the end that have nothing.
fn sparse<T: Count>(counts: &mut Vec<T>) -> Option<Clock> {
    while counts.last() == Some(&T::default()) {
        counts.pop();
    }
    is_sparse(counts).then(|| {
        let entries = (0..).zip(counts.iter().map(|&count| count.into()));
        Clock::Sparse(entries.filter(|&(_, count)| count > 0).collect())
    })
}

/// Whether a list of the numbers that are not zero is smaller than all of them.
fn is_sparse<T: Count>(counts: &[T]) -> bool {
    let held = counts.iter().filter(|&&it| it > T::default()).count();
    held * 8 < size_of_val(counts)
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
                counts
            };
            let forms = |entries: &[(u32, u32)]| {
                let counts = dense(entries);
                let narrow = counts
                    .iter()
                    .map(|&it| u16::try_from(it).unwrap())
                    .collect();
                let clocks = [Clock::Wide(counts.into()), Clock::Narrow(narrow)];
                let [wide, narrow] = clocks.map(Past::of_clock);
                [past(entries), wide, narrow]
            };
            for a in forms(a) {
                for b in forms(b) {
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
