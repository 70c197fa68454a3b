//! Credentials and status lists that other libraries, in other languages, have minted: what is VC 2.0 is read, and
//! what breaks a rule of the W3C is refused for that rule. `mint/README.md` says how the fixtures are made.

mod engine;
mod fixture;
mod ours;

use std::collections::BTreeMap;

use ecac_core::credential::{Credential, CredentialError, StatusList};
use serde_json::{Value, json};

use crate::fixture::{Fixture, Kind};

/// What the W3C allows and this project does not take; `mint/README.md` has the reasons.
const PROFILE: &[&str] = &[
    "list-as-credential",
    "openbadgeslib-own-token",
    "profile-alg-ed25519",
    "profile-alg-es256",
    "profile-hour-24",
    "profile-index-beyond",
    "profile-instant",
    "profile-jti-other",
    "profile-list-long",
    "profile-list-message",
    "profile-list-no-id",
    "profile-list-no-valid-from",
    "profile-list-purposes",
    "profile-list-two-members",
    "profile-nbf-fraction",
    "profile-no-kid",
    "profile-no-typ",
    "profile-no-valid-from",
    "profile-no-valid-until",
    "profile-picoseconds",
    "profile-purpose-message",
    "profile-size-two",
    "profile-status-type",
    "profile-sub-other",
    "profile-subject-degree",
    "profile-subject-did",
    "profile-subject-no-id",
    "profile-subjects",
    "profile-typ-application",
];

/// What the W3C refuses and this project takes; `mint/README.md` has the reasons.
const IGNORED: &[&str] = &[
    "ignored-evidence",
    "ignored-list-expired",
    "ignored-name",
    "ignored-refresh-service",
    "ignored-schema",
    "ignored-status-id",
    "ignored-terms-of-use",
];

/// What was read, in the terms of a fixture's `reads`, and whether the fixture's key signed it.
fn read(fixture: &Fixture) -> Result<(Value, bool), CredentialError> {
    match fixture.kind {
        Kind::Credential => Credential::parse(&fixture.jwt).map(|it| {
            let members = json!({
                "issuer": it.issuer,
                "kid": it.kid,
                "id": it.id,
                "subject": it.subject,
                "role": it.role,
                "scope": it.scope,
                "valid_from": it.valid_from,
                "valid_until": it.valid_until,
                "status": it.status,
            });
            (members, it.verifies_with(&fixture.key))
        }),
        Kind::StatusList => StatusList::parse(&fixture.jwt).map(|it| {
            let set = (0..it.bit_count()).filter(|index| it.get(*index) == Some(true));
            let members = json!({
                "issuer": it.issuer,
                "kid": it.kid,
                "id": it.id,
                "purpose": it.purpose,
                "valid_from": it.valid_from,
                "bits": it.bit_count(),
                "set": set.collect::<Vec<_>>(),
            });
            (members, it.verifies_with(&fixture.key))
        }),
    }
}

#[test]
fn every_fixture_has_its_verdict() {
    let mut failures = Vec::new();
    let mut verdicts: BTreeMap<String, usize> = BTreeMap::new();
    for fixture in fixture::all() {
        let (verdict, members) = match read(&fixture) {
            Ok((members, true)) => ("accepted".to_owned(), Some(members)),
            Ok((members, false)) => ("forged".to_owned(), Some(members)),
            Err(error) => (format!("refused {error:?}"), None),
        };
        if (&verdict, &members) != (&fixture.expect, &fixture.reads) {
            let name = &fixture.name;
            failures.push(format!("{name}: {verdict} {members:?}, not {fixture:?}"));
        }
        let word = fixture.expect.split(' ').next().unwrap_or_default();
        *verdicts.entry(word.to_owned()).or_default() += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // So that no fixture gets lost unnoticed.
    let verdicts: Vec<_> = verdicts.into_iter().collect();
    assert_eq!(
        verdicts,
        [("accepted", 22), ("forged", 3), ("refused", 109)].map(|(word, n)| (word.to_owned(), n))
    );
}

#[test]
fn every_departure_from_the_w3c_is_listed() {
    let (mut profile, mut ignored) = (Vec::new(), Vec::new());
    for fixture in fixture::all() {
        match (fixture.w3c_valid, fixture.expect == "accepted") {
            (true, false) => profile.push(fixture.name),
            (false, true) => ignored.push(fixture.name),
            (true, true) | (false, false) => {}
        }
    }
    assert_eq!(profile, PROFILE);
    assert_eq!(ignored, IGNORED);
}

#[test]
fn a_reader_of_the_other_kind_refuses_it() {
    for fixture in fixture::all() {
        if fixture.expect != "accepted" {
            continue;
        }
        let other = match fixture.kind {
            Kind::Credential => StatusList::parse(&fixture.jwt).is_err(),
            Kind::StatusList => Credential::parse(&fixture.jwt).is_err(),
        };
        assert!(other, "{}", fixture.name);
    }
}
