//! Quorum, seals and endorsements: what one stolen root can and cannot do.

use std::collections::BTreeSet;

use ecac_core::credential::mint::{mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload;
use ecac_core::{
    Costs, Decision, DenialReason, EffectCode as E, Limits, OpId, Outcome, Payload, Refusal,
    explain, snapshot,
};

use crate::devices::{device, device_revoke};
use crate::effects::{LIST, Shown, revoke_key, rules, status_list, upgrade};
use crate::project::{ISSUER, ISSUER_KEY, KID, Project, claims, edit, key, revoke};

pub(crate) const ANN: u32 = 0;
pub(crate) const BEN: u32 = 1;
pub(crate) const CAT: u32 = 2;
const DAN: u32 = 3;
const ALICE: u32 = 4;
const PETRA: u32 = 5;

/// Three roots of whom two sign together.
pub(crate) fn three_roots() -> Project {
    let features: [(&str, &[u8]); 5] = [
        ("quorum", &[2]),
        ("seal", &[]),
        ("endorse", &[]),
        ("device", &[]),
        ("schema", &[]),
    ];
    Project::using([ANN, BEN, CAT], &features, Limits::default())
}

pub(crate) fn cosign(op: OpId) -> Payload {
    Payload::Cosign(payload::Cosign { op })
}

fn seal() -> Payload {
    Payload::Seal(payload::Seal { digest: [0; 32] })
}

fn endorse(op: OpId) -> Payload {
    Payload::Endorse(payload::Endorse { ops: [op].into() })
}

/// A seal by the first root and a `Cosign` by the second.
pub(crate) fn sealed(project: &mut Project) -> OpId {
    let seal = project.write(ANN, seal());
    project.write(BEN, cosign(seal));
    seal
}

pub(crate) fn withdrawable(subject: u32, role: Role, bit: u64) -> String {
    let mut claims = claims(subject, role);
    claims.status = vec![StatusRef {
        list: LIST.into(),
        index: bit,
        purpose: StatusPurpose::Revocation,
    }];
    mint_credential(&key(ISSUER_KEY), &claims)
}

pub(crate) fn list(bits: &[u64]) -> Payload {
    let set: BTreeSet<u64> = bits.iter().copied().collect();
    let purpose = StatusPurpose::Revocation;
    let jwt = mint_status_list(&key(ISSUER_KEY), ISSUER, KID, LIST, purpose, 0, 0, &set);
    status_list(jwt)
}

fn denied(reason: DenialReason, denial: OpId) -> Decision {
    Decision::Denied { reason, denial }
}

pub(crate) fn effects(shown: &mut Shown) {
    proposals(shown);
    denials_of_roots(shown);
    denials_of_the_deposed(shown);
    endorsements(shown);
}

fn proposals(shown: &mut Shown) {
    let project = &mut three_roots();
    let rule = project.write(ANN, rules(&["a"]));
    shown.check(project, rule, E::Short, &[]);
    let signed = project.write(BEN, cosign(rule));
    shown.check(project, rule, E::AddsRules, &[]);
    shown.check(project, signed, E::Cosigns, &[rule]);
    let again = project.write(ANN, cosign(rule));
    shown.check(project, again, E::AddsNobody, &[rule]);
    let unknown = project.write(ANN, upgrade("quorum", &[2]));
    shown.check(project, unknown, E::BadParameters, &[]);
    let other = &mut Project::using([ANN, BEN], &[("quorum", &[2])], Limits::default());
    let proposed = other.write(ANN, upgrade("schema", &[]));
    shown.check(other, proposed, E::Short, &[]);
    other.write(BEN, cosign(proposed));
    shown.check(other, proposed, E::Upgrades, &[]);
    let seal_ = project.write(ANN, seal());
    shown.check(project, seal_, E::Short, &[]);
    project.write(CAT, cosign(seal_));
    shown.check(project, seal_, E::Seals, &[]);
    let root = project.grant(ANN, DAN, Role::Root);
    shown.check(project, root, E::Short, &[]);
    let early = project.draft(DAN, rules(&["x"]));
    let refused = Outcome::Refused {
        reason: Refusal::NoGrant,
        witness: Some(root),
    };
    assert_eq!(project.receive(early), refused);
    project.write(BEN, cosign(root));
    shown.check(project, root, E::Grants, &[]);
    project.write(DAN, rules(&["x"]));
}

fn denials_of_roots(shown: &mut Shown) {
    let project = &mut three_roots();
    let genesis = project.log.project();
    let key = project.log.heads()[0];
    project.write(ANN, list(&[9]));
    let root = {
        let credential = project.carry(ANN, withdrawable(DAN, Role::Root, 1));
        let root = project.write(ANN, Project::grant_of(DAN, credential));
        project.write(BEN, cosign(root));
        root
    };
    let credential = project.carry(ANN, withdrawable(DAN, Role::Editor, 2));
    let editor = project.write(ANN, Project::grant_of(DAN, credential));

    let alone = project.write(ANN, revoke(CAT));
    shown.check(project, alone, E::Short, &[genesis]);
    let in_part = project.write(ANN, revoke(DAN));
    shown.check(project, in_part, E::InPart, &[editor]);
    project.write(DAN, rules(&["dan is a root still"]));
    let both = project.write(ANN, list(&[1, 2]));
    shown.check(project, both, E::InPart, &[editor]);
    let only_root = project.write(ANN, list(&[1]));
    shown.check(project, only_root, E::Short, &[root]);
    let keys = project.write(ANN, revoke_key(KID));
    shown.check(project, keys, E::InPart, &[key]);
    project.write(DAN, rules(&["and still"]));

    let seal = sealed(project);
    shown.check(project, alone, E::Dropped, &[seal]);
    shown.check(project, only_root, E::Dropped, &[seal]);
    project.write(BEN, cosign(alone));
    shown.check(project, alone, E::Dropped, &[seal]);
    project.write(CAT, edit("f", 1));
    let again = project.write(ANN, revoke(CAT));
    project.write(BEN, cosign(again));
    shown.check(project, again, E::Revokes, &[genesis]);
    let out = project.draft(CAT, edit("f", 2));
    let refused = Outcome::Refused {
        reason: Refusal::Revoked,
        witness: Some(again),
    };
    assert_eq!(project.receive(out), refused);
    let own = project.write(BEN, revoke(BEN));
    shown.check(project, own, E::Revokes, &[genesis]);
}

fn denials_of_the_deposed(shown: &mut Shown) {
    let project = &mut three_roots();
    project.write(ANN, list(&[9]));
    let credential = project.carry(ANN, withdrawable(ALICE, Role::Editor, 2));
    project.write(ANN, Project::grant_of(ALICE, credential));
    project.grant(ANN, PETRA, Role::PolicyAdmin);
    project.write(ALICE, device(project.log.project(), ALICE, 40));
    let proposal = project.write(ANN, revoke(BEN));
    let old = project.write(ALICE, edit("before", 1));
    for thief in [CAT, PETRA] {
        let end = project.write(ANN, revoke(thief));
        project.write(BEN, cosign(end));
    }
    let kept = project.write(ALICE, edit("sealed", 1));
    let seal = sealed(project);

    let spite = project.write_on(PETRA, &[old], revoke(ALICE));
    shown.check(project, spite, E::Stale, &[seal]);
    let mut last = old;
    let mut rage = |project: &mut Project, payload: Payload, shown: &mut Shown| {
        last = project.write_on(CAT, &[last], payload);
        shown.check(project, last, E::Stale, &[seal]);
    };
    rage(project, list(&[2]), shown);
    rage(project, revoke_key(KID), shown);
    rage(project, device_revoke(ALICE, 40), shown);
    rage(project, cosign(proposal), shown);
    rage(project, revoke(ALICE), shown);
    assert!(project.is_applied(&kept));
    let after = project.write(ALICE, edit("after", 1));
    assert!(project.is_applied(&after));
    project.write(40, edit("after", 2));
}

fn endorsements(shown: &mut Shown) {
    let project = &mut three_roots();
    project.grant(ANN, ALICE, Role::Editor);
    let granted = project.grant(ANN, DAN, Role::Editor);
    let field = project.write_on(ALICE, &[granted], edit("f", 1));
    let end = project.write_on(BEN, &[granted], revoke(ALICE));
    assert_eq!(project.decision(&field), denied(DenialReason::Revoked, end));
    let given_back = project.write(DAN, endorse(field));
    shown.check(project, given_back, E::Reinstates, &[field]);
    let applied = Decision::Applied { grant: given_back };
    assert_eq!(project.decision(&field), applied);
    let counts = project.write(ANN, edit("own", 1));
    let nothing = project.write(DAN, endorse(counts));
    shown.check(project, nothing, E::ReinstatesNothing, &[]);
    let late = project.write_on(CAT, &[granted], revoke(DAN));
    shown.check(project, given_back, E::Denied, &[late]);
    assert_eq!(project.decision(&field), denied(DenialReason::Revoked, end));
}

#[test]
fn what_an_endorsement_gave_back_stands_once_it_is_sealed() {
    let project = &mut three_roots();
    project.grant(ANN, ALICE, Role::Editor);
    let granted = project.grant(ANN, DAN, Role::Editor);
    let field = project.write_on(ALICE, &[granted], edit("f", 1));
    project.write_on(BEN, &[granted], revoke(ALICE));
    project.write(DAN, endorse(field));
    let seal = sealed(project);
    let late = project.write_on(CAT, &[granted], revoke(DAN));
    assert_eq!(project.decision(&field), Decision::Applied { grant: seal });
    assert_eq!(project.winners("f"), 1);
    let more = project.draft(DAN, edit("f", 2));
    let refused = Outcome::Refused {
        reason: Refusal::Revoked,
        witness: Some(late),
    };
    assert_eq!(project.receive(more), refused);
}

#[test]
fn a_revocation_that_one_seal_has_is_not_made_stale_by_another() {
    let project = &mut three_roots();
    project.grant(ANN, ALICE, Role::Editor);
    let start = project.grant(ANN, PETRA, Role::PolicyAdmin);
    let work = project.write_on(ALICE, &[start], edit("f", 1));
    let denial = project.write_on(PETRA, &[start], revoke(ALICE));
    // One seal has the revocation and the work; the other, made apart, has Petra's end and neither of them.
    let first = project.write_on(ANN, &[denial, work, start], seal());
    project.write_on(BEN, &[first], cosign(first));
    let end = project.write_on(CAT, &[start], revoke(PETRA));
    let second = project.write_on(CAT, &[end], seal());
    let signed = project.write_on(ANN, &[first, second], cosign(second));
    assert_eq!(
        project.decision(&work),
        denied(DenialReason::Revoked, denial)
    );
    assert_eq!(project.effect(&denial).code, E::Revokes);
    assert_eq!(project.effect(&second).code, E::Seals);
    assert_eq!(project.effect(&signed).code, E::Cosigns);
}

#[test]
fn targets_are_ops_of_the_past_of_the_right_kind() {
    let project = &mut three_roots();
    let editor = project.grant(ANN, ALICE, Role::Editor);
    let field = project.write(ALICE, edit("f", 1));
    let absent = OpId::from_bytes([1; 32]);
    let mut check = |by: u32, payload: Payload, target: OpId| {
        let op = project.draft(by, payload);
        let refused = Outcome::Refused {
            reason: Refusal::BadTarget,
            witness: Some(target),
        };
        assert_eq!(project.receive(op), refused);
    };
    for target in [editor, field, absent] {
        check(ANN, cosign(target), target);
    }
    for target in [editor, absent] {
        check(ALICE, endorse(target), target);
    }
}

#[test]
fn two_replicas_make_one_snapshot_of_what_is_sealed() {
    let project = &mut three_roots();
    let granted = project.grant(ANN, ALICE, Role::Editor);
    let field = project.write(ALICE, edit("f", 1));
    let first = snapshot(&project.log, &[field, granted], &mut Costs::default());
    let first = first.expect("both are admitted");
    // What comes later, and what is denied because of it, is not in it.
    project.write_on(BEN, &[granted], revoke(ALICE));
    let later = snapshot(&project.log, &[granted, field], &mut Costs::default());
    assert_eq!(later.as_ref(), Some(&first));
    let text: serde_json::Value = serde_json::from_slice(&first).expect("JSON");
    assert_eq!(text["format"], "ecac-snapshot-v1");
    let ops = text["ops"].as_array().expect("a list");
    assert_eq!(ops.len(), 5);
    assert_eq!(ops[4], serde_json::json!([field, "applied"]));
    let absent = OpId::from_bytes([1; 32]);
    assert_eq!(
        snapshot(&project.log, &[absent], &mut Costs::default()),
        None
    );
}

#[test]
fn an_explanation_says_what_upholds_an_op() {
    let project = &mut three_roots();
    project.grant(ANN, ALICE, Role::Editor);
    let granted = project.grant(ANN, DAN, Role::Editor);
    let field = project.write_on(ALICE, &[granted], edit("f", 1));
    project.write_on(BEN, &[granted], revoke(ALICE));
    let given = project.write(DAN, endorse(field));
    let text = |project: &Project| {
        let explanation = explain(&project.log, &project.replay, &field);
        explanation.expect("it is here").to_string()
    };
    let told = text(project);
    assert!(
        told.contains("an endorsement that counts gives it back"),
        "{told}"
    );
    assert!(
        told.contains(&format!("witness  Endorse {given}")),
        "{told}"
    );
    let seal = sealed(project);
    let told = text(project);
    assert!(told.contains("in the past of a final seal"), "{told}");
    assert!(told.contains(&format!("witness  Seal {seal}")), "{told}");
}
