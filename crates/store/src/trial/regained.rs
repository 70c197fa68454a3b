//! Envelopes that were dropped come back: power fails at every step of it, and of dropping them again.

use std::path::Path;

use super::image::{Failing, Image};
use super::place::Place as _;
use super::{CACHE_BYTES, NAME, open, sealed_envelopes, sealing};
use crate::backend::{Backend as _, Batch, Table};
use crate::disk::{Check, Disk};
use crate::durable::DurableReplica;
use crate::error::{Error, Spot};
use crate::meta::Meta;
use crate::options::Options;
use crate::positions::{Positions, Told};
use crate::store::Store;
use crate::verify::verify_store;

use ecac_core::{OpId, Replica};

/// A store on the image of all these ops, of which some are dropped.
fn pruned(image: &Image, source: &Replica, envelopes: &[Vec<u8>]) -> DurableReplica {
    let store = Store::create_on(Path::new(NAME), image.make(), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    replica.receive(envelopes).unwrap();
    replica.prune().unwrap();
    replica
}

/// The number that the form of the store has.
fn form(image: &Image) -> u32 {
    let disk = disk(image);
    let value = disk.get(Table::Meta, b"schema").unwrap().unwrap();
    u32::from_le_bytes(*value.first_chunk().unwrap())
}

fn disk(image: &Image) -> Disk {
    let (path, image) = (Path::new(NAME), Box::new(image.clone()));
    Disk::open_on(path, image, CACHE_BYTES, false, Check::All).unwrap()
}

/// How many envelopes are not here; the others are what was signed.
fn lacking(replica: &DurableReplica, source: &Replica) -> usize {
    let ids: Vec<OpId> = replica.log().ids_since(0).collect();
    let is_lacking = |id: &&OpId| {
        let envelope = replica.envelope(id);
        let is_pruned = replica.log().is_pruned(id);
        assert_eq!(envelope.is_none(), is_pruned, "{id}");
        assert!(is_pruned || envelope == source.envelope(id), "{id}");
        is_pruned
    };
    let lacking = ids.iter().filter(is_lacking).count();
    assert!(replica.fault().is_none());
    assert_eq!(replica.store().dropped(), lacking as u64);
    lacking
}

#[test]
fn what_came_back_is_there_and_can_be_dropped_again() {
    let (source, envelopes) = sealed_envelopes(200, 190);
    let image = Image::default();
    drop(pruned(&image, &source, &envelopes));
    let without = form(&image);
    let mut replica = open(image.clone()).unwrap();
    let dropped = lacking(&replica, &source);
    assert_eq!((dropped, without), (183, 2));
    // Half of it, and then all.
    let half = replica.regain(&envelopes[..100]).unwrap();
    assert!(half.ops > 50 && half.ops + half.others == 100);
    drop(replica);
    assert_eq!(form(&image), 3);
    let mut replica = open(image.clone()).unwrap();
    assert_eq!(lacking(&replica, &source), dropped - half.ops);
    let verified = verify_store(replica.store(), 1).unwrap();
    assert_eq!(verified.dropped, (dropped - half.ops) as u64);
    let rest = replica.regain(&envelopes).unwrap();
    assert_eq!(
        (rest.ops, rest.others),
        (dropped - half.ops, envelopes.len() - rest.ops)
    );
    assert_eq!(replica.regain(&envelopes).unwrap().ops, 0);
    assert_eq!(replica.store().regained(), dropped as u64);
    assert_eq!(replica.reader().envelope(1).unwrap().unwrap(), envelopes[1]);
    replica.close().unwrap();
    let replica = open(image.clone()).unwrap();
    assert_eq!(lacking(&replica, &source), 0);
    assert!(replica.envelopes().eq(source.envelopes()));
    let verified = verify_store(replica.store(), 1).unwrap();
    assert_eq!(
        (verified.dropped, verified.state_digest),
        (0, source.state_digest())
    );
    drop(replica);
    // Nothing is told by the snapshot alone any more.
    let store = Store::open_on(Path::new(NAME), image.find().unwrap()).unwrap();
    let mut replica = Options::new().on(store, false).unwrap();
    assert_eq!(replica.state_digest(), source.state_digest());
    // It takes in what comes later, and drops it all again.
    let (later, more) = sealed_envelopes(230, 190);
    replica.receive(&more[envelopes.len()..]).unwrap();
    assert_eq!(replica.prune().unwrap().ops, dropped);
    assert_eq!(lacking(&replica, &later), dropped);
    replica.close().unwrap();
    assert_eq!(form(&image), 2);
    let replica = open(image).unwrap();
    assert_eq!(lacking(&replica, &later), dropped);
    assert_eq!(replica.state_digest(), later.state_digest());
    assert_eq!(
        verify_store(replica.store(), 1).unwrap().dropped,
        dropped as u64
    );
}

#[test]
fn a_store_that_started_without_them_takes_them_in() {
    let source = sealing(60, 60, &["carry", "seal"]);
    let carried = source.carry().unwrap();
    let image = Image::default();
    let store = Store::create_on(Path::new(NAME), image.make(), source.project()).unwrap();
    let mut replica = Options::new().start_on(store, &carried).unwrap();
    assert_eq!(lacking(&replica, &source), 53);
    let envelopes: Vec<_> = source.envelopes().collect();
    assert_eq!(replica.regain(&envelopes).unwrap().ops, 53);
    assert_eq!(replica.carry().unwrap(), carried);
    drop(replica);
    let replica = open(image).unwrap();
    assert_eq!(lacking(&replica, &source), 0);
    assert_eq!(replica.carry().unwrap(), carried);
    assert_eq!(verify_store(replica.store(), 1).unwrap().dropped, 0);
}

#[test]
fn power_fails_at_every_step_of_coming_back() {
    let (source, envelopes) = sealed_envelopes(70, 60);
    let image = Image::default();
    let mut replica = pruned(&image, &source, &envelopes);
    let begun = image.steps();
    let dropped = lacking(&replica, &source);
    assert_eq!(replica.regain(&envelopes).unwrap().ops, dropped);
    let back = image.steps();
    assert_eq!(replica.prune().unwrap().ops, dropped);
    let gone = image.steps();
    replica.close().unwrap();
    let steps = image.take_steps();
    let mut failing = Failing::new(&steps);
    let (mut parts_back, mut parts_gone) = (0, 0);
    for moment in 0..=steps.len() {
        if moment < begun {
            continue;
        }
        for left in failing.left(moment) {
            let found = open(Image::of(left));
            let mut found = found.unwrap_or_else(|it| panic!("moment {moment}: {it}"));
            let lacks = lacking(&found, &source);
            assert!(
                moment != back || lacks == 0,
                "moment {moment}: {lacks} are gone"
            );
            assert!(
                moment < gone || lacks == dropped,
                "moment {moment}: {lacks}"
            );
            let is_part = lacks > 0 && lacks < dropped;
            parts_back += usize::from(is_part && moment < back);
            parts_gone += usize::from(is_part && moment > back);
            assert_eq!(found.state_digest(), source.state_digest());
            if moment % 8 == 0 {
                let verified = verify_store(found.store(), 1);
                let verified = verified.unwrap_or_else(|it| panic!("moment {moment}: {it}"));
                assert_eq!(verified.dropped, lacks as u64);
                assert_eq!(found.regain(&envelopes).unwrap().ops, lacks);
                assert_eq!(lacking(&found, &source), 0);
            }
        }
    }
    assert!(
        parts_back > 3 && parts_gone > 3,
        "{parts_back}, {parts_gone}"
    );
}

#[test]
fn what_is_said_to_be_back_and_is_not_is_told() {
    let (source, envelopes) = sealed_envelopes(20, 20);
    let image = Image::default();
    let mut replica = pruned(&image, &source, &envelopes);
    let dropped = replica.regain(&envelopes).unwrap().ops as u64;
    replica.close().unwrap();
    let path = Path::new(NAME);
    let check = |name: &str, change: &dyn Fn(&mut Batch, &mut Meta, &mut Positions)| {
        let image = Image::of(image.bytes());
        let mut disk = disk(&image);
        let mut meta = Meta::load(path, &disk).unwrap();
        let mut regained =
            Positions::load(path, &disk, Told::Regained, meta.regained, meta.ops).unwrap();
        let mut batch = Batch::default();
        change(&mut batch, &mut meta, &mut regained);
        regained.put(&mut batch);
        meta.put(&mut batch);
        disk.commit(&batch).unwrap();
        drop(disk);
        let opened = Store::open_on(path, image.find().unwrap());
        let error = opened.and_then(|it| verify_store(&it, 1));
        let error = error.expect_err(name);
        let Error::Damaged { place, .. } = &error else {
            panic!("{name}: {error}");
        };
        assert!(matches!(place, Spot::Value { .. }), "{name}: {error}");
    };
    let key = 1_u64.to_be_bytes();
    check("another number", &|_, meta, _| meta.regained -= 1);
    check("other bytes in all", &|_, meta, _| meta.regained_bytes += 1);
    check("more than were dropped", &|_, meta, _| {
        meta.dropped = dropped - 1;
    });
    check("one that was not dropped", &|_, meta, regained| {
        regained.remove(1);
        regained.add(0);
        assert!(regained.count() == meta.regained);
    });
    check("an envelope is missing", &|batch, _, _| {
        batch.remove(Table::Regained, &key);
    });
    check("without a check", &|batch, _, _| {
        batch.put(Table::Regained, &key, envelopes[1].clone());
    });
    check("one too many", &|_, meta, regained| {
        regained.remove(1);
        meta.regained -= 1;
    });
    // An op that is another one is found by what is told of it.
    let image = Image::of(image.bytes());
    let mut disk = disk(&image);
    let mut batch = Batch::default();
    let other = crate::sealed::seal(Table::Regained, &key, envelopes[2].clone());
    batch.put(Table::Regained, &key, other);
    disk.commit(&batch).unwrap();
    let store = Store::open_on(path, Box::new(disk)).unwrap();
    let error = verify_store(&store, 1).unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}
