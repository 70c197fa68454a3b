//! One replica as who embeds it sees it: founding, joining, writing, and what goes wrong.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;

use ecac_core::credential::Role;
use ecac_core::limits::INTEGER_MAX;
use ecac_core::payload;
use ecac_core::{
    Action, AuthorError, CodecError, DRIFT_MS, DenialReason, DraftError, EffectCode, Event, Limits,
    OpId, Payload, PublicKey, Refusal, Replica, SignError, Signer, SigningKey, Standing, Value,
};
use sha2::{Digest as _, Sha256};

use crate::office::{ALICE, BOB, OUTSIDER, ROOT, genesis, hire, join, office, tags, told, write};
use crate::project::{
    FAR_MS, ISSUER_KEY, KID, at, author, edit, issuer_key, key, name, revoke, sign, unassigned,
};

#[test]
fn a_technician_works_offline_and_a_revocation_takes_the_work_back_with_its_reason() {
    let mut office = office();
    let mut van = join(&office);
    write(&mut office, ROOT, edit("status", 1), 20);
    let offline = write(&mut van, ALICE, edit("status", 2), 30);
    assert_eq!(
        told(&offline.received),
        (
            vec!["applied"],
            vec!["o . status: nothing -> Int(2) (applied)".into()]
        )
    );
    let preview = office.preview(revoke(ALICE), author(ROOT), 40).unwrap();
    assert_eq!(told(&preview.received), (vec!["applied"], Vec::new()));
    let revoked = write(&mut office, ROOT, revoke(ALICE), 40);
    assert_eq!(revoked.received, preview.received);
    assert_eq!(revoked.effect.unwrap().code, EffectCode::Revokes);

    let received = van.receive(&office.envelopes().collect::<Vec<_>>());
    let (names, changes) = told(&received);
    let last: Vec<&str> = names.into_iter().filter(|it| *it != "duplicate").collect();
    assert_eq!(last, ["applied", "applied", "rolled_back"]);
    assert_eq!(
        changes,
        ["o . status: Int(2) -> Int(1) (applied, rolled_back)"]
    );
    let Some(Event::RolledBack {
        op,
        reason,
        denial,
        cause,
    }) = received.of(&offline.op)
    else {
        panic!("{received:?}");
    };
    assert_eq!(
        (op.author, op.kind),
        (Some(author(ALICE)), Some("SetField"))
    );
    assert_eq!(*reason, DenialReason::Revoked);
    assert_eq!((*denial, *cause), (revoked.op, revoked.op));
    assert_eq!(
        received.of(&offline.op).and_then(Event::reason),
        Some(("revoked", DenialReason::Revoked.meaning()))
    );
    let explanation = van.explain(&offline.op).unwrap();
    assert_eq!(explanation.reason, Some("revoked"));

    let arrived = office.receive(&[&offline.envelope]);
    assert_eq!(told(&arrived), (vec!["denied"], Vec::new()));
    assert_eq!(office.state(), van.state());
    assert_eq!(office.decisions(), van.decisions());
    assert_eq!(office.heads(), van.heads());
    let members = van.members(50).value;
    let alice = members
        .iter()
        .find(|it| it.person == author(ALICE))
        .unwrap();
    let ended = Standing::Ended {
        reason: DenialReason::Revoked,
        denial: revoked.op,
    };
    assert_eq!(alice.grants[0].standing, ended);
    assert!(!alice.is_live());
    let why = van.can(&author(ALICE), Action::Edit, &tags(), 50);
    let why = why.value.unwrap_err();
    assert_eq!(
        (why.reason, why.witness),
        (Refusal::Revoked, Some(revoked.op))
    );
}

#[test]
fn an_endorsement_gives_the_work_back_with_its_cause() {
    let mut founded = genesis();
    founded.features = [(name("endorse"), Vec::new())].into();
    let mut office = Replica::create(founded, &key(ROOT), 1).unwrap();
    write(&mut office, ROOT, issuer_key(KID, ISSUER_KEY, FAR_MS), 2);
    hire(&mut office, ALICE, Role::Editor, 10);
    let mut van = join(&office);
    let work = write(&mut van, ALICE, edit("status", 2), 20);
    let revoked = write(&mut office, ROOT, revoke(ALICE), 20);
    let received = office.receive(&[&work.envelope]);
    assert_eq!(told(&received).0, ["denied"]);
    let ops = [work.op].into();
    let given = write(&mut office, ROOT, payload::Endorse { ops }.into(), 30);
    assert_eq!(
        told(&given.received),
        (
            vec!["applied", "reinstated"],
            vec!["o . status: nothing -> Int(2) (reinstated)".into()]
        )
    );
    let Some(Event::Reinstated { grant, cause, .. }) = given.received.of(&work.op) else {
        panic!("{given:?}");
    };
    assert_eq!((*grant, *cause), (given.op, given.op));
    // Where both come in one batch, the work never went.
    let both: Vec<_> = office.envelopes().collect();
    let received = van.receive(&both);
    assert!(received.changes.is_empty(), "{received:?}");
    assert!(received.of(&revoked.op).is_some());
    assert_eq!(van.state(), office.state());
}

#[test]
fn what_would_be_refused_leaves_nothing_and_is_not_signed() {
    struct Never(SigningKey);
    impl Signer for Never {
        fn public_key(&self) -> PublicKey {
            ecac_core::public_key(&self.0)
        }
        fn sign(&self, _: &[u8]) -> Result<[u8; 64], SignError> {
            panic!("nobody signs what everybody refuses")
        }
    }
    let mut replica = office();
    let (state, heads) = (replica.state(), replica.heads());
    let holdings = replica.holdings();
    let refused = replica.author(edit("f", 1), &Never(key(OUTSIDER)), 20);
    assert_eq!(
        refused.unwrap_err().refusal(),
        Some((Refusal::NoGrant, None))
    );
    let beyond = revoke(ROOT);
    let foreseen = replica.preview(beyond.clone(), author(ALICE), 20);
    let refused = replica.author(beyond, &Never(key(ALICE)), 20).unwrap_err();
    let (reason, witness) = refused.refusal().unwrap();
    assert_eq!(foreseen, Err(DraftError::Refused { reason, witness }));
    assert_eq!(reason, Refusal::ActionNotPermitted);
    let late = replica.author(edit("f", 1), &Never(key(ALICE)), FAR_MS);
    assert_eq!(late.unwrap_err().refusal().unwrap().0, Refusal::Expired);
    assert_eq!((replica.state(), replica.heads()), (state, heads));
    assert_eq!(replica.holdings(), holdings);
}

#[test]
fn a_bad_signer_is_an_error_and_not_a_corrupt_log() {
    /// Signs for one key with another, or not at all.
    struct Bad {
        claims: u32,
        signs: Option<u32>,
        asked: Cell<u32>,
    }
    impl Signer for Bad {
        fn public_key(&self) -> PublicKey {
            author(self.claims)
        }
        fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
            self.asked.set(self.asked.get() + 1);
            match self.signs {
                Some(other) => Ok(key(other).sign(message).to_bytes()),
                None => Err(SignError::Declined),
            }
        }
    }
    let mut replica = office();
    let before = (replica.heads(), replica.holdings(), replica.state());
    let signer = |signs| Bad {
        claims: ALICE,
        signs,
        asked: Cell::new(0),
    };
    let wrong = signer(Some(BOB));
    let error = replica.author(edit("f", 1), &wrong, 20).unwrap_err();
    assert!(matches!(error, AuthorError::BadSignature { author: it } if it == author(ALICE)));
    assert_eq!(wrong.asked.get(), 1);
    let error = replica.author(edit("f", 1), &signer(None), 20).unwrap_err();
    assert!(
        matches!(error, AuthorError::Sign { author: it, source: SignError::Declined } if it == author(ALICE))
    );
    assert_eq!(
        before,
        (replica.heads(), replica.holdings(), replica.state())
    );
    let error = Replica::create(genesis(), &wrong, 1).unwrap_err();
    assert!(matches!(error, AuthorError::BadSignature { .. }));
    // The same op is written once a good signer comes.
    write(&mut replica, ALICE, edit("f", 1), 20);
}

#[test]
fn the_state_digest_is_that_of_the_export() {
    let mut replica = office();
    for round in 0..300 {
        let said = Sha256::digest(replica.state());
        assert_eq!(replica.state_digest(), <[u8; 32]>::from(said), "{round}");
        write(&mut replica, ALICE, edit(&format!("f\"{round}"), round), 30);
    }
    assert!(
        replica.state().len() > 1 << 15,
        "the bytes are hashed in parts"
    );
}

#[test]
fn no_order_of_calls_and_no_clock_makes_it_panic() {
    let full = office();
    let mut replica = Replica::join(full.project());
    let ask = |replica: &Replica| {
        let everything = (
            replica.members(0),
            replica.who_can(Action::Edit, &tags(), u64::MAX),
            replica.decisions(),
            replica.total_order().count(),
            replica.state_digest(),
            replica.trust_digest(),
        );
        for action in Action::ALL {
            assert!(replica.can(&author(OUTSIDER), *action, &tags(), 0).is_err());
        }
        assert!(replica.set("o", "f").is_empty() && replica.get("", "\u{0}").is_none());
        assert!(replica.tags("o", "f").len() <= 1);
        assert_eq!(replica.explain(&OpId::from_bytes([1; 32])), None);
        assert_eq!(replica.decision(&OpId::from_bytes([1; 32])), None);
        assert_eq!(replica.effect(&OpId::from_bytes([1; 32])), None);
        everything
    };
    ask(&replica);
    let error = replica.author(edit("f", 1), &key(ROOT), 1).unwrap_err();
    let project = full.project();
    assert!(
        matches!(error, AuthorError::Draft(DraftError::NoGenesis { project: it }) if it == project)
    );
    assert!(replica.seal(&key(ROOT), 1).is_err());
    // Everything but the genesis waits for it.
    let envelopes: Vec<Vec<u8>> = full.envelopes().map(|it| it.to_vec()).collect();
    let received = replica.receive(&envelopes[1..]);
    assert!(received.events.iter().all(|it| it.name() == "pending"));
    assert_eq!(received.missing, BTreeSet::from([project]));
    assert_eq!(replica.missing(), received.missing);
    ask(&replica);
    let received = replica.receive(&envelopes[..1]);
    assert!(received.events.iter().all(|it| it.name() == "applied"));
    assert_eq!(received.events.len(), envelopes.len());
    assert!(replica.missing().is_empty());
    assert_eq!(replica.state(), full.state());
    ask(&replica);

    for now_ms in [0, 1, INTEGER_MAX, INTEGER_MAX + 1, u64::MAX] {
        let written = replica.author(edit("f", 1), &key(ROOT), now_ms);
        let fits = now_ms <= INTEGER_MAX;
        assert_eq!(written.is_ok(), fits, "{written:?}");
        if let Err(error) = written {
            assert!(
                matches!(error, AuthorError::Draft(DraftError::Clock { now_ms: it }) if it == now_ms)
            );
        }
    }
    assert!(matches!(
        replica.author(genesis(), &key(ROOT), 5).unwrap_err(),
        AuthorError::Draft(DraftError::SecondGenesis)
    ));
    let long = payload::SetField {
        object: name("o"),
        field: name("f"),
        value: Value::Bytes(vec![0; 70_000]),
    };
    let error = replica.author(long, &key(ROOT), 5).unwrap_err();
    assert!(matches!(
        error,
        AuthorError::Draft(DraftError::Encoding {
            error: CodecError::Limit {
                what: "payload",
                ..
            }
        })
    ));
    assert!(matches!(
        Replica::create(genesis(), &key(ROOT), u64::MAX).unwrap_err(),
        AuthorError::Draft(DraftError::Clock { .. })
    ));
    ask(&replica);
}

#[test]
fn hostile_envelopes_are_told_by_their_place_in_the_batch() {
    let mut replica = office();
    let good = replica.envelopes().last().unwrap().to_vec();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let cut = good[..good.len() - 1].to_vec();
    let foreign = sign(OUTSIDER, 0, &[], at(1), Payload::Genesis(genesis()));
    let orphan = sign(ALICE, 9, &[foreign.id()], at(2), edit("f", 1));
    let lost = sign(ALICE, 9, &[OpId::from_bytes([9; 32])], at(2), edit("f", 1));
    let batch: Vec<Vec<u8>> = vec![
        Vec::new(),
        cut,
        flipped,
        good,
        orphan.envelope().to_vec(),
        foreign.envelope().to_vec(),
        lost.envelope().to_vec(),
        lost.envelope().to_vec(),
        vec![0xff; 100_000],
    ];
    let received = replica.receive(&batch);
    let (names, changes) = told(&received);
    assert_eq!(
        names,
        [
            "rejected",
            "rejected",
            "rejected",
            "duplicate",
            "refused",
            "refused",
            "pending",
            "duplicate",
            "rejected"
        ]
    );
    assert!(changes.is_empty());
    assert!(matches!(
        received.events[2],
        Event::Rejected {
            position: 2,
            reason: Refusal::BadSignature,
            claimed: Some(_)
        }
    ));
    assert!(matches!(
        &received.events[8],
        Event::Rejected {
            position: 8,
            reason: Refusal::NonCanonical,
            claimed: None
        }
    ));
    // The orphan was judged when its parent came: it is told after it, without its content.
    let mentions: Vec<_> = received.events[4..6]
        .iter()
        .map(|it| it.mention().unwrap())
        .collect();
    assert_eq!(
        (mentions[0].id, mentions[0].author),
        (foreign.id(), Some(author(OUTSIDER)))
    );
    assert_eq!((mentions[1].id, mentions[1].author), (orphan.id(), None));
    assert_eq!(
        received.missing,
        BTreeSet::from([OpId::from_bytes([9; 32])])
    );
    assert_eq!(replica.holdings().rejected, 4);

    let limits = {
        let mut limits = Limits::unbounded();
        limits.pending_ops = 0;
        limits
    };
    let mut small = Replica::builder().limits(limits).join(replica.project());
    let received = small.ingest([lost]);
    assert_eq!(told(&received).0, ["dropped"]);
    assert!(received.missing.is_empty());
}

#[test]
fn a_replica_that_is_behind_says_so_and_asks_before_it_writes() {
    let mut newer = office();
    let upgrade = payload::Upgrade {
        feature: name("hovercraft"),
        parameters: Vec::new(),
    };
    newer.author(upgrade, &key(ROOT), 20).unwrap();
    let behind = newer.behind().unwrap();
    assert_eq!(behind.features, BTreeSet::from([name("hovercraft")]));
    assert_eq!(newer.get("o", "f").behind, Some(behind.clone()));
    let error = newer.author(edit("f", 1), &key(ROOT), 30).unwrap_err();
    assert!(matches!(error, AuthorError::Draft(DraftError::Behind { behind: it }) if it == behind));
    let mut bold = Replica::builder()
        .behind_is_fine(true)
        .join(newer.project());
    bold.ingest(newer.ops());
    write(&mut bold, ROOT, edit("f", 1), 30);
    let unknown = bold.author(unassigned(1), &key(ROOT), 40).unwrap_err();
    assert!(matches!(
        unknown,
        AuthorError::Draft(DraftError::Unsupported)
    ));
    let foreign = sign(ROOT, 99, &[bold.heads()[0]], at(50), unassigned(1));
    assert_eq!(told(&bold.ingest([foreign])).0, ["unsupported"]);
    assert_eq!(bold.behind().unwrap().unsupported, 1);
}

#[test]
fn clocks_within_the_drift_are_named_and_others_wait() {
    let mut office = office();
    hire(&mut office, BOB, Role::Editor, 11);
    let mut fast = join(&office);
    let near = write(&mut fast, BOB, edit("near", 1), 20 + DRIFT_MS);
    office.receive(&[&near.envelope]);
    let written = write(&mut office, ALICE, edit("f", 1), 20);
    let body = |replica: &Replica, op| replica.log().get(&op).unwrap().body().clone();
    let mine = body(&office, written.op);
    assert_eq!(mine.parents, [near.op]);
    assert!(mine.hlc > body(&office, near.op).hlc);
    let far = write(&mut fast, BOB, edit("far", 1), 30 + 10 * DRIFT_MS);
    let received = office.receive(&[&far.envelope]);
    assert_eq!(told(&received).0, ["applied"]);
    let next = write(&mut office, ALICE, edit("f", 2), 30);
    assert_eq!(body(&office, next.op).parents, [written.op]);
    let revoked = write(&mut fast, ROOT, revoke(ALICE), 40 + 20 * DRIFT_MS);
    office.receive(&[&revoked.envelope]);
    let at_once = office.can(&author(ALICE), Action::Edit, &tags(), 40);
    assert_eq!(at_once.value.unwrap_err().reason, Refusal::Revoked);
    // What is written without naming the revocation is admitted and denied at once.
    let denied = write(&mut office, ALICE, edit("f", 3), 40);
    assert_eq!(told(&denied.received).0, ["denied"]);
}

#[test]
fn costs_are_those_of_a_log_and_its_replay() {
    use ecac_core::{Costs, Log, Replay};
    let office = office();
    let envelopes: Vec<_> = office.envelopes().collect();
    let mut replica = Replica::join(office.project());
    let (mut log, mut replay) = (Log::new(office.project()), Replay::new());
    let costs = &mut Costs::default();
    for envelope in envelopes {
        replica.receive(&[&*envelope]);
        log.receive(&envelope, costs).unwrap();
        replay.advance(&log, costs);
        assert_eq!(replica.costs(), *costs);
    }
    let before = replica.costs();
    assert!(replica.preview(edit("f", 1), author(ALICE), 20).is_ok());
    assert_eq!(replica.members(20).len(), 2);
    assert_eq!(replica.costs(), before);
    write(&mut replica, ALICE, edit("f", 1), 20);
    assert_eq!(replica.costs().since(&before).signatures_verified, 1);
}

#[test]
fn threads_show_nowhere_in_what_a_batch_did() {
    let mut office = office();
    for (number, now_ms) in (0..540).zip(30..) {
        write(&mut office, ALICE, edit("status", number), now_ms);
    }
    let mut envelopes: Vec<Vec<u8>> = office.envelopes().map(Cow::into_owned).collect();
    // One is no op, one is not signed by its author, so that what builds on it waits, and one comes twice.
    envelopes.insert(300, b"no op".to_vec());
    *envelopes[500].last_mut().unwrap() ^= 1;
    envelopes.push(envelopes[100].clone());
    let take = |threads| {
        let mut replica = Replica::builder().threads(threads).join(office.project());
        let received = replica.receive(&envelopes);
        (received, replica.costs(), replica.state_digest())
    };
    let alone = take(1);
    for threads in [2, 5, usize::MAX] {
        assert_eq!(take(threads), alone, "{threads} threads");
    }
}
