//! A newcomer starts from a sealed snapshot that a stranger carries: it comes to what everybody comes to, and believes nothing
//! that the roots have not signed.

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{CarryError, Limits, OpId, Payload, Replica, StartError, Value};

use crate::form::{Carried, Dropped, Item};
use crate::project::{Project, at, author, edit, name, revoke, sign};
use crate::quorum::{ANN, BEN, CAT, cosign};

pub(crate) const ALICE: u32 = 4;
pub(crate) const BOB: u32 = 5;

/// Why it starts nothing.
#[track_caller]
fn error(carried: &Carried) -> StartError {
    carried.start().expect_err("it starts nothing")
}

fn add(field: &str, element: &str) -> Payload {
    let add = payload::SetAdd {
        object: name("o"),
        field: name(field),
        element: name(element),
        value: Value::Null,
    };
    add.into()
}

/// Three roots of whom two sign together, and two editors.
pub(crate) fn project(features: &[&str]) -> Project {
    let mut all: Vec<(&str, &[u8])> = vec![("quorum", &[2]), ("seal", &[]), ("endorse", &[])];
    all.extend(features.iter().map(|it| (*it, &[][..])));
    let mut project = Project::using([ANN, BEN, CAT], &all, Limits::default());
    project.grant(ANN, ALICE, Role::Editor);
    project.grant(ANN, BOB, Role::Editor);
    project
}

/// The replica of everything that the project was given.
pub(crate) fn full(project: &Project) -> Replica {
    let mut replica = Replica::join(project.log.project());
    replica.ingest(project.given.iter().cloned());
    replica
}

/// A seal by the first root that says what it seals.
fn seal(project: &mut Project) -> OpId {
    project.now_ms += 1;
    let draft = full(project).next_seal(author(ANN), project.now_ms);
    project.write(ANN, draft.expect("it can be sealed").into())
}

/// The same with the signature of a second root.
pub(crate) fn sealed(project: &mut Project) -> OpId {
    let seal = seal(project);
    project.write(BEN, cosign(seal));
    seal
}

/// Work that is written over, work that shows, and work that a revocation ends; sealed, with a denied op.
pub(crate) struct Office {
    pub(crate) project: Project,
    pub(crate) over_written: OpId,
    pub(crate) shown: OpId,
    denied: OpId,
    seal: OpId,
}

pub(crate) fn office() -> Office {
    let mut project = project(&["carry"]);
    let first = project.write(ALICE, edit("a", 1));
    let over_written = project.write(BOB, edit("a", 2));
    let shown = project.write(ALICE, edit("a", 3));
    let denied = project.draft(BOB, edit("b", 4));
    let revocation = project.write(ANN, revoke(BOB));
    let denied_id = denied.id();
    project.receive(denied);
    // What is denied is covered, and may be given back.
    let cover = project.write_on(ALICE, &[denied_id, revocation], edit("b", 5));
    assert!(project.is_applied(&cover) && !project.is_applied(&denied_id));
    let seal = sealed(&mut project);
    assert!(project.is_applied(&first));
    Office {
        project,
        over_written,
        shown,
        denied: denied_id,
        seal,
    }
}

/// That both say the same of everything.
#[track_caller]
pub(crate) fn same(one: &Replica, other: &Replica) {
    let ids: Vec<OpId> = one.log().ids_since(0).collect();
    assert_eq!(one.heads(), other.heads());
    assert_eq!(one.state_digest(), other.state_digest());
    assert_eq!(one.trust_digest(), other.trust_digest());
    for id in ids {
        assert_eq!(one.decision(&id), other.decision(&id));
    }
}

#[test]
fn a_newcomer_says_what_everybody_says_and_can_carry_on() {
    let mut office = office();
    let before = full(&office.project);
    let carried = before.carry().unwrap();
    let mut newcomer = Replica::start_from(before.project(), &carried).unwrap();
    same(&before, &newcomer);
    assert_eq!(newcomer.log().pruned_count(), 2);
    assert!(newcomer.log().is_pruned(&office.over_written));
    for id in [office.shown, office.denied, office.seal] {
        assert!(newcomer.envelope(&id).is_some());
    }
    // It answers for the seal, seals on, and carries the same, and so does who has pruned.
    assert!(newcomer.check_seal(&office.seal).unwrap().agrees());
    assert_eq!(newcomer.carry().unwrap(), carried);
    let mut pruned = full(&office.project);
    assert_eq!(pruned.prune().unwrap().ops, 2);
    assert_eq!(pruned.carry().unwrap(), carried);
    let next = |replica: &Replica| replica.next_seal(author(CAT), 99).unwrap();
    assert_eq!(next(&newcomer), next(&before));
    // What comes later builds on dropped ops, gives denied ones back, and ends what nobody had heard of.
    let project = &mut office.project;
    let first = project.given.len();
    let on_old = project.write_on(ALICE, &[office.shown], edit("a", 6));
    project.write(
        CAT,
        payload::Endorse {
            ops: [office.denied].into(),
        }
        .into(),
    );
    let late = project.write_on(CAT, &[office.over_written], revoke(ALICE));
    sealed(project);
    newcomer.ingest(project.given[first..].iter().cloned());
    same(&full(project), &newcomer);
    assert!(newcomer.is_applied_here(&office.denied) && newcomer.is_applied_here(&late));
    assert!(!newcomer.is_applied_here(&on_old));
    let again = newcomer.carry().unwrap();
    assert_eq!(again, full(project).carry().unwrap());
    assert_ne!(again, carried);
}

trait Applied {
    fn is_applied_here(&self, op: &OpId) -> bool;
}

impl Applied for Replica {
    fn is_applied_here(&self, op: &OpId) -> bool {
        self.decision(op)
            .is_some_and(|it| it.verdict() == "applied")
    }
}

#[test]
fn nothing_that_is_told_of_dropped_ops_can_be_changed() {
    let office = office();
    let honest = Carried::read(&full(&office.project).carry().unwrap());
    assert_eq!(honest.write(), full(&office.project).carry().unwrap());
    let op = &office.over_written;
    let changes: [fn(&mut Dropped); 9] = [
        // A link to what another link leads to says nothing, and is none that a snapshot has.
        |it| it.links.push(it.links[0] + 1),
        |it| it.author = 1 - it.author,
        |it| it.seq += 1,
        |it| it.links = vec![it.links[0] + 1],
        |it| it.hlc.physical_ms += 1,
        |it| it.hlc.logical += 1,
        |it| it.hlc.node += 1,
        |it| it.place = 1 - it.place,
        |it| it.id[0] ^= 1,
    ];
    for change in changes {
        let mut forged = honest.clone();
        forged.places.push(vec!["o".into(), "z".into()]);
        change(forged.dropped(op));
        let error = error(&forged);
        let is_found = matches!(
            error,
            StartError::Disagrees { .. }
                | StartError::NotAdmitted { .. }
                | StartError::Uncovered { .. }
        );
        assert!(is_found, "{error}");
    }
    let change = |change: &dyn Fn(&mut Carried)| {
        let mut forged = honest.clone();
        change(&mut forged);
        error(&forged)
    };
    let (seal, project) = (office.seal, honest.project);
    // Somebody else's work, at another place, as a remove.
    let other = *author(CAT).as_bytes();
    let error = change(&|it| it.authors[0] = other);
    assert!(matches!(
        error,
        StartError::Disagrees { .. } | StartError::NotAdmitted { .. }
    ));
    assert_eq!(
        change(&|it| it.places[0] = vec!["o".into(), "c".into()]),
        StartError::Uncovered { op: *op }
    );
    let removed = change(&|it| {
        it.places = vec![vec!["o".into(), "a".into(), "x".into()]];
        it.dropped(op).touch = 2;
    });
    assert!(matches!(
        removed,
        StartError::NotAdmitted { .. } | StartError::Uncovered { .. }
    ));
    // One op less, one more, another project, another seal.
    let position = honest.position(&office.denied);
    assert!(matches!(
        change(&|it| drop(it.ops.remove(position))),
        StartError::NotAdmitted { .. }
            | StartError::Disagrees { .. }
            | StartError::Uncovered { .. }
    ));
    let invented = |links| {
        Item::Dropped(Dropped {
            id: [9; 32],
            author: 0,
            seq: 9,
            links,
            hlc: at(5_000),
            touch: 0,
            place: 0,
        })
    };
    let seal_at = honest.position(&seal);
    assert!(matches!(
        change(&|it| it.ops.insert(seal_at, invented(vec![1]))),
        StartError::NotAdmitted { .. } | StartError::Disagrees { .. }
    ));
    assert_eq!(
        change(&|it| it.ops.push(invented(vec![1]))),
        StartError::Unsealed {
            op: OpId::from_bytes([9; 32])
        }
    );
    let foreign = Replica::start_from(seal, &honest.write());
    assert_eq!(foreign.err(), Some(StartError::OtherProject { project }));
    assert!(matches!(
        change(&|it| it.seal = office.shown),
        StartError::Disagrees { .. }
    ));
    assert!(matches!(
        change(&|it| it.seal = OpId::from_bytes([9; 32])),
        StartError::Disagrees { .. } | StartError::NotFinal { .. } | StartError::Unsealed { .. }
    ));
}

#[test]
fn neither_what_shows_nor_what_is_denied_goes_without_its_envelope() {
    let office = office();
    let honest = Carried::read(&full(&office.project).carry().unwrap());
    for (id, place, who) in [(office.shown, "a", ALICE), (office.denied, "b", BOB)] {
        let mut forged = honest.clone();
        let position = forged.position(&id);
        let op = office.project.log.get(&id).unwrap();
        let mut links = Vec::new();
        for parent in &op.body().parents {
            links.push((position - forged.position(parent)) as u64);
        }
        links.sort_unstable();
        let author = *author(who).as_bytes();
        forged.authors.push(author);
        forged.places.push(vec!["o".into(), place.into()]);
        forged.ops[position] = Item::Dropped(Dropped {
            id: *id.as_bytes(),
            author: forged.authors.len() as u64 - 1,
            seq: op.body().seq,
            links,
            hlc: op.body().hlc,
            touch: 0,
            place: forged.places.len() as u64 - 1,
        });
        assert_eq!(error(&forged), StartError::Uncovered { op: id });
    }
}

#[test]
fn a_seal_of_too_few_roots_starts_nothing() {
    let office = office();
    let honest = Carried::read(&full(&office.project).carry().unwrap());
    let seal = office.seal;
    let not_final = StartError::NotFinal { seal };
    // A thief has the key of one root: their own signatures are one.
    let mut alone = honest.clone();
    alone.ops.pop();
    assert_eq!(error(&alone), not_final);
    let mut thief = office.project.replica(Limits::default());
    let until = office.project.given.len() - 1;
    for op in &office.project.given[..until] {
        thief.receive(op.clone());
    }
    for signer in [ANN, ALICE] {
        thief.now_ms += 10;
        let cosigned = thief.draft(signer, cosign(seal));
        let mut forged = alone.clone();
        forged
            .ops
            .push(Item::Envelope(cosigned.envelope().to_vec()));
        let error = error(&forged);
        assert!(matches!(
            error,
            StartError::NotFinal { .. } | StartError::NotAdmitted { .. }
        ));
        assert_eq!(error == not_final, signer == ANN);
    }
    // Nor does a seal that nobody could compute.
    let mut project = office.project;
    let lie = project.write(ANN, Payload::Seal(payload::Seal { digest: [7; 32] }));
    project.write(BEN, cosign(lie));
    assert_eq!(
        full(&project).carry().unwrap_err(),
        CarryError::Disagrees { seal: lie }
    );
    let mut lying = honest;
    let after: Vec<Item> = project.given[project.given.len() - 2..]
        .iter()
        .map(|op| Item::Envelope(op.envelope().to_vec()))
        .collect();
    lying.seal = lie;
    lying.ops.extend(after);
    assert_eq!(error(&lying), StartError::Disagrees { seal: lie });
}

#[test]
fn both_halves_of_an_equivocation_go_with_their_envelopes() {
    let mut project = project(&["carry"]);
    let grant = project.log.heads();
    let twins = [1, 2].map(|value| sign(BOB, 0, &grant, at(500), edit("a", value)));
    for twin in twins.clone() {
        project.receive(twin);
    }
    project.now_ms = 600;
    let alone = project.write(ALICE, edit("a", 3));
    project.write(ALICE, edit("a", 4));
    sealed(&mut project);
    let everything = full(&project);
    let mut newcomer =
        Replica::start_from(everything.project(), &everything.carry().unwrap()).unwrap();
    same(&everything, &newcomer);
    assert_eq!(newcomer.superseded().len(), 3);
    assert_eq!(newcomer.log().pruned_count(), 1);
    assert!(twins.iter().all(|it| newcomer.envelope(&it.id()).is_some()));
    // The other half of a dropped op comes later: both see it, and freeze its author.
    let parents = project.log.get(&alone).unwrap().body().parents.clone();
    let other = sign(ALICE, 0, &parents, at(700), edit("b", 1));
    project.receive(other.clone());
    newcomer.ingest([other]);
    same(&full(&project), &newcomer);
    let trust = String::from_utf8(newcomer.trust()).unwrap();
    assert!(trust.contains(&format!("\"{alone}\"")) && newcomer.log().is_pruned(&alone));
}

#[test]
fn what_is_signed_is_taken_in_as_it_is_named_and_where_it_belongs() {
    let mut project = project(&["carry"]);
    let first = project.write(ALICE, edit("a", 1));
    let second = project.write(BOB, edit("a", 2));
    // A parent that another one has seen, parents that have not seen each other, and places of one field and of others.
    let third = project.write_on(ALICE, &[first, second], edit("b", 3));
    let aside = project.write_on(BOB, &[second], add("a", "x"));
    let both = project.write_on(ALICE, &[third, aside], add("a", "y"));
    let again = project.write_on(BOB, &[aside, both], add("a", "x"));
    project.write(ALICE, edit("b", 4));
    sealed(&mut project);
    let everything = full(&project);
    let honest = Carried::read(&everything.carry().unwrap());
    let dropped = honest
        .ops
        .iter()
        .filter(|it| matches!(it, Item::Dropped(_)));
    assert_eq!((dropped.count(), honest.places.len()), (3, 3));
    let mut newcomer = honest.start().unwrap();
    same(&everything, &newcomer);
    let named = newcomer.log().get(&again).unwrap();
    assert_eq!(named.body().parents.len(), 2);
    assert_eq!(newcomer.carry().unwrap(), honest.write());
    let next = project.draft(BOB, edit("b", 5));
    newcomer.ingest([next.clone()]);
    project.receive(next);
    same(&full(&project), &newcomer);
    // A signed op that comes before its parents, twice, or with another byte in it.
    let changed = |change: &dyn Fn(&mut Vec<Item>)| {
        let mut forged = honest.clone();
        change(&mut forged.ops);
        error(&forged)
    };
    let (at_third, at_both) = (honest.position(&third), honest.position(&both));
    let not_admitted = |position| StartError::NotAdmitted { position };
    let early = changed(&|ops| ops.swap(at_third, at_both));
    assert_eq!(early, not_admitted(at_third));
    let twice = changed(&|ops| ops.insert(at_both, ops[at_both].clone()));
    assert_eq!(twice, not_admitted(at_both + 1));
    let damaged = changed(&|ops| {
        if let Item::Envelope(envelope) = &mut ops[at_both] {
            envelope[60] ^= 1;
        }
    });
    assert_eq!(damaged, not_admitted(at_both));
}

#[test]
fn the_first_signature_that_is_bad_counts_before_whatever_else_is_wrong() {
    let mut project = project(&["carry"]);
    project.write(ALICE, edit("a", 1));
    project.write(BOB, edit("b", 2));
    sealed(&mut project);
    let honest = Carried::read(&full(&project).carry().unwrap());
    let last = honest.ops.len() - 1;
    let signed = |ops: &[Item]| {
        let is_signed = |at: &usize| matches!(ops[*at], Item::Envelope(_));
        (1..ops.len()).filter(is_signed).collect::<Vec<_>>()
    };
    let at = signed(&honest.ops);
    assert!(at.len() > 4 && at.contains(&last));
    let unsign = |forged: &mut Carried, at: usize| {
        if let Item::Envelope(envelope) = &mut forged.ops[at] {
            *envelope.last_mut().unwrap() ^= 1;
        }
    };
    for &position in &at {
        // All of it was taken in and compared by then; what stands behind the seal is believed as little.
        let mut forged = honest.clone();
        unsign(&mut forged, position);
        let not_admitted = StartError::NotAdmitted { position };
        assert_eq!(error(&forged), not_admitted);
        // More that is unsigned, an op that is told twice, and nothing where more is said to come.
        if position < last {
            unsign(&mut forged, last);
        }
        assert_eq!(error(&forged), not_admitted);
        forged.ops.push(forged.ops[position].clone());
        assert_eq!(error(&forged), not_admitted);
        let bytes = forged.write();
        let cut = Replica::start_from(forged.project, &bytes[..bytes.len() - 1]);
        assert!(matches!(
            cut,
            Err(StartError::NotAdmitted { .. } | StartError::Malformed { .. })
        ));
    }
}

#[test]
fn what_is_checked_beside_admission_is_checked() {
    let mut project = project(&["carry"]);
    // More ops than are hashed together, and more envelopes than are verified together, at two times.
    project.write_in_a_row(ALICE, (0..1_000).map(|value| edit("a", value)));
    let element = |number: u32| add("tags", &number.to_string());
    project.write_in_a_row(BOB, (0..8_300).map(element));
    sealed(&mut project);
    let everything = full(&project);
    let honest = Carried::read(&everything.carry().unwrap());
    same(&everything, &honest.start().unwrap());
    let is_signed = |at: &usize| matches!(honest.ops[*at], Item::Envelope(_));
    let at: Vec<usize> = (1..honest.ops.len()).filter(is_signed).collect();
    let unsign = |forged: &mut Carried, at: usize| {
        if let Item::Envelope(envelope) = &mut forged.ops[at] {
            *envelope.last_mut().unwrap() ^= 1;
        }
    };
    // From the last one on: one that is unsigned counts before those behind it.
    let mut forged = honest.clone();
    for position in [at[at.len() - 1], at[8_250], at[8_000], at[70]] {
        unsign(&mut forged, position);
        assert_eq!(error(&forged), StartError::NotAdmitted { position });
    }
    // An op of which no envelope is here tells of another clock: every skeleton counts.
    let dropped = |at: &usize| matches!(honest.ops[*at], Item::Dropped(_));
    let dropped: Vec<usize> = (1..honest.ops.len()).filter(dropped).collect();
    for position in [dropped[0], dropped[300], dropped[dropped.len() - 1]] {
        let mut forged = honest.clone();
        if let Item::Dropped(it) = &mut forged.ops[position] {
            it.hlc.node ^= 1;
        }
        let seal = honest.seal;
        assert_eq!(error(&forged), StartError::Disagrees { seal });
        let position = at[8_250];
        unsign(&mut forged, position);
        assert_eq!(error(&forged), StartError::NotAdmitted { position });
    }
}

#[test]
fn who_has_nothing_that_is_bound_carries_nothing() {
    let mut plain = project(&[]);
    plain.write(ALICE, edit("a", 1));
    assert_eq!(full(&plain).carry(), Err(CarryError::Unsealed));
    let proposed = seal(&mut plain);
    assert_eq!(full(&plain).carry(), Err(CarryError::Unsealed));
    plain.write(BEN, cosign(proposed));
    assert_eq!(
        full(&plain).carry(),
        Err(CarryError::Unbound { seal: proposed })
    );
    // An `Upgrade` that enough roots have signed binds the seals that have seen it.
    let carry = payload::Upgrade {
        feature: name("carry"),
        parameters: Vec::new(),
    };
    let upgrade = plain.write(ANN, carry.into());
    let short = sealed(&mut plain);
    assert_eq!(
        full(&plain).carry(),
        Err(CarryError::Unbound { seal: short })
    );
    plain.write(CAT, cosign(upgrade));
    sealed(&mut plain);
    let everything = full(&plain);
    let newcomer = Replica::start_from(everything.project(), &everything.carry().unwrap());
    same(&everything, &newcomer.unwrap());
    // Bytes that begin like a snapshot, and have no end.
    let carried = everything.carry().unwrap();
    for bytes in [
        &carried[..carried.len() - 1],
        &[&carried[..], &[0]].concat(),
    ] {
        let started = Replica::start_from(everything.project(), bytes);
        assert!(matches!(started, Err(StartError::Malformed { .. })));
    }
    let endless = [&carried[..17], &[0x58, 0x20], &[0; 32]].concat();
    assert!(Replica::start_from(everything.project(), &endless).is_err());
}
