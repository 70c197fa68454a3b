//! Giving back what was taken back: which ops are meant, and which of them the user may endorse in one.

use std::collections::BTreeSet;

use ecac_core::limits::ENDORSED_MAX;
use ecac_core::payload::Endorse;
use ecac_core::{Action, DRIFT_MS, OpId, PublicKey, Replica, TakenBack, Warrant};

/// Which of the ops that were taken back are meant; what is not said narrows nothing.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Those that this key wrote, or a device for this person.
    pub(crate) by: Option<PublicKey>,
    /// Those in this object, or in objects that begin so.
    pub(crate) object: Option<Objects>,
    /// Those stamped at that time or later, in milliseconds since 1970.
    pub(crate) since_ms: Option<u64>,
}

/// One object by its name, or all that begin in a way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Objects {
    Named(String),
    Beginning(String),
}

impl Objects {
    /// `NAME`, or `BEGINNING*`.
    pub(crate) fn of(pattern: &str) -> Self {
        match pattern.strip_suffix('*') {
            Some(beginning) => Self::Beginning(beginning.to_owned()),
            None => Self::Named(pattern.to_owned()),
        }
    }

    fn has(&self, object: &str) -> bool {
        match self {
            Self::Named(name) => name == object,
            Self::Beginning(beginning) => object.starts_with(beginning),
        }
    }
}

impl Wanted {
    pub(crate) fn has(&self, op: &TakenBack) -> bool {
        let by = |key: &PublicKey| op.author == *key || op.persons.contains(key);
        let in_object = |objects: &Objects| objects.has(&op.place.object);
        self.by.as_ref().is_none_or(by)
            && self.object.as_ref().is_none_or(in_object)
            && self.since_ms.is_none_or(|since| op.stamp_ms >= since)
    }
}

/// What the user can endorse, and what not.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// The ops to be written.
    pub(crate) endorse: Vec<Endorse>,
    /// The ops that are left, each with the reason.
    pub(crate) left: Vec<(OpId, String)>,
}

/// An `Endorse` that grows.
struct Batch {
    ops: BTreeSet<OpId>,
    authors: BTreeSet<PublicKey>,
    /// What permits each of its ops.
    warrants: BTreeSet<Warrant>,
}

/// Most keys whose ops one `Endorse` names, so that their last ops have room among its parents.
const AUTHORS_MAX: usize = 8;

impl Plan {
    /// One title has to permit all that an `Endorse` names.
    pub(crate) fn of(
        replica: &Replica,
        me: &PublicKey,
        now_ms: u64,
        wanted: &[&TakenBack],
    ) -> Self {
        let mut plan = Self::default();
        let mut batches: Vec<Batch> = Vec::new();
        for it in wanted {
            if it.stamp_ms > now_ms.saturating_add(DRIFT_MS) {
                let why = "its stamp lies ahead of the clock here: endorse it later";
                plan.left.push((it.op, why.to_owned()));
                continue;
            }
            let tags = replica.tags(&it.place.object, &it.place.field).value;
            let warrants = match replica.can(me, Action::Edit, &tags, now_ms).value {
                Ok(allowed) => allowed.warrants,
                Err(why) => {
                    let why = format!("you may not: {}: {}", why.reason, why.reason.meaning());
                    plan.left.push((it.op, why));
                    continue;
                }
            };
            let has_room = |batch: &&mut Batch| {
                let is_new = !batch.authors.contains(&it.author);
                batch.ops.len() < ENDORSED_MAX
                    && batch.authors.len() + usize::from(is_new) <= AUTHORS_MAX
                    && !batch.warrants.is_disjoint(&warrants)
            };
            match batches.iter_mut().find(has_room) {
                Some(batch) => {
                    batch.ops.insert(it.op);
                    batch.authors.insert(it.author);
                    batch.warrants.retain(|warrant| warrants.contains(warrant));
                }
                None => batches.push(Batch {
                    ops: [it.op].into(),
                    authors: [it.author].into(),
                    warrants,
                }),
            }
        }
        let endorse = batches.into_iter().map(|batch| Endorse { ops: batch.ops });
        plan.endorse = endorse.collect();
        plan
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_named_or_begin_so() {
        for (pattern, object, want) in [
            ("motor/7", "motor/7", true),
            ("motor/7", "motor/70", false),
            ("motor/*", "motor/70", true),
            ("*", "", true),
            ("motor/*", "bill/1", false),
        ] {
            assert_eq!(Objects::of(pattern).has(object), want, "{pattern} {object}");
        }
    }
}
