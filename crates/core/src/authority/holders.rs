//! Holders: what is kept of those that hold a content key, and by what denials have touched it is still true.

use std::collections::{BTreeMap, BTreeSet};

use crate::credential::Timestamp;
use crate::dag::Index;
use crate::id::PublicKey;

/// Whose titles denials touch.
#[derive(Debug, Clone, Default)]
pub(super) struct Touched {
    /// The subjects of grants that were touched while there was no link, in that order.
    pub(super) subjects: Vec<PublicKey>,
    /// How often anything else was touched that titles have.
    pub(super) others: u64,
}

/// Who holds a content key by one op and is not known to be able to read, by that op: the `KeyRotate` or a `KeyGrant`.
pub(super) type Doubtful = BTreeMap<Index, BTreeSet<PublicKey>>;

/// What has been found out of the holders of a content key.
#[derive(Debug, Clone)]
pub(super) struct Holders {
    /// What denials had touched.
    pub(super) subjects: usize,
    pub(super) others: u64,
    /// How many `KeyGrant`s of the key had come.
    pub(super) grants: usize,
    /// From when until before when all may read who are not doubtful.
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) doubtful: Doubtful,
}

impl Holders {
    pub(super) const fn new(touched: &Touched) -> Self {
        Self {
            subjects: touched.subjects.len(),
            others: touched.others,
            grants: 0,
            from: Timestamp::from_ms(0),
            until: Timestamp::MAX,
            doubtful: Doubtful::new(),
        }
    }

    /// Whether denials have touched nothing since.
    pub(super) const fn is_of(&self, touched: &Touched) -> bool {
        self.subjects == touched.subjects.len() && self.others == touched.others
    }

    pub(super) fn holds_at(&self, now_ms: u64) -> bool {
        self.from.reached_by_ms(now_ms) && !self.until.reached_by_ms(now_ms)
    }

    pub(super) fn narrow(&mut self, (from, until): (Timestamp, Timestamp)) {
        self.from = self.from.max(from);
        self.until = self.until.min(until);
    }
}
