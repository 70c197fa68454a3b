//! Audit logs against the ops: honest ones hold, and lies under the node's own signature do not.

use ecac_core::{Costs, DenialReason, OpId, Refusal, public_key};

use super::{World, author, node};
use crate::{
    AuditLog, Comparison, Contradiction, Digest, Entry, RollBackReason, Subject, Verdict,
    verification, verify_against,
};

fn against(world: &World, audit: &AuditLog) -> Result<Comparison, Contradiction> {
    verify_against(audit, world.op_log(), &mut Costs::default())
}

#[test]
fn an_honest_log_says_what_happened() {
    let world = World::new();
    let (genesis, first, second) = (world.genesis.id(), world.first.id(), world.second.id());
    let ingested = |op| Entry::Ingested {
        subject: Subject::Op(op),
    };
    let batches = world.batches();
    assert_eq!(
        batches[0],
        [
            ingested(genesis),
            ingested(second),
            ingested(world.stranger.id()),
            Entry::Skipped {
                subject: Subject::Op(world.stranger.id()),
                reason: Refusal::NoGrant,
                witness: None
            },
            Entry::Rejected {
                reason: Refusal::BadSignature,
                count: 2
            },
            Entry::Applied {
                op: genesis,
                grant: genesis
            },
        ]
    );
    let rolled_back: Vec<&Entry> = batches[2]
        .iter()
        .filter(|entry| matches!(entry, Entry::RolledBack { .. }))
        .collect();
    let mut ops = [first, second];
    ops.sort();
    let want = ops.map(|op| Entry::RolledBack {
        op,
        reason: DenialReason::Revoked.into(),
        denial: world.revoke.id(),
    });
    assert_eq!(rolled_back, want.iter().collect::<Vec<_>>());
}

#[test]
fn an_honest_log_holds_and_the_replica_can_go_on() {
    let world = World::new();
    let confirmed = against(&world, &world.audit()).unwrap();
    assert_eq!(confirmed.verdict(), Verdict::Confirmed);
    assert_eq!((confirmed.ops, confirmed.entries), (5, 18));
    let mut recorder = confirmed.recorder;
    let costs = &mut Costs::default();
    assert!(recorder.receive(&world.forged, costs).is_err());
    recorder.receive(world.stranger.envelope(), costs).unwrap();
    assert_eq!(recorder.seal(costs), [], "all of it is known");
}

#[test]
fn every_dropped_repeated_or_moved_entry_is_caught_under_the_nodes_own_signature() {
    let world = World::new();
    let batches = world.batches();
    for batch in 0..batches.len() {
        for at in 0..batches[batch].len() {
            let entry = batches[batch][at].clone();
            let testimony = matches!(entry, Entry::Viewed { .. } | Entry::Synced { .. });
            let own =
                testimony || matches!(entry, Entry::Checkpoint { .. } | Entry::Rejected { .. });
            let mut lie = batches.clone();
            lie[batch].remove(at);
            let caught = against(&world, &world.signed(lie)).is_err();
            assert!(caught || own, "{entry:?} dropped from batch {batch}");
            let mut lie = batches.clone();
            lie[batch].insert(at, entry.clone());
            let caught = against(&world, &world.signed(lie)).is_err();
            assert!(caught || testimony, "{entry:?} repeated in batch {batch}");
            if at + 1 < batches[batch].len() && !testimony {
                let mut lie = batches.clone();
                lie[batch].swap(at, at + 1);
                let arrivals = matches!(
                    lie[batch][at],
                    Entry::Ingested { .. } | Entry::Viewed { .. }
                ) && matches!(lie[batch][at + 1], Entry::Ingested { .. });
                let caught = against(&world, &world.signed(lie)).is_err();
                assert!(caught || arrivals, "{entry:?} moved in batch {batch}");
            }
        }
    }
}

/// `change` is applied to the first entry that it accepts.
fn lie(world: &World, change: impl Fn(&mut Entry) -> bool) -> Contradiction {
    let mut batches = world.batches();
    assert!(batches.iter_mut().flatten().any(change), "the lie is told");
    let audit = world.signed(batches);
    let export = audit.export();
    let read = AuditLog::verify(export.as_bytes(), &crate::Expect::default()).unwrap();
    let contradiction = against(world, &read).unwrap_err();
    if let Contradiction::Entry {
        line,
        index,
        recorded: Some(recorded),
        ..
    } = &contradiction
    {
        let at = usize::try_from(*line).unwrap() - 1;
        let text = export.lines().nth(at).unwrap();
        assert!(
            (0..3).any(|batch| recorded.to_line(batch, *index) == text),
            "the line is named"
        );
    }
    contradiction
}

#[test]
fn every_changed_entry_is_caught_under_the_nodes_own_signature() {
    let world = World::new();
    let other = OpId::from_bytes([1; 32]);
    type Lie<'a> = (&'a str, Box<dyn Fn(&mut Entry) -> bool + 'a>);
    let set = |change: fn(&mut Entry, OpId) -> bool| -> Box<dyn Fn(&mut Entry) -> bool> {
        Box::new(move |entry| change(entry, other))
    };
    let table: Vec<Lie<'_>> = vec![
        (
            "another grant",
            set(|entry, other| match entry {
                Entry::Applied { grant, .. } => {
                    *grant = other;
                    true
                }
                _ => false,
            }),
        ),
        (
            "another op applied",
            set(|entry, other| match entry {
                Entry::Applied { op, .. } => {
                    *op = other;
                    true
                }
                _ => false,
            }),
        ),
        (
            "another refusal",
            set(|entry, _| match entry {
                Entry::Skipped {
                    subject: Subject::Op(_),
                    reason,
                    ..
                } => {
                    *reason = Refusal::Expired;
                    true
                }
                _ => false,
            }),
        ),
        (
            "a witness",
            set(|entry, other| match entry {
                Entry::Skipped { witness, .. } => {
                    *witness = Some(other);
                    true
                }
                _ => false,
            }),
        ),
        (
            "a skipped op applied",
            set(|entry, other| match entry {
                Entry::Skipped {
                    subject: Subject::Op(op),
                    ..
                } => {
                    *entry = Entry::Applied {
                        op: *op,
                        grant: other,
                    };
                    true
                }
                _ => false,
            }),
        ),
        (
            "a rolled back op applied",
            set(|entry, _| match entry {
                Entry::RolledBack { op, denial, .. } => {
                    *entry = Entry::Applied {
                        op: *op,
                        grant: *denial,
                    };
                    true
                }
                _ => false,
            }),
        ),
        (
            "another denial",
            set(|entry, other| match entry {
                Entry::RolledBack { denial, .. } => {
                    *denial = other;
                    true
                }
                _ => false,
            }),
        ),
        (
            "another reason to roll back",
            set(|entry, _| match entry {
                Entry::RolledBack { reason, .. } => {
                    *reason = RollBackReason::EQUIVOCATION;
                    true
                }
                _ => false,
            }),
        ),
        (
            "another state",
            set(|entry, _| match entry {
                Entry::Checkpoint { state, .. } => {
                    *state = Digest::of(b"");
                    true
                }
                _ => false,
            }),
        ),
        (
            "another count",
            set(|entry, _| match entry {
                Entry::Checkpoint { ops, .. } => {
                    *ops += 1;
                    true
                }
                _ => false,
            }),
        ),
        (
            "other heads at a sync",
            set(|entry, _| match entry {
                Entry::Synced { heads, .. } => {
                    *heads = Digest::of(b"");
                    true
                }
                _ => false,
            }),
        ),
        (
            "an op that is nowhere",
            set(|entry, other| match entry {
                Entry::Ingested { subject } => {
                    *subject = Subject::Op(other);
                    true
                }
                _ => false,
            }),
        ),
        (
            "a good op called garbage",
            Box::new(|entry| match entry {
                Entry::Ingested { subject } if *subject == Subject::Op(world.second.id()) => {
                    *subject = Subject::Envelope(Digest::of(world.second.envelope()));
                    true
                }
                _ => false,
            }),
        ),
    ];
    for (name, change) in table {
        let contradiction = lie(&world, change);
        assert!(
            matches!(contradiction, Contradiction::Entry { .. }),
            "{name}: {contradiction}"
        );
    }
}

#[test]
fn an_op_is_ingested_once() {
    let world = World::new();
    let mut batches = world.batches();
    let again = batches[0][0].clone();
    batches[2].insert(0, again);
    assert!(matches!(
        against(&world, &world.signed(batches)).unwrap_err(),
        Contradiction::IngestedTwice { subject, .. } if subject == Subject::Op(world.genesis.id())
    ));
}

#[test]
fn other_batch_boundaries_are_caught() {
    let world = World::new();
    let merged = vec![world.batches().concat()];
    assert!(against(&world, &world.signed(merged)).is_err());
}

#[test]
fn a_view_rests_on_the_nodes_word() {
    let world = World::new();
    let mut batches = world.batches();
    batches[0].insert(
        0,
        Entry::Viewed {
            object: Digest::of(b"secret"),
            viewer: public_key(&author(3)),
        },
    );
    assert!(against(&world, &world.signed(batches)).is_ok());
}

#[test]
fn the_report_states_what_was_checked() {
    let world = World::new();
    let audit = world.audit();
    let confirmed = against(&world, &audit).unwrap();
    let root = crate::checkpoint::base64(&audit.checkpoint().unwrap().head().root);
    let want = format!(
        "origin: ecac.dev/audit/{project}/{node}\n\
         project: {project}\n\
         node: {node}\n\
         heads: 3\n\
         entries: 18\n\
         tree size: 18\n\
         root hash: {root}\n\
         ingested: 5\n\
         applied: 4\n\
         skipped: 1\n\
         rolled_back: 2\n\
         rejected: 2\n\
         viewed: 1\n\
         checkpoint: 2\n\
         synced: 1\n\
         arrivals that were no op: 3\n\
         ops compared: 5\n\
         envelopes not in the op log: 0\n\
         items that are no op: 2\n\
         verdict: OK\n",
        project = world.project(),
        node = node(7).public(),
    );
    assert_eq!(verification(&audit, Some(&confirmed)), want);
    assert!(verification(&audit, None).ends_with("no op: 3\nverdict: CHAIN OK\n"));
}
