//! Cells: what is known of a place, in one row as far as it fits, since rows lie far apart in memory.

use core::hint::black_box;

use super::names::Digest;
use crate::place_id::FieldId;

/// An op at a place, and where it stands in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) op: u32,
    pub(super) chain: u32,
    pub(super) position: u32,
}

/// The tips of a place, in order of admission; most places have one.
#[derive(Debug, Clone, Default)]
enum Tips {
    #[default]
    None,
    One(Tip),
    Few(Box<Few>),
    #[expect(
        clippy::box_collection,
        reason = "a list by itself is wider than a tip"
    )]
    Many(Box<Vec<Tip>>),
}

/// Some tips, as many as fit into a line of a cache.
#[derive(Debug, Clone)]
struct Few {
    count: u32,
    tips: [Tip; FEW],
}

/// Tips that fit.
const FEW: usize = 5;

impl Few {
    fn all(&self) -> &[Tip] {
        &self.tips[..self.count as usize]
    }
}

/// Last ops in a line of a cache.
const LINE: usize = 8;
/// The chain of an entry that is free.
const FREE: u32 = u32::MAX;

/// What admitted ops did at a place.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// What the names of the place are known by.
    pub(super) digest: Digest,
    pub(super) field: FieldId,
    /// The ops that no other one at the place had seen.
    tips: Tips,
    /// Of each chain the last op at the place, by chain; at the end are entries that are free.
    lasts: Box<[(u32, u32)]>,
}

impl Cell {
    /// A place with these names, at which nothing was done.
    pub(super) fn new(digest: Digest, field: FieldId) -> Self {
        Self {
            digest,
            field,
            tips: Tips::None,
            lasts: Box::default(),
        }
    }

    /// The ops that no other one at the place had seen, in order of admission.
    pub(super) fn tips(&self) -> &[Tip] {
        match &self.tips {
            Tips::None => &[],
            Tips::One(tip) => core::slice::from_ref(tip),
            Tips::Few(few) => few.all(),
            Tips::Many(tips) => tips,
        }
    }

    /// The op, which was admitted after all tips, is one.
    pub(super) fn add_tip(&mut self, tip: Tip) {
        match &mut self.tips {
            Tips::None => self.tips = Tips::One(tip),
            Tips::One(only) => {
                let mut tips = [tip; FEW];
                tips[0] = *only;
                self.tips = Tips::Few(Box::new(Few { count: 2, tips }));
            }
            Tips::Few(few) => match few.tips.get_mut(few.count as usize) {
                Some(free) => {
                    *free = tip;
                    few.count += 1;
                }
                None => {
                    let mut tips = few.all().to_vec();
                    tips.push(tip);
                    self.tips = Tips::Many(Box::new(tips));
                }
            },
            Tips::Many(tips) => tips.push(tip),
        }
    }

    /// The op is no tip, if it was one.
    pub(super) fn drop_tip(&mut self, op: u32) {
        match &mut self.tips {
            Tips::One(only) if only.op == op => self.tips = Tips::None,
            Tips::None | Tips::One(_) => {}
            Tips::Few(few) => {
                if let Some(at) = few.all().iter().position(|tip| tip.op == op) {
                    few.tips.copy_within(at + 1..few.count as usize, at);
                    few.count -= 1;
                }
                if let &[only] = few.all() {
                    self.tips = Tips::One(only);
                }
            }
            Tips::Many(tips) => {
                if let Ok(at) = tips.binary_search_by_key(&op, |tip| tip.op) {
                    tips.remove(at);
                }
                if let &[a, b] = &tips[..] {
                    let tips = [a, b, b, b, b];
                    self.tips = Tips::Few(Box::new(Few { count: 2, tips }));
                }
            }
        }
    }

    /// Of each chain the last op at the place, by chain.
    pub(super) fn lasts(&self) -> &[(u32, u32)] {
        let end = self.lasts.partition_point(|last| last.0 != FREE);
        &self.lasts[..end]
    }

    /// The last op of the chain at the place.
    pub(super) fn last_of(&self, chain: u32) -> Option<u32> {
        let at = self
            .lasts
            .binary_search_by_key(&chain, |last| last.0)
            .ok()?;
        Some(self.lasts[at].1)
    }

    /// Reads what a search among the last ops reads.
    pub(super) fn approach_lasts(&self) {
        for lasts in self.lasts.chunks(LINE) {
            black_box(lasts.first().copied());
        }
    }

    /// The op is the last of its chain here; returns the one before it, or itself where there is none.
    pub(super) fn follow(&mut self, chain: u32, op: u32) -> u32 {
        match self.lasts.binary_search_by_key(&chain, |last| last.0) {
            Ok(at) => core::mem::replace(&mut self.lasts[at].1, op),
            Err(at) => {
                if self.lasts.last().is_none_or(|last| last.0 != FREE) {
                    self.make_room();
                }
                let end = self.lasts.len() - 1;
                self.lasts.copy_within(at..end, at + 1);
                self.lasts[at] = (chain, op);
                op
            }
        }
    }

    /// Makes room for one chain more, up to four, then for two, or for an eighth of what there are.
    fn make_room(&mut self) {
        let mut lasts = core::mem::take(&mut self.lasts).into_vec();
        let more = if lasts.len() < 4 { 1 } else { 2 };
        let more = more.max(lasts.len() / 8);
        lasts.reserve_exact(more);
        lasts.resize(lasts.len() + more, (FREE, 0));
        self.lasts = lasts.into_boxed_slice();
    }

    /// These are the last ops of the chains, by chain.
    pub(super) fn set_lasts(&mut self, lasts: Box<[(u32, u32)]>) {
        self.lasts = lasts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell() -> Cell {
        Cell::new(Digest::of("o", "f", None), 0)
    }

    #[test]
    fn a_cell_fills_one_line_of_a_cache() {
        assert_eq!(size_of::<Cell>(), 64);
    }

    #[test]
    fn tips_come_and_go_in_order() {
        let mut cell = cell();
        let tip = |op| Tip {
            op,
            chain: op + 10,
            position: op + 20,
        };
        for op in [1, 4, 6] {
            cell.add_tip(tip(op));
        }
        assert_eq!(cell.tips(), [tip(1), tip(4), tip(6)]);
        cell.drop_tip(4);
        cell.drop_tip(5);
        assert_eq!(cell.tips(), [tip(1), tip(6)]);
        cell.drop_tip(1);
        assert_eq!(cell.tips(), [tip(6)]);
        cell.drop_tip(1);
        cell.add_tip(tip(7));
        cell.drop_tip(7);
        cell.drop_tip(6);
        assert_eq!(cell.tips(), []);
    }

    #[test]
    fn any_number_of_tips_stand_in_order() {
        let mut cell = cell();
        let tip = |op| Tip {
            op,
            chain: 0,
            position: op,
        };
        for count in 0..20 {
            let before: Vec<Tip> = cell.tips().to_vec();
            cell.add_tip(tip(count));
            assert_eq!(cell.tips(), [&before[..], &[tip(count)]].concat());
        }
        for gone in (0..20).map(|it| it * 7 % 20) {
            let mut left = cell.tips().to_vec();
            left.retain(|tip| tip.op != gone);
            cell.drop_tip(gone);
            assert_eq!(cell.tips(), left);
        }
        assert_eq!(cell.tips(), []);
    }

    #[test]
    fn the_last_op_of_each_chain_is_listed_by_chain() {
        let mut cell = cell();
        for op in 0..100 {
            let chain = op * 37 % 100;
            assert_eq!(cell.last_of(chain), None);
            assert_eq!(cell.follow(chain, op), op);
            assert_eq!(cell.lasts().len(), op as usize + 1);
            assert!(cell.lasts().is_sorted_by(|a, b| a.0 < b.0));
        }
        assert_eq!(cell.follow(37, 100), 1);
        assert_eq!(cell.last_of(37), Some(100));
    }
}
