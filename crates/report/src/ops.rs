//! The ops of a run, by whom and saying what, and words by which a reader can tell the authors apart.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Credential;
use ecac_core::payload;
use ecac_core::{Body, Costs, Op, OpId, Payload, PublicKey, Value, split_op_log};

use crate::error::ReportError;
use crate::words::sentence;

/// Longest word that is taken for a name.
const WORD_BYTES_MAX: usize = 24;

/// The ops of an op log, in order of arrival, without repetitions.
#[derive(Debug)]
pub(crate) struct Ops {
    /// Every item: its op, or nothing where the bytes are no op.
    pub(crate) items: Vec<Option<OpId>>,
    bodies: BTreeMap<OpId, Body>,
    authors: BTreeMap<PublicKey, Author>,
}

/// Who an author is, as far as the log says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Author {
    /// What to call them; unique within the log.
    pub(crate) label: String,
    /// The roles that genesis and grants name, sorted.
    pub(crate) roles: BTreeSet<&'static str>,
}

impl Ops {
    pub(crate) fn parse(file: &str, bytes: &[u8]) -> Result<Self, ReportError> {
        let items = split_op_log(bytes).map_err(|fault| ReportError::OpLog {
            file: file.to_owned(),
            fault,
        })?;
        let mut ops = Self {
            items: Vec::new(),
            bodies: BTreeMap::new(),
            authors: BTreeMap::new(),
        };
        for item in items {
            let Ok(op) = Op::decode(item, &mut Costs::default()) else {
                ops.items.push(None);
                continue;
            };
            if ops.bodies.insert(op.id(), op.body().clone()).is_none() {
                ops.items.push(Some(op.id()));
            }
        }
        ops.authors = authors(&ops.bodies);
        Ok(ops)
    }

    pub(crate) fn get(&self, op: &OpId) -> Option<&Body> {
        self.bodies.get(op)
    }

    /// Everybody who wrote an op or is named in one, by label.
    pub(crate) fn cast(&self) -> Vec<(&PublicKey, &Author)> {
        let mut cast: Vec<_> = self.authors.iter().collect();
        cast.sort_by(|(_, a), (_, b)| a.label.cmp(&b.label));
        cast
    }

    /// What to call the key.
    pub(crate) fn label(&self, key: &PublicKey) -> &str {
        self.authors
            .get(key)
            .map_or("somebody", |author| author.label.as_str())
    }

    /// What to call the author of the op.
    pub(crate) fn author(&self, op: &OpId) -> &str {
        self.get(op)
            .map_or("somebody", |body| self.label(&body.author))
    }

    /// The role that a grant's credential names.
    pub(crate) fn role_granted(&self, credential: &OpId) -> Option<&'static str> {
        role_granted(&self.bodies, credential)
    }
}

fn role_granted(bodies: &BTreeMap<OpId, Body>, credential: &OpId) -> Option<&'static str> {
    let jwt = bodies.get(credential)?.payload.credential()?;
    Some(Credential::parse(jwt).ok()?.role.name())
}

fn authors(bodies: &BTreeMap<OpId, Body>) -> BTreeMap<PublicKey, Author> {
    let mut roles: BTreeMap<PublicKey, BTreeSet<&'static str>> = BTreeMap::new();
    let mut words: BTreeMap<PublicKey, Option<&str>> = BTreeMap::new();
    for body in bodies.values() {
        roles.entry(body.author).or_default();
        match &body.payload {
            Payload::Genesis(genesis) => {
                for &root in &genesis.roots {
                    roles.entry(root).or_default().insert("root");
                }
            }
            Payload::Grant(payload::Grant {
                subject,
                credential,
            }) => {
                let role = role_granted(bodies, credential);
                roles.entry(*subject).or_default().extend(role);
            }
            Payload::SetField(payload::SetField {
                value: Value::Text(text),
                ..
            })
            | Payload::SetAdd(payload::SetAdd {
                value: Value::Text(text),
                ..
            }) => {
                let word = first_word(text);
                words
                    .entry(body.author)
                    .and_modify(|known| *known = known.filter(|&known| Some(known) == word))
                    .or_insert(word);
            }
            _ => {}
        }
    }
    let wanted = |key: &PublicKey| {
        let word = words.get(key).copied().flatten().map(sentence);
        let role = || roles.get(key)?.first().map(|role| role.replace('_', " "));
        word.or_else(role).unwrap_or_else(|| "somebody".to_owned())
    };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for key in roles.keys() {
        *counts.entry(wanted(key)).or_default() += 1;
    }
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    roles
        .iter()
        .map(|(&key, roles)| {
            let mut label = wanted(&key);
            if counts[&label] > 1 {
                let number = given.entry(label.clone()).or_default();
                *number += 1;
                label = format!("{label} #{number}");
            }
            let roles = roles.clone();
            (key, Author { label, roles })
        })
        .collect()
}

/// The first word of a value, if it can pass for a name.
fn first_word(text: &str) -> Option<&str> {
    let (word, _) = text.split_once(' ')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_name = word.len() <= WORD_BYTES_MAX
        && word.bytes().all(plain)
        && word.starts_with(|first: char| first.is_ascii_alphabetic());
    is_name.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_word_is_a_name() {
        for (text, want) in [
            ("alice 12", Some("alice")),
            ("writer-1 7", Some("writer-1")),
            ("alice", None),
            ("7 alice", None),
            ("<b> x", None),
            (" x", None),
        ] {
            assert_eq!(first_word(text), want, "{text}");
        }
    }
}
