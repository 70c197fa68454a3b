//! Power fails at every step of a store's life: each batch is there whole or not at all, and what was acknowledged is there.

use std::collections::BTreeSet;
use std::path::Path;

use chacha20::ChaCha8Rng;
use ecac_core::{OpId, Replica};
use rand_core::SeedableRng as _;

use super::image::{Failing, Image};
use super::{CACHE_BYTES, NAME, count, open, sealed_envelopes};
use crate::disk::Disk;
use crate::durable::DurableReplica;
use crate::error::Error;
use crate::fault::Step;
use crate::options::Options;
use crate::store::Store;
use crate::verify::verify_store;

/// What a run does to the disk.
struct Run {
    steps: Vec<Step>,
    /// After so many steps that many batches were acknowledged.
    acknowledged: Vec<usize>,
    /// How many ops, pending ones counted, the batches come to, and the digest of the state after them.
    after: Vec<(usize, [u8; 32])>,
    /// After so many steps so many envelopes were dropped.
    dropped: Vec<(usize, u64)>,
    /// What all ops together come to.
    source: Replica,
}

/// How a store lives.
#[derive(Debug, Clone, Copy)]
struct Life {
    writes: u64,
    /// A seal after each so many writes.
    each: u64,
    /// Ops of a batch.
    batch: usize,
    /// It is pruned after each so many batches.
    prunes: usize,
}

/// A store takes in so many ops in batches, of which each third comes before its parents, with snapshots, prunings and reopenings
/// between.
fn run(life: Life) -> Run {
    let (source, envelopes) = sealed_envelopes(life.writes, life.each);
    let image = Image::default();
    let path = Path::new(NAME);
    let disk = Disk::create_on(path, Box::new(image.clone()), CACHE_BYTES).unwrap();
    let store = Store::create_on(path, Box::new(disk), source.project()).unwrap();
    let mut replica = Options::new().on(store, true).unwrap();
    let mut told = Replica::join(source.project());
    let mut run = Run {
        steps: Vec::new(),
        acknowledged: vec![image.steps()],
        after: vec![(0, told.state_digest())],
        dropped: Vec::new(),
        source,
    };
    let mut batches: Vec<&[Vec<u8>]> = envelopes.chunks(life.batch).collect();
    for at in (2..batches.len()).step_by(3) {
        batches.swap(at - 1, at);
    }
    for (number, batch) in batches.into_iter().enumerate() {
        replica.receive(batch).unwrap();
        told.receive(batch);
        run.acknowledged.push(image.steps());
        let held = told.log().pending_count() + told.log().admitted_count();
        run.after.push((held, told.state_digest()));
        if number % 8 == 5 {
            replica.snapshot().unwrap();
        }
        if number % life.prunes == life.prunes - 1 {
            replica.prune().unwrap();
            run.dropped.push((image.steps(), replica.store().dropped()));
        }
        if number % 16 == 11 {
            replica.close().unwrap();
            replica = open(image.clone()).unwrap();
        }
    }
    replica.close().unwrap();
    run.steps = image.take_steps();
    run
}

/// The replica on what is left, which is that of a batch: of the last one that was acknowledged, or of the next.
fn check(run: &Run, moment: usize, left: Vec<u8>, what: &str) {
    let acknowledged = run
        .acknowledged
        .iter()
        .take_while(|&&it| it <= moment)
        .count();
    let replica = match open(Image::of(left)) {
        Ok(replica) => replica,
        Err(Error::Empty { .. } | Error::Foreign { .. }) if acknowledged == 0 => return,
        Err(error) => panic!("{what}, moment {moment}: {error}"),
    };
    let held = replica.log().pending_count() + replica.log().admitted_count();
    let found = (held, replica.state_digest());
    let wanted = &run.after[acknowledged.saturating_sub(1)..run.after.len().min(acknowledged + 1)];
    assert!(
        wanted.contains(&found),
        "{what}, moment {moment}: {} ops, after {acknowledged} acknowledged batches",
        found.0
    );
    check_dropped(run, moment, &replica, what);
}

/// What was dropped stays dropped, nothing else is, and what was not dropped is what was signed.
fn check_dropped(run: &Run, moment: usize, replica: &DurableReplica, what: &str) {
    let wanted = run.dropped.iter().rfind(|it| it.0 <= moment);
    let found = replica.store().dropped();
    assert!(
        wanted.is_none_or(|it| it.1 <= found),
        "{what}, moment {moment}: {found} of {wanted:?} are dropped"
    );
    let superseded: BTreeSet<OpId> = replica.superseded().into_iter().collect();
    let log = replica.log();
    for op in log.ids_since(0) {
        let envelope = replica.envelope(&op);
        let is_right = if log.is_pruned(&op) {
            superseded.contains(&op) && envelope.is_none()
        } else {
            envelope == run.source.envelope(&op)
        };
        assert!(is_right, "{what}, moment {moment}: {op}");
    }
    if moment.is_multiple_of(64) && log.admitted_count() > 0 {
        let verified = verify_store(replica.store(), 1);
        let verified = verified.unwrap_or_else(|it| panic!("{what}, moment {moment}: {it}"));
        assert_eq!(verified.dropped, found);
    }
}

/// Power fails before each step, and after the last one.
fn every_moment(run: &Run, seeds: usize) {
    let mut failing = Failing::new(&run.steps);
    for moment in 0..=run.steps.len() {
        failing.go_to(moment);
        check(
            run,
            moment,
            failing.plain(moment, false),
            "nothing unsynced is left",
        );
        check(
            run,
            moment,
            failing.plain(moment, true),
            "all unsynced is left",
        );
        for seed in 0..seeds {
            let mut random = ChaCha8Rng::seed_from_u64((moment * 1000 + seed) as u64);
            let left = failing.torn(moment, &mut random);
            check(run, moment, left, &format!("seed {seed}"));
        }
    }
}

#[test]
fn power_fails_at_every_step() {
    let life = Life {
        writes: 70,
        each: u64::MAX,
        batch: 10,
        prunes: usize::MAX,
    };
    every_moment(&run(life), 2);
}

#[test]
fn power_fails_at_every_step_of_pruning() {
    let run = run(Life {
        writes: 63,
        each: 12,
        batch: 23,
        prunes: 1,
    });
    assert!(
        run.dropped.last().is_some_and(|it| it.1 > 40),
        "{:?}",
        run.dropped
    );
    every_moment(&run, 1);
}

/// 2,000 ops and 10,000 random remains, unless the environment says otherwise: `ECAC_CRASH_OPS`, `ECAC_CRASH_SEEDS`.
#[test]
#[ignore = "takes minutes"]
fn power_fails_at_every_step_of_a_long_run() {
    let run = run(Life {
        writes: count("ECAC_CRASH_OPS", 2000) as u64,
        each: 97,
        batch: 20,
        prunes: 13,
    });
    let seeds = count("ECAC_CRASH_SEEDS", 10_000);
    every_moment(&run, seeds.div_ceil(run.steps.len()));
}
