//! Every effect of `docs/policy-model.md`, Effects, with the ops that it concerns.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ecac_core::credential::mint::{mint_credential, mint_status_list};
use ecac_core::credential::{Role, StatusPurpose, StatusRef};
use ecac_core::payload;
use ecac_core::{
    Confidential, Costs, DELEGATION_DEPTH_MAX, Effect, EffectCode, Explanation, Kem, Kind, OpId,
    Outcome, Payload, SchemaRule, Tags, explain,
};
use serde_json::{Value as Json, json};

use crate::project::{
    FAR_MS, ISSUER, ISSUER_KEY, KID, Project, author, claims, edit, issuer_key, key, name, revoke,
};
use crate::{devices, quorum};

const ROOT: u32 = 0;
const OTHER_ROOT: u32 = 1;
const ALICE: u32 = 2;
const PETRA: u32 = 3;
pub(crate) const LIST: &str = "https://issuer.example/status/1";

/// What is expected of ops, and which effects of which kinds that has shown.
#[derive(Default)]
pub(crate) struct Shown(BTreeSet<(Kind, EffectCode)>);

impl Shown {
    #[track_caller]
    pub(crate) fn check(&mut self, project: &mut Project, op: OpId, code: EffectCode, on: &[OpId]) {
        let mut on = on.to_vec();
        on.sort_unstable();
        assert_eq!(
            project.effect(&op),
            Effect {
                code,
                on: on.clone()
            }
        );
        let explanation = explanation(project, &op);
        assert_eq!(
            explanation.effect,
            Some(Effect {
                code,
                on: on.clone()
            })
        );
        let line = explanation.to_string();
        let counts = match code.counts() {
            Some(true) => "",
            Some(false) => "counts for nothing: ",
            None => "not known: ",
        };
        let line_wanted = format!("effect   {code} ({counts}{})\n", code.meaning());
        assert!(line.contains(&line_wanted), "{line}");
        for op in on {
            assert!(line.contains(&format!("         on {op}\n")), "{line}");
        }
        let kind = project
            .log
            .get(&op)
            .expect("it is here")
            .body()
            .payload
            .known_kind();
        self.0.insert((kind.expect("a kind with effects"), code));
    }
}

fn explanation(project: &Project, op: &OpId) -> Explanation {
    explain(&project.log, &project.replay, op).expect("it is here")
}

fn credential(jwt: String) -> Payload {
    Payload::Credential(payload::Credential { jwt })
}

pub(crate) fn status_list(jwt: String) -> Payload {
    Payload::StatusList(payload::StatusList { jwt })
}

pub(crate) fn revoke_key(kid: &str) -> Payload {
    Payload::IssuerKeyRevoke(payload::IssuerKeyRevoke {
        issuer: name(ISSUER),
        kid: name(kid),
        reason: name("lost"),
    })
}

fn revoke_role(subject: u32, role: Role) -> Payload {
    Payload::Revoke(payload::Revoke {
        subject: author(subject),
        role: Some(role),
        scope: None,
    })
}

/// A list with one bit set.
fn list(kid: &str, signer: u32, bit: u64) -> String {
    let set = BTreeSet::from([bit]);
    let purpose = StatusPurpose::Revocation;
    mint_status_list(&key(signer), ISSUER, kid, LIST, purpose, 0, 0, &set)
}

/// A credential that the bit withdraws.
fn withdrawable(subject: u32, bit: u64) -> String {
    let mut claims = claims(subject, Role::Editor);
    claims.status = vec![StatusRef {
        list: LIST.into(),
        index: bit,
        purpose: StatusPurpose::Revocation,
    }];
    mint_credential(&key(ISSUER_KEY), &claims)
}

fn credential_by(subject: u32, kid: &str, signer: u32) -> String {
    let mut claims = claims(subject, Role::Editor);
    claims.kid = kid.into();
    mint_credential(&key(signer), &claims)
}

/// The JWT for another audience, signed again by the issuer.
fn addressed(jwt: &str, audience: &str) -> String {
    let mut parts = jwt.split('.');
    let (header, payload) = (
        parts.next().expect("a header"),
        parts.next().expect("claims"),
    );
    let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64url");
    let mut claims: Json = serde_json::from_slice(&payload).expect("JSON");
    claims["aud"] = json!(audience);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
    let signature = key(ISSUER_KEY).sign(signed.as_bytes()).to_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(crate) fn upgrade(feature: &str, parameters: &[u8]) -> Payload {
    Payload::Upgrade(payload::Upgrade {
        feature: name(feature),
        parameters: parameters.to_vec(),
    })
}

pub(crate) fn rules(tags: &[&str]) -> Payload {
    let rule = |tag: &&str| SchemaRule {
        object: name("o"),
        field: name("f"),
        tags: Tags::from([name(tag)]),
    };
    Payload::Schema(payload::Schema {
        rules: tags.iter().map(rule).collect(),
    })
}

#[test]
fn every_effect_of_every_kind_is_told() {
    let mut shown = Shown::default();
    credentials_and_grants(&mut shown);
    chains_of_delegation(&mut shown);
    denials(&mut shown);
    keys(&mut shown);
    lists(&mut shown);
    evolution(&mut shown);
    quorum::effects(&mut shown);
    devices::effects(&mut shown);
    secrets(&mut shown);

    // The rows of the page.
    use EffectCode as E;
    let grants = [
        E::NoCredential,
        E::Unreadable,
        E::OtherProject,
        E::OtherSubject,
        E::UnlistedKey,
        E::OutsideWindow,
        E::DeadKey,
        E::BadSignature,
        E::StatusUnknown,
        E::TooDeep,
        E::Short,
        E::Denied,
        E::Ended,
        E::Grants,
    ];
    let lists = [
        E::Unreadable,
        E::OtherProject,
        E::UnlistedKey,
        E::OutsideWindow,
        E::DeadKey,
        E::BadSignature,
        E::Stale,
        E::Dropped,
        E::Short,
        E::InPart,
        E::Withdraws,
        E::WithdrawsNothing,
    ];
    let page: [(Kind, &[EffectCode]); 17] = [
        (Kind::Genesis, &[E::Founds]),
        (
            Kind::Credential,
            &[E::Unreadable, E::OtherProject, E::Carries],
        ),
        (Kind::Grant, &grants),
        (
            Kind::Revoke,
            &[
                E::NoGrant,
                E::NotMatched,
                E::OutOfReach,
                E::Stale,
                E::Dropped,
                E::Short,
                E::InPart,
                E::WithinReach,
                E::Revokes,
            ],
        ),
        (
            Kind::IssuerKey,
            &[E::Denied, E::Ended, E::Conflicts, E::Lists],
        ),
        (
            Kind::IssuerKeyRevoke,
            &[E::UnlistedKey, E::Stale, E::InPart, E::RevokesKey],
        ),
        (Kind::StatusList, &lists),
        (
            Kind::Upgrade,
            &[
                E::UnknownFeature,
                E::BadParameters,
                E::InForce,
                E::Short,
                E::Upgrades,
            ],
        ),
        (Kind::Schema, &[E::InForce, E::Short, E::AddsRules]),
        (Kind::Seal, &[E::Short, E::Seals]),
        (Kind::Cosign, &[E::Stale, E::AddsNobody, E::Cosigns]),
        (
            Kind::Endorse,
            &[E::Denied, E::Reinstates, E::ReinstatesNothing],
        ),
        (
            Kind::Device,
            &[
                E::BadProof,
                E::OwnKey,
                E::TooDeep,
                E::CarriesNothing,
                E::Short,
                E::Ended,
                E::Links,
            ],
        ),
        (
            Kind::DeviceRevoke,
            &[
                E::NoLink,
                E::OutOfReach,
                E::Stale,
                E::Dropped,
                E::Short,
                E::InPart,
                E::WithinReach,
                E::Unlinks,
            ],
        ),
        (Kind::ReaderKey, &[E::OtherKem, E::Publishes]),
        (Kind::KeyRotate, &[E::NotConfidential, E::Rotates]),
        (Kind::KeyGrant, &[E::HandsOn]),
    ];
    let rows = page
        .iter()
        .flat_map(|(kind, codes)| codes.iter().map(|code| (*kind, *code)));
    assert_eq!(shown.0, rows.collect());
    let codes: BTreeSet<EffectCode> = shown.0.iter().map(|(_, code)| *code).collect();
    assert_eq!(codes, EffectCode::ALL.iter().copied().collect());
}

fn credentials_and_grants(shown: &mut Shown) {
    let project = &mut Project::found([ROOT]);
    let genesis = project.log.project();
    let listed = project.log.heads()[0];
    shown.check(project, genesis, EffectCode::Founds, &[]);
    let usual = project.present(ROOT, ALICE, Role::Editor);
    let jwt = mint_credential(&key(ISSUER_KEY), &claims(ALICE, Role::Editor));
    let other = project.carry(ROOT, addressed(&jwt, "https://other.example"));
    let own = project.carry(ROOT, addressed(&jwt, &genesis.to_string()));
    let unreadable = project.carry(ROOT, "e30.e30.AA".to_owned());
    shown.check(project, usual, EffectCode::Carries, &[]);
    shown.check(project, own, EffectCode::Carries, &[]);
    shown.check(project, other, EffectCode::OtherProject, &[]);
    shown.check(project, unreadable, EffectCode::Unreadable, &[]);

    let mut check = |project: &mut Project, carrier: OpId, code, on: &[OpId]| {
        let grant = project.write(ROOT, Project::grant_of(ALICE, carrier));
        shown.check(project, grant, code, on);
    };
    check(project, usual, EffectCode::Grants, &[]);
    check(project, own, EffectCode::Grants, &[]);
    check(project, genesis, EffectCode::NoCredential, &[]);
    check(
        project,
        OpId::from_bytes([1; 32]),
        EffectCode::NoCredential,
        &[],
    );
    check(project, other, EffectCode::OtherProject, &[other]);
    check(project, unreadable, EffectCode::Unreadable, &[unreadable]);
    let petras = project.present(ROOT, PETRA, Role::Editor);
    check(project, petras, EffectCode::OtherSubject, &[petras]);
    let unlisted = project.carry(ROOT, credential_by(ALICE, "key-2", ISSUER_KEY));
    check(project, unlisted, EffectCode::UnlistedKey, &[]);
    let forged = project.carry(ROOT, credential_by(ALICE, KID, ALICE));
    check(project, forged, EffectCode::BadSignature, &[listed]);
    let withdrawable = project.carry(ROOT, withdrawable(ALICE, 7));
    check(
        project,
        withdrawable,
        EffectCode::StatusUnknown,
        &[withdrawable],
    );

    let short = project.write(ROOT, issuer_key("short", ISSUER_KEY, project.now_ms));
    let late = project.carry(ROOT, credential_by(ALICE, "short", ISSUER_KEY));
    check(project, late, EffectCode::OutsideWindow, &[short]);
    let dead = project.write(ROOT, issuer_key("dead", ISSUER_KEY, FAR_MS));
    project.write(ROOT, revoke_key("dead"));
    let buried = project.carry(ROOT, credential_by(ALICE, "dead", ISSUER_KEY));
    check(project, buried, EffectCode::DeadKey, &[dead]);
}

fn chains_of_delegation(shown: &mut Shown) {
    let project = &mut Project::found([ROOT]);
    for depth in 1..=DELEGATION_DEPTH_MAX {
        let grant = project.grant(depth - 1, depth, Role::Root);
        shown.check(project, grant, EffectCode::Grants, &[]);
    }
    let last = DELEGATION_DEPTH_MAX;
    let grant = project.grant(last, last + 1, Role::Editor);
    shown.check(project, grant, EffectCode::TooDeep, &[]);
}

fn denials(shown: &mut Shown) {
    let project = &mut Project::found([ROOT, OTHER_ROOT]);
    let genesis = project.log.project();
    let alices = project.grant(ROOT, ALICE, Role::Editor);
    let petras = project.grant(ROOT, PETRA, Role::PolicyAdmin);
    let nobody = project.write(ROOT, revoke(99));
    shown.check(project, nobody, EffectCode::NoGrant, &[]);
    let readers = project.write(ROOT, revoke_role(ALICE, Role::Reader));
    shown.check(project, readers, EffectCode::NotMatched, &[alices]);
    let beyond = project.write(PETRA, revoke(OTHER_ROOT));
    shown.check(project, beyond, EffectCode::OutOfReach, &[genesis]);

    // The other root grants, and is revoked by somebody who has not seen it.
    let credential = project.present(ROOT, 50, Role::Editor);
    let revocation = project.draft(ROOT, revoke(OTHER_ROOT));
    let lost = project.write(OTHER_ROOT, Project::grant_of(50, credential));
    let lost_key = project.write(OTHER_ROOT, issuer_key("other", ISSUER_KEY, FAR_MS));
    shown.check(project, lost, EffectCode::Grants, &[]);
    shown.check(project, lost_key, EffectCode::Lists, &[]);
    let denial = revocation.id();
    assert_eq!(project.receive(revocation), Outcome::Admitted);
    shown.check(project, denial, EffectCode::Revokes, &[genesis]);
    shown.check(project, lost, EffectCode::Denied, &[denial]);
    shown.check(project, lost_key, EffectCode::Denied, &[denial]);

    let ends = project.write(ROOT, revoke(ALICE));
    shown.check(project, ends, EffectCode::Revokes, &[alices]);
    shown.check(project, alices, EffectCode::Ended, &[ends]);
    shown.check(project, petras, EffectCode::Grants, &[]);
    // A grant that had seen the revocation is none that it could concern.
    let again = project.grant(ROOT, ALICE, Role::Editor);
    shown.check(project, again, EffectCode::Grants, &[]);
    shown.check(project, ends, EffectCode::Revokes, &[alices]);
}

fn keys(shown: &mut Shown) {
    let project = &mut Project::found([ROOT]);
    let nothing = project.write(ROOT, revoke_key("key-2"));
    shown.check(project, nothing, EffectCode::UnlistedKey, &[]);
    let one = project.write(ROOT, issuer_key("key-2", 70, FAR_MS));
    shown.check(project, one, EffectCode::Lists, &[]);
    // It had seen the revocation.
    shown.check(project, nothing, EffectCode::UnlistedKey, &[]);
    let same = project.write(ROOT, issuer_key("key-2", 70, 5));
    shown.check(project, same, EffectCode::Lists, &[]);
    let other = project.write(ROOT, issuer_key("key-2", 71, FAR_MS));
    shown.check(project, one, EffectCode::Conflicts, &[other]);
    shown.check(project, same, EffectCode::Conflicts, &[other]);
    shown.check(project, other, EffectCode::Conflicts, &[one, same]);
    let all = project.write(ROOT, revoke_key("key-2"));
    shown.check(project, all, EffectCode::RevokesKey, &[one, same, other]);
    for key in [one, same, other] {
        shown.check(project, key, EffectCode::Ended, &[all]);
    }
}

fn lists(shown: &mut Shown) {
    let project = &mut Project::found([ROOT]);
    let listed = project.log.heads()[0];
    let nothing = project.write(ROOT, status_list(list(KID, ISSUER_KEY, 3)));
    shown.check(project, nothing, EffectCode::WithdrawsNothing, &[]);
    let carrier = project.carry(ROOT, withdrawable(ALICE, 7));
    let grant = project.write(ROOT, Project::grant_of(ALICE, carrier));
    shown.check(project, grant, EffectCode::Grants, &[]);

    let mut check = |project: &mut Project, jwt: String, code, on: &[OpId]| {
        let op = project.write(ROOT, status_list(jwt));
        shown.check(project, op, code, on);
    };
    check(
        project,
        "e30.e30.AA".to_owned(),
        EffectCode::Unreadable,
        &[],
    );
    let usual = list(KID, ISSUER_KEY, 7);
    let elsewhere = addressed(&usual, "https://other.example");
    check(project, elsewhere, EffectCode::OtherProject, &[]);
    check(
        project,
        list("key-2", ISSUER_KEY, 7),
        EffectCode::UnlistedKey,
        &[],
    );
    check(
        project,
        list(KID, ALICE, 7),
        EffectCode::BadSignature,
        &[listed],
    );
    let late = Payload::IssuerKey(payload::IssuerKey {
        issuer: name(ISSUER),
        kid: name("late"),
        public_key: author(ISSUER_KEY),
        valid_from_ms: 1,
        valid_until_ms: FAR_MS,
    });
    let late = project.write(ROOT, late);
    check(
        project,
        list("late", ISSUER_KEY, 7),
        EffectCode::OutsideWindow,
        &[late],
    );
    let dead = project.write(ROOT, issuer_key("dead", ISSUER_KEY, FAR_MS));
    project.write(ROOT, revoke_key("dead"));
    check(
        project,
        list("dead", ISSUER_KEY, 7),
        EffectCode::DeadKey,
        &[dead],
    );
    assert_eq!(
        project.effect(&grant).code,
        EffectCode::Grants,
        "none of these has withdrawn it"
    );

    let withdrawal = project.write(ROOT, status_list(usual));
    shown.check(project, withdrawal, EffectCode::Withdraws, &[grant]);
    shown.check(project, grant, EffectCode::Ended, &[withdrawal]);
    // The same credential granted again is withdrawn as well, and counts here all the same.
    let again = project.write(ROOT, Project::grant_of(ALICE, carrier));
    shown.check(project, again, EffectCode::Ended, &[withdrawal]);
    shown.check(project, withdrawal, EffectCode::Withdraws, &[grant, again]);
}

fn evolution(shown: &mut Shown) {
    let project = &mut Project::found([ROOT]);
    let unknown = project.write(ROOT, upgrade("tomorrow", &[1]));
    shown.check(project, unknown, EffectCode::UnknownFeature, &[]);
    let bad = project.write(ROOT, upgrade("schema", &[0]));
    shown.check(project, bad, EffectCode::BadParameters, &[]);
    let first = project.write(ROOT, upgrade("schema", &[]));
    shown.check(project, first, EffectCode::Upgrades, &[]);
    let second = project.write(ROOT, upgrade("schema", &[]));
    shown.check(project, second, EffectCode::InForce, &[]);
    let adds = project.write(ROOT, rules(&["a", "b"]));
    shown.check(project, adds, EffectCode::AddsRules, &[]);
    let again = project.write(ROOT, rules(&["b"]));
    shown.check(project, again, EffectCode::InForce, &[]);
    let more = project.write(ROOT, rules(&["b", "c"]));
    shown.check(project, more, EffectCode::AddsRules, &[]);
}

fn secrets(shown: &mut Shown) {
    let project = &mut Project::found([ROOT]);
    let marks = |kem, tags: &[&str]| {
        let tags = tags.iter().map(|tag| name(tag)).collect();
        upgrade("confidential", &Confidential { kem, tags }.parameters())
    };
    let first = project.write(ROOT, marks(Kem::X25519, &["a", "b"]));
    shown.check(project, first, EffectCode::Upgrades, &[]);
    let less = project.write(ROOT, marks(Kem::X25519, &["b"]));
    shown.check(project, less, EffectCode::InForce, &[]);
    let bad = project.write(ROOT, upgrade("confidential", &[]));
    shown.check(project, bad, EffectCode::BadParameters, &[]);
    let publish = |kem: Kem| {
        Payload::ReaderKey(payload::ReaderKey {
            kem,
            public: vec![1; kem.public_key_bytes()],
        })
    };
    let usual = project.write(ROOT, publish(Kem::X25519));
    shown.check(project, usual, EffectCode::Publishes, &[]);
    let other = project.write(ROOT, publish(Kem::XWing));
    shown.check(project, other, EffectCode::OtherKem, &[]);
    let second = project.write(ROOT, marks(Kem::XWing, &["b"]));
    shown.check(project, second, EffectCode::Upgrades, &[]);
    let later = project.write(ROOT, publish(Kem::XWing));
    shown.check(project, later, EffectCode::Publishes, &[]);
    shown.check(project, other, EffectCode::OtherKem, &[]);
    let rotate = |tags: &[&str]| {
        let tags = tags.iter().map(|tag| name(tag)).collect();
        Payload::KeyRotate(payload::KeyRotate { tags })
    };
    let key = project.write(ROOT, rotate(&["a", "b"]));
    shown.check(project, key, EffectCode::Rotates, &[]);
    let odd = project.write(ROOT, rotate(&["a", "c"]));
    shown.check(project, odd, EffectCode::NotConfidential, &[]);
    let share = payload::Share {
        enc: vec![1; 32],
        ciphertext: [1; 48],
    };
    let grant = payload::KeyGrant {
        key,
        shares: [(author(ROOT), share)].into(),
    };
    let grant = project.write(ROOT, Payload::KeyGrant(grant));
    shown.check(project, grant, EffectCode::HandsOn, &[key]);
}

#[test]
fn data_and_what_is_not_admitted_have_no_effect() {
    let mut project = Project::found([ROOT]);
    let data = project.write(ROOT, edit("f", 1));
    let costs = &mut Costs::default();
    assert_eq!(project.replay.effect(&project.log, &data, costs), None);
    assert_eq!(explanation(&project, &data).effect, None);
    let refused = project.draft(ROOT, upgrade("x", &[]));
    let mut body = refused.body().clone();
    body.seq += 1;
    let refused = ecac_core::VerifiedOp::sign(body, &key(ROOT)).expect("within the limits");
    let id = refused.id();
    assert!(matches!(project.receive(refused), Outcome::Refused { .. }));
    assert_eq!(project.replay.effect(&project.log, &id, costs), None);
    assert!(!explanation(&project, &id).to_string().contains("effect"));
    let absent = OpId::from_bytes([1; 32]);
    assert_eq!(project.replay.effect(&project.log, &absent, costs), None);
}

#[test]
fn an_effect_in_json_says_whether_it_counts() {
    let mut project = Project::found([ROOT]);
    let nobody = project.write(ROOT, revoke(99));
    let known = project.write(ROOT, credential("e30.e30.AA".to_owned()));
    let grant = project.write(ROOT, Project::grant_of(ALICE, known));
    let unknown = project.write(ROOT, upgrade("tomorrow", &[]));
    let json = |project: &mut Project, op| serde_json::to_value(project.effect(op)).expect("JSON");
    assert_eq!(
        json(&mut project, &nobody),
        json!({"code": "no_grant", "counts": false, "on": []})
    );
    assert_eq!(
        json(&mut project, &grant),
        json!({"code": "unreadable", "counts": false, "on": [known]})
    );
    assert_eq!(
        json(&mut project, &unknown),
        json!({"code": "unknown_feature", "counts": null, "on": []})
    );
    let explanation = serde_json::to_value(explanation(&project, &unknown)).expect("JSON");
    assert_eq!(explanation["effect"]["code"], "unknown_feature");
}
