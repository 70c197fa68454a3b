//! What is wrong with a store is told, each fault by its name.

use std::path::Path;

use super::image::Image;
use super::{CACHE_BYTES, NAME, envelopes, open};
use crate::backend::{Backend as _, Batch, Table};
use crate::disk::{Check, Disk};
use crate::error::{Error, Spot};
use crate::inner::Changes;
use crate::options::Options;
use crate::sealed;
use crate::store::Store;
use crate::verify::verify_store;

/// A store with so many ops, of which one was changed on the way.
fn store(image: &Image, change: impl Fn(usize, &mut Vec<u8>)) -> Store {
    let (source, envelopes) = envelopes(20);
    let path = Path::new(NAME);
    let disk = Disk::create_on(path, Box::new(image.clone()), CACHE_BYTES).unwrap();
    let store = Store::create_on(path, Box::new(disk), source.project()).unwrap();
    let mut engine = store.engine();
    for (at, mut envelope) in envelopes.into_iter().enumerate() {
        change(at, &mut envelope);
        engine.append(&envelope).unwrap();
    }
    store.commit(Changes::default()).unwrap();
    store
}

#[test]
fn an_op_that_was_changed_is_named() {
    let (_, envelopes) = envelopes(20);
    let check = |name: &str, change: &dyn Fn(usize, &mut Vec<u8>), wanted: &str| {
        let store = store(&Image::default(), change);
        let error = verify_store(&store, 1).unwrap_err();
        let Error::Damaged { place, .. } = &error else {
            panic!("{name}: {error}");
        };
        assert!(
            matches!(place, Spot::Ops { first: 7, .. }),
            "{name}: {error}"
        );
        assert!(error.to_string().contains(wanted), "{name}: {error}");
        assert!(matches!(
            Options::new().on(store, true).unwrap_err(),
            Error::Damaged { .. }
        ));
    };
    let signature = |at: usize, envelope: &mut Vec<u8>| {
        if at == 7 {
            *envelope.last_mut().unwrap() ^= 1;
        }
    };
    check("the signature", &signature, "signature");
    let twice = |at: usize, envelope: &mut Vec<u8>| {
        if at == 7 {
            envelope.clone_from(&envelopes[6]);
        }
    };
    check("an op twice", &twice, "not the next op");
    let early = |at: usize, envelope: &mut Vec<u8>| {
        if at == 7 {
            envelope.clone_from(&envelopes[8]);
        }
    };
    check("an op before its parent", &early, "not the next op");
    let garbage = |at: usize, envelope: &mut Vec<u8>| {
        if at == 7 {
            *envelope = b"no op".to_vec();
        }
    };
    check("no op", &garbage, "it is no op");
}

#[test]
fn a_snapshot_that_does_not_fit_is_told_and_can_be_rebuilt() {
    let image = Image::default();
    let whole = store(&image, |_, _| {});
    let replica = Options::new().on(whole, true).unwrap();
    let digest = replica.state_digest();
    let mut snapshot = replica.save();
    let last = snapshot.len() - 1;
    snapshot[last] ^= 1;
    replica
        .store()
        .commit(Changes {
            snapshot: Some(snapshot),
            ..Changes::default()
        })
        .unwrap();
    let error = verify_store(replica.store(), 1).unwrap_err();
    assert!(matches!(error, Error::Snapshot { .. }), "{error}");
    drop(replica);
    let error = open(image.clone()).unwrap_err();
    assert!(matches!(error, Error::Snapshot { .. }), "{error}");
    assert!(error.hint().unwrap().contains("rebuild"));
    let path = Path::new(NAME);
    let disk = Disk::open_on(path, Box::new(image), CACHE_BYTES, false, Check::AsRead).unwrap();
    let store = Store::open_on(path, Box::new(disk)).unwrap();
    let mut replica = Options::new().on(store, false).unwrap();
    assert_eq!(replica.state_digest(), digest);
    replica.snapshot().unwrap();
    assert_eq!(
        verify_store(replica.store(), 1).unwrap().snapshot_ops,
        Some(21)
    );
}

#[test]
fn a_newer_store_is_not_opened() {
    let image = Image::default();
    drop(store(&image, |_, _| {}));
    let path = Path::new(NAME);
    let mut disk = Disk::open_on(
        path,
        Box::new(image.clone()),
        CACHE_BYTES,
        false,
        Check::AsRead,
    )
    .unwrap();
    let mut batch = Batch::default();
    let schema = sealed::seal(Table::Meta, b"schema", 4u32.to_le_bytes().to_vec());
    batch.put(Table::Meta, b"schema", schema);
    disk.commit(&batch).unwrap();
    drop(disk);
    let before = image.bytes();
    let error = open(image.clone()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Newer {
                schema: 4,
                known: 3,
                ..
            }
        ),
        "{error}"
    );
    assert!(image.bytes() == before);
}

#[test]
fn a_database_of_others_is_no_store() {
    let image = Image::default();
    let database = redb::Database::builder().create_with_backend(image.clone());
    drop(database.unwrap());
    let before = image.bytes();
    let error = open(image.clone()).unwrap_err();
    assert!(matches!(error, Error::Empty { .. }), "{error}");
    assert!(image.bytes() == before);
}
