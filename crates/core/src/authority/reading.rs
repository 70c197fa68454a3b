//! Reading: which tags are secret, who may read them, and which keys are fresh (`docs/policy-model.md`, Confidential tags).

use std::collections::BTreeMap;

use super::admission::{Seen, Unauthorised};
use crate::confidential::Kem;
use crate::dag::Index;
use crate::feature::Feature;
use crate::id::{OpId, PublicKey};
use crate::name::Tags;
use crate::need::{Action, Need, Reach};
use crate::reason::Refusal;

impl Seen<'_> {
    /// The tags that are confidential.
    pub(crate) fn confidential(&mut self) -> Tags {
        let marks = self.marks();
        marks.into_iter().flat_map(|(_, tags)| tags).collect()
    }

    /// The KEMs of reader keys.
    pub(crate) fn kems(&mut self) -> Vec<Kem> {
        self.marks().into_iter().map(|(kem, _)| kem).collect()
    }

    /// What each naming of the feature that is in force marks.
    pub(crate) fn marks(&mut self) -> Vec<(Kem, Tags)> {
        let authority = self.authority;
        let mut marks = Vec::new();
        for named in &authority.features {
            if named.usable == Some(Feature::Confidential) && self.puts_in_force(named.op) {
                marks.extend(authority.marks.get(&named.op).cloned());
            }
        }
        marks
    }

    /// The secret tags of the field.
    pub(crate) fn secret_tags(&mut self, object: &str, field: &str) -> Tags {
        let confidential = self.confidential();
        if confidential.is_empty() {
            return confidential;
        }
        let tags = self.tags(object, field);
        tags.intersection(&confidential).cloned().collect()
    }

    /// The tags of the content key, if the op is a `KeyRotate` of the past.
    pub(crate) fn key_tags(&mut self, key: &OpId) -> Option<&Tags> {
        let at = self.dag.find(key)?;
        let key = self.authority.content_keys.get(&at)?;
        self.contains(at).then_some(&key.tags)
    }

    /// Whether the key of a person or a device may read fields with these secret tags.
    pub(crate) fn may_read(&mut self, reader: &PublicKey, tags: &Tags, now_ms: u64) -> bool {
        let need = Need {
            reach: Reach::Meets(tags.clone()),
            ..Need::any(Action::Read)
        };
        self.titles_for(&need, reader, now_ms).is_ok()
    }

    /// Errs if the value of the field is a secret.
    pub(crate) fn shows(&mut self, object: &str, field: &str) -> Result<(), Unauthorised> {
        if self.secret_tags(object, field).is_empty() {
            Ok(())
        } else {
            Err(Unauthorised {
                reason: Refusal::NotSealed,
                witness: None,
            })
        }
    }

    /// Errs unless the key is one for the secret tags of the field, and fresh.
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
        let secret = self.secret_tags(object, field);
        let tags = self.key_tags(key).cloned();
        let (Some(tags), Some(at)) = (tags, self.dag.find(key)) else {
            return stale(*key);
        };
        if tags != secret {
            return stale(*key);
        }
        self.stale_by(at, &tags, now_ms).map_or(Ok(()), stale)
    }

    /// What shows that the content key is not fresh: its `KeyRotate`, if its author may not read its tags; else the `KeyGrant`
    /// with the least id of which a recipient may not.
    pub(crate) fn stale_by(&mut self, at: Index, tags: &Tags, now_ms: u64) -> Option<OpId> {
        let (dag, authority) = (self.dag, self.authority);
        let mut may_read: BTreeMap<PublicKey, bool> = BTreeMap::new();
        let author = dag.node(at).author;
        if !self.may_read(&author, tags, now_ms) {
            return Some(dag.id(at));
        }
        may_read.insert(author, true);
        let mut least: Option<OpId> = None;
        for (grant, recipients) in &authority.content_keys[&at].grants {
            if !self.contains(*grant) {
                continue;
            }
            for recipient in recipients {
                let known = may_read.get(recipient).copied();
                let may = known.unwrap_or_else(|| self.may_read(recipient, tags, now_ms));
                may_read.insert(*recipient, may);
                if !may {
                    let id = dag.id(*grant);
                    least = Some(least.map_or(id, |least| least.min(id)));
                    break;
                }
            }
        }
        least
    }

    /// Errs unless each of the recipients may read the tags of the key, which is one of the past.
    pub(crate) fn hands_on<'a>(
        &mut self,
        key: &OpId,
        mut recipients: impl Iterator<Item = &'a PublicKey>,
        now_ms: u64,
    ) -> Result<(), Unauthorised> {
        let tags = self.key_tags(key).cloned().unwrap_or_default();
        if recipients.all(|recipient| self.may_read(recipient, &tags, now_ms)) {
            Ok(())
        } else {
            Err(Unauthorised {
                reason: Refusal::StaleKey,
                witness: Some(*key),
            })
        }
    }
}
