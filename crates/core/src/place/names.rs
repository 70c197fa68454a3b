//! The index from the names of places to their numbers.

use core::hint::black_box;

use crate::place_id::PlaceId;

/// Bytes of a digest that tell names apart. Who wants two names with one of these needs 2^96 tries.
const DIGEST_BYTES: usize = 24;

/// What the names of a place are known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest([u8; DIGEST_BYTES]);

/// Names with their lengths that are hashed at once; longer ones are hashed part by part.
const TEXT_BYTES: usize = 192;

impl Digest {
    /// That of a register, or of an element of a set.
    pub(super) fn of(object: &str, field: &str, element: Option<&str>) -> Self {
        let mut text = [0; TEXT_BYTES];
        let mut end = 0;
        for name in [Some(object), Some(field), element].into_iter().flatten() {
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes();
            for part in [&length[..], name.as_bytes()] {
                let Some(room) = text.get_mut(end..end + part.len()) else {
                    return Self::of_long(object, field, element);
                };
                room.copy_from_slice(part);
                end += part.len();
            }
        }
        Self::cut(blake3::hash(&text[..end]))
    }

    fn of_long(object: &str, field: &str, element: Option<&str>) -> Self {
        let mut hasher = blake3::Hasher::new();
        for name in [Some(object), Some(field), element].into_iter().flatten() {
            hasher.update(&(name.len() as u64).to_le_bytes());
            hasher.update(name.as_bytes());
        }
        Self::cut(hasher.finalize())
    }

    fn cut(hash: blake3::Hash) -> Self {
        let mut digest = [0; DIGEST_BYTES];
        let (first, _) = hash.as_bytes().split_at(DIGEST_BYTES);
        digest.copy_from_slice(first);
        Self(digest)
    }

    /// The slot of a table with so many that the digest chooses.
    fn slot(&self, slots: usize) -> usize {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        let first = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        ((u128::from(first) * slots as u128) >> 64) as usize
    }

    /// A part of it on which the slot does not depend.
    const fn tag(&self) -> u32 {
        let [.., a, b, c, d] = self.0;
        u32::from_le_bytes([a, b, c, d])
    }
}

/// Stands for no place.
const FREE: PlaceId = PlaceId::MAX;

/// Slots that are looked at in a row. A place that finds none free there is not in the table: who grinds names that share a
/// slot makes look-ups dearer up to here and no further.
const PROBES: usize = 128;

/// Where most places are found by their names: a table with open addressing.
#[derive(Debug, Clone, Default)]
pub(super) struct NameTable {
    slots: Vec<Slot>,
    len: usize,
    /// Whether a place is not in the table.
    lacks: bool,
}

/// A place, and what is compared before its digest is.
#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    place: PlaceId,
}

impl Slot {
    const FREE: Self = Self {
        tag: 0,
        place: FREE,
    };
}

impl NameTable {
    /// A table of so many places, whose names differ; `digest_at` is the digest of a place.
    pub(super) fn of(places: PlaceId, digest_at: impl Fn(PlaceId) -> Digest) -> Self {
        let mut table = Self::default();
        table.reserve(places as usize);
        for place in 0..places {
            table.put(&digest_at(place), place);
        }
        table
    }

    /// Makes room for so many places, where there are none yet.
    pub(super) fn reserve(&mut self, places: usize) {
        self.slots = vec![Slot::FREE; (places + 1).div_ceil(2) * 3];
    }

    /// Whether what is not in the table is no place.
    pub(super) const fn is_whole(&self) -> bool {
        !self.lacks
    }

    /// The place, if it is in the table; `digest_at` is the digest of a place.
    pub(super) fn find(
        &self,
        digest: &Digest,
        digest_at: impl Fn(PlaceId) -> Digest,
    ) -> Option<PlaceId> {
        let probed = self.probes(digest).map(|slot| self.slots[slot]);
        let mut taken = probed.take_while(|slot| slot.place != FREE);
        let tag = digest.tag();
        let found = taken.find(|slot| slot.tag == tag && digest_at(slot.place) == *digest);
        found.map(|slot| slot.place)
    }

    /// Reads what a search for the digest reads first, without waiting for it.
    pub(super) fn approach(&self, digest: &Digest) {
        black_box(self.slots.get(digest.slot(self.slots.len())).copied());
    }

    fn probes(&self, digest: &Digest) -> impl Iterator<Item = usize> + use<> {
        let slots = self.slots.len();
        let first = digest.slot(slots);
        let wrapped = move |slot| if slot < slots { slot } else { slot - slots };
        (first..first + PROBES.min(slots)).map(wrapped)
    }

    /// Adds the next place, whose names are not in the table; `digest_at` is the digest of a place before it.
    pub(super) fn push(
        &mut self,
        digest: &Digest,
        place: PlaceId,
        digest_at: impl Fn(PlaceId) -> Digest,
    ) {
        if (self.len + 1) * 3 > self.slots.len() * 2 {
            *self = Self {
                slots: vec![Slot::FREE; (self.slots.len() / 4 * 5).max(16)],
                ..Self::default()
            };
            for place in 0..place {
                self.put(&digest_at(place), place);
            }
        }
        self.put(digest, place);
    }

    fn put(&mut self, digest: &Digest, place: PlaceId) {
        let free = self.probes(digest).find(|&it| self.slots[it].place == FREE);
        match free {
            Some(free) => {
                let tag = digest.tag();
                self.slots[free] = Slot { tag, place };
                self.len += 1;
            }
            None => self.lacks = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_by_their_names() {
        let mut table = NameTable::default();
        let long = "x".repeat(3 * TEXT_BYTES);
        let names: Vec<String> = (0..300).map(|it| format!("{it}")).collect();
        let mut digests = vec![
            Digest::of("a", "bc", None),
            Digest::of("ab", "c", None),
            Digest::of("a", "b", Some("c")),
            Digest::of("a", "bc", Some("")),
            Digest::of(&long, "", None),
            Digest::of("", &long, None),
        ];
        digests.extend(
            names
                .iter()
                .map(|it| Digest::of("object", "field", Some(it))),
        );
        let digest_at = |place: PlaceId| digests[place as usize];
        for (place, digest) in (0..).zip(&digests) {
            assert_eq!(table.find(digest, digest_at), None);
            table.push(digest, place, digest_at);
        }
        for (place, digest) in (0..).zip(&digests) {
            assert_eq!(table.find(digest, digest_at), Some(place));
        }
        assert_eq!(table.find(&Digest::of("c", "ab", None), digest_at), None);
        let count = u32::try_from(digests.len()).unwrap();
        let table = NameTable::of(count, digest_at);
        for (place, digest) in (0..).zip(&digests) {
            assert_eq!(table.find(digest, digest_at), Some(place));
        }
    }

    #[test]
    fn names_that_share_a_slot_fill_no_more_than_its_neighbours() {
        let mut table = NameTable::default();
        let digest = |number: u32| {
            let mut bytes = [0; DIGEST_BYTES];
            // Few tags, so that these collide as well.
            bytes[16..20].copy_from_slice(&number.to_le_bytes());
            bytes[20] = number.to_le_bytes()[0] & 3;
            Digest(bytes)
        };
        for place in 0..1_000 {
            table.push(&digest(place), place, digest);
        }
        let found = (0..1_000).filter(|&it| table.find(&digest(it), digest).is_some());
        assert_eq!(found.count(), PROBES);
        assert!(!table.is_whole());
        let wrong = (0..1_000).filter_map(|it| Some((it, table.find(&digest(it), digest)?)));
        assert!(wrong.into_iter().all(|(number, place)| number == place));
    }
}
