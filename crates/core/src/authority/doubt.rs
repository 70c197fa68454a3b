//! Doubt: which of those that hold a content key may read in every past that has the key, and who has to be asked for.
//!
//! A past that has a `KeyRotate` or a `KeyGrant` has the past of that op. Who may read there, by a title that no denial at all
//! touches, may read by it in each such past, as long as the credential of the title is valid. So what is found out of a key
//! does not turn on what a writer has seen, and holds in every order of arrival. It is kept under the `KeyRotate`; each
//! `KeyGrant` adds to it, whoever is touched by a denial is looked at again, and a time outside of its span begins anew.

use core::cmp::Ordering;
use std::cell::Ref;

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
        readers: Vec<PublicKey>,
        now_ms: u64,
    ) -> (Vec<PublicKey>, Option<(Timestamp, Timestamp)>) {
        let authority = self.authority;
        let (mut left, mut span) = (readers, None);
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
                    let mut given = given.iter().peekable();
                    left.retain(|reader| {
                        let is_given = loop {
                            match given
                                .peek()
                                .map_or(Ordering::Greater, |it| (*it).cmp(reader))
                            {
                                Ordering::Less => given.next(),
                                order => break order.is_eq(),
                            };
                        };
                        !is_given || holders.is_doubtful(*grant, reader)
                    });
                }
            }
            if left.len() < before {
                let (from, until) = span.unwrap_or((holders.from, holders.until));
                span = Some((from.max(holders.from), until.min(holders.until)));
            }
        }
        (left, span)
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
        let (left, span) = then.beyond_holders(tags, given.to_vec(), now_ms);
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
