//! The index from op ids to positions, and from the keys of authors to their numbers.

use core::hint::black_box;

use minicbor::Decoder;
use minicbor::decode::Error;

use super::{Dag, Index};
use crate::columns::{self, damaged};
use crate::id::{OpId, PublicKey};
use crate::wire::{Out, Written};

/// Where the op of an id stands, or the author of a key: a table with open addressing. Ids are hashes, and keys are points that
/// look like them, so their own bytes are the hash; who grinds ids that share a slot slows down nobody's look-ups but those of
/// these ids.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    /// The position plus one, below 32 bits of the id that the slot does not depend on; 0 is free.
    slots: Vec<u64>,
    len: usize,
}

const POSITION: u64 = 0xffff_ffff;

impl Ids {
    pub(super) fn save(&self, out: &mut Out<'_>) -> Written {
        out.bytes_len((self.slots.len() * 8) as u64)?;
        let bytes = out.writer_mut();
        bytes.reserve(self.slots.len() * 8);
        for slot in &self.slots {
            bytes.extend_from_slice(&slot.to_le_bytes());
        }
        Ok(())
    }

    /// The table of so many ids, each of which the caller may look up; one that was forged finds other ops or none.
    pub(super) fn restore(input: &mut Decoder<'_>, len: usize) -> Result<Self, Error> {
        let rows = columns::rows::<8>(input)?;
        let slots: Vec<u64> = rows.iter().map(|it| u64::from_le_bytes(*it)).collect();
        let taken = slots.iter().filter(|&&it| it != 0);
        let fits = |entry: &u64| (1..=len as u64).contains(&(entry & POSITION));
        let (mut count, mut all_fit) = (0, true);
        for entry in taken {
            count += 1;
            all_fit &= fits(entry);
        }
        if count != len || !all_fit || slots.len() < len + usize::from(len > 0) {
            return Err(damaged("the index of ids"));
        }
        Ok(Self { slots, len })
    }

    /// The position of the id; `id_at` is the id of a position.
    pub(super) fn find<'a>(
        &self,
        id: &[u8; 32],
        id_at: impl Fn(Index) -> &'a [u8; 32],
    ) -> Option<Index> {
        if self.slots.is_empty() {
            return None;
        }
        let (mut slot, tag) = self.split(id);
        loop {
            let entry = self.slots[slot];
            if entry == 0 {
                return None;
            }
            if entry & !POSITION == tag {
                let at = (entry & POSITION) as Index - 1;
                if id_at(at) == id {
                    return Some(at);
                }
            }
            slot = self.after(slot);
        }
    }

    /// Reads what a search for the id reads first, without waiting for it.
    pub(super) fn approach(&self, id: &[u8; 32]) {
        black_box(self.slots.get(self.split(id).0).copied());
    }

    /// The slot that the id chooses, in proportion to its first bytes, and what is compared before the id itself.
    fn split(&self, id: &[u8; 32]) -> (usize, u64) {
        let [a, b, c, d, e, f, g, h, tag @ ..] = id;
        let first = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
        let slot = (u128::from(first) * self.slots.len() as u128) >> 64;
        let tag = u32::from_le_bytes([tag[0], tag[1], tag[2], tag[3]]);
        (slot as usize, u64::from(tag) << 32)
    }

    const fn after(&self, slot: usize) -> usize {
        if slot + 1 == self.slots.len() {
            0
        } else {
            slot + 1
        }
    }

    /// Makes room for so many, where there are none yet: a table that grows moves all that it has.
    pub(super) fn reserve(&mut self, ids: usize) {
        if self.len == 0 {
            self.slots = vec![0; (ids / 4 * 5).max(16)];
        }
    }

    /// Adds the id of the next position, which is not in the table yet.
    pub(super) fn push<'a>(&mut self, id: &[u8; 32], id_at: impl Fn(Index) -> &'a [u8; 32]) {
        if (self.len + 1) * 5 > self.slots.len() * 4 {
            self.slots = vec![0; (self.slots.len() / 2 * 3).max(16)];
            for at in 0..self.len {
                self.place(id_at(at), at);
            }
        }
        self.place(id, self.len);
        self.len += 1;
    }

    fn place(&mut self, id: &[u8; 32], at: Index) {
        let (mut slot, tag) = self.split(id);
        while self.slots[slot] != 0 {
            slot = self.after(slot);
        }
        self.slots[slot] = tag | (at as u64 + 1);
    }
}

impl Dag {
    /// Where the op stands, if it is here.
    pub(crate) fn find(&self, id: &OpId) -> Option<Index> {
        self.ids
            .find(id.as_bytes(), |at| self.nodes[at].id.as_bytes())
    }

    /// Reads what will be read where these ids are looked up and added.
    pub(crate) fn approach(&self, ids: impl Iterator<Item = OpId>) {
        for id in ids {
            self.ids.approach(id.as_bytes());
        }
    }

    /// Reads what will be read first where the author is looked up.
    pub(crate) fn approach_author(&self, author: &PublicKey) {
        self.author_ids.approach(author.as_bytes());
    }

    /// The only chain of the author, if there is one; reads what the next op there will read.
    pub(crate) fn approach_chain(&self, author: &PublicKey) -> Option<u32> {
        let chain = self.only_chain(author)?;
        black_box(self.chain(chain).last().copied());
        Some(chain)
    }

    /// Reads the clocks of those of the ops that are at hand.
    pub(crate) fn approach_pasts(&self, ops: &[Index]) {
        for &op in ops {
            self.clocks.approach(self.nodes[op].base);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_found_where_it_was_pushed() {
        let id = |number: u32| {
            let mut bytes = [0; 32];
            // Few slots and few tags, so that both collide.
            bytes[0] = number.to_le_bytes()[0] & 3;
            bytes[8] = number.to_le_bytes()[1] & 1;
            bytes[28..].copy_from_slice(&number.to_be_bytes());
            bytes
        };
        let known: Vec<[u8; 32]> = (0..600).map(id).collect();
        let number = |at: Index| &known[at];
        let mut ids = Ids::default();
        assert_eq!(ids.find(&id(0), number), None);
        for at in 0..600 {
            ids.push(&id(at), number);
        }
        for at in 0..600 {
            assert_eq!(ids.find(&id(at), number), Some(at as usize));
        }
        assert_eq!(ids.find(&id(600), number), None);
    }
}
