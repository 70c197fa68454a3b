//! Pages that are verified when they are read for the first time.
//!
//! The record of a state has a checksum of its own, and names the roots of two trees with the checksums of their pages: the tables of
//! the user and those of redb. A page that branches has the checksums of its children, and a page of a tree of tables has those of the
//! roots of the tables. So what is verified says how to verify what lies below it, and a page of which nobody has spoken is none that
//! may be read.
//!
//! <https://github.com/cberner/redb/blob/master/docs/design.md> has the form, version 3.

use std::collections::BTreeMap;

use super::header::{FLAGS, HEADER_BYTES, MAGIC, SECOND_SLOT, SLOTS};
use super::xxh3;

/// The flags of a file that was closed in order, beside the one that says which slot counts.
const IN_ORDER: u8 = 4;
const PAGE_BYTES: u64 = 4096;
/// Within the header: bytes of a page, pages of the head of a region, and pages of data in it.
const GEOMETRY: usize = 12;
/// Whole regions, and pages of data in the last one.
const REGIONS: usize = 24;
/// Within a slot: which roots there are, where they stand, and the checksum of what comes before it.
const SLOT_BYTES: usize = 128;
const HAS_ROOT: [usize; 2] = [1, 2];
const ROOT: [usize; 2] = [8, 40];
const SLOT_CHECKSUM: usize = 112;
/// Where the children of a page that branches stand.
const CHILDREN: usize = 8;
/// What a table is, and where its root stands in its definition.
const NORMAL_TABLE: u8 = 3;
const TABLE_ROOT: usize = 9;
const TABLE_WIDTHS: [usize; 2] = [42, 47];

/// What a page has to be.
#[derive(Debug, Clone, Copy)]
struct Page {
    bytes: u64,
    checksum: u128,
    tree: Tree,
    is_verified: bool,
}

/// The tree that a page is of.
#[derive(Debug, Clone, Copy)]
struct Tree {
    /// Whether its values are tables.
    has_tables: bool,
    /// The widths of keys and values that all have the same.
    key: Option<usize>,
    value: Option<usize>,
}

/// The tree of the tables.
const TABLES: Tree = Tree {
    has_tables: true,
    key: None,
    value: None,
};

/// What is known of the pages of a file that was closed in order.
#[derive(Debug)]
pub(super) struct Pages {
    region_bytes: u64,
    /// By offset.
    pages: BTreeMap<u64, Page>,
    /// Whether pages have been written that nobody has spoken of.
    is_written: bool,
}

impl Pages {
    /// What the header says; `None` if the file was not closed in order, or is of another form than a new one: then all of it
    /// has to be verified.
    pub(super) fn of(header: &[u8; HEADER_BYTES], file_bytes: u64) -> Option<Self> {
        let number = |at: usize| word(header, at).map(u64::from);
        if header[..MAGIC.len()] != MAGIC || header[FLAGS] & !SECOND_SLOT != IN_ORDER {
            return None;
        }
        let [page, head, most] = [0, 4, 8].map(|it| number(GEOMETRY + it));
        if page? != PAGE_BYTES || head? != 0 {
            return None;
        }
        let region_bytes = most?.checked_mul(PAGE_BYTES)?;
        let whole = number(REGIONS)?.checked_mul(region_bytes)?;
        let rest = number(REGIONS + 4)?.checked_mul(PAGE_BYTES)?;
        if whole.checked_add(rest)?.checked_add(PAGE_BYTES)? != file_bytes {
            return None;
        }
        let slot = SLOTS[usize::from(header[FLAGS] & SECOND_SLOT)];
        let slot = header.get(slot..slot + SLOT_BYTES)?;
        if xxh3::hash(&slot[..SLOT_CHECKSUM])? != wide(slot, SLOT_CHECKSUM)? {
            return None;
        }
        let mut pages = Self {
            region_bytes,
            pages: BTreeMap::new(),
            is_written: false,
        };
        for (has, root) in HAS_ROOT.into_iter().zip(ROOT) {
            if slot[has] != 0 {
                pages.expect(slot.get(root..)?, TABLES)?;
            }
        }
        Some(pages)
    }

    /// Expects a page, whose number and checksum stand there.
    fn expect(&mut self, header: &[u8], tree: Tree) -> Option<()> {
        let (number, checksum) = (header.first_chunk::<8>()?, wide(header, 8)?);
        self.expect_page(u64::from_le_bytes(*number), checksum, tree)
    }

    fn expect_page(&mut self, number: u64, checksum: u128, tree: Tree) -> Option<()> {
        let order = number >> 59;
        let bytes = PAGE_BYTES.checked_shl(u32::try_from(order).ok()?)?;
        let index = number & (0xf_ffff >> order);
        let region = number >> 20 & 0xf_ffff;
        let offset = PAGE_BYTES + region * self.region_bytes + index * bytes;
        self.pages.insert(
            offset,
            Page {
                bytes,
                checksum,
                tree,
                is_verified: false,
            },
        );
        Some(())
    }

    /// Whether the bytes that were read there are those that were written.
    pub(super) fn verifies(&mut self, offset: u64, bytes: &[u8]) -> bool {
        if offset < PAGE_BYTES {
            // The header, which has been looked at.
            return true;
        }
        let Some(page) = self.pages.get(&offset).copied() else {
            return self.is_written;
        };
        if page.is_verified {
            return true;
        }
        if page.bytes != bytes.len() as u64 || self.look(&page, bytes).is_none() {
            return false;
        }
        if let Some(page) = self.pages.get_mut(&offset) {
            page.is_verified = true;
        }
        true
    }

    /// Compares the checksum of a page, and expects what it speaks of.
    fn look(&mut self, page: &Page, bytes: &[u8]) -> Option<()> {
        let (count, tree) = (usize::from(half(bytes, 2)?), page.tree);
        let matches = |end: usize| {
            let covered = bytes.get(..end)?;
            (xxh3::hash(covered)? == page.checksum).then_some(())
        };
        match bytes.first()? {
            1 => {
                let ends = Ends::of(bytes, count, tree);
                matches(ends.value(count.checked_sub(1)?)?)?;
                if tree.has_tables {
                    for at in 0..count {
                        let start = match at.checked_sub(1) {
                            Some(before) => ends.value(before)?,
                            None => ends.key(count - 1)?,
                        };
                        self.expect_table(bytes.get(start..ends.value(at)?)?)?;
                    }
                }
                Some(())
            }
            2 => {
                let checksums = CHILDREN;
                let numbers = checksums + 16 * (count + 1);
                let keys = numbers + 8 * (count + 1);
                let end = match tree.key {
                    Some(width) => keys + width * count,
                    None => word(bytes, keys + 4 * count.checked_sub(1)?)? as usize,
                };
                matches(end)?;
                for child in 0..=count {
                    let number = bytes.get(numbers + 8 * child..)?.first_chunk::<8>()?;
                    let checksum = wide(bytes, checksums + 16 * child)?;
                    self.expect_page(u64::from_le_bytes(*number), checksum, tree)?;
                }
                Some(())
            }
            _ => None,
        }
    }

    /// Expects the root of a table, by its definition.
    fn expect_table(&mut self, definition: &[u8]) -> Option<()> {
        if *definition.first()? != NORMAL_TABLE {
            return None;
        }
        if *definition.get(TABLE_ROOT)? == 0 {
            return Some(());
        }
        let width = |at: usize| match definition.get(at)? {
            0 => Some(None),
            _ => Some(Some(word(definition, at + 1)? as usize)),
        };
        let [key, value] = TABLE_WIDTHS.map(width);
        let tree = Tree {
            has_tables: false,
            key: key?,
            value: value?,
        };
        self.expect(definition.get(TABLE_ROOT + 1..)?, tree)
    }

    /// That something is written there: what was said of it counts no more.
    pub(super) fn written(&mut self, offset: u64, length: usize) {
        if offset < PAGE_BYTES {
            return;
        }
        self.is_written = true;
        let end = offset.saturating_add(length as u64);
        let overlaps = |(at, page): (&u64, &Page)| (at + page.bytes > offset).then_some(*at);
        // Pages do not lie in each other, so at most one begins before and reaches into it.
        let before = self.pages.range(..offset).next_back().and_then(overlaps);
        let within = self.pages.range(offset..end).map(|(at, _)| *at);
        let gone: Vec<u64> = within.chain(before).collect();
        for at in gone {
            self.pages.remove(&at);
        }
    }
}

/// Where keys and values end in a leaf.
struct Ends<'a> {
    bytes: &'a [u8],
    count: usize,
    tree: Tree,
}

impl<'a> Ends<'a> {
    const fn of(bytes: &'a [u8], count: usize, tree: Tree) -> Self {
        Self { bytes, count, tree }
    }

    fn key(&self, at: usize) -> Option<usize> {
        match self.tree.key {
            Some(width) => {
                let values = if self.tree.value.is_none() {
                    self.count
                } else {
                    0
                };
                Some(4 + 4 * values + width * (at + 1))
            }
            None => Some(word(self.bytes, 4 + 4 * at)? as usize),
        }
    }

    fn value(&self, at: usize) -> Option<usize> {
        match self.tree.value {
            Some(width) => Some(self.key(self.count.checked_sub(1)?)? + width * (at + 1)),
            None => {
                let keys = if self.tree.key.is_none() {
                    self.count
                } else {
                    0
                };
                Some(word(self.bytes, 4 + 4 * keys + 4 * at)? as usize)
            }
        }
    }
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    bytes.try_into().ok().map(u16::from_le_bytes)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    bytes.try_into().ok().map(u32::from_le_bytes)
}

fn wide(bytes: &[u8], at: usize) -> Option<u128> {
    let bytes = bytes.get(at..at + 16)?;
    bytes.try_into().ok().map(u128::from_le_bytes)
}
