//! The header of a file of redb, as far as it is looked at before redb does.
//!
//! <https://github.com/cberner/redb/blob/master/docs/design.md> has the form, version 3.

/// What every file of redb begins with.
pub(super) const MAGIC: [u8; 9] = [b'r', b'e', b'd', b'b', 0x1a, 0x0a, 0xa9, 0x0d, 0x0a];
/// The byte that tells which of two slots counts; the place of the slots; within a slot, the number of its transaction.
pub(super) const FLAGS: usize = 9;
pub(super) const SLOTS: [usize; 2] = [64, 192];
pub(super) const SLOT_TRANSACTION: usize = 104;
pub(super) const HEADER_BYTES: usize = 320;
/// The flag for the second slot.
pub(super) const SECOND_SLOT: u8 = 1;
