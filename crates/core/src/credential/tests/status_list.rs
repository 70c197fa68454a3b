//! Status lists as whole documents, and the entries that point to them.

use super::*;

/// Bitstring Status List v1.0, section 2.2, example 3.
const EMPTY_LIST: &str = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA";

/// The list of the specification's example 3 with the members that are required here.
fn list() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "https://issuer.example/status/1",
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": "https://issuer.example",
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2026-01-02T00:00:00Z",
        "credentialSubject": {
            "id": "https://issuer.example/status/1#list",
            "type": "BitstringStatusList",
            "statusPurpose": "revocation",
            "encodedList": EMPTY_LIST
        },
        "sub": "https://issuer.example/status/1#list",
        "exp": 1
    })
}

fn check_list(at: &str, value: Option<Value>, expect: Result<(), CredentialError>) {
    let shown = format!("{at} = {value:?}");
    let jwt = signed(&edit(list(), at, value));
    assert_eq!(StatusList::parse(&jwt).map(|_| ()), expect, "{shown}");
}

#[test]
fn a_foreign_status_list_is_read() {
    let parsed = StatusList::parse(&signed(&list())).unwrap();
    assert_eq!(parsed.issuer, "https://issuer.example");
    assert_eq!(parsed.kid, "key-1");
    assert_eq!(parsed.id, "https://issuer.example/status/1");
    assert_eq!(parsed.purpose, StatusPurpose::Revocation);
    assert_eq!(parsed.valid_from.to_string(), "2026-01-01T00:00:00Z");
    assert_eq!(parsed.bit_count(), 131_072);
    assert_eq!(parsed.bytes(), vec![0; 16_384]);
    assert_eq!(parsed.get(0), Some(false));
    assert_eq!(parsed.get(131_071), Some(false));
    assert_eq!(parsed.get(131_072), None);
    assert_eq!(parsed.get(u64::MAX), None);
    assert!(parsed.verifies_with(&public(&secret(1))));
    assert!(!parsed.verifies_with(&public(&secret(2))));
}

#[test]
fn a_status_list_keeps_the_rules_of_its_own() {
    check_list("/validUntil", None, Ok(()));
    check_list("/validFrom", None, missing("validFrom"));
    check_list("/id", None, missing("id"));
    check_list("/id", Some(json!("status/1")), malformed("id", "a URL"));
    let expected = "an array with `BitstringStatusListCredential`";
    for types in [
        json!("VerifiableCredential"),
        json!(["VerifiableCredential"]),
    ] {
        check_list("/type", Some(types), malformed("type", expected));
    }
    check_list(
        "/type",
        Some(json!(["BitstringStatusListCredential"])),
        malformed("type", "`VerifiableCredential` or with it"),
    );
    check_list("/nbf", Some(json!("0")), malformed("nbf", SECONDS));

    let member = "credentialSubject.type";
    let at = "/credentialSubject/type";
    check_list(at, None, missing(member));
    check_list(
        at,
        Some(json!("StatusList2021")),
        malformed(member, "`BitstringStatusList`"),
    );
    let member = "credentialSubject.statusPurpose";
    let at = "/credentialSubject/statusPurpose";
    check_list(at, None, missing(member));
    for purpose in ["message", "refresh", ""] {
        check_list(
            at,
            Some(json!(purpose)),
            malformed(member, "`revocation` or `suspension`"),
        );
    }
    let member = "credentialSubject.encodedList";
    let at = "/credentialSubject/encodedList";
    check_list(at, None, missing(member));
    check_list(at, Some(json!("uAAAA")), Err(CredentialError::NotGzip));

    let credential = signed(&full());
    assert_eq!(
        StatusList::parse(&credential).map(|_| ()),
        malformed("type", expected)
    );
    assert_eq!(
        Credential::parse(&signed(&edit(list(), "/exp", None))).map(|_| ()),
        malformed("credentialSubject.id", "the did:key of an Ed25519 key")
    );
}

#[test]
fn nothing_withdraws_a_status_list() {
    for (name, value) in [
        ("validUntil", json!(1)),
        ("exp", json!("never")),
        ("credentialStatus", json!("x")),
        ("status", json!({"status_list": {}})),
        ("revoked", json!(true)),
    ] {
        let jwt = signed(&insert(list(), name, value));
        assert!(StatusList::parse(&jwt).is_ok(), "{name}");
    }
}

#[test]
fn a_status_list_is_for_the_projects_that_it_names() {
    let project = ProjectId::from_bytes([0xab; 32]);
    let check = |audience: Value, expect: Result<bool, CredentialError>| {
        let jwt = signed(&insert(list(), "aud", audience));
        assert_eq!(
            StatusList::parse(&jwt).map(|it| it.is_for(&project)),
            expect
        );
    };
    assert!(
        StatusList::parse(&signed(&list()))
            .unwrap()
            .is_for(&project)
    );
    check(json!(project), Ok(true));
    check(json!(["https://other.example", project]), Ok(true));
    check(json!("https://other.example"), Ok(false));
    let (member, expected) = ("aud", "a string or an array of strings");
    check(
        json!([]),
        Err(CredentialError::Malformed { member, expected }),
    );
}

#[test]
fn a_status_that_is_not_understood_is_refused() {
    let status = "/credentialStatus";
    check(status, None, Ok(()));
    let entry = full()["credentialStatus"][0].clone();
    check(status, Some(entry.clone()), Ok(()));
    check(status, Some(json!(vec![entry.clone(); 4])), Ok(()));
    check(
        status,
        Some(json!(vec![entry; 5])),
        Err(CredentialError::TooMany {
            member: "credentialStatus",
            max: 4,
        }),
    );
    check(
        status,
        Some(json!([])),
        malformed("credentialStatus", "an entry or an array of entries"),
    );
    for value in [json!(null), json!("x"), json!(["x"])] {
        check(
            status,
            Some(value),
            malformed("credentialStatus", "an object"),
        );
    }

    let index = "a decimal number from 0 to 8388607 without leading zeros";
    let purpose = "`revocation` or `suspension`";
    let kind = "`BitstringStatusListEntry`";
    for (member, value, expected) in [
        ("credentialStatus.type", json!("StatusList2021Entry"), kind),
        (
            "credentialStatus.type",
            json!(["BitstringStatusListEntry"]),
            "a string",
        ),
        ("credentialStatus.statusPurpose", json!("message"), purpose),
        (
            "credentialStatus.statusPurpose",
            json!(["revocation"]),
            "a string",
        ),
        ("credentialStatus.statusListIndex", json!("8388608"), index),
        ("credentialStatus.statusListIndex", json!("07"), index),
        ("credentialStatus.statusListIndex", json!(7), "a string"),
        (
            "credentialStatus.statusListCredential",
            json!("status 1"),
            "a URL",
        ),
        ("credentialStatus.statusListCredential", json!(""), NAME),
        (
            "credentialStatus.statusListCredential",
            json!(format!("a:{}", "b".repeat(255))),
            NAME,
        ),
        ("credentialStatus.statusSize", json!(2), "1"),
        ("credentialStatus.statusSize", json!("1"), "1"),
        ("credentialStatus.statusSize", json!(1.0), "1"),
    ] {
        let at = format!(
            "/credentialStatus/1/{}",
            &member["credentialStatus.".len()..]
        );
        check(&at, Some(value), malformed(member, expected));
        if member != "credentialStatus.statusSize" {
            check(&at, None, missing(member));
        }
    }
}
