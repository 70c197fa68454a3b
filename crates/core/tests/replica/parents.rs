//! The parents that are offered keep an honest author writing, whatever others do.

use ecac_core::credential::Role;
use ecac_core::limits::{INTEGER_MAX, PARENTS_MAX};
use ecac_core::{Decision, DenialReason, EffectCode, Hlc, OpId, Outcome, Refusal};

use crate::project::{Project, at, edit, revoke, sign};

const ROOT: u32 = 0;
const ALICE: u32 = 1;
const MALLORY: u32 = 2;

/// A project in which the root has made Alice and Mallory editors.
fn project() -> (Project, [OpId; 2]) {
    let mut project = Project::found([ROOT]);
    let grants = [ALICE, MALLORY].map(|subject| project.grant(ROOT, subject, Role::Editor));
    (project, grants)
}

/// Ops that Mallory signs with one number on her grant, stamped from `now_ms` on.
fn forks(grant: OpId, count: u64, now_ms: u64) -> impl Iterator<Item = ecac_core::VerifiedOp> {
    (0..count).map(move |fork| {
        let value = i64::try_from(fork).expect("few");
        sign(
            MALLORY,
            0,
            &[grant],
            at(now_ms + fork),
            edit("forked", value),
        )
    })
}

#[test]
fn twenty_writers_who_meet_go_on() {
    let mut project = Project::found([ROOT]);
    let writers: Vec<u32> = (1..=20).collect();
    for &writer in &writers {
        project.grant(ROOT, writer, Role::Editor);
    }
    let apart: Vec<_> = writers
        .iter()
        .map(|&writer| project.draft(writer, edit("shared", writer.into())))
        .collect();
    for op in apart {
        assert_eq!(project.receive(op), Outcome::Admitted);
    }
    assert_eq!(
        (project.log.heads().len(), project.winners("shared")),
        (20, 20)
    );

    // Who writes elsewhere acts on none of it, and names as many as fit.
    let offered = project.offered(1, &edit("other", 0));
    assert_eq!(
        (offered.ids.len(), offered.unseen),
        (PARENTS_MAX, Vec::new())
    );

    // Of what a write to the same register replaces, four do not fit; the next op takes them in.
    let offered = project.offered(1, &edit("shared", 0));
    assert_eq!((offered.ids.len(), offered.unseen.len()), (PARENTS_MAX, 4));
    let first = project.write(1, edit("shared", 101));
    assert!(project.is_applied(&first));
    assert_eq!(project.winners("shared"), 5);
    for left in &offered.unseen {
        assert!(!project.has_seen(&first, left));
    }
    let offered_next = project.offered(1, &edit("shared", 0));
    assert_eq!(
        (offered_next.ids.len(), offered_next.unseen),
        (5, Vec::new())
    );
    let second = project.write(1, edit("shared", 102));
    assert!(project.is_applied(&second));
    assert_eq!(
        (project.log.heads(), project.winners("shared")),
        (vec![second], 1)
    );

    // Whoever else writes needs no more than the last op of all, which has their own in its past.
    for &writer in &writers[1..] {
        let last = project.log.heads();
        assert_eq!(project.offered(writer, &edit("shared", 0)).ids, last);
        let op = project.write(writer, edit("shared", writer.into()));
        assert!(project.is_applied(&op));
    }
}

#[test]
fn forks_of_somebody_revoked_keep_nobody_from_writing() {
    let (mut project, [_, grant]) = project();
    let revocation = project.write(ROOT, revoke(MALLORY));
    let mut forked = Vec::new();
    for fork in forks(grant, 18, project.now_ms) {
        forked.push(fork.id());
        assert_eq!(project.receive(fork), Outcome::Admitted);
    }
    let denied = Decision::Denied {
        reason: DenialReason::Revoked,
        denial: revocation,
    };
    assert!(forked.iter().all(|fork| project.decision(fork) == denied));
    assert_eq!(project.log.heads().len(), 19);
    assert_eq!(project.offered(ALICE, &edit("f", 0)).ids, [revocation]);
    let op = project.write(ALICE, edit("f", 1));
    assert!(project.is_applied(&op));
    assert!(!forked.iter().any(|fork| project.has_seen(&op, fork)));
}

#[test]
fn forks_before_the_revocation_arrives_keep_nobody_from_writing() {
    let (mut project, [_, grant]) = project();
    let revocation = project.draft(ROOT, revoke(MALLORY));
    for fork in forks(grant, 18, project.now_ms) {
        assert_eq!(project.receive(fork), Outcome::Admitted);
    }
    // One of Alice's ops builds on applied forks, which are denied later; hers stands, and she goes on.
    let first = project.write(ALICE, edit("f", 1));
    assert_eq!(project.receive(revocation), Outcome::Admitted);
    assert!(project.is_applied(&first));
    let second = project.write(ALICE, edit("f", 2));
    assert!(project.is_applied(&second) && project.has_seen(&second, &first));
}

#[test]
fn a_stamp_in_the_last_millisecond_keeps_nobody_from_writing() {
    let (mut project, [alices, mallorys]) = project();
    let last = Hlc {
        physical_ms: INTEGER_MAX,
        logical: u32::MAX,
        node: u32::MAX,
    };
    // A write under a credential that has run out by then is refused; one by a root is not.
    let by_mallory = sign(MALLORY, 0, &[mallorys], last, edit("f", 0));
    let expired = Outcome::Refused {
        reason: Refusal::Expired,
        witness: Some(mallorys),
    };
    assert_eq!(project.receive(by_mallory), expired);
    let roots_own = project.write(ROOT, edit("g", 0));
    let by_root = sign(ROOT, 7, &[roots_own], last, edit("f", 0));
    let late = by_root.id();
    assert_eq!(project.receive(by_root), Outcome::Admitted);
    assert!(project.is_applied(&late));

    // Alice leaves it to those whose clocks have come so far, also where she replaces it.
    let offered = project.offered(ALICE, &edit("f", 1));
    assert_eq!((offered.ids, offered.unseen), (vec![roots_own], vec![late]));
    let op = project.write(ALICE, edit("f", 1));
    assert!(project.is_applied(&op) && project.has_seen(&op, &alices));
    project.now_ms = INTEGER_MAX;
    assert_eq!(project.offered(ALICE, &edit("f", 1)).unseen, []);
}

#[test]
fn endless_forks_of_one_author_leave_room_for_the_others() {
    let mut project = Project::found([ROOT]);
    let writers: Vec<u32> = (10..15).collect();
    for &writer in &writers {
        project.grant(ROOT, writer, Role::Editor);
    }
    let grant = project.grant(ROOT, MALLORY, Role::Editor);
    // All of hers have lesser stamps than those of the others.
    for fork in forks(grant, 400, project.now_ms + 1) {
        assert_eq!(project.receive(fork), Outcome::Admitted);
    }
    project.now_ms += 500;
    let apart: Vec<_> = writers
        .iter()
        .map(|&writer| project.draft(writer, edit("f", writer.into())))
        .collect();
    let theirs: Vec<OpId> = apart.iter().map(|op| op.id()).collect();
    for op in apart {
        assert_eq!(project.receive(op), Outcome::Admitted);
    }
    let offered = project.offered(ROOT, &edit("g", 0)).ids;
    assert_eq!(offered.len(), PARENTS_MAX);
    assert!(theirs.iter().all(|op| offered.contains(op)));
    let op = project.write(ROOT, edit("g", 1));
    assert!(project.is_applied(&op));
}

#[test]
fn who_grants_again_names_the_revocations() {
    let mut project = Project::found(0..4);
    project.grant(ROOT, ALICE + 10, Role::Editor);
    let apart: Vec<_> = (1..4)
        .map(|root| project.draft(root, revoke(ALICE + 10)))
        .collect();
    let revocations: Vec<OpId> = apart.iter().map(|op| op.id()).collect();
    let credential = project.present(ROOT, ALICE + 10, Role::Editor);
    for op in apart {
        assert_eq!(project.receive(op), Outcome::Admitted);
    }
    let grant = Project::grant_of(ALICE + 10, credential);
    let offered = project.offered(ROOT, &grant);
    assert!(revocations.iter().all(|op| offered.ids.contains(op)));
    assert_eq!(offered.unseen, []);
    let again = project.write(ROOT, grant);
    assert_eq!(project.effect(&again).code, EffectCode::Grants);
    let op = project.write(ALICE + 10, edit("f", 1));
    assert_eq!(project.decision(&op), Decision::Applied { grant: again });
}

#[test]
fn of_too_many_revocations_those_that_do_not_fit_are_told() {
    let mut project = Project::found(0..21);
    let subject = 100;
    let credential = project.present(ROOT, subject, Role::Editor);
    let apart: Vec<_> = (1..21)
        .map(|root| project.draft(root, revoke(subject)))
        .collect();
    let revocations: Vec<OpId> = apart.iter().map(|op| op.id()).collect();
    for op in apart {
        assert_eq!(project.receive(op), Outcome::Admitted);
    }
    let grant = Project::grant_of(subject, credential);
    let offered = project.offered(ROOT, &grant);
    assert_eq!(offered.ids.len(), PARENTS_MAX);
    let mut left: Vec<OpId> = revocations.clone();
    left.retain(|op| !offered.ids.contains(op));
    left.sort_unstable();
    assert_eq!((left.len(), &left), (4, &offered.unseen));
    // Whoever grants all the same grants nothing, and the effect says what it is that was not seen.
    let early = project.write(ROOT, grant.clone());
    let effect = project.effect(&early);
    assert_eq!((effect.code, effect.on), (EffectCode::Ended, vec![left[0]]));
    // That op has made room.
    assert_eq!(project.offered(ROOT, &grant).unseen, []);
    let again = project.write(ROOT, grant);
    assert_eq!(project.effect(&again).code, EffectCode::Grants);
    let op = project.write(subject, edit("f", 1));
    assert_eq!(project.decision(&op), Decision::Applied { grant: again });
}

#[test]
fn a_revocation_beyond_the_grants_role_is_not_asked_for() {
    let mut project = Project::found([ROOT]);
    let credential = project.present(ROOT, ALICE, Role::Editor);
    let of_readers = ecac_core::Payload::Revoke(ecac_core::payload::Revoke {
        subject: crate::project::author(ALICE),
        role: Some(Role::Reader),
        scope: None,
    });
    // Stamped in a time that the clock has not reached, so that it is not named by the way either.
    let parent = project.log.heads();
    let seq = project.log.admitted_count() as u64;
    let late = sign(ROOT, seq, &parent, at(1 << 30), of_readers);
    assert_eq!(project.receive(late), Outcome::Admitted);
    let grant = Project::grant_of(ALICE, credential);
    let offered = project.offered(7, &grant);
    assert_eq!(offered.unseen, []);
}

#[test]
fn the_own_last_op_is_named_although_it_is_denied() {
    let (mut project, [_, _]) = project();
    let revocation = project.draft(ROOT, revoke(ALICE));
    let lost = project.write(ALICE, edit("f", 1));
    assert_eq!(project.receive(revocation.clone()), Outcome::Admitted);
    assert!(!project.is_applied(&lost));
    let again = project.grant(ROOT, ALICE, Role::Editor);
    assert!(!project.has_seen(&again, &lost));
    let offered = project.offered(ALICE, &edit("f", 2)).ids;
    let mut wanted = vec![lost, again];
    wanted.sort_unstable();
    assert_eq!(offered, wanted);
    let op = project.write(ALICE, edit("f", 2));
    assert_eq!(project.decision(&op), Decision::Applied { grant: again });
}

/// Alice's device, restored from an old backup, signs a number again; she goes on under a new grant.
#[test]
fn who_has_equivocated_goes_on_under_a_grant_that_had_seen_it() {
    let (mut project, _) = project();
    let early_ms = project.now_ms + 50;
    let others: Vec<_> = (20..40)
        .map(|writer| {
            let grant = project.grant(ROOT, writer, Role::Editor);
            sign(writer, 0, &[grant], at(early_ms), edit("g", writer.into()))
        })
        .collect();
    project.now_ms = early_ms;
    let halves = [1, 2].map(|value| project.draft(ALICE, edit("f", value)));
    let [one, other] = halves.each_ref().map(ecac_core::VerifiedOp::id);
    for half in halves {
        assert_eq!(project.receive(half), Outcome::Admitted);
    }
    // Alice has seen both through somebody else.
    let both = project.write(MALLORY, edit("f", 3));
    assert!(project.has_seen(&both, &one) && project.has_seen(&both, &other));
    let frozen = project.draft(ALICE, edit("f", 4));
    let refused = Outcome::Refused {
        reason: Refusal::Frozen,
        witness: Some(one.min(other)),
    };
    assert_eq!(project.receive(frozen), refused);

    // More ends of others than fit come before the new grant, and none has it in its past, nor has what she wrote
    // meanwhile.
    let again = project.grant(ROOT, ALICE, Role::Editor);
    let late = sign(ALICE, 1, &[other], at(project.now_ms), edit("h", 1));
    assert_eq!(project.receive(late), Outcome::Admitted);
    for op in others {
        assert_eq!(project.receive(op), Outcome::Admitted);
    }
    let op = project.write(ALICE, edit("h", 2));
    assert_eq!(project.decision(&op), Decision::Applied { grant: again });
}

#[test]
fn who_grants_again_names_what_freezes_the_subject() {
    let (mut project, [_, grant]) = project();
    let credential = project.present(ROOT, MALLORY, Role::Editor);
    let revocation = project.write(ROOT, revoke(MALLORY));
    // Denied work is no end that anybody would name by the way.
    let mut halves = Vec::new();
    for fork in forks(grant, 2, project.now_ms) {
        halves.push(fork.id());
        assert_eq!(project.receive(fork), Outcome::Admitted);
    }
    project.now_ms += 2;
    let again = project.write(ROOT, Project::grant_of(MALLORY, credential));
    for seen in [revocation, halves[0], halves[1]] {
        assert!(project.has_seen(&again, &seen));
    }
    let op = project.write(MALLORY, edit("f", 1));
    assert_eq!(project.decision(&op), Decision::Applied { grant: again });
}

#[test]
fn a_grant_that_permits_is_named_where_nothing_else_has_it_in_its_past() {
    let (mut project, _) = project();
    project.write(ALICE, edit("f", 1));
    // Nobody else's applied work is an end that has the grant in its past: the grant itself lies in the future.
    let credential = project.present(ROOT, ALICE, Role::Root);
    let heads = project.log.heads();
    let seq = project
        .log
        .admitted()
        .filter(|op| op.body().author == crate::project::author(ROOT));
    let seq = seq.count() as u64;
    let late = sign(
        ROOT,
        seq,
        &heads,
        at(500),
        Project::grant_of(ALICE, credential),
    );
    let grant = late.id();
    assert_eq!(project.receive(late), Outcome::Admitted);
    let offered = project.offered(ALICE, &revoke(MALLORY));
    assert_eq!(offered.unseen, [grant]);
    project.now_ms = 500;
    let offered = project.offered(ALICE, &revoke(MALLORY));
    assert_eq!(
        (offered.ids.as_slice(), offered.unseen),
        (&[grant][..], vec![])
    );
    let op = project.write(ALICE, revoke(MALLORY));
    assert_eq!(project.decision(&op), Decision::Applied { grant });
}
