//! Witnesses: of many denials of one thing, a decision names the one with the least id that counts; and a batch whose credentials
//! are read together says what its ops say one by one.

use std::collections::BTreeSet;

use ecac_core::credential::mint::{mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload;
use ecac_core::{Decision, DenialReason, EffectCode, Event, OpId, Payload, Replica};

use crate::project::{
    FAR_MS, ISSUER, ISSUER_KEY, KID, Project, claims, edit, issuer_key, key, revoke,
};

const ANN: u32 = 1;
const ALICE: u32 = 4;
const BOB: u32 = 5;
const ADMINISTRATORS: [u32; 2] = [6, 7];
const LIST: &str = "https://issuer.example/list";
const BIT: u64 = 9;
/// Denials of each administrator: more than are looked at one by one.
const ROUNDS: usize = 14;

fn list(set: bool, round: usize) -> Payload {
    let purpose = StatusPurpose::Revocation;
    // A bit that nobody names sets the versions apart.
    let mut bits = BTreeSet::from([1_000 + round as u64]);
    bits.extend(set.then_some(BIT));
    let jwt = mint_status_list(&key(ISSUER_KEY), ISSUER, KID, LIST, purpose, 0, 0, &bits);
    Payload::StatusList(payload::StatusList { jwt })
}

/// A project with two administrators and two editors, one of whom has a credential with a bit; the last op of the setup.
fn staffed() -> (Project, OpId) {
    let mut project = Project::found([ANN]);
    for by in ADMINISTRATORS {
        project.grant(ANN, by, Role::PolicyAdmin);
        project.grant(ANN, by, Role::IssuerAdmin);
    }
    project.grant(ANN, ALICE, Role::Editor);
    project.write(ANN, list(false, 100));
    let mut claims = claims(BOB, Role::Editor);
    claims.status = vec![StatusRef {
        list: LIST.into(),
        index: BIT,
        purpose: StatusPurpose::Revocation,
    }];
    let carrier = project.carry(ANN, mint_credential(&key(ISSUER_KEY), &claims));
    let granted = project.write(ANN, Project::grant_of(BOB, carrier));
    (project, granted)
}

/// An editor writes while both administrators deny again and again, each now and then with the editor's work in view. Each op
/// of the editor is denied by the denial with the least id of those that had not seen it.
fn check(editor: u32, reason: DenialReason, denial: impl Fn(usize) -> (Payload, bool)) {
    let (mut project, setup) = staffed();
    let mut lasts = [setup; 2];
    let mut work = vec![project.write_on(editor, &[setup], edit("a", 0))];
    let mut denials: Vec<OpId> = Vec::new();
    for round in 0..ROUNDS {
        for (at, by) in ADMINISTRATORS.into_iter().enumerate() {
            let mut parents = vec![lasts[at]];
            if round % 4 == 2 * at + 1 {
                parents.extend(work.last());
            }
            let (payload, counts) = denial(2 * round + at);
            lasts[at] = project.write_on(by, &parents, payload);
            denials.extend(counts.then_some(lasts[at]));
        }
        let last = *work.last().expect("there is work");
        work.push(project.write_on(editor, &[last], edit("a", 1)));
    }
    assert!(denials.len() > 20);
    for op in work {
        let unseen = denials.iter().filter(|it| {
            let seen = project.log.happens_before(&op, it, &mut project.costs);
            seen == Some(false)
        });
        let denial = *unseen.min().expect("each is denied");
        assert_eq!(project.decision(&op), Decision::Denied { reason, denial });
    }
}

#[test]
fn of_many_revocations_the_least_that_had_not_seen_the_op_is_named() {
    check(ALICE, DenialReason::Revoked, |_| (revoke(ALICE), true));
}

#[test]
fn of_many_versions_of_a_list_the_least_that_sets_the_bit_is_named() {
    check(BOB, DenialReason::StatusRevoked, |round| {
        let set = round > 1 && round % 7 != 0;
        (list(set, round), set)
    });
}

#[test]
fn a_batch_says_of_credentials_what_its_ops_say_one_by_one() {
    let (mut project, setup) = staffed();
    let mut last = setup;
    for round in 0..12 {
        let mut jwt = mint_credential(&key(ISSUER_KEY), &claims(20 + round, Role::Editor));
        if round % 5 == 1 {
            jwt = mint_credential(&key(3), &claims(20 + round, Role::Editor));
        }
        let jwt = Payload::Credential(payload::Credential { jwt });
        let carrier = project.write_on(ADMINISTRATORS[0], &[last], jwt);
        let grant = Project::grant_of(20 + round, carrier);
        last = project.write_on(ADMINISTRATORS[0], &[carrier], grant);
        if round == 8 {
            // From here on two keys have the name.
            let other = issuer_key(KID, 3, FAR_MS);
            last = project.write_on(ADMINISTRATORS[0], &[last], other);
        }
        let listed = list(round % 2 == 0, round as usize);
        last = project.write_on(ADMINISTRATORS[0], &[last], listed);
    }
    let mut copies = [1, 1_000].map(|size| {
        let mut copy = Replica::join(project.log.project());
        // The setup comes before, so that who brings credentials is known for an administrator.
        let (before, rest) = project.given.split_at(20);
        copy.ingest(before.to_vec());
        let batches = rest.chunks(size).map(<[_]>::to_vec);
        let events: Vec<Event> = batches.flat_map(|it| copy.ingest(it).events).collect();
        assert!(events.iter().all(|it| it.name() == "applied"));
        copy
    });
    let effects = copies.each_mut().map(|copy| {
        let given = project.given.iter();
        let effects = given.map(|op| copy.effect(&op.id()).map(|it| it.code));
        effects.collect::<Vec<_>>()
    });
    assert_eq!(effects[0], effects[1]);
    let count = |code| effects[0].iter().filter(|it| **it == Some(code)).count();
    assert_eq!(count(EffectCode::BadSignature), 2);
    let verified = copies.each_ref().map(|it| it.costs().signatures_verified);
    assert_eq!(verified[0], verified[1]);
    assert_eq!(copies[0].trust(), copies[1].trust());
    assert_eq!(copies[0].decisions(), copies[1].decisions());
}
