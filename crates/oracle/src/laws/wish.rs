//! What somebody wants to write at the end of a history.

use ecac_core::credential::{Credential, Role};
use ecac_core::{Log, OpId, Payload, payload};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::secret;
use crate::world::{self, ALICE, BOSS, FIRST};

/// What somebody wants to write.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) author: u8,
    /// The local clock, in ms after the start of the history.
    pub(super) clock_ms: u64,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Set(&'static str, &'static str),
    Add(&'static str, &'static str),
    Remove(&'static str, &'static str),
    /// A grant by some credential of the log.
    Grant(Index),
    /// A revocation of whom some credential of the log names, of that role only or of any.
    Revoke(Index, bool),
    Distrust,
    Schema,
    Seal,
    /// Of some op that roots sign together.
    Cosign(Index),
    /// Of some write.
    Endorse(Index),
    /// A sealed value, under some content key.
    Hide(&'static str, &'static str, Index),
    /// Some content key, to somebody.
    Share(Index, u8),
    /// Of some device, to the author.
    Link(u8),
    Unlink(u8),
}

impl Default for Wish {
    fn default() -> Self {
        Self {
            author: ALICE,
            clock_ms: 500,
            what: What::Set("doc/1", "title"),
        }
    }
}

/// Random wishes, mostly of those who may.
pub(super) fn wishes() -> impl Strategy<Value = Wish> {
    let place = || {
        select(&[
            ("doc/1", "title"),
            ("doc/1", "body"),
            ("doc/2", "title"),
            ("doc/2", "labels"),
        ])
    };
    let editor = || prop_oneof![6 => ALICE..ALICE + 6, 1 => 0..14_u8, 1 => 14..18_u8];
    let granter = || prop_oneof![3 => 0..3_u8, 3 => BOSS..BOSS + 2, 1 => 0..14_u8];
    let data = prop_oneof![
        2 => place().prop_map(|(object, field)| What::Set(object, field)),
        1 => place().prop_map(|(object, field)| What::Add(object, field)),
        2 => place().prop_map(|(object, field)| What::Remove(object, field)),
    ];
    let policy = prop_oneof![
        4 => any::<Index>().prop_map(What::Grant),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(pick, role)| What::Revoke(pick, role)),
    ];
    let trust = prop_oneof![
        Just(What::Distrust),
        Just(What::Schema),
        Just(What::Seal),
        any::<Index>().prop_map(What::Cosign),
    ];
    let more = prop_oneof![
        any::<Index>().prop_map(What::Endorse),
        (14..18_u8).prop_map(What::Link),
        (14..18_u8).prop_map(What::Unlink),
        (place(), any::<Index>())
            .prop_map(|((object, field), pick)| What::Hide(object, field, pick)),
        (any::<Index>(), 0..18_u8).prop_map(|(pick, who)| What::Share(pick, who)),
    ];
    let wish = prop_oneof![
        4 => (editor(), data),
        4 => (granter(), policy),
        2 => (0..5_u8, trust),
        2 => (editor(), more),
    ];
    // Of the clocks some are behind most of the log, and some ahead of all.
    let clock_ms = prop_oneof![0..1_000_u64, Just(10_000_u64)];
    (wish, clock_ms).prop_map(|((author, what), clock_ms)| Wish {
        author,
        clock_ms,
        what,
    })
}

impl Wish {
    pub(super) fn payload(&self, log: &Log) -> Option<Payload> {
        let payload = match &self.what {
            What::Set(object, field) => world::set(object, field, 99),
            What::Add(object, field) => world::add(object, field, "0"),
            What::Remove(object, field) => world::remove(object, field, "0"),
            What::Grant(pick) => {
                let (id, credential) = some_credential(log, *pick)?;
                Payload::Grant(payload::Grant {
                    subject: credential.subject,
                    credential: id,
                })
            }
            What::Revoke(pick, of_role) => {
                let (_, credential) = some_credential(log, *pick)?;
                let role: Option<Role> = of_role.then_some(credential.role);
                Payload::Revoke(payload::Revoke {
                    subject: credential.subject,
                    role,
                    scope: None,
                })
            }
            What::Distrust => FIRST.distrusted(),
            What::Schema => world::schema(&[("new/*", "*", 0b001)]),
            What::Seal => world::seal([7; 32]),
            What::Cosign(pick) => {
                let signed = |payload: &Payload| {
                    matches!(
                        payload,
                        Payload::Seal(_) | Payload::Revoke(_) | Payload::Upgrade(_)
                    )
                };
                world::cosign(some_op(log, *pick, signed)?)
            }
            What::Endorse(pick) => {
                let is_data = |payload: &Payload| payload.target().is_some();
                world::endorse(vec![some_op(log, *pick, is_data)?])
            }
            What::Hide(object, field, pick) => {
                let is_key = |payload: &Payload| matches!(payload, Payload::KeyRotate(_));
                secret::hidden(object, field, None, some_op(log, *pick, is_key)?)
            }
            What::Share(pick, who) => {
                let is_key = |payload: &Payload| matches!(payload, Payload::KeyRotate(_));
                secret::key_grant(some_op(log, *pick, is_key)?, &[*who])
            }
            What::Link(device) => world::device(log.project(), self.author, *device),
            What::Unlink(device) => world::device_revoke(self.author, *device),
        };
        Some(payload)
    }
}

/// Some admitted op of these kinds.
fn some_op(log: &Log, pick: Index, fits: impl Fn(&Payload) -> bool) -> Option<OpId> {
    let fit = log.admitted().filter(|op| fits(&op.body().payload));
    let fit: Vec<OpId> = fit.map(|op| op.id()).collect();
    (!fit.is_empty()).then(|| *pick.get(&fit))
}

/// Some credential that can be read, with the op that carries it.
fn some_credential(log: &Log, pick: Index) -> Option<(OpId, Credential)> {
    let carried = log.admitted().filter_map(|op| {
        let Payload::Credential(credential) = &op.body().payload else {
            return None;
        };
        Some((op.id(), credential.jwt.clone()))
    });
    let carried: Vec<(OpId, String)> = carried.collect();
    let (id, jwt) = (!carried.is_empty()).then(|| pick.get(&carried))?;
    Some((*id, Credential::parse(jwt).ok()?))
}
