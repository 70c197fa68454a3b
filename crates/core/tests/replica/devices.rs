//! Devices: several keys for one person.

use ecac_core::credential::Role;
use ecac_core::payload;
use ecac_core::{
    DELEGATION_DEPTH_MAX, EffectCode as E, OpId, Outcome, Payload, Refusal, SigningKey, explain,
};

use crate::effects::Shown;
use crate::project::{author, edit, key, revoke};
use crate::quorum::{ANN, BEN, CAT, cosign, sealed, three_roots};

const DAN: u32 = 3;
const ALICE: u32 = 4;
const PETRA: u32 = 5;
const PHONE: u32 = 40;
const LAPTOP: u32 = 41;

/// The device's link to the person, with its proof.
pub(crate) fn device(project: OpId, person: u32, device: u32) -> Payload {
    linked(project, person, device, &key(device))
}

fn linked(project: OpId, person: u32, device: u32, signer: &SigningKey) -> Payload {
    let person = author(person);
    let message = payload::Device::proof_of(&project, &person);
    Payload::Device(payload::Device {
        person,
        key: author(device),
        proof: signer.sign(&message).to_bytes(),
    })
}

pub(crate) fn device_revoke(person: u32, device: u32) -> Payload {
    Payload::DeviceRevoke(payload::DeviceRevoke {
        person: author(person),
        key: author(device),
    })
}

fn refused(reason: Refusal, witness: OpId) -> Outcome {
    Outcome::Refused {
        reason,
        witness: Some(witness),
    }
}

pub(crate) fn effects(shown: &mut Shown) {
    links(shown);
    devices_of_roots(shown);
}

fn links(shown: &mut Shown) {
    let project = &mut three_roots();
    let id = project.log.project();
    let editor = project.grant(ANN, ALICE, Role::Editor);
    let forged = project.write(ALICE, linked(id, ALICE, PHONE, &key(ALICE)));
    shown.check(project, forged, E::BadProof, &[]);
    let own = project.write(ALICE, device(id, ALICE, ALICE));
    shown.check(project, own, E::OwnKey, &[]);
    let nobody = project.write(ANN, device(id, 99, PHONE));
    shown.check(project, nobody, E::CarriesNothing, &[]);
    let phone = project.write(ALICE, device(id, ALICE, PHONE));
    shown.check(project, phone, E::Links, &[editor]);
    project.write(PHONE, edit("f", 1));
    let mut last = phone;
    // The phone's link lies at depth 2: the last of these is beyond the limit.
    for link in 1..DELEGATION_DEPTH_MAX {
        let maker = if link == 1 { PHONE } else { 100 + link - 1 };
        last = project.write(maker, device(id, ALICE, 100 + link));
    }
    shown.check(project, last, E::TooDeep, &[]);
    let beyond = project.draft(100 + DELEGATION_DEPTH_MAX - 1, edit("f", 1));
    assert_eq!(project.receive(beyond), refused(Refusal::NoGrant, editor));
    let missing = project.write(ALICE, device_revoke(ALICE, LAPTOP));
    shown.check(project, missing, E::NoLink, &[]);
    let end = project.write(101, device_revoke(ALICE, PHONE));
    shown.check(project, end, E::Unlinks, &[phone]);
    shown.check(project, phone, E::Ended, &[end]);
    // The link that the phone made falls with the phone's.
    let lost = project.draft(101, edit("f", 2));
    assert_eq!(project.receive(lost), refused(Refusal::Revoked, end));
}

fn devices_of_roots(shown: &mut Shown) {
    let project = &mut three_roots();
    let id = project.log.project();
    project.grant(ANN, PETRA, Role::PolicyAdmin);
    let root = project.grant(ANN, DAN, Role::Root);
    project.write(BEN, cosign(root));
    let editor = project.grant(ANN, DAN, Role::Editor);
    let bens = project.write(BEN, device(id, BEN, PHONE));
    shown.check(project, bens, E::Short, &[id]);
    project.write(ANN, cosign(bens));
    shown.check(project, bens, E::Links, &[id]);
    let dans = project.write(DAN, device(id, DAN, LAPTOP));
    project.write(ANN, cosign(dans));
    shown.check(project, dans, E::Links, &[root, editor]);

    let beyond = project.write(PETRA, device_revoke(BEN, PHONE));
    shown.check(project, beyond, E::OutOfReach, &[bens]);
    let reached = project.write(PETRA, device_revoke(DAN, LAPTOP));
    shown.check(project, reached, E::WithinReach, &[editor]);
    let reached = project.write(PETRA, revoke(DAN));
    shown.check(project, reached, E::WithinReach, &[editor]);
    let alone = project.write(CAT, device_revoke(BEN, PHONE));
    shown.check(project, alone, E::Short, &[id]);
    let in_part = project.write(CAT, device_revoke(DAN, LAPTOP));
    shown.check(project, in_part, E::InPart, &[editor]);
    // A person with two keys signs once.
    let seal = project.write(ANN, Payload::Seal(payload::Seal { digest: [1; 32] }));
    project.write(BEN, cosign(seal));
    let again = project.write(PHONE, cosign(seal));
    shown.check(project, again, E::AddsNobody, &[seal]);
    shown.check(project, alone, E::Dropped, &[seal]);
    let own = project.write(BEN, device_revoke(BEN, PHONE));
    shown.check(project, own, E::Unlinks, &[bens]);
    sealed(project);
}

#[test]
fn a_help_desk_links_what_it_could_have_granted_and_no_more() {
    let project = &mut three_roots();
    let id = project.log.project();
    project.grant(ANN, PETRA, Role::PolicyAdmin);
    let editor = project.grant(ANN, ALICE, Role::Editor);
    let admin = project.grant(ANN, ALICE, Role::IssuerAdmin);
    let link = project.write(PETRA, device(id, ALICE, PHONE));
    let effect = project.effect(&link);
    assert_eq!((effect.code, effect.on), (E::Links, vec![editor]));
    let field = project.write(PHONE, edit("f", 1));
    let key = project.draft(
        PHONE,
        crate::project::issuer_key("key-2", 50, crate::project::FAR_MS),
    );
    let witness = admin.min(editor);
    let reason = match project.receive(key) {
        Outcome::Refused { reason, .. } => reason,
        other => panic!("{other:?}, not refused by {witness}"),
    };
    assert_eq!(reason, Refusal::ActionNotPermitted);
    let explanation = explain(&project.log, &project.replay, &field).expect("it is here");
    let text = explanation.to_string();
    assert!(
        text.contains(&format!("    device      {}\n", author(PHONE))),
        "{text}"
    );
    assert!(
        text.contains(&format!("    linked by   {} {link}\n", author(PETRA))),
        "{text}"
    );
    // The maker falls, and with it the link.
    let end = project.write(ANN, revoke(PETRA));
    let lost = project.draft(PHONE, edit("f", 2));
    assert_eq!(project.receive(lost), refused(Refusal::Revoked, end));
    project.write(ALICE, edit("f", 3));
}

#[test]
fn a_denial_of_the_person_ends_every_device_and_a_grant_brings_them_back() {
    let project = &mut three_roots();
    let id = project.log.project();
    project.grant(ANN, ALICE, Role::Editor);
    project.write(ALICE, device(id, ALICE, PHONE));
    project.write(PHONE, device(id, ALICE, LAPTOP));
    let end = project.write(ANN, revoke(ALICE));
    for device in [PHONE, LAPTOP] {
        let out = project.draft(device, edit("f", 1));
        assert_eq!(project.receive(out), refused(Refusal::Revoked, end));
    }
    project.grant(BEN, ALICE, Role::Editor);
    for device in [PHONE, LAPTOP] {
        project.write(device, edit("f", 2));
    }
}

#[test]
fn an_equivocation_freezes_the_device_and_nobody_else() {
    let project = &mut three_roots();
    let id = project.log.project();
    project.grant(ANN, ALICE, Role::Editor);
    let link = project.write(ALICE, device(id, ALICE, PHONE));
    let one = project.write_on(PHONE, &[link], edit("f", 1));
    let two = project.write_on(PHONE, &[link], edit("f", 2));
    let frozen = project.draft_on(PHONE, &[one, two], edit("f", 3));
    assert_eq!(
        project.receive(frozen),
        refused(Refusal::Frozen, one.min(two))
    );
    project.write(ALICE, edit("f", 4));
    project.write(ALICE, device(id, ALICE, PHONE));
    project.write(PHONE, edit("f", 5));
}
