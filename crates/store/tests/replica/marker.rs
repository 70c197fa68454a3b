//! A backup that is restored is noticed before a number is signed twice; a process that ended amid a write is no alarm.

use std::fs;

use crate::common::Shop;
use ecac_core::payload::SetField;
use ecac_core::{Body, PublicKey, SignError, Signer, SigningKey, Value, public_key};
use ecac_store::{DurableReplica, Error, Options};

fn options(shop: &Shop) -> Options {
    Options::new().markers(shop.file("markers"))
}

fn create(shop: &Shop) -> DurableReplica {
    options(shop)
        .create(&shop.file, shop.genesis(), &shop.root, 1)
        .unwrap()
}

#[test]
fn a_restored_backup_signs_nothing_before_it_has_met_a_peer() {
    let shop = Shop::new();
    let mut replica = create(&shop);
    replica.author(shop.write(1), &shop.root, 100).unwrap();
    drop(replica);
    let backup = fs::read(&shop.file).unwrap();
    let mut replica = options(&shop).open(&shop.file).unwrap();
    for number in 2..5 {
        replica
            .author(shop.write(number), &shop.root, 100 + number)
            .unwrap();
    }
    let peer: Vec<_> = replica.envelopes().map(|it| it.into_owned()).collect();
    drop(replica);
    fs::write(&shop.file, backup).unwrap();
    let mut replica = options(&shop).open(&shop.file).unwrap();
    let refused = replica.author(shop.write(9), &shop.root, 200).unwrap_err();
    let Error::RestoredBackup { signed, held, .. } = &refused else {
        panic!("{refused}");
    };
    assert_eq!((*signed, *held), (4, 2));
    assert!(refused.hint().unwrap().contains("peer"));
    assert_eq!(replica.log().admitted_count(), 2);
    replica.receive(&peer).unwrap();
    let written = replica.author(shop.write(9), &shop.root, 201).unwrap();
    assert_eq!(replica.log().get(&written.op).unwrap().body().seq, 5);
}

#[test]
fn a_store_whose_marker_is_gone_asks() {
    let shop = Shop::new();
    let mut replica = create(&shop);
    replica.author(shop.write(1), &shop.root, 100).unwrap();
    fs::remove_dir_all(shop.file("markers")).unwrap();
    let root = public_key(&shop.root);
    let refused = replica.author(shop.write(2), &shop.root, 101).unwrap_err();
    assert!(matches!(refused, Error::NoMarker { author, .. } if author == root));
    replica.vouch(&root).unwrap();
    replica.author(shop.write(2), &shop.root, 102).unwrap();
    drop(replica);
    let mut replica = options(&shop).open(&shop.file).unwrap();
    replica.author(shop.write(3), &shop.root, 103).unwrap();
    // A key that has written nothing needs no marker to begin with.
    let stranger = public_key(&SigningKey::from([9; 32]));
    assert_eq!(replica.unfinished(&stranger).unwrap(), []);
}

#[test]
fn what_was_marked_and_not_written_is_finished() {
    let shop = Shop::new();
    drop(create(&shop));
    let before = fs::read(&shop.file).unwrap();
    let mut replica = options(&shop).open(&shop.file).unwrap();
    let lost = replica.author(shop.write(1), &shop.root, 100).unwrap();
    drop(replica);
    // The process ended between the marker and the transaction; or the backup is older by that op.
    fs::write(&shop.file, before).unwrap();
    let mut replica = options(&shop).open(&shop.file).unwrap();
    let root = public_key(&shop.root);
    assert_eq!(replica.unfinished(&root).unwrap()[0].seq, 1);
    let next = replica.author(shop.write(2), &shop.root, 200).unwrap();
    assert_eq!(replica.log().position(&lost.op), Some(1));
    assert_eq!(
        replica.log().get(&lost.op).unwrap().envelope(),
        lost.envelope
    );
    assert_eq!(replica.log().position(&next.op), Some(2));
    assert_eq!(replica.unfinished(&root).unwrap(), []);
}

/// A write, and another one that says which op came before it.
fn two_writes(replica: &DurableReplica, shop: &Shop, now_ms: u64) -> Vec<Body> {
    let root = public_key(&shop.root);
    let previews = replica.preview_all(root, now_ms, &mut |before| match before {
        [] => Some(shop.write(1).into()),
        [first] => {
            let named = Value::Text(first.op.to_string());
            Some(SetField::new("log", "last", named).unwrap().into())
        }
        _ => None,
    });
    previews.unwrap().into_iter().map(|it| it.body).collect()
}

#[test]
fn ops_that_are_written_together_are_there_together() {
    let shop = Shop::new();
    let mut replica = create(&shop);
    let root = public_key(&shop.root);
    let before = fs::read(&shop.file).unwrap();
    let (bodies, generation) = (
        two_writes(&replica, &shop, 100),
        replica.store().generation(),
    );
    let written = replica.author_all(bodies.clone(), &shop.root).unwrap();
    assert_eq!(written.ops.len(), 2);
    assert_eq!(replica.store().generation(), generation + 1);
    let last = replica.get("log", "last").value.unwrap().value;
    assert_eq!(last, Value::Text(written.ops[0].op.to_string()));
    // They do not come next any more.
    let again = replica.author_all(bodies, &shop.root).unwrap_err();
    assert!(matches!(again, Error::Author(_)), "{again}");
    let digest = replica.state_digest();
    drop(replica);
    // The process ended between the marker and the transaction: both are missing, and both are finished.
    fs::write(&shop.file, before).unwrap();
    let mut replica = options(&shop).open(&shop.file).unwrap();
    assert_eq!(replica.log().admitted_count(), 1);
    assert_eq!(replica.unfinished(&root).unwrap().len(), 2);
    let finished = replica.finish(&shop.root).unwrap().unwrap();
    assert_eq!(finished.ops, written.ops);
    assert_eq!(replica.store().generation(), generation + 1);
    assert_eq!(replica.state_digest(), digest);
    assert_eq!(replica.finish(&shop.root).unwrap(), None);
    replica.author(shop.write(3), &shop.root, 200).unwrap();
}

#[test]
fn together_means_all_of_them_or_none() {
    let shop = Shop::new();
    let mut replica = create(&shop);
    let root = public_key(&shop.root);
    let declines = Declines(SigningKey::from([1; 32]));
    let bodies = two_writes(&replica, &shop, 100);
    let refused = replica.author_all(bodies.clone(), &declines).unwrap_err();
    assert!(matches!(refused, Error::Author(_)), "{refused}");
    assert_eq!(replica.unfinished(&root).unwrap(), []);
    // The second one alone does not come next.
    let refused = replica
        .author_all(bodies[1..].to_vec(), &shop.root)
        .unwrap_err();
    assert!(matches!(refused, Error::Author(_)), "{refused}");
    let many = vec![bodies[0].clone(); 17];
    let refused = replica.author_all(many, &shop.root).unwrap_err();
    assert!(
        matches!(
            refused,
            Error::TooMany {
                found: 17,
                most: 16
            }
        ),
        "{refused}"
    );
    assert_eq!(replica.log().admitted_count(), 1);
    assert_eq!(replica.unfinished(&root).unwrap(), []);
    replica.author_all(bodies, &shop.root).unwrap();
    assert_eq!(replica.log().admitted_count(), 3);
}

/// A card whose owner says no.
struct Declines(SigningKey);

impl Signer for Declines {
    fn public_key(&self) -> PublicKey {
        public_key(&self.0)
    }

    fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignError> {
        Err(SignError::Declined)
    }
}

#[test]
fn what_is_not_signed_leaves_no_mark() {
    let shop = Shop::new();
    let mut replica = create(&shop);
    let declines = Declines(SigningKey::from([1; 32]));
    let refused = replica.author(shop.write(1), &declines, 100).unwrap_err();
    assert!(matches!(refused, Error::Author(_)), "{refused}");
    assert_eq!(replica.unfinished(&public_key(&shop.root)).unwrap(), []);
    replica.author(shop.write(2), &shop.root, 101).unwrap();
    assert_eq!(replica.log().admitted_count(), 2);
}

#[test]
fn a_damaged_marker_is_no_marker() {
    let shop = Shop::new();
    let mut replica = create(&shop);
    let markers = fs::read_dir(shop.file("markers")).unwrap();
    let marker = markers.map(|it| it.unwrap().path()).next().unwrap();
    let bytes = fs::read(&marker).unwrap();
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 0x10;
        fs::write(&marker, other).unwrap();
        let refused = replica.author(shop.write(1), &shop.root, 100).unwrap_err();
        assert!(
            matches!(refused, Error::Damaged { .. }),
            "byte {at}: {refused}"
        );
    }
    fs::write(&marker, bytes).unwrap();
    replica.author(shop.write(1), &shop.root, 100).unwrap();
}
