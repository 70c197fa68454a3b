//! What RocksDB's interface allows of the trials: the files as they are at each sync, with and without a part of what was written
//! after it; and flipped bytes.

use std::path::Path;

use chacha20::ChaCha8Rng;
use ecac_core::Replica;
use rand_core::{Rng as _, SeedableRng as _};

use super::folder::{Files, Folder};
use super::place::Place as _;
use super::{NAME, below, count, envelopes};
use crate::error::Error;
use crate::options::Options;
use crate::store::Store;
use crate::verify::verify_store;

/// The files after each batch, and how many ops and which state they came to.
struct Run {
    moments: Vec<(Files, usize, [u8; 32])>,
}

/// A store takes in so many ops in batches, with snapshots and reopenings between.
fn run(writes: u64, batch: usize) -> Run {
    let (source, envelopes) = envelopes(writes);
    let folder = Folder::new();
    let store = Store::create_on(Path::new(NAME), folder.make(), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    let mut told = Replica::join(source.project());
    let mut moments = vec![(folder.files(), 0, told.state_digest())];
    for (number, batch) in envelopes.chunks(batch).enumerate() {
        replica.receive(batch).unwrap();
        told.receive(batch);
        let ops = told.log().admitted_count();
        moments.push((folder.files(), ops, told.state_digest()));
        if number % 4 == 3 {
            replica.snapshot().unwrap();
            moments.push((folder.files(), ops, told.state_digest()));
        }
        if number % 16 == 11 {
            replica.close().unwrap();
            replica = folder.open().unwrap();
        }
    }
    replica.close().unwrap();
    Run { moments }
}

/// What power leaves that fails after the first moment and before the second: of the logs a part of what was written between, of
/// which some sectors are not there.
fn torn(first: &Files, second: &Files, random: &mut ChaCha8Rng) -> Files {
    let mut left = first.clone();
    for (name, later) in second {
        if !name.ends_with(".log") {
            continue;
        }
        let synced = first.get(name).map_or(0, Vec::len);
        let mut bytes = later.clone();
        bytes.truncate(synced + below(random, later.len().saturating_sub(synced) + 1));
        if random.next_u32().is_multiple_of(2) && bytes.len() > synced {
            let from = synced + below(random, bytes.len() - synced);
            let to = bytes.len().min(from + 512);
            bytes[from..to].fill(0);
        }
        left.insert(name.clone(), bytes);
    }
    left
}

/// The replica in these files, whose ops and state are one of those.
fn check(files: &Files, wanted: &[(usize, [u8; 32])], what: &str) {
    let folder = Folder::of(files);
    let replica = folder
        .open()
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = (replica.log().admitted_count(), replica.state_digest());
    assert!(wanted.contains(&found), "{what}: {} ops", found.0);
    verify_store(replica.store(), 1).unwrap();
}

#[test]
fn power_fails_between_syncs() {
    let run = run(count("ECAC_CRASH_OPS", 150) as u64, 10);
    let seeds = count("ECAC_CRASH_SEEDS", 100).div_ceil(run.moments.len());
    for (at, pair) in run.moments.windows(2).enumerate() {
        let [(first, ops, digest), (second, next_ops, next_digest)] = pair else {
            unreachable!("windows of two");
        };
        check(first, &[(*ops, *digest)], &format!("moment {at}"));
        for seed in 0..seeds {
            let mut random = ChaCha8Rng::seed_from_u64((at * 1000 + seed) as u64);
            let left = torn(first, second, &mut random);
            let wanted = [(*ops, *digest), (*next_ops, *next_digest)];
            check(&left, &wanted, &format!("moment {at}, seed {seed}"));
        }
    }
}

/// A store with ops, a snapshot, ops after it and ops that wait, that was closed.
fn closed() -> (Files, Vec<u8>) {
    let (source, envelopes) = envelopes(24);
    let folder = Folder::new();
    let store = Store::create_on(Path::new(NAME), folder.make(), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    let half = envelopes.len() / 2;
    replica.receive(&envelopes[..half]).unwrap();
    replica.snapshot().unwrap();
    replica.receive(&envelopes[half..half + 3]).unwrap();
    replica.receive(&envelopes[half + 4..half + 6]).unwrap();
    let said = all(&replica);
    replica.close().unwrap();
    (folder.files(), said)
}

/// Everything that a replica says.
fn all(replica: &Replica) -> Vec<u8> {
    let mut said = replica.state();
    said.extend(replica.trust());
    said.extend(replica.envelopes().flat_map(|it| it.into_owned()));
    said
}

#[test]
fn a_flipped_byte_of_a_closed_directory_is_found_or_of_no_effect() {
    let (files, said) = closed();
    let folder = Folder::new();
    let mut random = ChaCha8Rng::seed_from_u64(9);
    let samples = count("ECAC_FLIPS", 400);
    let mut found = 0;
    for (name, bytes) in &files {
        if bytes.is_empty() {
            continue;
        }
        // A part of each file, and all of those that are short.
        for sample in 0..(samples / files.len()).min(bytes.len()) {
            let all_of_it = bytes.len() <= samples / files.len();
            let at = if all_of_it {
                sample
            } else {
                below(&mut random, bytes.len())
            };
            let flip = 1 << (random.next_u32() % 8);
            let mut flipped = files.clone();
            if let Some(bytes) = flipped.get_mut(name) {
                bytes[at] ^= flip;
            }
            folder.put(&flipped);
            match folder.open() {
                Err(Error::Damaged { .. }) => found += 1,
                Err(error) => panic!("{name}, byte {at} ^ {flip:#04x}: {error:?}"),
                Ok(replica) => {
                    let same = all(&replica) == said;
                    assert!(same, "{name}, byte {at} ^ {flip:#04x}: a wrong answer");
                }
            }
            let after = folder.files();
            assert!(after == flipped, "{name}, byte {at}: something was written");
        }
    }
    assert!(found > samples / 8, "{found} of {samples} flips");
}
