//! What a replica reports, held to what a recorder with the same ops records.

use ecac_core::{Costs, Event, Replica, VerifiedOp};

use super::{World, sign, write};
use crate::{Entry, Recorder, Scribe};

/// Takes the items in, so many to a batch, and requires the same entries of both; returns them.
fn check(world: &World, items: &[&[u8]], batch: usize) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut recorder = Recorder::new(world.project());
    let mut replica = Replica::join(world.project());
    let mut scribe = Scribe::default();
    for items in items.chunks(batch) {
        for item in items {
            // What is no op is counted.
            let _ = recorder.receive(item, &mut Costs::default());
        }
        let recorded = recorder.seal(&mut Costs::default());
        let received = replica.receive(items);
        let told = scribe.entries(&replica, &received);
        assert_eq!(told, recorded, "batches of {batch}");
        all.extend(told);
    }
    all
}

#[test]
fn a_scribe_tells_what_a_recorder_records_whatever_the_order_and_the_batches() {
    let world = World::new();
    let mut items = world.op_log();
    let late = sign(1, 3, &[&world.second, &world.stranger], write("three"));
    items.extend([
        late.envelope(),
        world.garbage.as_slice(),
        world.first.envelope(),
    ]);
    let mut kinds = std::collections::BTreeSet::new();
    for turn in 0..items.len() {
        for reversed in [false, true] {
            let mut order = items.clone();
            order.rotate_left(turn);
            if reversed {
                order.reverse();
            }
            for batch in 1..=order.len() {
                let entries = check(&world, &order, batch);
                kinds.extend(entries.iter().map(|it| it.kind().name()));
            }
        }
    }
    let kinds: Vec<&str> = kinds.into_iter().collect();
    assert_eq!(
        kinds,
        ["applied", "ingested", "rejected", "rolled_back", "skipped"]
    );
}

#[test]
fn what_is_no_op_waits_for_a_batch_that_says_something() {
    let world = World::new();
    let mut replica = Replica::join(world.project());
    let mut scribe = Scribe::default();
    let genesis = world.genesis.envelope();
    let received = replica.receive(&[&world.garbage]);
    assert_eq!(scribe.entries(&replica, &received), []);
    let received = replica.receive(&[genesis]);
    assert_eq!(scribe.entries(&replica, &received).len(), 3);
    let again = replica.receive(&[genesis]);
    assert!(matches!(again.events[..], [Event::Duplicate { .. }]));
    assert_eq!(scribe.entries(&replica, &again), []);
    let ops = [&world.first, &world.second].map(VerifiedOp::envelope);
    let received = replica.receive(&ops);
    assert_eq!(scribe.entries(&replica, &received).len(), 4);
}
