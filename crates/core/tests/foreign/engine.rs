//! Foreign credentials at work: they grant, and foreign status lists withdraw them.

use std::collections::BTreeSet;

use ecac_core::credential::Credential;
use ecac_core::payload;
use ecac_core::{
    Body, Costs, Decision, DenialReason, Genesis, Hlc, Log, Name, OpId, Outcome, Payload,
    ProjectId, Refusal, Replay, SchemaRule, SigningKey, Tags, Value, VerifiedOp, public_key,
};

use crate::fixture::Fixture;

/// 2026-02-01T00:00:00Z, within the validity of every fixture.
const START_MS: u64 = 1_769_904_000_000;
const YEAR_MS: u64 = 365 * 86_400_000;

fn name(text: &str) -> Name {
    text.try_into().expect("a name")
}

/// A project with one root, which trusts the fixtures' issuer.
struct Project {
    root: SigningKey,
    holder: SigningKey,
    log: Log,
    /// Ops so far.
    tick: u32,
    /// Ops of the root and of the holder so far.
    seqs: [u64; 2],
    /// The root's last op.
    tip: Option<OpId>,
}

impl Project {
    fn new() -> Self {
        let root = SigningKey::from([0x44; 32]);
        let genesis = Payload::Genesis(Genesis {
            name: name("foreign"),
            nonce: [1; 16],
            roots: BTreeSet::from([public_key(&root)]),
            schema: BTreeSet::from([SchemaRule {
                object: name("*"),
                field: name("*"),
                tags: Tags::from([name("docs")]),
            }]),
            features: std::collections::BTreeMap::new(),
        });
        let mut project = Self {
            holder: SigningKey::from([0x33; 32]),
            log: Log::new(ProjectId::from_bytes([0; 32])),
            root,
            tick: 0,
            seqs: [0; 2],
            tip: None,
        };
        let genesis = project.signed(false, &[], genesis);
        project.log = Log::new(ProjectId::from(genesis.id()));
        project.tip = Some(genesis.id());
        assert_eq!(project.ingest(genesis), Outcome::Admitted);
        let key = Fixture::named("jose-minimal").key;
        project.root_says(Payload::IssuerKey(payload::IssuerKey {
            issuer: name("https://issuer.example"),
            kid: name("https://issuer.example#key-1"),
            public_key: key,
            valid_from_ms: START_MS - YEAR_MS,
            valid_until_ms: START_MS + YEAR_MS,
        }));
        project
    }

    fn signed(&mut self, by_holder: bool, parents: &[OpId], payload: Payload) -> VerifiedOp {
        let key = if by_holder { &self.holder } else { &self.root };
        let node = u32::from(by_holder);
        let seq = &mut self.seqs[usize::from(by_holder)];
        let body = Body {
            author: public_key(key),
            seq: *seq,
            parents: parents.to_vec(),
            hlc: Hlc {
                physical_ms: START_MS + u64::from(self.tick),
                logical: 0,
                node,
            },
            payload,
        };
        self.tick += 1;
        *seq += 1;
        VerifiedOp::sign(body, key).expect("within the limits")
    }

    fn ingest(&mut self, op: VerifiedOp) -> Outcome {
        let arrivals = self.log.ingest(op, &mut Costs::default());
        let [arrival] = arrivals.as_slice() else {
            panic!("one op arrives at a time");
        };
        arrival.outcome
    }

    /// An op of the root after its last one, which becomes its last one.
    fn root_says(&mut self, payload: Payload) -> OpId {
        let parents: Vec<_> = self.tip.into_iter().collect();
        let op = self.signed(false, &parents, payload);
        let id = op.id();
        assert_eq!(self.ingest(op), Outcome::Admitted);
        self.tip = Some(id);
        id
    }

    fn publish(&mut self, list: &str) {
        let jwt = Fixture::named(list).jwt;
        self.root_says(Payload::StatusList(payload::StatusList { jwt }));
    }

    /// The root grants what a fixture says; the holder's edit on top of it.
    fn grant_and_edit(&mut self, credential: &str) -> VerifiedOp {
        let jwt = Fixture::named(credential).jwt;
        let subject = Credential::parse(&jwt).expect("a credential").subject;
        assert_eq!(subject, public_key(&self.holder));
        let credential = self.root_says(Payload::Credential(payload::Credential { jwt }));
        let grant = self.root_says(Payload::Grant(payload::Grant {
            subject,
            credential,
        }));
        self.signed(
            true,
            &[grant],
            Payload::SetField(payload::SetField {
                object: name("report"),
                field: name("title"),
                value: Value::Text("offline".to_owned()),
            }),
        )
    }

    fn decision(&self, op: &OpId) -> Option<Decision> {
        Replay::of(&self.log, &mut Costs::default()).decision(&self.log, op)
    }
}

/// The holder edits under a foreign credential.
fn check(lists: &[&str], credential: &str, expect: Result<(), Refusal>) {
    let mut project = Project::new();
    for list in lists {
        project.publish(list);
    }
    let edit = project.grant_and_edit(credential);
    let outcome = match project.ingest(edit) {
        Outcome::Admitted => Ok(()),
        Outcome::Refused { reason, .. } => Err(reason),
        other => panic!("{other:?}"),
    };
    assert_eq!(outcome, expect, "{credential} with {lists:?}");
}

#[test]
fn a_foreign_credential_grants() {
    for credential in ["jose-minimal", "jwcrypto-credential"] {
        check(&[], credential, Ok(()));
    }
    let clear = ["digitalbazaar-clear"];
    for credential in [
        "jose-revocable",
        "openvc-credential",
        "transmute-credential",
    ] {
        check(&clear, credential, Ok(()));
    }
    check(
        &["digitalbazaar-suspension"],
        "openbadgeslib-credential",
        Ok(()),
    );
}

#[test]
fn a_grant_needs_its_list_of_the_same_purpose() {
    let unknown = Err(Refusal::StatusUnknown);
    check(&[], "jose-revocable", unknown);
    // The same list, issuer and index, but for suspensions.
    check(&["digitalbazaar-suspension"], "jose-revocable", unknown);
    check(
        &["digitalbazaar-clear"],
        "openbadgeslib-credential",
        unknown,
    );
    // One of two lists.
    check(&["digitalbazaar-clear"], "jose-full", unknown);
}

#[test]
fn a_grant_needs_a_genuine_credential_of_a_trusted_issuer() {
    let untrusted = Err(Refusal::UntrustedIssuer);
    check(&[], "forged-other-key", untrusted);
    check(&[], "forged-payload", untrusted);
    check(&[], "jose-did-issuer", untrusted);
}

#[test]
fn a_role_without_data_actions_does_not_edit() {
    check(&[], "joserfc-credential", Err(Refusal::ActionNotPermitted));
}

#[test]
fn a_foreign_status_list_withdraws_what_it_had_not_seen() {
    for list in ["digitalbazaar-set", "openvc-status-list"] {
        let mut project = Project::new();
        project.publish("digitalbazaar-clear");
        let edit = project.grant_and_edit("openvc-credential");
        let id = edit.id();
        assert_eq!(project.ingest(edit), Outcome::Admitted);
        assert!(matches!(
            project.decision(&id),
            Some(Decision::Applied { .. })
        ));
        project.publish(list);
        assert!(
            matches!(
                project.decision(&id),
                Some(Decision::Denied {
                    reason: DenialReason::StatusRevoked,
                    ..
                })
            ),
            "{list}"
        );
    }
}

#[test]
fn a_forged_status_list_withdraws_nothing_and_is_no_list() {
    check(
        &["forged-list"],
        "jose-revocable",
        Err(Refusal::StatusUnknown),
    );
}
