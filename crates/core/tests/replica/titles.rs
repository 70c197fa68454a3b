//! Titles: under which an op is admitted does not hang on under which its author's earlier ops were.

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{Decision, DenialReason, Limits, OpId, Payload};

use crate::devices::device;
use crate::project::{Project, edit, revoke};
use crate::quorum::{ANN, BEN, CAT, cosign, list, three_roots, withdrawable};

const DAN: u32 = 3;
const ALICE: u32 = 4;
const PETRA: u32 = 5;
const PHONE: u32 = 40;

const SEAL: Payload = Payload::Seal(payload::Seal { digest: [0; 32] });

/// Ann deposes Petra and seals it. Petra, who did not know, revokes Alice; Dan, who knows that, grants Alice another role with
/// a status, and Alice writes before and after she has seen the seal. Then the other grant is withdrawn.
fn given_back_by(mut project: Project, cosigns: &[u32]) {
    let project = &mut project;
    project.grant(ANN, PETRA, Role::PolicyAdmin);
    project.grant(ANN, DAN, Role::PolicyAdmin);
    let first = project.grant(ANN, ALICE, Role::Editor);
    let known = project.write(ANN, list(&[]));
    let before = project.write_on(ALICE, &[known], edit("f", 1));

    let deposed = project.write_on(ANN, &[known], revoke(PETRA));
    let spite = project.write_on(PETRA, &[known], revoke(ALICE));
    let jwt = withdrawable(ALICE, Role::Editor, 2);
    let carrier = Payload::Credential(payload::Credential { jwt });
    let carrier = project.write_on(DAN, &[before, spite], carrier);
    let second = project.write_on(DAN, &[carrier], Project::grant_of(ALICE, carrier));
    let between = project.write_on(ALICE, &[second], edit("f", 2));

    let seal = project.write_on(ANN, &[deposed], SEAL);
    let mut last = seal;
    for &root in cosigns {
        last = project.write_on(root, &[last], cosign(seal));
    }
    let after = project.write_on(ALICE, &[between, last], edit("f", 3));
    let next = project.write_on(ALICE, &[after], edit("f", 4));

    let end = project.write_on(ANN, &[seal, second], list(&[2]));
    let by = |grant| Decision::Applied { grant };
    assert_eq!(project.decision(&before), by(first));
    let ended = Decision::Denied {
        reason: DenialReason::StatusRevoked,
        denial: end,
    };
    assert_eq!(project.decision(&between), ended);
    assert_eq!(project.decision(&after), by(first));
    assert_eq!(project.decision(&next), by(first));
    let last = project.write_on(ALICE, &[next, end], edit("f", 5));
    assert_eq!(project.decision(&last), by(first));
}

#[test]
fn a_grant_that_a_seal_gives_back_counts_for_what_has_seen_the_seal() {
    given_back_by(three_roots(), &[BEN]);
}

#[test]
fn a_grant_that_the_first_seal_of_a_project_gives_back_counts_likewise() {
    let features: [(&str, &[u8]); 1] = [("seal", &[])];
    given_back_by(Project::using([ANN], &features, Limits::default()), &[]);
}

#[test]
fn an_author_who_becomes_a_device_writes_for_the_person_too() {
    let project = &mut three_roots();
    let id = project.log.project();
    let persons = project.grant(ANN, ALICE, Role::Editor);
    let own = project.grant(ANN, PHONE, Role::Editor);
    let write = |project: &mut Project, parents: &[OpId]| {
        let first = project.write_on(PHONE, parents, edit("f", 1));
        project.write_on(PHONE, &[first], edit("f", 2))
    };
    let before = write(project, &[own]);
    let link = project.write_on(ALICE, &[own], device(id, ALICE, PHONE));
    let after = write(project, &[before, link]);
    project.write_on(BEN, &[link], revoke(PHONE));
    assert!(!project.is_applied(&before));
    assert_eq!(
        project.decision(&after),
        Decision::Applied { grant: persons }
    );
}

#[test]
fn a_root_that_a_second_one_signs_late_signs_from_then_on() {
    let project = &mut three_roots();
    let editor = project.grant(ANN, DAN, Role::Editor);
    let root = project.grant(ANN, DAN, Role::Root);
    let before = project.write_on(DAN, &[editor, root], edit("f", 1));
    let signed = project.write_on(CAT, &[root], cosign(root));
    let unseen = project.write_on(DAN, &[before], edit("f", 2));
    let after = project.write_on(DAN, &[unseen, signed], edit("f", 3));
    let end = project.write_on(BEN, &[root], revoke(DAN));
    for op in [before, unseen] {
        let ended = Decision::Denied {
            reason: DenialReason::Revoked,
            denial: end,
        };
        assert_eq!(project.decision(&op), ended);
    }
    // The end of a root takes two roots.
    assert_eq!(project.decision(&after), Decision::Applied { grant: root });
}
