//! Reading: which tags are secret, who may read them, and which keys are fresh (`docs/policy-model.md`, Confidential tags).

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::admission::{Seen, Unauthorised};
use super::judge::Judge;
use super::title::Title;
use crate::confidential::Kem;
use crate::dag::Index;
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::Tags;
use crate::need::{Action, Need, Reach};
use crate::reason::Refusal;

/// What it takes to read fields with these secret tags.
pub(super) fn reading(tags: &Tags) -> Need {
    Need {
        reach: Reach::Meets(tags.clone()),
        ..Need::any(Action::Read)
    }
}

impl<'a> Seen<'a> {
    /// The tags that are confidential.
    pub(crate) fn confidential(&mut self) -> Tags {
        let marks = self.marks();
        marks
            .into_iter()
            .flat_map(|(_, tags)| tags)
            .cloned()
            .collect()
    }

    /// The KEMs of reader keys.
    pub(crate) fn kems(&mut self) -> Vec<Kem> {
        self.marks().into_iter().map(|(kem, _)| *kem).collect()
    }

    /// What each naming of the feature that is in force marks.
    pub(crate) fn marks(&mut self) -> Vec<&'a (Kem, Tags)> {
        let authority = self.authority;
        let mut marks = Vec::new();
        for named in &authority.features {
            if named.usable == Some(Feature::Confidential) && self.puts_in_force(named.op) {
                marks.extend(authority.marks.get(&named.op));
            }
        }
        marks
    }

    /// The secret tags of the field.
    pub(crate) fn secret_tags(&mut self, object: &str, field: &str) -> Tags {
        let marks = self.marks();
        if marks.iter().all(|(_, marked)| marked.is_empty()) {
            return Tags::new();
        }
        let mut tags = self.tags(object, field);
        tags.retain(|tag| marks.iter().any(|(_, marked)| marked.contains(tag)));
        tags
    }

    /// The tags of the content key, if the op is a `KeyRotate` of the past.
    pub(crate) fn key_tags(&mut self, key: &OpId) -> Option<&'a Tags> {
        self.content_key(key).map(|(_, tags)| tags)
    }

    /// The secret tags of the field that the op touches.
    fn own_secret_tags(&mut self, object: &str, field: &str) -> Cow<'a, Tags> {
        let authority = self.authority;
        match self.tags.and_then(|tags| authority.secret_of(tags)) {
            Some(known) => Cow::Borrowed(known),
            None => Cow::Owned(self.secret_tags(object, field)),
        }
    }

    /// The `KeyRotate` of the past, and its tags.
    fn content_key(&mut self, key: &OpId) -> Option<(Index, &'a Tags)> {
        let (at, authority) = (self.dag.find(key)?, self.authority);
        let key = authority.content_keys.get(&at)?;
        self.contains(at).then_some((at, &key.tags))
    }

    /// Whether the key of a person or a device may do it at that time, whether or not an equivocation keeps it from signing.
    pub(crate) fn may(&mut self, reader: &PublicKey, need: &Need, now_ms: u64) -> bool {
        let authority = self.authority;
        authority.titles_of(reader).into_iter().any(|title| {
            authority.is_in_time(title, now_ms) && self.gives(title, need) && !self.is_killed(title)
        })
    }

    fn is_killed(&mut self, title: Title) -> bool {
        let (dag, authority) = (self.dag, self.authority);
        authority.is_touched(title)
            && Judge::new(dag, authority, self.costs)
                .title_killed_in(title, &self.past)
                .is_some()
    }

    /// Errs if the value of the field that the op touches is a secret.
    pub(crate) fn shows(&mut self, object: &str, field: &str) -> Result<(), Unauthorised> {
        if self.own_secret_tags(object, field).is_empty() {
            Ok(())
        } else {
            Err(Unauthorised {
                reason: Refusal::NotSealed,
                witness: None,
            })
        }
    }

    /// Errs unless the key is one for the secret tags of the field that the op touches, and fresh.
    pub(crate) fn hides(
        &mut self,
        (object, field): (&str, &str),
        key: &OpId,
        now_ms: u64,
    ) -> Result<(), Unauthorised> {
        let stale = |witness: OpId| {
            Err(Unauthorised {
                reason: Refusal::StaleKey,
                witness: Some(witness),
            })
        };
        let secret = self.own_secret_tags(object, field);
        match self.content_key(key) {
            Some((at, tags)) if *tags == *secret => self.stale_by(at, now_ms).map_or(Ok(()), stale),
            Some(_) | None => stale(*key),
        }
    }

    /// What shows that the content key is not fresh: its `KeyRotate`, if its author may not read its tags; else the `KeyGrant`
    /// with the least id of which a recipient may not.
    pub(crate) fn stale_by(&mut self, at: Index, now_ms: u64) -> Option<OpId> {
        let (dag, authority) = (self.dag, self.authority);
        let doubtful = self.doubtful(at, now_ms);
        if doubtful.is_empty() {
            return None;
        }
        let need = reading(&authority.content_keys[&at].tags);
        let mut may_read: BTreeMap<PublicKey, bool> = BTreeMap::new();
        let mut least: Option<OpId> = None;
        for (op, readers) in doubtful.iter() {
            if *op != at && !self.contains(*op) {
                continue;
            }
            let all_may = readers.iter().all(|reader| {
                let known = may_read.entry(*reader);
                *known.or_insert_with(|| self.may(reader, &need, now_ms))
            });
            if !all_may && *op == at {
                return Some(dag.id(at));
            } else if !all_may {
                let id = dag.id(*op);
                least = Some(least.map_or(id, |least| least.min(id)));
            }
        }
        least
    }

    /// Finds out what is remembered of the holders of the key, to whom one of its `KeyGrant`s has just been registered.
    pub(crate) fn learn_holders(&mut self, key: &OpId, now_ms: u64) {
        if let Some((at, _)) = self.content_key(key) {
            self.doubtful(at, now_ms);
        }
    }

    /// Errs unless each of the recipients may read the tags of the key, which is one of the past.
    pub(crate) fn hands_on(
        &mut self,
        key: &OpId,
        recipients: &[PublicKey],
        now_ms: u64,
    ) -> Result<(), Unauthorised> {
        let nothing = Tags::new();
        let tags = self.key_tags(key).unwrap_or(&nothing);
        let need = reading(tags);
        let (left, _) = self.beyond_holders(tags, recipients, now_ms);
        if left.iter().all(|reader| self.may(reader, &need, now_ms)) {
            Ok(())
        } else {
            Err(Unauthorised {
                reason: Refusal::StaleKey,
                witness: Some(*key),
            })
        }
    }
}
