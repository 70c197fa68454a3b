//! What a log costs: to keep, when strangers send what is no op, and to verify, when it states much and says little.

use std::collections::BTreeSet;

use ecac_core::{Costs, Refusal, Replay, VerifiedOp};

use super::{World, node, sign, write};
use crate::{AuditLog, Comparison, Digest, Entry, EntryKind, Recorder, Verdict, verify_against};

#[test]
fn arrivals_that_are_no_op_are_counted_and_make_no_batch() {
    let world = World::new();
    let costs = &mut Costs::default();
    let mut recorder = Recorder::new(world.project());
    recorder.receive(world.genesis.envelope(), costs).unwrap();
    assert_eq!(recorder.seal(costs).len(), 2);
    for number in 0..1_000_u32 {
        let junk = [b"\xd2".as_slice(), &number.to_be_bytes()].concat();
        recorder.receive(&junk, costs).unwrap_err();
        recorder.receive(&world.forged, costs).unwrap_err();
        assert_eq!(recorder.seal(costs), [], "no news");
    }
    recorder.receive(world.first.envelope(), costs).unwrap();
    let count = |reason| Entry::Rejected {
        reason,
        count: 1_000,
    };
    let batch = recorder.seal_with_checkpoint(costs);
    let kinds: Vec<EntryKind> = batch.iter().map(Entry::kind).collect();
    assert_eq!(
        kinds,
        [
            EntryKind::Ingested,
            EntryKind::Rejected,
            EntryKind::Rejected,
            EntryKind::Applied,
            EntryKind::Checkpoint
        ]
    );
    let counted = [Refusal::NonCanonical, Refusal::BadSignature].map(count);
    assert_eq!(batch[1..3], counted);
    let kinds = recorder.seal_with_checkpoint(costs);
    assert_eq!(kinds.len(), 1, "each arrival is counted once");
}

#[test]
fn an_op_log_of_junk_makes_no_larger_audit_log() {
    let world = World::new();
    let junk: Vec<[u8; 3]> = (0..5_000_u16)
        .map(|number| [0xd2, number.to_be_bytes()[0], number.to_be_bytes()[1]])
        .collect();
    let ops = [&world.genesis, &world.first].map(VerifiedOp::envelope);
    let items: Vec<&[u8]> = ops
        .into_iter()
        .chain(junk.iter().map(|it| &it[..]))
        .collect();
    let size = |items: &[&[u8]]| {
        let audit = AuditLog::of_op_log(world.project(), items, 16, &node(7));
        let against = verify_against(&audit, items.iter().copied(), &mut Costs::default());
        assert_eq!(against.unwrap().verdict(), Verdict::Confirmed);
        audit.size()
    };
    // One in the batch of the ops, one in that of the checkpoint.
    assert_eq!(size(&items), size(&ops) + 2);
}

/// Compares the log of a node that took in a state of `fields` fields, with more batches to come.
fn compared(batches: impl FnOnce(&mut Recorder, &World) -> Vec<Vec<Entry>>) -> (Comparison, Costs) {
    let world = World::new();
    let mut ops = vec![world.genesis.clone()];
    for seq in 1..40 {
        let last = ops.last().unwrap();
        ops.push(sign(1, seq, &[last], write(&seq.to_string())));
    }
    let costs = &mut Costs::default();
    let mut recorder = Recorder::new(world.project());
    for op in &ops {
        recorder.ingest(op.clone(), costs);
    }
    let mut all = vec![recorder.seal(costs)];
    all.extend(batches(&mut recorder, &world));
    let audit = world.signed(all);
    let envelopes = ops.iter().map(VerifiedOp::envelope);
    let mut costs = Costs::default();
    let extra = [world.revoke.envelope(), world.stranger.envelope()];
    let comparison = verify_against(&audit, envelopes.chain(extra), &mut costs).unwrap();
    assert_eq!(comparison.entries_unjudged, 0);
    (comparison, costs)
}

#[test]
fn a_chain_of_checkpoints_or_syncs_costs_no_replay_and_no_export_each() {
    let chain = |length: usize| {
        move |recorder: &mut Recorder, _: &World| {
            let costs = &mut Costs::default();
            let batch = |_| {
                recorder.synced(node(8).public());
                recorder.seal_with_checkpoint(costs)
            };
            (0..length).map(batch).collect()
        }
    };
    let (one, cost_of_one) = compared(chain(1));
    let (many, cost_of_many) = compared(chain(500));
    assert_eq!(cost_of_one, cost_of_many);
    assert_eq!(one.recorder.digests_computed(), 2, "a state and heads");
    assert_eq!(many.recorder.digests_computed(), 2);
    assert_eq!(many.entries, one.entries + 2 * 499);
}

/// What arrives between two checkpoints costs a new export only where it can change the state.
#[test]
fn only_what_moves_the_state_costs_an_export() {
    type Arrive = fn(&World) -> VerifiedOp;
    let check = |name: &str, arrive: Arrive, exports: u64| {
        let (comparison, _) = compared(|recorder, world| {
            let costs = &mut Costs::default();
            let first = recorder.seal_with_checkpoint(costs);
            recorder.ingest(arrive(world), costs);
            vec![first, recorder.seal_with_checkpoint(costs)]
        });
        assert_eq!(comparison.recorder.digests_computed(), exports, "{name}");
    };
    check("refused", |world| world.stranger.clone(), 1);
    check(
        "a revocation that undoes edits",
        |world| world.revoke.clone(),
        2,
    );
}

#[test]
fn each_digest_is_the_one_of_a_replica_that_starts_afresh() {
    let world = World::new();
    let costs = &mut Costs::default();
    let mut recorder = Recorder::new(world.project());
    let ops = [
        &world.genesis,
        &world.second,
        &world.stranger,
        &world.first,
        &world.revoke,
    ];
    let mut digests = BTreeSet::new();
    for op in ops {
        recorder.ingest(op.clone(), costs);
        recorder.synced(node(8).public());
        let batch = recorder.seal_with_checkpoint(costs);
        let log = recorder.log();
        let replay = Replay::of(log, costs);
        let state = Digest::of(&replay.state().export(log));
        let heads: Vec<u8> = log.heads().iter().flat_map(|id| *id.as_bytes()).collect();
        let heads = Digest::of(&heads);
        let stated = batch.iter().filter(|entry| match entry {
            Entry::Checkpoint { state: stated, .. } => *stated == state,
            Entry::Synced { heads: stated, .. } => *stated == heads,
            _ => false,
        });
        assert_eq!(stated.count(), 2, "{}", op.id());
        digests.extend([state, heads]);
    }
    // Empty, after two edits, after the revocation that undoes them; genesis, second, and with it the revocation.
    assert_eq!(digests.len(), 2 + 3, "the digests change");
}
