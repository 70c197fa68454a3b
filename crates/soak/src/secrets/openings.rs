//! Openings: everybody tries every key that they ever held on every sealed value.

use std::collections::BTreeSet;

use ecac_core::payload::KeyGrant;
use ecac_core::{Decision, OpId, Payload, PublicKey, Refusal, Replica, Sealed, Value, VerifiedOp};
use ecac_oracle::{History, Oracle};
use ecac_seal::{ContentKey, Context, Opener as _, info, read};

use super::sealed_history::{Defect, Held, SealedHistory};

/// What was tried on the values of a history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opened {
    /// Ops of the history.
    pub ops: u64,
    /// Sealed values that are admitted, each of which everybody tries.
    pub values: u64,
    /// Of all these tries those in which a value opened.
    pub opened: u64,
    /// Of the others those by somebody who holds another key of the history.
    pub kept_out: u64,
    /// Writes that are refused because their key is stale.
    pub stale: u64,
}

/// Puts real keys into the history, and holds what everybody opens against the definitions: a value opens for whoever made its key,
/// or was given it by an admitted `KeyGrant`, and for nobody else; and nobody holds the key in the past of the write who may not
/// read there, by the naive oracle.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn check_secrets(history: &History, defect: Option<Defect>) -> Result<Opened, String> {
    let sealed = SealedHistory::of(history, defect);
    let ops = sealed.ops.iter().map(|op| (op.id(), op.body()));
    let oracle = Oracle::of(sealed.project, ops);
    let mut replica = Replica::join(sealed.project);
    replica.ingest(sealed.ops.iter().cloned());
    let world = World {
        sealed: &sealed,
        oracle: &oracle,
        replica: &replica,
        defect,
    };
    world.check()
}

struct World<'a> {
    sealed: &'a SealedHistory,
    oracle: &'a Oracle,
    replica: &'a Replica,
    defect: Option<Defect>,
}

impl World<'_> {
    fn check(&self) -> Result<Opened, String> {
        let mut all = Opened {
            ops: self.sealed.ops.len() as u64,
            ..Opened::default()
        };
        let people = self.sealed.people.iter();
        let keys = people.map(|(who, held)| (who, self.keys_of(who, held)));
        let keys: Vec<(&PublicKey, Vec<ContentKey>)> = keys.collect();
        for op in &self.sealed.ops {
            let Some(Value::Sealed(value)) = op.body().payload.value() else {
                continue;
            };
            all.stale += u64::from(self.is_stale(&op.id()));
            if !self.is_admitted(&op.id()) {
                continue;
            }
            all.values += 1;
            self.check_past(op, &value)?;
            for (who, keys) in &keys {
                let opened = self.try_one(op, &value, who, keys)?;
                all.opened += u64::from(opened);
                all.kept_out += u64::from(!opened && !keys.is_empty());
            }
        }
        Ok(all)
    }

    /// Whether the op has entered the DAG.
    fn is_admitted(&self, op: &OpId) -> bool {
        let is_let_in = self.defect == Some(Defect::StaleAdmitted);
        self.oracle.has_admitted(op) || is_let_in && self.is_stale(op)
    }

    fn is_stale(&self, op: &OpId) -> bool {
        let decision = self.oracle.decisions().get(op);
        decision.and_then(Decision::reason) == Some(Refusal::StaleKey.name())
    }

    /// The `KeyGrant`s that are admitted.
    fn grants(&self) -> impl Iterator<Item = (OpId, &KeyGrant)> {
        let ops = self.sealed.ops.iter();
        let admitted = ops.filter(|op| self.oracle.has_admitted(&op.id()));
        admitted.filter_map(|op| match &op.body().payload {
            Payload::KeyGrant(it) => Some((op.id(), it)),
            _ => None,
        })
    }

    /// Every content key that they ever held: those they made, and those that any of their reader keys opens.
    fn keys_of(&self, who: &PublicKey, held: &Held) -> Vec<ContentKey> {
        let mut keys = held.content_keys.clone();
        for (_, grant) in self.grants() {
            let info = info(&self.sealed.project, &grant.key, who);
            if let Some(share) = grant.shares.get(who) {
                let tried = held.reader_keys.iter();
                keys.extend(tried.filter_map(|it| it.open_share(&share, &info).ok()));
            }
        }
        keys
    }

    /// Whether they made the key; whether they were really given it.
    fn holds(&self, who: &PublicKey, key: &OpId) -> (bool, bool) {
        let mut ops = self.sealed.ops.iter();
        let made = ops.any(|op| op.id() == *key && op.body().author == *who);
        let mut grants = self.grants().filter(|(_, grant)| grant.key == *key);
        let is_given = |it: &BTreeSet<PublicKey>| it.contains(who);
        let given = grants.any(|(op, _)| self.sealed.given.get(&op).is_some_and(is_given));
        (made, given)
    }

    /// Somebody tries a value; whether it opens for them. It does if it should.
    fn try_one(
        &self,
        op: &VerifiedOp,
        sealed: &Sealed,
        who: &PublicKey,
        keys: &[ContentKey],
    ) -> Result<bool, String> {
        let id = op.id();
        let context = Context::of(&self.sealed.project, op.body());
        let context = context.ok_or_else(|| format!("{id} writes no data"))?;
        let mut tried = keys.iter();
        let opened = tried.find_map(|key| key.open(sealed, &context).ok());
        let (made, given) = self.holds(who, &sealed.key);
        let value = self.sealed.values.get(&id);
        let expected = value.filter(|_| made || given);
        if opened.as_ref() != expected {
            return Err(match (opened, expected) {
                (Some(_), None) => format!("{who} opens {id}, and should not"),
                (None, Some(_)) => format!("{who} does not open {id}, and should"),
                _ => format!("{who} opens another value in {id}"),
            });
        }
        let secrets = &self.sealed.people[who].reader_keys;
        if self.oracle.has_admitted(&id) && !secrets.is_empty() {
            let is_read = secrets.iter().any(|secret| {
                let read = read(self.replica, secret, who, &id);
                matches!(read, Some(Ok(_)))
            });
            if is_read != (given && value.is_some()) {
                return Err(format!(
                    "{who} was given the key of {id}: {given}; reads it: {is_read}"
                ));
            }
        }
        Ok(opened.is_some())
    }

    /// Who holds the key in the past of the write may read there.
    fn check_past(&self, op: &VerifiedOp, sealed: &Sealed) -> Result<(), String> {
        let past = self.sealed.past_of(op);
        let mut holders = BTreeSet::new();
        for before in self.sealed.ops.iter().filter(|it| past.contains(&it.id())) {
            let body = before.body();
            if before.id() == sealed.key {
                holders.insert(body.author);
            }
            if let Payload::KeyGrant(grant) = &body.payload
                && grant.key == sealed.key
            {
                holders.extend(grant.shares.recipients());
            }
        }
        for holder in holders {
            if self.oracle.could_read(&holder, &sealed.key, op.body()) == Some(false) {
                let id = op.id();
                return Err(format!(
                    "{holder} may not read where {id} was written, and holds its key"
                ));
            }
        }
        Ok(())
    }
}
