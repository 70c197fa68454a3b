//! The workloads are what they say: honest, seeded, and of that shape.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::{Kind, Payload, VerifiedOp};
use ecac_perf::engine::Engine;
use ecac_perf::workload::{Late, Shape, StatusGrants, Turn, Workload, delegation, forks};

/// A replica that took in the workload's setup and so many of its ops, and the ops.
fn taken(mut workload: Workload, count: usize) -> (Engine, Vec<VerifiedOp>) {
    let mut engine = Engine::new(workload.project);
    let setup = core::mem::take(&mut workload.setup);
    let ops = workload.next_ops(count);
    for part in [&setup, &ops] {
        let advance = engine.take(part.clone());
        assert_eq!((advance.admitted, advance.refused), (part.len(), 0));
    }
    (engine, ops)
}

#[test]
fn every_op_is_admitted_and_the_same_seed_gives_the_same_bytes() {
    for shape in Shape::ALL {
        let (_, ops) = taken(Workload::new(shape, 3), 700);
        let again = Workload::new(shape, 3).next_ops(700);
        assert_eq!(ops, again, "{}", shape.name());
        assert_ne!(ops[0], Workload::new(shape, 4).next_ops(1)[0]);
        let authors: BTreeSet<_> = ops.iter().map(|op| op.body().author).collect();
        let expected = match shape {
            Shape::Chain => 1,
            Shape::Race(writers) => writers.min(700),
            Shape::Branches => 64,
            Shape::Policy => 67,
        };
        assert_eq!(authors.len(), expected, "{}", shape.name());
    }
}

#[test]
fn racing_writers_merge_three_others_and_branches_four_after_a_hundred() {
    let parents = |ops: &[VerifiedOp]| -> BTreeMap<usize, usize> {
        let mut counts = BTreeMap::new();
        for op in ops {
            *counts.entry(op.body().parents.len()).or_default() += 1;
        }
        counts
    };
    let chain = Workload::new(Shape::Chain, 1).next_ops(50);
    assert_eq!(parents(&chain), BTreeMap::from([(1, 50)]));
    let race = parents(&Workload::new(Shape::Race(64), 1).next_ops(640));
    assert!(
        race[&4] > 580 && race.keys().all(|it| (2..=4).contains(it)),
        "{race:?}"
    );
    let branches = parents(&Workload::new(Shape::Branches, 1).next_ops(64 * 101));
    assert_eq!(branches[&1], 64 * 100);
    assert_eq!(branches.values().sum::<usize>(), 64 * 101);
}

#[test]
fn one_op_of_ten_is_policy_of_every_kind_and_work_goes_on() {
    let (engine, ops) = taken(Workload::new(Shape::Policy, 1), 7_100);
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for op in &ops {
        *kinds.entry(op.body().payload.kind()).or_default() += 1;
    }
    let data = [Kind::SetField, Kind::SetAdd, Kind::SetRemove].map(Kind::name);
    let policy = kinds.iter().filter(|(kind, _)| !data.contains(kind));
    assert_eq!(policy.map(|(_, count)| count).sum::<usize>(), 700);
    assert_eq!(kinds.len() - data.len(), 6, "{kinds:?}");
    let denied = engine.admitted() - engine.applied();
    assert!((100..2_000).contains(&denied), "{denied} denied");
    // At the end everybody still writes what counts.
    let last: Vec<_> = ops.iter().rev().take(71).collect();
    let edits = last
        .iter()
        .filter(|op| matches!(op.body().payload, Payload::SetField(_)));
    assert!(edits.count() > 40);
}

#[test]
fn a_late_revocation_turns_what_its_author_had_not_seen() {
    for (writers, least, most) in [(1, 100, 100), (64, 1, 8)] {
        let mut history = Late::new(2, writers, 100);
        let mut engine = Engine::new(history.project());
        assert_eq!(engine.take(history.take_setup()).refused, 0);
        assert_eq!(engine.take(history.next_ops(1_000)).refused, 0);
        let advance = engine.take(vec![history.turn(1_000)]);
        assert_eq!(advance.admitted, 1);
        assert!((least..=most).contains(&advance.changed), "{advance:?}");
    }
}

#[test]
fn a_revocation_in_the_hot_field_turns_all_that_one_author_wrote() {
    let mut history = Late::hot(2, 20);
    let mut engine = Engine::new(history.project());
    engine.take(history.take_setup());
    assert_eq!(engine.take(history.next_ops(20 * 10)).refused, 0);
    for _ in 0..3 {
        assert_eq!(engine.take(vec![history.turn(200)]).changed, 10);
    }
}

#[test]
fn a_status_bit_turns_the_work_under_one_grant() {
    let mut history = StatusGrants::new(2, 50);
    let mut engine = Engine::new(history.project());
    engine.take(history.take_setup());
    assert_eq!(engine.take(history.next_ops(50)).refused, 0);
    let advance = engine.take(vec![history.turn(50)]);
    assert_eq!((advance.admitted, advance.changed), (1, 1));
}

#[test]
fn delegation_is_as_deep_as_it_says() {
    for depth in [1, 2, 62, 64] {
        let (engine, _) = taken(delegation(1, depth), 3);
        assert_eq!(engine.admitted(), engine.applied(), "{depth}");
    }
    // One link more, and the editor's grant counts for nothing.
    let mut workload = delegation(1, 65);
    let mut engine = Engine::new(workload.project);
    assert_eq!(engine.take(core::mem::take(&mut workload.setup)).refused, 0);
    assert_eq!(engine.take(workload.next_ops(1)).refused, 1);
}

#[test]
fn forks_share_their_numbers() {
    for (count, length) in [(30, 1), (10, 3)] {
        let (_, ops) = taken(forks(1, count, length), 30);
        let numbers: BTreeSet<u64> = ops.iter().map(|op| op.body().seq).collect();
        assert_eq!(numbers.len() as u64, length);
        assert!(ops.iter().all(|op| op.body().parents.len() == 1));
        assert_eq!(
            ops.iter()
                .map(VerifiedOp::id)
                .collect::<BTreeSet<_>>()
                .len(),
            30
        );
    }
}

#[test]
fn memory_beyond_the_envelopes_is_what_is_kept() {
    use ecac_perf::measure::{Plan, weigh};
    let plan = Plan {
        seed: 1,
        ops_max: 100,
        budget_ns: 60_000_000_000,
        rounds: 1,
    };
    let held = std::cell::Cell::new(0);
    let weighed = weigh(&plan, 3, 100, || held.replace(70_000)).unwrap();
    assert_eq!((weighed.held, weighed.stopped), (70_000, false));
    assert!(
        weighed.ops > 100 && weighed.envelopes > 100 * weighed.ops,
        "{weighed:?}"
    );
}
