//! Envelopes are dropped: the others are where they were, and the file becomes shorter.

use std::path::Path;

use chacha20::ChaCha8Rng;
use ecac_core::OpId;
use rand_core::{Rng as _, SeedableRng as _};

use super::image::Image;
use super::place::Place as _;
use super::{CACHE_BYTES, NAME, below, open, sealed_envelopes};
use crate::backend::{Backend as _, Batch};
use crate::disk::{Check, Disk};
use crate::error::{Error, Spot};
use crate::inner::Changes;
use crate::meta::Meta;
use crate::options::Options;
use crate::positions::{Positions, Told};
use crate::store::Store;
use crate::verify::verify_store;

/// A snapshot that nobody reads.
fn any_snapshot() -> Changes {
    Changes {
        snapshot: Some(vec![7; 10]),
        ..Changes::default()
    }
}

/// Envelopes of all lengths, some of which lie across many chunks.
fn some(random: &mut ChaCha8Rng, count: usize) -> Vec<Vec<u8>> {
    let lengths = [1, 90, 127, 128, 300, 5000, 16_000, 66_000];
    let envelope = |_| {
        let most = lengths[below(random, lengths.len())];
        let length = 1 + below(random, most);
        vec![random.next_u32().to_le_bytes()[0]; length]
    };
    (0..count).map(envelope).collect()
}

fn same(store: &Store, told: &[Option<Vec<u8>>]) {
    store.verify_values().unwrap();
    for (position, wanted) in (0..).zip(told) {
        assert_eq!(store.is_dropped(position), wanted.is_none());
        match (store.envelope(position), wanted) {
            (Ok(found), Some(wanted)) => assert!(found == *wanted, "position {position}"),
            (Err(Error::Dropped { position: at, .. }), None) => assert_eq!(at, position),
            (found, _) => panic!("position {position}: {found:?}"),
        }
    }
    assert_eq!(store.ops(), told.len() as u64);
}

#[test]
fn what_was_not_dropped_is_where_it_was() {
    for seed in 0..6 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let image = Image::default();
        let mut store =
            Store::create_on(Path::new(NAME), image.make(), OpId::from_bytes([1; 32])).unwrap();
        let mut told: Vec<Option<Vec<u8>>> = Vec::new();
        for round in 0..5 {
            let count = 1 + below(&mut random, 60);
            let more = some(&mut random, count);
            store.append(&more).unwrap();
            told.extend(more.into_iter().map(Some));
            store.commit(any_snapshot()).unwrap();
            let percent = [1, 30, 90, 100][below(&mut random, 4)];
            let gone = |it: &usize, random: &mut ChaCha8Rng| {
                told[*it].is_some() && below(random, 100) < percent
            };
            let gone: Vec<usize> = (0..told.len()).filter(|it| gone(it, &mut random)).collect();
            let positions: Vec<u64> = gone.iter().map(|&it| it as u64).collect();
            store.drop_all(&positions).unwrap();
            gone.into_iter().for_each(|it| told[it] = None);
            same(&store, &told);
            if round % 2 == 1 {
                store.close().unwrap();
                store = Store::open_on(Path::new(NAME), image.find().unwrap()).unwrap();
                same(&store, &told);
            }
        }
    }
}

#[test]
fn a_pruned_file_is_shorter_and_says_the_same() {
    let (source, envelopes) = sealed_envelopes(700, 690);
    let image = Image::default();
    let store = Store::create_on(Path::new(NAME), image.make(), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    replica.receive(&envelopes).unwrap();
    replica.close().unwrap();
    let before = image.bytes().len();
    let mut replica = open(image.clone()).unwrap();
    let foreseen = replica.prunable();
    let pruned = replica.prune().unwrap();
    assert_eq!((pruned, pruned.ops), (foreseen, 683));
    assert_eq!(replica.prune().unwrap().ops, 0);
    replica.close().unwrap();
    let after = image.bytes().len();
    assert!(after < before * 6 / 10, "{before} B, {after} B pruned");
    let mut replica = open(image.clone()).unwrap();
    assert_eq!(replica.store().dropped(), 683);
    let verified = verify_store(replica.store(), 1).unwrap();
    assert_eq!((verified.ops, verified.dropped), (702, 683));
    assert_eq!(verified.state_digest, source.state_digest());
    // It goes on, also from the snapshots that it writes itself.
    let (other, more) = sealed_envelopes(760, 690);
    replica.receive(&more[702..]).unwrap();
    replica.snapshot().unwrap();
    drop(replica);
    let replica = open(image).unwrap();
    assert_eq!(replica.state_digest(), other.state_digest());
    let lacks = |op: &OpId| replica.envelope(op).is_none();
    assert_eq!(replica.log().ids_since(0).filter(lacks).count(), 683);
}

/// A store of 14 ops, of which 6 are dropped.
fn pruned() -> Image {
    let (source, envelopes) = sealed_envelopes(13, 13);
    let image = Image::default();
    let store = Store::create_on(Path::new(NAME), image.make(), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    replica.receive(&envelopes).unwrap();
    assert_eq!(replica.prune().unwrap().ops, 6);
    replica.close().unwrap();
    image
}

#[test]
fn nothing_but_its_snapshot_tells_of_what_was_dropped() {
    let image = pruned();
    let store = Store::open_on(Path::new(NAME), image.find().unwrap()).unwrap();
    let error = Options::new().on(store, false).unwrap_err();
    assert!(
        matches!(error, Error::Pruned { source: None, .. }),
        "{error}"
    );
    let store = Store::open_on(Path::new(NAME), image.find().unwrap()).unwrap();
    store.commit(any_snapshot()).unwrap();
    let error = verify_store(&store, 1).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Pruned {
                source: Some(_),
                ..
            }
        ),
        "{error}"
    );
    drop(store);
    let error = open(image).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Pruned {
                source: Some(_),
                ..
            }
        ),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("join"));
}

#[test]
fn what_is_said_to_be_dropped_and_is_there_is_told() {
    let image = pruned();
    let path = Path::new(NAME);
    let disk = || {
        Disk::open_on(
            path,
            Box::new(image.clone()),
            CACHE_BYTES,
            false,
            Check::All,
        )
    };
    let mut disk = disk().unwrap();
    let mut meta = Meta::load(path, &disk).unwrap();
    let mut dropped = Positions::load(path, &disk, Told::Dropped, meta.dropped, meta.ops).unwrap();
    let there = (0..14).find(|&it| !dropped.has(it)).unwrap();
    dropped.add(there);
    let mut batch = Batch::default();
    dropped.put(&mut batch);
    // The number of those that were dropped is told beside them.
    disk.commit(&batch).unwrap();
    let error = Positions::load(path, &disk, Told::Dropped, meta.dropped, meta.ops).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    meta.dropped += 1;
    meta.put(&mut batch);
    disk.commit(&batch).unwrap();
    let store = Store::open_on(path, Box::new(disk)).unwrap();
    let error = store.verify_values().unwrap_err();
    let Error::Damaged {
        place: Spot::Ops { .. },
        ..
    } = &error
    else {
        panic!("{error}");
    };
}
