//! Bitstrings of which each says little more than the one before it: what they have in common is kept once.

use std::sync::Arc;

/// Bytes of a page, a multiple of eight.
const PAGE_BYTES: usize = 512;

/// The bits of a version of a status list, in pages that it shares with the version before it.
#[derive(Debug, Clone)]
pub(crate) struct Pages(Vec<Arc<[u8]>>);

impl Pages {
    /// The bitstring, which shares the pages that are as in the other.
    pub(super) fn of(bytes: &[u8], like: Option<&Self>) -> Self {
        let known = like.map_or(&[][..], |like| &like.0);
        let pages = bytes.chunks(PAGE_BYTES).enumerate().map(|(at, page)| {
            let same = known.get(at).filter(|it| ***it == *page);
            same.map_or_else(|| page.into(), Arc::clone)
        });
        Self(pages.collect())
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.concat()
    }

    /// Sets the bits in the bytes too, which become as many if they were fewer.
    pub(super) fn add_to(&self, all: &mut Vec<u8>) {
        let len = self.0.iter().map(|page| page.len()).sum();
        all.resize(all.len().max(len), 0);
        for (all, page) in all.chunks_mut(PAGE_BYTES).zip(&self.0) {
            for (all, byte) in all.iter_mut().zip(&**page) {
                *all |= byte;
            }
        }
    }

    /// Whether the bit at `index` is set; none where the bitstring is shorter. Bit 0 is the most significant bit of byte 0.
    pub(super) fn get(&self, index: u64) -> Option<bool> {
        let at = usize::try_from(index / 8).ok()?;
        let byte = self.0.get(at / PAGE_BYTES)?.get(at % PAGE_BYTES)?;
        Some(byte & (0x80 >> (index % 8)) != 0)
    }

    /// Calls `take` with the index of each bit that is set here and not in the earlier bitstring, in ascending order.
    pub(super) fn each_new(&self, earlier: Option<&Self>, mut take: impl FnMut(u64)) {
        self.new_words(earlier, |at, word| {
            let mut left = word;
            while left != 0 {
                let bit = left.leading_zeros();
                take(at * 64 + u64::from(bit));
                left &= !(1 << 63 >> bit);
            }
        });
    }

    /// How many bits are set here and not in the earlier bitstring.
    pub(super) fn count_new(&self, earlier: Option<&Self>) -> u64 {
        let mut count = 0;
        self.new_words(earlier, |_, word| count += u64::from(word.count_ones()));
        count
    }

    /// The bits that are new, 64 at a time, with the number of the word.
    fn new_words(&self, earlier: Option<&Self>, mut take: impl FnMut(u64, u64)) {
        const NOTHING: &[u8] = &[];
        let mut first = 0;
        for (at, page) in self.0.iter().enumerate() {
            let known = earlier.and_then(|earlier| earlier.0.get(at));
            if !known.is_some_and(|known| Arc::ptr_eq(known, page)) {
                let mut known = known.map_or(NOTHING, |known| known).chunks(8);
                for (at, bytes) in (first..).zip(page.chunks(8)) {
                    let new = word(bytes) & !word(known.next().unwrap_or(NOTHING));
                    if new != 0 {
                        take(at, new);
                    }
                }
            }
            first += PAGE_BYTES as u64 / 8;
        }
    }
}

/// The first eight bytes, or what there is of them, as one number of which the first bit is the greatest.
fn word(bytes: &[u8]) -> u64 {
    let mut word = [0; 8];
    for (to, byte) in word.iter_mut().zip(bytes) {
        *to = *byte;
    }
    u64::from_be_bytes(word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn bits_are_those_of_the_bytes_and_pages_are_shared() {
        let bytes = |len: usize, set: &BTreeSet<u64>| {
            let mut bytes = vec![0_u8; len];
            for &bit in set {
                bytes[usize::try_from(bit / 8).unwrap()] |= 0x80 >> (bit % 8);
            }
            bytes
        };
        let check = |before: (usize, &[u64]), after: (usize, &[u64]), shared: usize| {
            let sets = [before.1, after.1].map(|it| it.iter().copied().collect::<BTreeSet<_>>());
            let earlier = Pages::of(&bytes(before.0, &sets[0]), None);
            let later = Pages::of(&bytes(after.0, &sets[1]), Some(&earlier));
            assert_eq!(later.bytes(), bytes(after.0, &sets[1]));
            let pairs = earlier.0.iter().zip(&later.0);
            assert_eq!(pairs.filter(|(a, b)| Arc::ptr_eq(a, b)).count(), shared);
            let mut new = Vec::new();
            later.each_new(Some(&earlier), |bit| new.push(bit));
            assert_eq!(
                new,
                sets[1].difference(&sets[0]).copied().collect::<Vec<_>>()
            );
            assert_eq!(later.count_new(Some(&earlier)), new.len() as u64);
            assert_eq!(later.count_new(None), sets[1].len() as u64);
            for bit in 0..after.0 as u64 * 8 {
                assert_eq!(later.get(bit), Some(sets[1].contains(&bit)));
            }
            assert_eq!(later.get(after.0 as u64 * 8), None);
        };
        check((1024, &[]), (1024, &[]), 2);
        check((1024, &[0, 4095, 4096]), (1024, &[0, 4095, 4097]), 1);
        check((1030, &[0]), (1034, &[0, 8200, 8271]), 2);
        check((1034, &[8200, 8271]), (515, &[4100]), 1);
        check((8, &[]), (8, &[0, 1, 2, 63]), 0);
    }
}
