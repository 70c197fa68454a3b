//! Doubt: which of those that hold a content key may read in every past that has the key, and who has to be asked for.
//!
//! A past that has a `KeyRotate` or a `KeyGrant` has the past of that op. Who may read there, by a title that no denial at all
//! touches, may read by it in each such past, as long as the credential of the title is valid. So what is found out of a key
//! does not turn on what a writer has seen, and holds in every order of arrival. It is kept under the `KeyRotate`; each
//! `KeyGrant` adds to it, whoever is touched by a denial is looked at again, and a time outside of its span begins anew.

use std::borrow::Cow;
use std::cell::Ref;
use std::collections::BTreeSet;

use super::admission::Seen;
use super::holders::{Doubtful, Holders};
use super::reading::reading;
use super::title::Title;
use crate::credential::Timestamp;
use crate::dag::Index;
use crate::id::PublicKey;
use crate::name::Tags;
use crate::need::Need;

/// Keys, and `KeyGrant`s of each, in which readers are looked for who may read already; the latest ones.
const EARLIER: usize = 16;
/// Readers of whom each is looked at by itself; at least one, so that looking at one again asks nothing more of earlier keys.
const FEW: usize = 16;

impl<'a> Seen<'a> {
    /// Those who hold the content key, by whichever of its `KeyGrant`s, and have to be asked for whether they may read at that
    /// time. All others may, whatever the past has beside the key.
    pub(super) fn doubtful(&mut self, at: Index, now_ms: u64) -> Ref<'a, Doubtful> {
        let authority = self.authority;
        let grants = &authority.content_keys[&at].grants;
        let is_whole = |known: &Holders| {
            known.grants == grants.len()
                && known.is_of(&authority.touched)
                && known.holds_at(now_ms)
        };
        if let Ok(known) = Ref::filter_map(authority.holders.borrow(), |kept| {
            let known = kept.get(&at).filter(|known| is_whole(known));
            known.map(|known| &known.doubtful)
        }) {
            return known;
        }
        if !self.is_remembered(at, now_ms) {
            let mut holders = Holders::new(&authority.touched);
            let maker = self.dag.node(at).author;
            self.weigh(&mut holders, (at, at), &[maker], now_ms);
            authority.holders.borrow_mut().insert(at, holders);
        }
        let known = authority.holders.borrow()[&at].grants;
        if known < grants.len() {
            let mut holders = authority.holders.borrow()[&at].clone();
            for (grant, recipients) in &grants[known..] {
                self.weigh(&mut holders, (at, *grant), recipients, now_ms);
            }
            holders.grants = grants.len();
            authority.holders.borrow_mut().insert(at, holders);
        }
        Ref::map(authority.holders.borrow(), |kept| &kept[&at].doubtful)
    }

    /// Of these readers, in ascending order, all but those who may read at that time because they hold an earlier key for the
    /// same tags and are not doubtful.
    pub(super) fn beyond_holders(
        &mut self,
        tags: &Tags,
        readers: &[PublicKey],
        now_ms: u64,
    ) -> (Vec<PublicKey>, Option<(Timestamp, Timestamp)>) {
        let authority = self.authority;
        let (mut left, mut span) = (Cow::Borrowed(readers), None);
        for (&at, key) in authority.content_keys.iter().rev().take(EARLIER) {
            if left.len() <= FEW {
                break;
            }
            if key.tags != *tags || !self.contains(at) || !self.is_remembered(at, now_ms) {
                continue;
            }
            let kept = authority.holders.borrow();
            let holders = &kept[&at];
            let before = left.len();
            for (grant, given) in key.grants[..holders.grants].iter().rev().take(EARLIER) {
                if self.contains(*grant) {
                    left = Cow::Owned(not_sure(&left, given, holders.doubtful.get(grant)));
                }
            }
            if left.len() < before {
                let (from, until) = span.unwrap_or((holders.from, holders.until));
                span = Some((from.max(holders.from), until.min(holders.until)));
            }
        }
        (left.into_owned(), span)
    }

    /// Whether something is kept of the key that holds at that time. Whomever denials have touched since is looked at again.
    fn is_remembered(&mut self, at: Index, now_ms: u64) -> bool {
        let authority = self.authority;
        let touched = &authority.touched;
        let kept = authority.holders.borrow();
        let Some(holders) = kept.get(&at) else {
            return false;
        };
        if holders.others != touched.others || !holders.holds_at(now_ms) {
            return false;
        }
        if holders.is_of(touched) {
            return true;
        }
        let mut holders = holders.clone();
        drop(kept);
        let maker = self.dag.node(at).author;
        let grants = &authority.content_keys[&at].grants[..holders.grants];
        for reader in &touched.subjects[holders.subjects..] {
            if maker == *reader {
                self.weigh(&mut holders, (at, at), &[maker], now_ms);
            }
            for (grant, given) in grants {
                if given.binary_search(reader).is_ok() {
                    self.weigh(&mut holders, (at, *grant), &[*reader], now_ms);
                }
            }
        }
        holders.subjects = touched.subjects.len();
        let holds = holders.holds_at(now_ms);
        authority.holders.borrow_mut().insert(at, holders);
        holds
    }

    /// Takes in that the op gives these readers, in ascending order, the key that is made `at`.
    fn weigh(
        &mut self,
        holders: &mut Holders,
        (at, op): (Index, Index),
        given: &[PublicKey],
        now_ms: u64,
    ) {
        let authority = self.authority;
        let tags = &authority.content_keys[&at].tags;
        let mut then = Seen {
            dag: self.dag,
            authority,
            data: self.data,
            past: self.dag.past(op),
            tags: None,
            costs: self.costs,
        };
        let (left, span) = then.beyond_holders(tags, given, now_ms);
        if let Some(span) = span {
            holders.narrow(span);
        }
        let need = reading(tags);
        for reader in left {
            match then.longest(&reader, &need, now_ms) {
                Some(Some(span)) => holders.narrow(span),
                Some(None) => {}
                None => {
                    holders.doubtful.entry(op).or_default().insert(reader);
                }
            }
        }
    }

    /// Of the titles in the past that no denial touches, that give what is needed, and that are valid at that time, when the
    /// one is valid that ends last; within that nothing, if it never ends.
    fn longest(
        &mut self,
        reader: &PublicKey,
        need: &Need,
        now_ms: u64,
    ) -> Option<Option<(Timestamp, Timestamp)>> {
        let authority = self.authority;
        let titles = authority.titles_of(reader).into_iter();
        let sure = titles.filter(|&title| {
            !authority.is_touched(title)
                && authority.is_in_time(title, now_ms)
                && self.gives(title, need)
        });
        let span = |title: Title| {
            let vouched = authority.grants[title.grant].vouched();
            vouched.map(|it| (it.credential.valid_from, it.credential.valid_until))
        };
        sure.map(span)
            .max_by_key(|span| (span.is_none(), span.map(|it| it.1)))
    }
}

/// Of these readers those who are not given it, or are doubtful. Readers and those who are given it come in ascending order.
fn not_sure(
    readers: &[PublicKey],
    given: &[PublicKey],
    doubtful: Option<&BTreeSet<PublicKey>>,
) -> Vec<PublicKey> {
    let (mut left, mut readers, mut given) = (Vec::new(), readers, given);
    while let Some(next) = given.first() {
        // Most are the same in both, one after the other.
        let same = readers.iter().zip(given).take_while(|(a, b)| a == b);
        let (same, others) = readers.split_at(same.count());
        if let (Some(first), Some(last), Some(doubtful)) = (same.first(), same.last(), doubtful) {
            let doubtful = doubtful.range(first..=last);
            left.extend(doubtful.filter(|it| same.binary_search(it).is_ok()));
        }
        (readers, given) = (others, &given[same.len()..]);
        if same.is_empty() {
            let (before, others) = readers.split_at(readers.partition_point(|it| it < next));
            left.extend_from_slice(before);
            readers = others;
            given = &given[usize::from(readers.first() != Some(next))..];
        }
    }
    left.extend_from_slice(readers);
    left
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_set;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn who_is_not_sure_is_found_as_one_by_one(
            readers in btree_set(0..24_u8, 0..24),
            given in btree_set(0..24_u8, 0..24),
            doubtful in btree_set(0..24_u8, 0..6),
        ) {
            let keys = |of: &BTreeSet<u8>| of.iter().map(|it| PublicKey::from_bytes([*it; 32])).collect();
            let left: BTreeSet<u8> = readers
                .iter()
                .filter(|it| !given.contains(it) || doubtful.contains(it))
                .copied()
                .collect();
            let (readers, given): (Vec<_>, Vec<_>) = (keys(&readers), keys(&given));
            let doubtful = doubtful.iter().map(|it| PublicKey::from_bytes([*it; 32])).collect();
            let left: Vec<_> = keys(&left);
            prop_assert_eq!(not_sure(&readers, &given, Some(&doubtful)), left);
        }
    }
}
