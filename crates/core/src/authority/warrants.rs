//! Warrants: sets of titles under which ops were admitted, with what is asked of a set for each of its ops.

use super::stretches::Stretches;
use super::title::Title;
use crate::credential::Timestamp;
use crate::dag::Index;

/// Number of a set of titles under which ops were admitted.
pub(crate) type WarrantsId = u32;

/// A set of titles under which ops were admitted. It fills a line of a cache, so that an op whose titles no denial touches reads
/// nothing else of them.
#[derive(Debug, Clone)]
pub(super) struct Warrants {
    pub(super) titles: Box<[Title]>,
    /// Where the credentials of all titles are valid, by the milliseconds of a stamp: from the first to before the end.
    from_ms: u64,
    until_ms: u64,
    /// The grant op with the least id among those of the titles; 0 where there is no title.
    pub(super) least: u32,
    /// Whether a denial touches any of the titles.
    pub(super) touched: bool,
    /// The ops that were admitted under it.
    pub(super) under: Stretches,
}

impl Warrants {
    /// The set, without ops.
    pub(super) fn new(titles: Box<[Title]>, least: u32, touched: bool) -> Self {
        Self {
            titles,
            from_ms: 0,
            until_ms: u64::MAX,
            least,
            touched,
            under: Stretches::default(),
        }
    }

    /// The credential of one of the titles is valid there.
    pub(super) fn bound(&mut self, valid_from: Timestamp, valid_until: Timestamp) {
        self.from_ms = self.from_ms.max(valid_from.first_ms());
        self.until_ms = self.until_ms.min(valid_until.first_ms());
    }

    /// The grant op with the least id among those of the titles, if no denial touches any of them: then it lives in every set
    /// of ops.
    pub(super) fn untouched(&self) -> Option<Index> {
        (!self.touched && !self.titles.is_empty()).then_some(self.least as Index)
    }

    /// Whether the credentials of all titles are valid at that time.
    pub(super) const fn are_in_time(&self, now_ms: u64) -> bool {
        self.from_ms <= now_ms && now_ms < self.until_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_fills_one_line_of_a_cache() {
        assert_eq!(size_of::<Warrants>(), 64);
    }

    #[test]
    fn a_set_is_in_time_where_each_title_is() {
        let mut set = Warrants::new(Box::default(), 0, false);
        assert!(set.are_in_time(0) && set.are_in_time(u64::MAX - 1));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        set.bound(at("1970-01-01T00:00:01Z"), at("1970-01-01T00:00:09Z"));
        let (from, until) = (at("1970-01-01T00:00:01.000000001Z"), Timestamp::MAX);
        set.bound(from, until);
        for now_ms in [0, 999, 1000, 1001, 8999, 9000, u64::MAX] {
            let is_in_time = from.reached_by_ms(now_ms) && now_ms < 9000;
            assert_eq!(set.are_in_time(now_ms), is_in_time, "{now_ms}");
        }
    }
}
