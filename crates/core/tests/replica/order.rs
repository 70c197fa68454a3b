//! Ops in the order of their links: a function of the set of ops, and with it all that a log makes of a file.

use std::collections::{BTreeMap, BTreeSet};

use ecac_core::credential::Role;
use ecac_core::{
    Body, Costs, Decision, Holdings, Limits, Log, OpId, Outcome, Payload, PublicKey, Replay,
    VerifiedOp, order_by_links,
};

use crate::project::{Project, at, edit, revoke, sign};

const ROOT: u32 = 0;
const ALICE: u32 = 1;
const STRANGER: u32 = 9;

/// The ops of a project with branches, refused ops, and ops of which an ancestor is absent.
fn ops() -> (Project, Vec<VerifiedOp>) {
    let mut project = Project::found([ROOT]);
    let grant = project.grant(ROOT, ALICE, Role::Editor);
    let apart = [1, 2, 3].map(|value| sign(ALICE, 0, &[grant], at(50 + value), edit("f", 1)));
    for op in apart {
        assert_eq!(project.receive(op), Outcome::Admitted);
    }
    project.now_ms = 100;
    project.write(ROOT, revoke(ALICE));
    project.write(ROOT, edit("f", 2));
    let mut last = grant;
    for number in 0..6 {
        let refused = sign(STRANGER, 0, &[last], at(200 + number), edit("f", 3));
        last = refused.id();
        project.receive(refused);
    }
    let absent = sign(STRANGER, 0, &[grant], at(1_000), edit("f", 4)).id();
    for number in 0..6 {
        let pending = sign(
            STRANGER,
            1,
            &[grant, absent],
            at(2_000 + number),
            edit("f", 5),
        );
        assert_eq!(project.receive(pending), Outcome::Pending);
    }
    let ops = project.given.clone();
    (project, ops)
}

/// Some orders of so many things, the same on every machine.
fn orders(count: usize) -> impl Iterator<Item = Vec<usize>> {
    let forwards: Vec<usize> = (0..count).collect();
    let backwards = forwards.iter().rev().copied().collect();
    let shuffled = (1..30_u64).map(move |seed| {
        let mut order: Vec<usize> = (0..count).collect();
        let rank =
            |it: &usize| blake3::hash(&[seed.to_be_bytes(), (*it as u64).to_be_bytes()].concat());
        order.sort_by_key(|it| *rank(it).as_bytes());
        order
    });
    [forwards, backwards].into_iter().chain(shuffled)
}

fn in_order(ops: &[VerifiedOp], order: &[usize]) -> Vec<VerifiedOp> {
    order.iter().map(|&it| ops[it].clone()).collect()
}

#[test]
fn whatever_order_they_come_in_the_order_is_one() {
    let (_, ops) = ops();
    let ids: BTreeSet<OpId> = ops.iter().map(VerifiedOp::id).collect();
    assert_eq!(ids.len(), ops.len());
    // Of what could come next, the least id, found without any cleverness.
    let mut wanted: Vec<OpId> = Vec::new();
    while wanted.len() < ops.len() {
        let is_next = |op: &&VerifiedOp| {
            let mut parents = op.body().parents.iter();
            !wanted.contains(&op.id()) && parents.all(|it| wanted.contains(it) || !ids.contains(it))
        };
        let next = ops.iter().filter(is_next).map(VerifiedOp::id).min();
        wanted.push(next.expect("links have no circle"));
    }
    for order in orders(ops.len()) {
        let ordered = order_by_links(in_order(&ops, &order));
        let ordered: Vec<OpId> = ordered.iter().map(VerifiedOp::id).collect();
        assert_eq!(ordered, wanted);
    }
    assert_eq!(order_by_links([]), []);
}

#[test]
fn what_a_log_with_any_limits_makes_of_a_file_is_a_function_of_its_ops() {
    let (project, ops) = ops();
    let take_in = |ops: Vec<VerifiedOp>, size: usize| {
        let mut limits = Limits::default();
        (limits.pending_ops, limits.refused_ops) = (size, size);
        let (mut log, costs) = (
            Log::with_limits(project.log.project(), limits),
            &mut Costs::default(),
        );
        for op in ops {
            log.ingest(op, costs);
        }
        let replay = Replay::of(&log, costs);
        (replay.decisions(&log), log.holdings())
    };
    for size in [0, 1, 3, 100] {
        let outcome = |order: &[usize]| take_in(order_by_links(in_order(&ops, order)), size);
        let mut outcomes = orders(ops.len()).map(|order| outcome(&order));
        let first: (BTreeMap<OpId, Decision>, Holdings) =
            outcomes.next().expect("there are orders");
        let admitted = project.admitted();
        assert!(
            admitted
                .iter()
                .all(|(op, decision)| first.0.get(op) == Some(decision))
        );
        assert_eq!(
            first.1.pending_ops,
            size.min(6),
            "what is pending is dropped beyond the limit"
        );
        assert!(outcomes.all(|outcome| outcome == first));
    }
    // As they come, it depends on the order what falls out.
    let mut arrivals = orders(ops.len()).map(|order| take_in(in_order(&ops, &order), 1));
    let first = arrivals.next();
    assert!(arrivals.any(|outcome| Some(outcome) != first));
}

/// The point of order one: it has signatures that anybody can make, with S = 0 and any R of small order.
const NEUTRAL: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point
};

#[test]
fn of_several_copies_of_an_op_the_least_is_kept() {
    let body = Body {
        author: PublicKey::from_bytes(NEUTRAL),
        seq: 0,
        parents: vec![OpId::from_bytes([3; 32])],
        hlc: at(1),
        payload: edit("f", 1),
    };
    // Order two: y = -1.
    let mut other = [0xff; 32];
    (other[0], other[31]) = (0xec, 0x7f);
    let copies = [NEUTRAL, other].map(|point| copy(&body, point));
    assert_eq!(copies[0].id(), copies[1].id());
    assert!(copies[0].envelope() < copies[1].envelope());
    for order in [[0, 1], [1, 0]] {
        let [kept] = order_by_links(order.map(|it| copies[it].clone()))
            .try_into()
            .expect("one op");
        assert_eq!(kept.envelope(), copies[0].envelope());
    }
    let costs = &mut Costs::default();
    let mut log = Log::new(OpId::from_bytes([4; 32]));
    assert_eq!(
        log.ingest(copies[1].clone(), costs)[0].outcome,
        Outcome::Pending
    );
    assert_eq!(
        log.ingest(copies[0].clone(), costs)[0].outcome,
        Outcome::Duplicate
    );
    assert!(matches!(copies[0].body().payload, Payload::SetField(_)));
}

/// The body under the signature (R, 0).
fn copy(body: &Body, point: [u8; 32]) -> VerifiedOp {
    let bytes = body.encode().expect("within the limits");
    let mut envelope = ecac_core::ENVELOPE_PREFIX.to_vec();
    let mut out = minicbor::Encoder::new(&mut envelope);
    let signature = [point, [0; 32]].concat();
    let written = out.bytes(&bytes).and_then(|out| out.bytes(&signature));
    written.expect("memory takes everything");
    VerifiedOp::read(&envelope, &mut Costs::default()).expect("ZIP 215 takes it")
}
