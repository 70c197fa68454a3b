//! What is concluded from an honest log and an op log that has more or less than it: never that the node lies.

use ecac_core::{Costs, Op, OpId, PublicKey, VerifiedOp};

use super::{World, author, node, sign, write};
use crate::{
    AuditLog, Comparison, Contradiction, Digest, Entry, Halt, Obstacle, Subject, Verdict,
    verify_against,
};

fn compare(audit: &AuditLog, op_log: &[&[u8]]) -> Comparison {
    let compared = verify_against(audit, op_log.iter().copied(), &mut Costs::default());
    compared.expect("nothing contradicts an honest node")
}

/// Verdict, absent ops, ops of which the log is silent, items that are no op, entries that are not judged.
fn figures(comparison: &Comparison) -> (Verdict, usize, usize, u64, u64) {
    (
        comparison.verdict(),
        comparison.absent.len(),
        comparison.silent.len(),
        comparison.items_no_op,
        comparison.entries_unjudged,
    )
}

#[test]
fn what_anybody_can_add_to_an_op_log_does_not_speak_against_the_node() {
    let world = World::new();
    let audit = world.audit();
    let ops = [
        &world.genesis,
        &world.first,
        &world.second,
        &world.revoke,
        &world.stranger,
    ];
    let clean = ops.map(VerifiedOp::envelope);
    let (later, orphan) = (later(&world), orphan(&world));
    let cut = &world.second.envelope()[..40];
    let long = [world.second.envelope(), b"\x00"].concat();
    let broken = |op: &VerifiedOp| {
        let mut bytes = op.envelope().to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    let broken_ops = ops.map(broken);
    let broken_later = broken(&later);
    let foreign = sign(4, 0, &[], super::genesis("other", &[4]));
    let ok = Verdict::Confirmed;
    let so_far = Verdict::ConfirmedSoFar;
    type Row<'a> = (&'a str, Vec<&'a [u8]>, (Verdict, usize, u64));
    let table: [Row<'_>; 12] = [
        ("nothing", vec![], (ok, 0, 0)),
        ("the same once more", clean.to_vec(), (ok, 0, 0)),
        ("bytes", vec![b"\xd2\x80", b"", b"\xff"], (ok, 0, 3)),
        ("one junk item often", vec![b"\xd2\x80"; 50], (ok, 0, 50)),
        ("a part of an op", vec![cut, &long], (ok, 0, 2)),
        (
            "what the node rejected",
            vec![&world.forged, &world.garbage],
            (ok, 0, 2),
        ),
        (
            "broken copies",
            broken_ops.iter().map(|it| &it[..]).collect(),
            (ok, 0, 5),
        ),
        (
            "a broken copy of a later op",
            vec![&broken_later],
            (ok, 0, 1),
        ),
        ("a later op", vec![later.envelope()], (so_far, 1, 0)),
        (
            "an op whose parent never comes",
            vec![orphan.envelope()],
            (so_far, 1, 0),
        ),
        (
            "another project",
            vec![foreign.envelope(), b"\xd2"],
            (so_far, 1, 1),
        ),
        (
            "a later op often, and a broken copy",
            vec![later.envelope(), &broken_later, later.envelope()],
            (so_far, 1, 1),
        ),
    ];
    for (name, extra, (verdict, silent, items_no_op)) in table {
        for at in [0, 2, clean.len()] {
            let op_log = [&clean[..at], &extra, &clean[at..]].concat();
            let comparison = compare(&audit, &op_log);
            let want = (verdict, 0, silent, items_no_op, 0);
            assert_eq!(figures(&comparison), want, "{name} at {at}");
            assert_eq!(
                (comparison.ops, comparison.halt),
                (5, None),
                "{name} at {at}"
            );
        }
    }
}

/// Applied, by root 9, who has seen all.
fn later(world: &World) -> VerifiedOp {
    sign(9, 0, &[&world.second, &world.revoke], write("later"))
}

/// Pending: one of its parents is nowhere.
fn orphan(world: &World) -> VerifiedOp {
    let nowhere = sign(9, 0, &[&world.first], write("nowhere"));
    sign(9, 1, &[&nowhere], write("orphan"))
}

#[test]
fn a_log_whose_tail_is_cut_off_is_silent_on_what_it_lost() {
    let world = World::new();
    let all = world.batches();
    let check = |batches: usize, want: &[&VerifiedOp]| {
        let audit = world.signed(all[..batches].to_vec());
        let comparison = compare(&audit, &world.op_log());
        assert_eq!(comparison.verdict(), Verdict::ConfirmedSoFar);
        let silent: Vec<OpId> = comparison.silent.into_iter().collect();
        let mut want: Vec<OpId> = want.iter().map(|op| op.id()).collect();
        want.sort();
        assert_eq!(silent, want, "{batches}");
        let kept = world.audit();
        assert!(
            !audit.holds(kept.checkpoint().unwrap()),
            "a later head betrays it"
        );
        assert!(kept.holds(audit.checkpoint().unwrap()));
    };
    check(1, &[&world.first, &world.revoke]);
    check(2, &[&world.revoke]);
}

#[test]
fn what_the_op_log_lacks_leaves_the_verdict_open() {
    let world = World::new();
    let audit = world.audit();
    let batches = world.batches();
    let length = |batch: usize| batches[batch].len();
    let entry = |batch: usize, what: &VerifiedOp| {
        let subject = Subject::Op(what.id());
        let arrival = Entry::Ingested { subject };
        batches[batch].iter().position(|it| *it == arrival).unwrap()
    };
    let halt = |batch: usize, at: usize| {
        let before: usize = (0..batch).map(length).sum();
        Some(Halt {
            line: (2 + before + batch + at) as u64,
            index: (before + at) as u64,
            obstacle: Obstacle::AbsentOp,
        })
    };
    let check = |name: &str, absent: &[&VerifiedOp], want: Option<Halt>, unjudged: u64| {
        let mut op_log = world.op_log();
        op_log.retain(|item| !absent.iter().any(|op| op.envelope() == *item));
        let comparison = compare(&audit, &op_log);
        assert_eq!(comparison.halt, want, "{name}");
        let figures = figures(&comparison);
        let unjudged = want.map_or(unjudged, |halt| audit.size() - halt.index + unjudged);
        let want = (Verdict::Incomplete, absent.len(), 0, 2, unjudged);
        assert_eq!(figures, want, "{name}");
        let first = absent.iter().map(|op| op.id()).min();
        assert_eq!(comparison.absent.first().copied(), first, "{name}");
    };
    let (genesis, first, second) = (&world.genesis, &world.first, &world.second);
    let (revoke, stranger) = (&world.revoke, &world.stranger);
    check("a refused op is the node's word", &[stranger], None, 1);
    check(
        "an op that undoes others",
        &[revoke],
        halt(2, entry(2, revoke)),
        0,
    );
    check(
        "an op that waited: the batch that decides on it",
        &[second],
        halt(1, 0),
        0,
    );
    check(
        "an op that others waited for",
        &[first],
        halt(1, entry(1, first)),
        0,
    );
    check("the first op", &[genesis], halt(0, 0), 0);
    check("two", &[stranger, revoke], halt(2, entry(2, revoke)), 1);
    check(
        "all",
        &[genesis, first, second, revoke, stranger],
        halt(0, 0),
        0,
    );
}

/// An audit log of `ops` in one batch, or one each.
fn log_of(world: &World, ops: &[&VerifiedOp], batch_ops: usize) -> AuditLog {
    let items: Vec<&[u8]> = ops.iter().map(|op| op.envelope()).collect();
    AuditLog::of_op_log(world.project(), &items, batch_ops, &node(7))
}

#[test]
fn what_rests_on_a_refused_op_that_is_absent_rests_on_the_nodes_word() {
    let world = World::new();
    let child = sign(3, 1, &[&world.stranger], write("child"));
    let grandchild = sign(3, 2, &[&child, &world.first], write("grandchild"));
    let ops = [
        &world.genesis,
        &world.stranger,
        &grandchild,
        &world.first,
        &child,
        &world.second,
    ];
    for batch_ops in 1..=ops.len() {
        let audit = log_of(&world, &ops, batch_ops);
        for (absent, unjudged) in [(1, 3), (4, 2), (2, 1)] {
            let without = ops.iter().enumerate().filter(|(at, _)| *at != absent);
            let op_log: Vec<&[u8]> = without.map(|(_, op)| op.envelope()).collect();
            let comparison = compare(&audit, &op_log);
            let want = (Verdict::Incomplete, 1, 0, 0, unjudged);
            assert_eq!(figures(&comparison), want, "{absent} of {batch_ops}");
            assert_eq!(comparison.halt, None);
        }
        // Nothing that rests on a refused op is ever applied.
        let mut batches: Vec<Vec<Entry>> = audit
            .batches()
            .iter()
            .map(|it| it.entries.clone())
            .collect();
        for entry in batches.iter_mut().flatten() {
            if matches!(entry, Entry::Skipped { subject, .. } if *subject == Subject::Op(child.id()))
            {
                *entry = Entry::Applied {
                    op: child.id(),
                    grant: world.project(),
                };
            }
        }
        let op_log = ops.iter().filter(|op| op.id() != world.stranger.id());
        let op_log = op_log.map(|op| op.envelope());
        let lie = world.signed(batches);
        assert!(verify_against(&lie, op_log, &mut Costs::default()).is_err());
    }
}

#[test]
fn an_op_that_waits_for_ever_may_be_absent_too() {
    let world = World::new();
    let orphan = orphan(&world);
    let audit = log_of(&world, &[&world.genesis, &orphan, &world.first], 2);
    let ops = [&world.genesis, &world.first].map(VerifiedOp::envelope);
    let figures_of = |op_log: &[&[u8]]| figures(&compare(&audit, op_log));
    assert_eq!(figures_of(&ops), (Verdict::Incomplete, 1, 0, 0, 0));
    let all = [ops[0], ops[1], orphan.envelope()];
    assert_eq!(figures_of(&all), (Verdict::Confirmed, 0, 0, 0, 0));
}

#[test]
fn a_lie_is_found_before_and_beside_what_is_absent() {
    let world = World::new();
    let absent = |op: &VerifiedOp| {
        let mut op_log = world.op_log();
        op_log.retain(|item| *item != op.envelope());
        op_log
    };
    let caught = |name: &str, op_log: &[&[u8]], lie: &dyn Fn(&mut Vec<Vec<Entry>>)| {
        let mut batches = world.batches();
        lie(&mut batches);
        let audit = world.signed(batches);
        let against = verify_against(&audit, op_log.iter().copied(), &mut Costs::default());
        let line = match against.unwrap_err() {
            Contradiction::Entry { line, .. } | Contradiction::IngestedTwice { line, .. } => line,
        };
        assert!(line > 1, "{name}");
    };
    let grant = OpId::from_bytes([1; 32]);
    let op = world.stranger.id();
    caught("before", &absent(&world.revoke), &|batches| {
        batches[0].push(Entry::Applied { op, grant });
    });
    caught("in the same batch", &absent(&world.revoke), &|batches| {
        batches[2].insert(0, Entry::Applied { op, grant });
    });
    caught("after a refused op", &absent(&world.stranger), &|batches| {
        batches[2].pop();
        batches[2].push(Entry::Checkpoint {
            ops: 4,
            state: Digest::of(b""),
        });
    });
    caught(
        "a refused op that was applied elsewhere",
        &absent(&world.stranger),
        &|batches| {
            let subject = Subject::Op(world.first.id());
            let at = batches[1]
                .iter()
                .position(|it| *it == Entry::Ingested { subject });
            let at = at.unwrap() + 1;
            let entry = Entry::Skipped {
                subject,
                reason: ecac_core::Refusal::NoGrant,
                witness: None,
            };
            batches[1].insert(at, entry);
        },
    );
}

/// Replaces the author's key and the signature of an op.
fn forge(op: &VerifiedOp, seed: u8, key: PublicKey, signature: [u8; 64]) -> VerifiedOp {
    let own = ecac_core::public_key(&author(seed));
    let text = op.envelope();
    let mut bytes = text.to_vec();
    let at = text
        .windows(32)
        .position(|it| it == own.as_bytes())
        .unwrap();
    bytes[at..at + 32].copy_from_slice(key.as_bytes());
    let end = bytes.len() - 64;
    bytes[end..].copy_from_slice(&signature);
    let costs = &mut Costs::default();
    VerifiedOp::verify(Op::decode(&bytes, costs).unwrap(), costs).unwrap()
}

/// Under ZIP 215 a key of small order has as many signatures as there are points of small order.
#[test]
fn an_op_under_a_second_valid_signature_is_the_same_op() {
    let mut identity = [0; 32];
    identity[0] = 1;
    let mut order_two = [0xff; 32];
    (order_two[0], order_two[31]) = (0xec, 0x7f);
    let signed = |point: [u8; 32]| {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&point);
        signature
    };
    let key = PublicKey::from_bytes(identity);
    let roots = super::genesis("twice", &[1]);
    let ecac_core::Payload::Genesis(mut roots) = roots else {
        unreachable!("it is a genesis");
    };
    roots.roots.insert(key);
    let genesis = sign(1, 0, &[], ecac_core::Payload::Genesis(roots));
    let op = sign(5, 0, &[&genesis], write("signed twice"));
    let [one, two] = [identity, order_two].map(|point| forge(&op, 5, key, signed(point)));
    assert_eq!(one.id(), two.id());
    assert_ne!(one.envelope(), two.envelope());

    let items = [genesis.envelope(), one.envelope()];
    let audit = AuditLog::of_op_log(genesis.id(), &items, 1, &node(7));
    let (genesis, one, two) = (genesis.envelope(), one.envelope(), two.envelope());
    for op_log in [
        vec![genesis, one],
        vec![genesis, two],
        vec![two, genesis, one],
        vec![one, one, two, genesis, two],
    ] {
        let want = (Verdict::Confirmed, 0, 0, 0, 0);
        assert_eq!(figures(&compare(&audit, &op_log)), want);
    }
    let items = [genesis, one, two];
    let again = AuditLog::of_op_log(audit.origin().project, &items, 1, &node(7));
    assert_eq!(again.size(), audit.size(), "the second one is no news");
}

#[test]
fn verdicts_are_words_of_their_own() {
    let names: Vec<&str> = Verdict::ALL.iter().map(|verdict| verdict.name()).collect();
    assert_eq!(names, ["OK", "OK SO FAR", "INCOMPLETE", "NOT COMPARABLE"]);
    let confirmed = Verdict::ALL.iter().filter(|it| it.is_confirmed()).count();
    assert_eq!(confirmed, 2);
}
