//! Rolls: which titles the author of a chain holds, so that the next op of the chain need not look at all of them again.

use super::stretches::WarrantsId;
use super::title::Title;

/// Number of a set of tags that fields have.
pub(crate) type TagsId = u32;

/// The titles that the author of a chain holds, as its last op saw it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roll {
    /// How many of the author's grants have been looked at.
    pub(super) known: usize,
    /// Of these, the ones outside of the past.
    pub(super) unseen: Vec<Title>,
    /// The ones in the past that count, and that no denial there kills.
    pub(super) held: Vec<Title>,
    /// Under what data with these tags is admitted, once the op is in the validity of each title; no other title is waiting
    /// for its time.
    pub(super) answers: Vec<(TagsId, WarrantsId)>,
}
