//! Holders: who of those that hold a content key may read in every past that has the key, and who has to be asked for.
//!
//! A past that has a `KeyRotate` or a `KeyGrant` has the past of that op. Who may read there, by a title that no denial at all
//! touches, may read by it in each such past, as long as the credential of the title is valid. So what is found out of a key
//! does not turn on what a writer has seen, and holds in every order of arrival: it stands under the `KeyRotate`, as long as
//! denials touch nothing more and the time lies in the span, and each `KeyGrant` adds to it.

use std::cell::Ref;

use super::admission::Seen;
use super::reading::reading;
use super::title::Title;
use crate::credential::Timestamp;
use crate::dag::Index;
use crate::id::PublicKey;
use crate::need::Need;

/// What has been found out of the holders of a content key.
#[derive(Debug, Clone)]
pub(super) struct Holders {
    /// How much denials had touched.
    touches: u64,
    /// How many `KeyGrant`s of the key had come.
    grants: usize,
    /// From when until before when all may read who are not doubtful.
    from: Timestamp,
    until: Timestamp,
    /// Who is not known to be able to read, by the `KeyRotate` or the `KeyGrant` that gives them the key.
    doubtful: Vec<(Index, Vec<PublicKey>)>,
}

impl Holders {
    const fn none(touches: u64) -> Self {
        Self {
            touches,
            grants: 0,
            from: Timestamp::from_ms(0),
            until: Timestamp::MAX,
            doubtful: Vec::new(),
        }
    }

    const fn holds_at(&self, touches: u64, now_ms: u64) -> bool {
        self.touches == touches
            && self.from.reached_by_ms(now_ms)
            && !self.until.reached_by_ms(now_ms)
    }
}

impl<'a> Seen<'a> {
    /// Those who hold the content key, by whichever of its `KeyGrant`s, and have to be asked for whether they may read at that
    /// time, by the op that gives them the key. All others may, whatever the past has beside the key.
    pub(super) fn doubtful(
        &mut self,
        at: Index,
        now_ms: u64,
    ) -> Ref<'a, [(Index, Vec<PublicKey>)]> {
        let authority = self.authority;
        let grants = &authority.content_keys[&at].grants;
        let kept = authority.holders.borrow();
        let known = kept
            .get(&at)
            .filter(|it| it.holds_at(authority.touches, now_ms));
        if known.is_none_or(|it| it.grants < grants.len()) {
            let known = known.cloned();
            drop(kept);
            let found = self.find_holders(at, known, now_ms);
            authority.holders.borrow_mut().insert(at, found);
        }
        Ref::map(authority.holders.borrow(), |kept| &*kept[&at].doubtful)
    }

    /// Takes in the `KeyGrant`s that are new, and the key itself where nothing is known of it.
    fn find_holders(&mut self, at: Index, known: Option<Holders>, now_ms: u64) -> Holders {
        let key = &self.authority.content_keys[&at];
        let need = reading(&key.tags);
        let mut holders = known.unwrap_or_else(|| {
            let mut holders = Holders::none(self.authority.touches);
            let maker = self.dag.node(at).author;
            self.weigh(&mut holders, at, &[maker], &need, now_ms);
            holders
        });
        for (grant, recipients) in &key.grants[holders.grants..] {
            self.weigh(&mut holders, *grant, recipients, &need, now_ms);
        }
        holders.grants = key.grants.len();
        holders
    }

    /// Takes in whom the op gives the key.
    fn weigh(
        &mut self,
        holders: &mut Holders,
        op: Index,
        given: &[PublicKey],
        need: &Need,
        now_ms: u64,
    ) {
        let authority = self.authority;
        let mut then = Seen {
            dag: self.dag,
            authority,
            data: self.data,
            past: self.dag.past(op),
            tags: None,
            costs: self.costs,
        };
        let mut doubtful = Vec::new();
        for reader in given {
            let titles = authority.titles_of(reader);
            let span = |title: Title| {
                let paper = authority.grants[title.grant].vouched();
                paper.map(|it| (it.credential.valid_from, it.credential.valid_until))
            };
            let sure = titles.into_iter().filter(|&title| {
                !authority.is_touched(title)
                    && authority.is_in_time(title, now_ms)
                    && then.gives(title, need)
            });
            // What ends last holds longest; genesis never ends.
            let longest = sure
                .map(span)
                .max_by_key(|span| (span.is_none(), span.map(|it| it.1)));
            match longest {
                None => doubtful.push(*reader),
                Some(None) => {}
                Some(Some((from, until))) => {
                    holders.from = holders.from.max(from);
                    holders.until = holders.until.min(until);
                }
            }
        }
        if !doubtful.is_empty() {
            holders.doubtful.push((op, doubtful));
        }
    }
}
