//! What strangers can send without limit is held within limits: ten times as much changes nothing for honest ops.

use ecac_core::credential::Role;
use ecac_core::limits::PAYLOAD_BYTES_MAX;
use ecac_core::payload;
use ecac_core::{
    Costs, Holdings, Limits, Log, OpId, Outcome, Payload, Refusal, Value, VerifiedOp,
    order_by_links,
};

use crate::project::{Project, at, edit, name, revoke, sign, unassigned};

const ROOT: u32 = 0;
const ALICE: u32 = 1;
const STRANGER: u32 = 9;
const SIZE: usize = 8;
const MANY: u32 = 10 * SIZE as u32;

/// Limits of so many ops of each sort.
fn limits(size: usize) -> Limits {
    let mut limits = Limits::default();
    limits.pending_ops = size;
    limits.unsupported_ops = size;
    limits.refused_ops = size;
    limits
}

/// A project that uses a feature of tomorrow, with honest work and a revocation in it.
fn project() -> Project {
    let mut project = Project::with_limits([ROOT], &["tomorrow"], Limits::default());
    project.grant(ROOT, ALICE, Role::Editor);
    let revocation = project.draft(ROOT, revoke(ALICE));
    for value in 0..6 {
        project.write(ALICE, edit("f", value));
    }
    assert_eq!(project.receive(revocation), Outcome::Admitted);
    project.write(ROOT, edit("f", 6));
    project
}

/// An op by a stranger after an op that nobody has.
fn pending(number: u32) -> VerifiedOp {
    let absent = OpId::from_bytes([number.to_be_bytes()[3]; 32]);
    sign(
        STRANGER,
        0,
        &[absent],
        at(number.into()),
        edit("f", number.into()),
    )
}

/// An op by a stranger, to whom nobody has granted anything.
fn refused(genesis: OpId, number: u32) -> VerifiedOp {
    let value = edit("f", number.into());
    sign(STRANGER, 0, &[genesis], at(10 + u64::from(number)), value)
}

/// An op of a kind that the feature of tomorrow may name.
fn unsupported(genesis: OpId, number: u32) -> VerifiedOp {
    let hlc = at(10 + u64::from(number));
    sign(STRANGER, 0, &[genesis], hlc, unassigned(number))
}

fn wide(bytes: &[u8]) -> Payload {
    Payload::SetField(payload::SetField {
        object: name("o"),
        field: name("f"),
        value: Value::Bytes(bytes.to_vec()),
    })
}

fn bytes(ops: &[VerifiedOp]) -> usize {
    ops.iter().map(|op| op.envelope().len()).sum()
}

/// Takes the ops in and checks after each that the holdings keep the limits.
fn flood(project: &mut Project, limits: Limits, ops: &[VerifiedOp]) {
    for op in ops {
        project.receive(op.clone());
        let held = project.log.holdings();
        assert!(
            held.pending_ops <= limits.pending_ops && held.pending_bytes <= limits.pending_bytes
        );
        assert!(held.unsupported_ops <= limits.unsupported_ops);
        assert!(held.unsupported_bytes <= limits.unsupported_bytes);
        assert!(held.refused_ops <= limits.refused_ops);
        assert_eq!(project.log.pending_count(), held.pending_ops);
        assert_eq!(project.log.pending().count(), held.pending_ops);
        assert_eq!(project.log.unsupported().count(), held.unsupported_ops);
        assert_eq!(project.log.refused().count(), held.refused_ops);
    }
}

#[test]
fn pending_ops_fall_out_as_they_came() {
    let honest = project();
    let mut here = honest.replica(limits(SIZE));
    let junk: Vec<VerifiedOp> = (0..MANY).map(pending).collect();
    let first = here.log.project();
    flood(&mut here, limits(SIZE), &junk);
    let kept = &junk[junk.len() - SIZE..];
    let wanted = Holdings {
        pending_ops: SIZE,
        pending_bytes: bytes(kept),
        pending_dropped: junk.len() as u64 - SIZE as u64,
        ..Holdings::default()
    };
    assert_eq!(here.log.holdings(), wanted);
    assert!(
        junk.iter()
            .all(|op| here.log.holds(&op.id()) == kept.contains(op))
    );
    assert!(here.log.pending().all(|op| kept.contains(op)));

    // An honest op that fell out comes again.
    let [genesis, key] = [&honest.given[0], &honest.given[1]];
    assert_eq!(genesis.id(), first);
    assert_eq!(here.receive(key.clone()), Outcome::Pending);
    flood(&mut here, limits(SIZE), &junk[..SIZE]);
    assert!(!here.log.holds(&key.id()));
    assert_eq!(here.receive(genesis.clone()), Outcome::Admitted);
    assert!(!here.log.holds(&key.id()));
    assert_eq!(here.receive(key.clone()), Outcome::Admitted);
    assert_eq!(here.log.holdings().pending_dropped, junk.len() as u64 + 1);
}

#[test]
fn pending_ops_fall_out_by_their_bytes_too() {
    let honest = project();
    let junk: Vec<VerifiedOp> = (0..MANY).map(pending).collect();
    let mut limits = limits(usize::MAX);
    limits.pending_bytes = bytes(&junk[junk.len() - 3..]) + 10;
    let mut here = honest.replica(limits);
    flood(&mut here, limits, &junk);
    let held = here.log.holdings();
    assert_eq!(
        (held.pending_ops, held.pending_bytes),
        (3, limits.pending_bytes - 10)
    );
    assert_eq!(held.pending_dropped, u64::from(MANY) - 3);
    // One that is greater than all that is allowed makes room in vain.
    let wide = sign(
        STRANGER,
        0,
        &[OpId::from_bytes([1; 32])],
        at(1),
        wide(&vec![0; limits.pending_bytes]),
    );
    assert_eq!(here.receive(wide.clone()), Outcome::Pending);
    let held = here.log.holdings();
    assert_eq!((held.pending_ops, held.pending_bytes), (0, 0));
    assert!(!here.log.holds(&wide.id()));
}

#[test]
fn unsupported_ops_fall_out_as_they_came() {
    let honest = project();
    let genesis = honest.given[0].clone();
    let mut here = honest.replica(limits(SIZE));
    here.receive(genesis.clone());
    let junk: Vec<VerifiedOp> = (0..MANY).map(|it| unsupported(genesis.id(), it)).collect();
    flood(&mut here, limits(SIZE), &junk);
    let kept = &junk[junk.len() - SIZE..];
    let wanted = Holdings {
        unsupported_ops: SIZE,
        unsupported_bytes: bytes(kept),
        unsupported_dropped: junk.len() as u64 - SIZE as u64,
        ..Holdings::default()
    };
    assert_eq!(here.log.holdings(), wanted);
    assert!(
        junk.iter()
            .all(|op| here.log.is_unsupported(&op.id()) == kept.contains(op))
    );
    let behind = here.log.behind().expect("it holds what it cannot judge");
    assert_eq!(behind.unsupported, SIZE);

    // What builds on one that fell out waits until that comes again.
    let child = sign(ROOT, 1, &[junk[0].id()], at(1_000), edit("f", 0));
    assert_eq!(here.receive(child.clone()), Outcome::Pending);
    assert_eq!(here.receive(junk[0].clone()), Outcome::Unsupported);
    assert!(here.log.is_unsupported(&child.id()));
    assert_eq!(here.log.holdings().pending_ops, 0);

    let mut narrow = limits(usize::MAX);
    narrow.unsupported_bytes = 2 * junk[junk.len() - 1].envelope().len();
    let mut here = honest.replica(narrow);
    here.receive(genesis);
    flood(&mut here, narrow, &junk);
    assert_eq!(here.log.holdings().unsupported_ops, 2);
}

#[test]
fn refused_ops_are_forgotten_as_they_came() {
    let honest = project();
    let genesis = honest.given[0].clone();
    let mut here = honest.replica(limits(SIZE));
    here.receive(genesis.clone());
    let junk: Vec<VerifiedOp> = (0..MANY).map(|it| refused(genesis.id(), it)).collect();
    flood(&mut here, limits(SIZE), &junk);
    let wanted = Holdings {
        refused_ops: SIZE,
        refused_dropped: junk.len() as u64 - SIZE as u64,
        ..Holdings::default()
    };
    assert_eq!(here.log.holdings(), wanted);
    assert_eq!(here.log.refused_count(), SIZE);
    let no_grant = Outcome::Refused {
        reason: Refusal::NoGrant,
        witness: None,
    };
    let refused_parent = |parent: &VerifiedOp| Outcome::Refused {
        reason: Refusal::RefusedParent,
        witness: Some(parent.id()),
    };
    let child_of = |parent: &VerifiedOp| sign(ROOT, 1, &[parent.id()], at(1_000), edit("f", 0));
    let last = &junk[junk.len() - 1];
    assert_eq!(here.receive(child_of(last)), refused_parent(last));
    // What builds on one that is forgotten waits until that comes again.
    let child = child_of(&junk[0]);
    assert_eq!(here.receive(child.clone()), Outcome::Pending);
    let arrivals = here.log.ingest(junk[0].clone(), &mut here.costs);
    let outcomes: Vec<(OpId, Outcome)> = arrivals.iter().map(|it| (it.op, it.outcome)).collect();
    let wanted = [
        (junk[0].id(), no_grant),
        (child.id(), refused_parent(&junk[0])),
    ];
    assert_eq!(outcomes, wanted);
}

#[test]
fn of_bytes_that_are_no_op_nothing_is_kept() {
    let honest = project();
    let mut log = Log::new(honest.log.project());
    let costs = &mut Costs::default();
    let mut forged = honest.given[0].envelope().to_vec();
    *forged.last_mut().expect("an op has bytes") ^= 1;
    for number in 0..MANY {
        assert!(log.receive(&number.to_be_bytes(), costs).is_err());
        assert!(log.receive(&forged, costs).is_err());
    }
    let wanted = Holdings {
        rejected: 2 * u64::from(MANY),
        ..Holdings::default()
    };
    assert_eq!(log.holdings(), wanted);
    assert!(!log.holds(&honest.log.project()));
    let arrivals = log
        .receive(honest.given[0].envelope(), costs)
        .expect("an op");
    assert_eq!(arrivals[0].outcome, Outcome::Admitted);
}

/// Junk of every sort, ten times what the limits allow, before, between and after the honest ops.
#[test]
fn honest_ops_converge_whatever_is_sent_between_them() {
    let honest = project();
    let genesis = honest.log.project();
    let mut junk: Vec<VerifiedOp> = Vec::new();
    for number in 0..MANY {
        junk.push(pending(number));
        junk.push(refused(genesis, number));
        junk.push(unsupported(genesis, number));
        let on_refused = [junk[junk.len() - 2].id()];
        junk.push(sign(STRANGER, 1, &on_refused, at(1_000), edit("f", 0)));
    }
    let ordered = order_by_links(honest.given.iter().cloned());
    for size in [0, 1, SIZE] {
        for step in [1, 7, 40] {
            let mut here = honest.replica(limits(size));
            let mut junk = junk.chunks(step).cycle();
            for op in &ordered {
                flood(&mut here, limits(size), junk.next().expect("endless"));
                assert_eq!(here.receive(op.clone()), Outcome::Admitted);
            }
            let rest: Vec<VerifiedOp> = junk.take(40).flatten().cloned().collect();
            flood(&mut here, limits(size), &rest);
            assert_eq!(here.admitted(), honest.admitted());
            assert_eq!(here.winners("f"), 1);
            let state = |project: &Project| {
                let mut state = project.replay.state().export(&project.log);
                // How far behind a replica is depends on its limits.
                let end = String::from_utf8_lossy(&state)
                    .find("\"behind\"")
                    .map(|_| ());
                assert_eq!(end, Some(()), "the project uses a feature of tomorrow");
                let mut json: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
                json["behind"] = serde_json::Value::Null;
                state.clear();
                json
            };
            assert_eq!(state(&here), state(&honest));
        }
    }
}

/// With as much room as there are honest ops, these may come in any order.
#[test]
fn honest_ops_converge_backwards() {
    let honest = project();
    let mut here = honest.replica(limits(honest.given.len()));
    flood(
        &mut here,
        limits(honest.given.len()),
        &(0..MANY).map(pending).collect::<Vec<_>>(),
    );
    for op in honest.given.iter().rev() {
        here.receive(op.clone());
    }
    assert_eq!(here.admitted(), honest.admitted());
    // Genesis did not wait, so the last of the junk found room.
    let left: Vec<OpId> = here.log.pending().map(VerifiedOp::id).collect();
    assert_eq!(left, [pending(MANY - 1).id()]);
}

/// Ten times the bytes of pending ops that are held by default, in ops of the greatest size.
#[test]
fn the_default_limit_of_pending_bytes_holds() {
    let honest = project();
    let mut log = Log::new(honest.log.project());
    let costs = &mut Costs::default();
    let limits = Limits::default();
    let long = vec![0; PAYLOAD_BYTES_MAX - 100];
    let count = 2 * limits.pending_bytes / long.len();
    for number in 0..count {
        let number = u64::try_from(number).expect("few");
        let absent = OpId::from_bytes([1; 32]);
        log.ingest(sign(STRANGER, number, &[absent], at(1), wide(&long)), costs);
    }
    let held = log.holdings();
    assert!(held.pending_bytes <= limits.pending_bytes);
    assert!(held.pending_bytes + PAYLOAD_BYTES_MAX > limits.pending_bytes);
    assert_eq!(held.pending_dropped + held.pending_ops as u64, count as u64);
    for op in order_by_links(honest.given.iter().cloned()) {
        assert_eq!(log.ingest(op, costs)[0].outcome, Outcome::Admitted);
    }
}
