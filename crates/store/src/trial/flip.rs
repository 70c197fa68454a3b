//! A byte of a file is another one: that is said, with its place, or it is of no effect.

use std::path::Path;

use chacha20::ChaCha8Rng;
use ecac_core::Replica;
use rand_core::{Rng as _, SeedableRng as _};

use super::image::Image;
use super::{CACHE_BYTES, NAME, below, count, envelopes, open, sealed_envelopes};
use crate::disk::{Check, Disk};
use crate::durable::DurableReplica;
use crate::error::Error;
use crate::options::Options;
use crate::store::Store;
use crate::verify::verify_store;

/// A store with ops, a snapshot, ops after it, and ops that wait; ended in order, or amid its work.
fn file(writes: u64, in_order: bool) -> (Vec<u8>, Vec<u8>) {
    file_of(envelopes(writes), in_order)
}

/// The same of these ops; what can be dropped of those of the snapshot is.
fn file_of((source, envelopes): (Replica, Vec<Vec<u8>>), in_order: bool) -> (Vec<u8>, Vec<u8>) {
    let image = Image::default();
    let path = Path::new(NAME);
    let disk = Disk::create_on(path, Box::new(image.clone()), CACHE_BYTES).unwrap();
    let store = Store::create_on(path, Box::new(disk), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    let half = envelopes.len() / 2;
    replica.receive(&envelopes[..half]).unwrap();
    replica.snapshot().unwrap();
    replica.prune().unwrap();
    replica.receive(&envelopes[half..half + 3]).unwrap();
    replica.receive(&envelopes[half + 4..half + 6]).unwrap();
    let said = all(&replica);
    if in_order {
        replica.close().unwrap();
        (image.bytes(), said)
    } else {
        let bytes = image.bytes();
        drop(replica);
        (bytes, said)
    }
}

/// Everything that a replica says.
fn all(replica: &Replica) -> Vec<u8> {
    let mut said = replica.state();
    said.extend(replica.trust());
    said.extend(replica.envelopes().flat_map(|it| it.into_owned()));
    said
}

/// Returns whether the damage was found.
fn check(bytes: &[u8], said: &[u8], at: usize, flip: u8) -> bool {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= flip;
    let image = Image::of(bytes.clone());
    let is_told = |error: &Error| {
        let is_magic = at < 9 && matches!(error, Error::Foreign { .. });
        assert!(
            is_magic || matches!(error, Error::Damaged { .. }),
            "byte {at} ^ {flip:#04x}: {error:?}"
        );
    };
    let as_read = match open(image.clone()) {
        Err(error) => {
            is_told(&error);
            true
        }
        Ok(replica) => {
            let found = all(&replica);
            // Whoever asks is told that what was answered lacks something.
            assert!(
                replica.fault().is_some() || found == said,
                "byte {at} ^ {flip:#04x}: a wrong answer"
            );
            replica.fault().is_some()
        }
    };
    assert!(image.bytes() == bytes, "byte {at}: the file was written to");
    match open_whole(image.clone()) {
        Err(error) => {
            is_told(&error);
            assert!(image.bytes() == bytes, "byte {at}: the file was written to");
            true
        }
        Ok(replica) => {
            assert!(
                !as_read,
                "byte {at} ^ {flip:#04x}: found only as it was read"
            );
            assert!(
                all(&replica) == said,
                "byte {at} ^ {flip:#04x}: a wrong answer"
            );
            // That every op is verified again takes longer than all the rest.
            if at.is_multiple_of(16)
                && let Err(error) = verify_store(replica.store(), 1)
            {
                is_told(&error);
            }
            false
        }
    }
}

/// The replica on an image, all of which is verified first.
fn open_whole(image: Image) -> Result<DurableReplica, Error> {
    let path = Path::new(NAME);
    let disk = Disk::open_on(path, Box::new(image), CACHE_BYTES, false, Check::All)?;
    Options::new().on(Store::open_on(path, Box::new(disk))?, true)
}

/// A pruned store into which half of what was dropped came back.
fn file_of_regained(writes: u64) -> (Vec<u8>, Vec<u8>) {
    let (source, envelopes) = sealed_envelopes(writes, writes / 2);
    let image = Image::default();
    let path = Path::new(NAME);
    let disk = Disk::create_on(path, Box::new(image.clone()), CACHE_BYTES).unwrap();
    let store = Store::create_on(path, Box::new(disk), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    replica.receive(&envelopes).unwrap();
    let dropped = replica.prune().unwrap().ops;
    let regained = replica.regain(&envelopes[..envelopes.len() / 4]).unwrap();
    assert!(regained.ops > 5 && regained.ops < dropped);
    let said = all(&replica);
    replica.close().unwrap();
    (image.bytes(), said)
}

fn some_bytes((bytes, said): (Vec<u8>, Vec<u8>), samples: usize) {
    assert!(!check(&bytes, &said, 0, 0), "the file itself is whole");
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let header = (0..320).collect::<Vec<_>>();
    let others = (0..samples).map(|_| below(&mut random, bytes.len()));
    let mut found = 0;
    for at in others.chain(header).collect::<Vec<_>>() {
        let flip = 1 << (random.next_u32() % 8);
        found += usize::from(check(&bytes, &said, at, flip));
    }
    assert!(found > samples / 4, "{found} of {samples} flips");
}

#[test]
fn a_flipped_byte_is_found_or_of_no_effect() {
    some_bytes(file(24, true), 600);
}

#[test]
fn a_flipped_byte_after_a_crash_is_found_or_of_no_effect() {
    some_bytes(file(24, false), 200);
}

#[test]
fn a_flipped_byte_of_a_pruned_store_is_found_or_of_no_effect() {
    let pruned = file_of(sealed_envelopes(40, 19), true);
    assert!(pruned.1.len() < file_of(envelopes(40), true).1.len());
    some_bytes(pruned, 200);
}

#[test]
fn a_flipped_byte_of_what_came_back_is_found_or_of_no_effect() {
    some_bytes(file_of_regained(40), 200);
}

#[test]
fn damage_that_nobody_reads_keeps_nobody_from_the_rest() {
    let (bytes, said) = file(400, true);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (mut opened, mut told) = (0, 0);
    for _ in 0..200 {
        let mut flipped = bytes.clone();
        flipped[below(&mut random, bytes.len())] ^= 1;
        let Ok(replica) = open(Image::of(flipped)) else {
            continue;
        };
        opened += 1;
        assert!(replica.decision(&replica.heads()[0]).is_some());
        if all(&replica) != said {
            told += 1;
            let fault = replica.fault().expect("a fault");
            assert!(fault.reason.contains("the page at byte"), "{fault}");
        }
    }
    assert!(told > 20 && opened > 100, "{told} of {opened}");
}

/// Every byte, or every so many by `ECAC_FLIP_STEP`.
#[test]
#[ignore = "takes minutes"]
fn each_flipped_byte_is_found_or_of_no_effect() {
    for in_order in [true, false] {
        let (bytes, said) = file(count("ECAC_FLIP_OPS", 24) as u64, in_order);
        let mut random = ChaCha8Rng::seed_from_u64(8);
        let (mut found, mut flips) = (0, 0);
        for at in (0..bytes.len()).step_by(count("ECAC_FLIP_STEP", 1)) {
            flips += 1;
            let flip = u8::try_from(1 + random.next_u32() % 255).unwrap();
            found += usize::from(check(&bytes, &said, at, flip));
        }
        // Pages are not full; what nothing stands in is of no effect.
        assert!(found > flips / 8, "{found} of {flips} flips");
    }
}
