//! An office and its editor: what the tests of a replica share.

use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::credential::mint::mint_credential;
use ecac_core::payload;
use ecac_core::{
    Authored, EffectCode, Event, Genesis, OpId, Payload, Received, Replica, SchemaRule, Shown, Tags,
};

use crate::project::{
    FAR_MS, ISSUER_KEY, KID, author, claims, edit, issuer_key, key, name, revoke,
};

pub(crate) const ROOT: u32 = 0;
pub(crate) const ALICE: u32 = 4;
pub(crate) const BOB: u32 = 5;
pub(crate) const OUTSIDER: u32 = 9;

pub(crate) fn genesis() -> Genesis {
    Genesis {
        name: name("embedded"),
        nonce: [0; 16],
        roots: [author(ROOT)].into(),
        schema: BTreeSet::from([SchemaRule {
            object: name("*"),
            field: name("*"),
            tags: [name("tag")].into(),
        }]),
        features: [].into(),
    }
}

pub(crate) fn tags() -> Tags {
    [name("tag")].into()
}

/// Grants the role to the person.
pub(crate) fn hire(replica: &mut Replica, person: u32, role: Role, now_ms: u64) -> OpId {
    let jwt = mint_credential(&key(ISSUER_KEY), &claims(person, role));
    let presented = replica.author(payload::Credential { jwt }, &key(ROOT), now_ms);
    let credential = presented.expect("a root presents").op;
    let subject = author(person);
    let grant = payload::Grant {
        subject,
        credential,
    };
    let granted = replica.author(grant, &key(ROOT), now_ms);
    granted.expect("a root grants").op
}

/// A project with an editor, at time 10.
pub(crate) fn office() -> Replica {
    let mut replica = Replica::create(genesis(), &key(ROOT), 1).expect("a genesis");
    let listed = replica.author(issuer_key(KID, ISSUER_KEY, FAR_MS), &key(ROOT), 2);
    let effect = listed.expect("a root lists").effect;
    assert_eq!(effect.map(|it| it.code), Some(EffectCode::Lists));
    hire(&mut replica, ALICE, Role::Editor, 10);
    replica
}

/// A project whose editor has written, been revoked, and been hired again.
pub(crate) fn busy() -> Replica {
    let mut office = office();
    let mut van = join(&office);
    write(&mut office, ROOT, edit("status", 1), 20);
    let offline = write(&mut van, ALICE, edit("status", 2), 30);
    write(&mut office, ROOT, revoke(ALICE), 40);
    office.receive(&[offline.envelope]);
    hire(&mut office, ALICE, Role::Editor, 50);
    write(&mut office, ALICE, edit("status", 3), 60);
    office
}

pub(crate) fn join(other: &Replica) -> Replica {
    let mut replica = Replica::join(other.project());
    replica.receive(&other.envelopes().collect::<Vec<_>>());
    replica
}

pub(crate) fn write(replica: &mut Replica, by: u32, payload: Payload, now_ms: u64) -> Authored {
    replica.author(payload, &key(by), now_ms).expect("written")
}

/// What an interface shows of the batch: the kinds of its events, and each place with its values.
pub(crate) fn told(received: &Received) -> (Vec<&'static str>, Vec<String>) {
    let value = |shown: &Option<Shown>| {
        let shown = shown.as_ref().map(|it| format!("{:?}", it.value));
        shown.unwrap_or_else(|| "nothing".into())
    };
    let names = received.events.iter().map(Event::name).collect();
    let changes = received.changes.iter();
    let changes = changes.map(|it| {
        let (before, after) = (value(&it.before), value(&it.after));
        let why: Vec<&str> = received.why(it).map(Event::name).collect();
        format!("{}: {before} -> {after} ({})", it.place, why.join(", "))
    });
    (names, changes.collect())
}
