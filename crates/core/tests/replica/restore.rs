//! A replica on a store, saved and restored.

use core::ops::ControlFlow;
use std::borrow::Cow;

use ecac_core::credential::Role;
use ecac_core::credential::mint::mint_credential;
use ecac_core::payload::{self, SetAdd, SetRemove};
use ecac_core::{
    Costs, Decision, Genesis, MemoryStore, OpStore, Replica, RestoreError, SchemaRule, StoreError,
    Value, VerifiedOp,
};
use proptest::prelude::*;

use crate::project::{
    FAR_MS, ISSUER_KEY, KID, author, claims, edit, issuer_key, key, name, revoke,
};

/// A replica with a bit of everything: registers, sets, an editor who is revoked, and an op that waits.
fn lived_in() -> Replica {
    let genesis = Genesis {
        name: name("shop"),
        nonce: [0; 16],
        roots: [0, 1].map(author).into(),
        schema: [SchemaRule {
            object: name("*"),
            field: name("*"),
            tags: [name("tag")].into(),
        }]
        .into(),
        features: [].into(),
    };
    let mut office = Replica::create(genesis, &key(0), 1).expect("what is asked for can be had");
    let mut van = Replica::join(office.project());
    let mut write = |now_ms, payload| {
        office
            .author(payload, &key(0), now_ms)
            .expect("what is asked for can be had")
            .op
    };
    write(2, issuer_key(KID, ISSUER_KEY, FAR_MS));
    let jwt = mint_credential(&key(ISSUER_KEY), &claims(3, Role::Editor));
    let credential = write(3, payload::Credential { jwt }.into());
    let subject = author(3);
    write(
        4,
        payload::Grant {
            subject,
            credential,
        }
        .into(),
    );
    for at in 5..15 {
        write(
            at,
            edit(
                "f",
                i64::try_from(at).expect("what is asked for can be had"),
            ),
        );
    }
    let (object, field, element) = (name("doc"), name("labels"), name("late"));
    let add = SetAdd {
        object: object.clone(),
        field: field.clone(),
        element: element.clone(),
        value: Value::Null,
    };
    write(20, add.clone().into());
    let remove = SetRemove {
        object,
        field,
        element,
    };
    write(21, remove.into());
    write(22, add.into());
    van.receive(&office.envelopes().collect::<Vec<_>>());
    for at in 30..34 {
        van.author(edit("g", at), &key(3), 30)
            .expect("what is asked for can be had");
    }
    office
        .author(revoke(3), &key(0), 31)
        .expect("what is asked for can be had");
    van.receive(&office.envelopes().collect::<Vec<_>>());
    let late = office
        .author(edit("f", 99), &key(0), 40)
        .expect("what is asked for can be had");
    let later = office
        .author(edit("f", 100), &key(0), 41)
        .expect("what is asked for can be had");
    assert!(!late.envelope.is_empty());
    van.receive(&[later.envelope]);
    van
}

fn store_of(replica: &Replica) -> MemoryStore {
    let mut store = MemoryStore::new();
    for envelope in replica.log().envelopes() {
        store
            .append(&envelope)
            .expect("what is asked for can be had");
    }
    store
}

fn restore(replica: &Replica, snapshot: &[u8]) -> Result<Replica, RestoreError> {
    let store = Box::new(store_of(replica));
    Replica::builder().restore(replica.project(), store, snapshot)
}

/// The envelopes of a history with sets, a revocation, a fork and a seal, and the snapshot of version 3 that a replica wrote which
/// had dropped what the seal supersedes, and held an op that waits.
fn version_3() -> (Replica, Vec<u8>) {
    let lines = include_str!("version3.hex").lines();
    let mut lines: Vec<Vec<u8>> = lines.map(|it| hex::decode(it).expect("bytes")).collect();
    let snapshot = lines.pop().expect("the snapshot comes last");
    let genesis = VerifiedOp::read(&lines[0], &mut Costs::default());
    let project = genesis.expect("the genesis comes first").id();
    let mut replica = Replica::join(project);
    replica.receive(&lines);
    (replica, snapshot)
}

/// A store of the replica that has dropped what is superseded.
fn pruned_store_of(replica: &Replica) -> MemoryStore {
    let mut store = store_of(replica);
    let superseded = replica.superseded().into_iter();
    let positions: Vec<usize> = superseded
        .map(|id| store.find(&id).expect("in memory").expect("it is there"))
        .collect();
    assert!(positions.len() > 9);
    store.prune(&positions).expect("in memory");
    store
}

fn assert_same(one: &Replica, other: &Replica) {
    assert_eq!(one.decisions(), other.decisions());
    assert_eq!(one.state_digest(), other.state_digest());
    assert_eq!(one.trust_digest(), other.trust_digest());
    assert_eq!(one.heads(), other.heads());
}

#[test]
fn a_restored_replica_is_the_one_that_was_saved() {
    let replica = lived_in();
    assert_eq!(replica.holdings().pending_ops, 1);
    let restored = restore(&replica, &replica.save()).expect("what is asked for can be had");
    assert_same(&replica, &restored);
    assert_eq!(restored.costs(), replica.costs());
    assert_eq!(
        restored.save(),
        restore(&replica, &restored.save())
            .expect("what is asked for can be had")
            .save()
    );
}

#[test]
fn a_snapshot_of_version_3_is_restored_and_written_again_in_less() {
    let (replica, snapshot) = version_3();
    let store = pruned_store_of(&replica);
    let restore = |snapshot: &[u8]| {
        let builder = Replica::builder();
        let restored = builder.restore(replica.project(), Box::new(store.clone()), snapshot);
        restored.expect("what is asked for can be had")
    };
    let old = restore(&snapshot);
    // The op that waits is in the snapshot alone.
    let mut decisions = old.decisions();
    decisions.retain(|_, it| !matches!(it, Decision::Pending { .. }));
    assert_eq!(decisions, replica.decisions());
    assert_eq!(old.state_digest(), replica.state_digest());
    assert_eq!(old.trust_digest(), replica.trust_digest());
    assert_eq!(old.heads(), replica.heads());
    assert_eq!(old.holdings().pending_ops, 1);
    assert!(old.log().pruned_count() > 9);
    let short = old.save();
    assert!(short.len() + 30 * store.len() < snapshot.len());
    let new = restore(&short);
    assert_same(&old, &new);
    assert_eq!(new.costs(), old.costs());
    assert_eq!(new.state(), old.state());
    assert_eq!(new.save(), short);
}

#[test]
fn what_the_store_has_beyond_the_snapshot_is_taken_in() {
    let mut replica = lived_in();
    let snapshot = replica.save();
    replica
        .author(edit("f", 7), &key(0), 50)
        .expect("what is asked for can be had");
    replica
        .author(revoke(1), &key(0), 51)
        .expect("what is asked for can be had");
    let restored = restore(&replica, &snapshot).expect("what is asked for can be had");
    assert_same(&replica, &restored);
    assert!(restored.costs().signatures_verified > 0);
}

#[test]
fn a_store_is_opened_without_a_snapshot() {
    let replica = lived_in();
    let store = Box::new(store_of(&replica));
    let opened = Replica::builder()
        .open(replica.project(), store)
        .expect("what is asked for can be had");
    assert_eq!(opened.state_digest(), replica.state_digest());
    assert_eq!(opened.trust_digest(), replica.trust_digest());
    assert_eq!(opened.heads(), replica.heads());
}

#[test]
fn a_snapshot_that_does_not_fit_is_told() {
    let replica = lived_in();
    let snapshot = replica.save();
    let check = |store: MemoryStore, snapshot: &[u8], wanted: fn(&RestoreError) -> bool| {
        let builder = Replica::builder();
        let error = builder
            .restore(replica.project(), Box::new(store), snapshot)
            .unwrap_err();
        assert!(wanted(&error), "{error}");
    };
    let store = || store_of(&replica);
    check(store(), b"", |it| *it == RestoreError::OtherForm);
    check(store(), &snapshot[1..], |it| *it == RestoreError::OtherForm);
    let cut = &snapshot[..snapshot.len() - 1];
    check(store(), cut, |it| *it == RestoreError::Damaged);
    check(MemoryStore::new(), &snapshot, |it| {
        matches!(it, RestoreError::StoreBehind { stored: 0, .. })
    });
    let other = Replica::builder().restore(replica.heads()[0], Box::new(store()), &snapshot);
    assert!(matches!(other, Err(RestoreError::OtherProject { .. })));
}

/// The snapshot with another byte, and a digest that matches.
fn forged(snapshot: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut body = snapshot[..snapshot.len() - 34].to_vec();
    let at = at % body.len();
    body[at] ^= byte;
    let digest = *blake3::hash(&body).as_bytes();
    body.extend([0x58, 0x20]);
    body.extend(digest);
    body
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_snapshot_makes_a_replica_panic(at in any::<usize>(), byte in 1..=u8::MAX) {
        thread_local! {
            static REPLICAS: [(Replica, Vec<u8>); 2] = {
                let replica = lived_in();
                let snapshot = replica.save();
                [(replica, snapshot), version_3()]
            };
        }
        REPLICAS.with(|replicas| {
            for (replica, snapshot) in replicas {
                let mut damaged = snapshot.clone();
                let place = at % damaged.len();
                damaged[place] ^= byte;
                assert!(restore(replica, &damaged).is_err());
                // Who forges the digest, too, gets an error or a replica, and no panic.
                if let Ok(restored) = restore(replica, &forged(snapshot, at, byte)) {
                    let _ = (restored.state(), restored.save());
                }
            }
        });
    }
}

/// A store that fails from some call on.
#[derive(Debug, Clone)]
struct Failing {
    store: MemoryStore,
    reads: std::sync::Arc<std::sync::atomic::AtomicUsize>,
    appends: usize,
}

impl OpStore for Failing {
    fn len(&self) -> usize {
        self.store.len()
    }

    fn append(&mut self, envelope: &[u8]) -> Result<(), StoreError> {
        if self.store.len() >= self.appends {
            return Err(StoreError::new("the disk is full"));
        }
        self.store.append(envelope)
    }

    fn read(&self, position: usize) -> Result<Cow<'_, [u8]>, StoreError> {
        let left = &self.reads;
        let order = std::sync::atomic::Ordering::Relaxed;
        let took = left.fetch_update(order, order, |left| left.checked_sub(1));
        took.map_err(|_| StoreError::new("the disk is gone"))?;
        self.store.read(position)
    }

    fn branch(&self) -> Result<Box<dyn OpStore>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn scan(
        &self,
        from: usize,
        take: &mut dyn FnMut(usize, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.scan(from, take)
    }
}

#[test]
fn a_store_that_fails_is_told_and_nothing_is_lost_or_half_done() {
    let whole = lived_in();
    let envelopes: Vec<Vec<u8>> = whole.log().envelopes().map(Cow::into_owned).collect();
    for appends in 0..envelopes.len() {
        let store = Failing {
            store: MemoryStore::new(),
            reads: std::sync::Arc::new(usize::MAX.into()),
            appends,
        };
        let mut replica = Replica::builder()
            .open(whole.project(), Box::new(store))
            .expect("what is asked for can be had");
        replica.receive(&envelopes);
        assert!(replica.fault().is_some());
        assert_eq!(replica.log().admitted_count(), appends);
        replica.receive(&envelopes);
        assert_eq!(replica.log().admitted_count(), appends);
    }
    for reads in 0..envelopes.len() {
        let store = Failing {
            store: store_of(&whole),
            reads: std::sync::Arc::new(reads.into()),
            appends: usize::MAX,
        };
        let opened = Replica::builder().open(whole.project(), Box::new(store));
        assert_eq!(opened.unwrap_err(), StoreError::new("the disk is gone"));
    }
}
