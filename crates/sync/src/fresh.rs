//! The ops of a batch, before any of them is verified.

use ecac_core::OpId;

/// A set of ids: a table with open addressing. Ids are hashes, so their own bytes are the hash; who grinds ids that share a slot
/// makes one batch of them cost about as much again as their signatures.
#[derive(Debug)]
pub(crate) struct Fresh {
    ids: Vec<OpId>,
    /// The position of an id plus one, below 32 bits of the id that the slot does not depend on; 0 is free.
    slots: Vec<u64>,
}

const POSITION: u64 = 0xffff_ffff;

impl Fresh {
    /// An empty set, with room for so many.
    pub(crate) fn new(ids_max: usize) -> Self {
        Self {
            ids: Vec::with_capacity(ids_max),
            slots: vec![0; (ids_max + 1) * 2],
        }
    }

    pub(crate) fn contains(&self, id: &OpId) -> bool {
        self.find(id).is_ok()
    }

    /// Adds an id, of which there are not more than there is room for.
    pub(crate) fn insert(&mut self, id: OpId) {
        if let Err((slot, tag)) = self.find(&id) {
            assert!(self.ids.len() * 2 < self.slots.len(), "there is room");
            self.ids.push(id);
            self.slots[slot] = tag | self.ids.len() as u64;
        }
    }

    /// Whether the id is there; if not, the free slot that is its own, and what is put there above the position.
    fn find(&self, id: &OpId) -> Result<(), (usize, u64)> {
        let [a, b, c, d, e, f, g, h, tag @ ..] = id.as_bytes();
        let first = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
        let tag = u64::from(u32::from_le_bytes([tag[0], tag[1], tag[2], tag[3]])) << 32;
        let mut slot = ((u128::from(first) * self.slots.len() as u128) >> 64) as usize;
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                return Err((slot, tag));
            }
            if entry & !POSITION == tag && self.ids[(entry & POSITION) as usize - 1] == *id {
                return Ok(());
            }
            slot = if slot + 1 == self.slots.len() {
                0
            } else {
                slot + 1
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_is_there_and_nothing_else() {
        let id = |number: u32| {
            let mut bytes = [0; 32];
            // Few slots and few tags, so that both collide.
            bytes[7] = number.to_le_bytes()[0] & 3;
            bytes[8] = number.to_le_bytes()[1] & 1;
            bytes[28..].copy_from_slice(&number.to_be_bytes());
            OpId::from_bytes(bytes)
        };
        for count in [0, 1, 2, 500] {
            let mut fresh = Fresh::new(count as usize);
            for number in 0..count {
                assert!(!fresh.contains(&id(number)));
                fresh.insert(id(number));
                fresh.insert(id(number / 2));
            }
            for number in 0..count + 10 {
                assert_eq!(fresh.contains(&id(number)), number < count, "{number}");
            }
        }
    }
}
