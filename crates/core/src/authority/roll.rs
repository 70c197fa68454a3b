//! Rolls: which titles the author of a chain holds, so that the next op of the chain need not look at all of them again.

use super::title::Title;
use super::warrants::WarrantsId;

/// Number of a set of tags that fields have.
pub(crate) type TagsId = u32;

/// The titles that the author of a chain holds, as its last op saw it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roll {
    /// Whether all of the author's grants have been looked at, and none of them is open.
    pub(super) is_whole: bool,
    /// How many of the author's grants have been looked at.
    pub(super) known: usize,
    /// Of these, the ones that can come to count: those outside of the past, those that too few roots have signed there, and
    /// those that a denial there kills which may come to count for nothing.
    pub(super) open: Vec<Title>,
    /// The ones in the past that count, and that no denial there kills.
    pub(super) held: Vec<Title>,
    /// Whether others are left out because a denial kills them, which is for good in a plain project.
    pub(super) left_out: bool,
    /// Under what data with these tags is admitted, once the op is in the validity of each title; no other title is waiting
    /// for its time.
    pub(super) answers: Answers,
}

/// Under what data with some tags is admitted: of each such set of tags, and most authors write with one.
#[derive(Debug, Clone, Default)]
pub(super) struct Answers {
    first: Option<(TagsId, WarrantsId)>,
    others: Vec<(TagsId, WarrantsId)>,
}

/// Answers that a roll keeps.
const ANSWERS_MAX: usize = 16;

impl Answers {
    pub(super) fn get(&self, tags: TagsId) -> Option<WarrantsId> {
        let mut known = self.first.iter().chain(&self.others);
        known.find(|(of, _)| *of == tags).map(|&(_, known)| known)
    }

    pub(super) fn first(&self) -> Option<WarrantsId> {
        self.first.map(|(_, known)| known)
    }

    /// Keeps one, if there is room.
    pub(super) fn keep(&mut self, tags: TagsId, warrants: WarrantsId) {
        let mut known = self.first.iter_mut().chain(&mut self.others);
        if let Some((_, known)) = known.find(|(of, _)| *of == tags) {
            *known = warrants;
        } else if self.first.is_none() {
            self.first = Some((tags, warrants));
        } else if self.others.len() + 1 < ANSWERS_MAX {
            self.others.push((tags, warrants));
        }
    }
}
