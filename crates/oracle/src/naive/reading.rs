//! Reading: secret tags, who may read them, holders of keys, and what is refused for their sake.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::payload::{KeyGrant, KeyRotate, SetAdd, SetAddSealed, SetField, SetFieldSealed};
use ecac_core::{Body, OpId, Payload, PublicKey, Refusal};

use super::admission::{Need, Scope};
use super::set::{Op, Set};
use super::{Oracle, texts};

/// What the parameters of `confidential` say: the deterministic CBOR of a KEM and an array of tags that ascend strictly.
pub(super) fn marks(parameters: &[u8]) -> Option<(u8, BTreeSet<String>)> {
    let [0x82, kem @ (1 | 2), rest @ ..] = parameters else {
        return None;
    };
    let (count, mut rest) = head(rest, 4)?;
    let mut tags: Vec<String> = Vec::new();
    for _ in 0..count {
        let (length, after) = head(rest, 3)?;
        let text = core::str::from_utf8(after.get(..length)?).ok()?;
        ecac_core::Name::new(text).ok()?;
        if tags.last().is_some_and(|last| last.as_str() >= text) {
            return None;
        }
        tags.push(text.to_owned());
        rest = &after[length..];
    }
    let is_sound = rest.is_empty() && (1..=64).contains(&count);
    is_sound.then(|| (*kem, tags.into_iter().collect()))
}

/// The argument of a shortest head of this major type, of one, two or three bytes, and what follows it.
fn head(bytes: &[u8], major: u8) -> Option<(usize, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if first >> 5 != major {
        return None;
    }
    match (first & 31, rest) {
        (small @ 0..24, _) => Some((usize::from(small), rest)),
        (24, [byte @ 24..=255, rest @ ..]) => Some((usize::from(*byte), rest)),
        (25, [high @ 1..=255, low, rest @ ..]) => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}

impl Oracle {
    /// What the genesis and the `Upgrade`s of the set mark by which the feature is in force there.
    fn all_marks(&self, ops: &Set) -> Vec<(u8, BTreeSet<String>)> {
        let named = self.features(ops).into_iter();
        let marks = named.filter_map(|(name, parameters, op)| {
            let by_genesis = matches!(self.bodies[op].payload, Payload::Genesis(_));
            let counts = name == "confidential" && (by_genesis || self.is_full(op, ops));
            counts.then(|| marks(parameters)).flatten()
        });
        marks.collect()
    }

    /// The tags that are confidential in the set.
    pub(super) fn confidential(&self, ops: &Set) -> BTreeSet<String> {
        let marks = self.all_marks(ops).into_iter();
        marks.flat_map(|(_, tags)| tags).collect()
    }

    /// Whether a genesis or an `Upgrade` of the set by which the feature is in force there names the KEM.
    pub(super) fn has_kem(&self, kem: u8, ops: &Set) -> bool {
        self.all_marks(ops).iter().any(|(named, _)| *named == kem)
    }

    /// The secret tags of a field in the set.
    fn secret_tags(&self, object: &str, field: &str, ops: &Set) -> BTreeSet<String> {
        let confidential = self.confidential(ops);
        let tags = self.tags(object, field, ops);
        tags.intersection(&confidential).cloned().collect()
    }

    /// The `KeyRotate` of that id in the set, and its tags.
    pub(super) fn content_key(&self, id: &OpId, ops: &Set) -> Option<(Op, BTreeSet<String>)> {
        let op = self.at.get(id).copied().filter(|op| ops.contains(*op))?;
        let Payload::KeyRotate(KeyRotate { tags }) = &self.bodies[op].payload else {
            return None;
        };
        Some((op, texts(tags)))
    }

    /// Whether the key of a person or a device may read the tags in the set at that time.
    fn may_read(&self, reader: &PublicKey, tags: &BTreeSet<String>, ops: &Set, at_ms: u64) -> bool {
        const READS: &[Role] = &[Role::Root, Role::KeyAdmin, Role::Editor, Role::Reader];
        let need = Need::of(READS, Scope::Meets(vec![tags.clone()]));
        self.left_before_frozen(reader, at_ms, &need, ops).is_ok()
    }

    /// Whether the reader may read the tags of the key in the past of an op, at its time; `None` if a parent of the op is not admitted,
    /// or if the key is none of its past.
    #[must_use]
    pub fn could_read(&self, reader: &PublicKey, key: &OpId, op: &Body) -> Option<bool> {
        let mut past = Set::new();
        for parent in &op.parents {
            let parent = self.at.get(parent).copied();
            let parent = parent.filter(|it| self.admitted.contains(*it))?;
            past.insert(parent);
            self.past[parent].iter().for_each(|op| past.insert(op));
        }
        let (_, tags) = self.content_key(key, &past)?;
        Some(self.may_read(reader, &tags, &past, op.hlc.physical_ms))
    }

    /// Why an authorised op with this past and this time is refused all the same.
    pub(super) fn indiscreet(
        &self,
        payload: &Payload,
        at_ms: u64,
        past: &Set,
    ) -> Option<(Refusal, Option<OpId>)> {
        match payload {
            Payload::SetField(SetField { object, field, .. })
            | Payload::SetAdd(SetAdd { object, field, .. }) => {
                let secret = self.secret_tags(object, field, past);
                (!secret.is_empty()).then_some((Refusal::NotSealed, None))
            }
            Payload::SetFieldSealed(SetFieldSealed {
                object,
                field,
                value,
            })
            | Payload::SetAddSealed(SetAddSealed {
                object,
                field,
                value,
                ..
            }) => {
                let secret = self.secret_tags(object, field, past);
                let shows = self.what_shows_stale(&value.key, &secret, past, at_ms)?;
                Some((Refusal::StaleKey, Some(shows)))
            }
            Payload::KeyGrant(KeyGrant { key, shares }) => {
                let (_, tags) = self.content_key(key, past)?;
                let mut recipients = shares.recipients().iter();
                let may_all = recipients.all(|it| self.may_read(it, &tags, past, at_ms));
                (!may_all).then_some((Refusal::StaleKey, Some(*key)))
            }
            Payload::Genesis(_)
            | Payload::SetRemove(_)
            | Payload::Credential(_)
            | Payload::Grant(_)
            | Payload::Revoke(_)
            | Payload::IssuerKey(_)
            | Payload::IssuerKeyRevoke(_)
            | Payload::StatusList(_)
            | Payload::Upgrade(_)
            | Payload::Schema(_)
            | Payload::Seal(_)
            | Payload::Cosign(_)
            | Payload::Endorse(_)
            | Payload::Device(_)
            | Payload::DeviceRevoke(_)
            | Payload::ReaderKey(_)
            | Payload::KeyRotate(_)
            | Payload::Unassigned(_) => None,
        }
    }

    /// What shows that the key does not do for a field with these secret tags.
    fn what_shows_stale(
        &self,
        key: &OpId,
        secret: &BTreeSet<String>,
        past: &Set,
        at_ms: u64,
    ) -> Option<OpId> {
        let Some((rotate, tags)) = self.content_key(key, past) else {
            return Some(*key);
        };
        let author = self.bodies[rotate].author;
        if tags != *secret || !self.may_read(&author, &tags, past, at_ms) {
            return Some(*key);
        }
        let gives_away = |op: &Op| {
            let Payload::KeyGrant(grant) = &self.bodies[*op].payload else {
                return false;
            };
            let mut recipients = grant.shares.recipients().iter();
            grant.key == *key && recipients.any(|it| !self.may_read(it, &tags, past, at_ms))
        };
        self.least(past.iter().filter(gives_away))
    }
}

#[cfg(test)]
mod tests {
    use ecac_core::{Confidential, Kem, Name};

    use super::*;

    #[test]
    fn parameters_are_read_alike() {
        let name = |text: &str| Name::new(text).expect("short");
        let long = "x".repeat(256);
        for tags in [vec!["a"], vec!["a", "b"], vec!["a", &long]] {
            for kem in Kem::ALL {
                let tags: ecac_core::Tags = tags.iter().map(|tag| name(tag)).collect();
                let parameters = Confidential { kem: *kem, tags }.parameters();
                let read = Confidential::read(&parameters).expect("as it was written");
                let expected = (kem.number(), texts(&read.tags));
                assert_eq!(marks(&parameters), Some(expected));
                for at in 0..parameters.len().min(12) {
                    for byte in 0..=255 {
                        let mut other = parameters.clone();
                        other[at] = byte;
                        let read = Confidential::read(&other);
                        let expected = read.map(|it| (it.kem.number(), texts(&it.tags)));
                        assert_eq!(marks(&other), expected, "{other:02x?}");
                    }
                }
            }
        }
    }
}
