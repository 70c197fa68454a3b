//! Credentials and status lists as whole documents: every rule, and what is minted.

use ed25519_zebra::{SigningKey, VerificationKeyBytes};
use serde_json::{Value, json};

use super::jwt::sign_compact;
use super::*;
use crate::id::{ProjectId, PublicKey};

mod minted;
mod status_list;

fn secret(seed: u8) -> SigningKey {
    SigningKey::from([seed; 32])
}

fn public(secret: &SigningKey) -> PublicKey {
    PublicKey::from_bytes(VerificationKeyBytes::from(secret).into())
}

const HEADER: &str = r#"{"alg":"EdDSA","kid":"key-1","typ":"vc+jwt"}"#;
const SUBJECT: &str = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK";

/// A credential that keeps every rule and uses every member.
fn full() -> Value {
    json!({
        "@context": ["https://www.w3.org/ns/credentials/v2", {"@vocab": "urn:example:"}],
        "id": "urn:example:credential:1",
        "type": ["VerifiableCredential", "MembershipCredential"],
        "issuer": {"id": "https://issuer.example", "name": "Issuer"},
        "validFrom": "2026-01-01T00:00:00Z",
        "validUntil": "2027-01-01T01:00:00.5+01:00",
        "credentialSubject": {"id": SUBJECT, "role": "editor", "scope": ["hr", "finance"], "level": 1.5},
        "credentialStatus": [
            {
                "id": "https://issuer.example/status/1#7",
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "7",
                "statusListCredential": "https://issuer.example/status/1"
            },
            {
                "type": "BitstringStatusListEntry",
                "statusPurpose": "suspension",
                "statusListIndex": "0",
                "statusSize": 1,
                "statusListCredential": "https://issuer.example/status/2"
            }
        ],
        "iss": "https://issuer.example",
        "sub": SUBJECT,
        "jti": "urn:example:credential:1",
        "nbf": 1_767_225_600,
        "exp": 1_798_761_600,
        "iat": 1_767_225_600,
        "evidence": [null, true]
    })
}

/// Puts `value` at the JSON pointer `at`, or takes the member away where `value` is none.
fn edit(mut document: Value, at: &str, value: Option<Value>) -> Value {
    let (parent, name) = at.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(members) => match value {
            Some(value) => {
                members.insert(name.to_owned(), value);
            }
            None => {
                members.remove(name).unwrap();
            }
        },
        Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = value.unwrap(),
        _ => panic!("{at} is in neither an object nor an array"),
    }
    document
}

/// With one more member, or another value in its place.
fn insert(document: Value, name: &str, value: Value) -> Value {
    edit(document, &format!("/{name}"), Some(value))
}

fn signed(document: &Value) -> String {
    sign_compact(&secret(1), HEADER, &document.to_string())
}

fn check(at: &str, value: Option<Value>, expect: Result<(), CredentialError>) {
    let shown = format!("{at} = {value:?}");
    let jwt = signed(&edit(full(), at, value));
    assert_eq!(Credential::parse(&jwt).map(|_| ()), expect, "{shown}");
}

fn missing(member: &'static str) -> Result<(), CredentialError> {
    Err(CredentialError::Missing { member })
}

fn malformed(member: &'static str, expected: &'static str) -> Result<(), CredentialError> {
    Err(CredentialError::Malformed { member, expected })
}

fn mismatch(claim: &'static str, member: &'static str) -> Result<(), CredentialError> {
    Err(CredentialError::Mismatch { claim, member })
}

const NAME: &str = "1 to 256 bytes of text in NFC without control characters";
const DATE_TIME: &str = "a date-time like 2026-01-31T08:00:00Z";
const SECONDS: &str = "whole seconds since 1970 in the years 1 to 9999";
const CONTEXT: &str = "an array that begins with https://www.w3.org/ns/credentials/v2";

#[test]
fn a_foreign_credential_is_read() {
    let credential = Credential::parse(&signed(&full())).unwrap();
    assert_eq!(credential.issuer, "https://issuer.example");
    assert_eq!(credential.kid, "key-1");
    assert_eq!(credential.id.as_deref(), Some("urn:example:credential:1"));
    assert_eq!(credential.subject.to_string(), SUBJECT);
    assert_eq!(credential.role, Role::Editor);
    let scope: Vec<_> = credential.scope.iter().map(String::as_str).collect();
    assert_eq!(scope, ["finance", "hr"]);
    assert_eq!(credential.valid_from.to_string(), "2026-01-01T00:00:00Z");
    // `exp` is half a second earlier than `validUntil`.
    assert_eq!(credential.valid_until.to_string(), "2027-01-01T00:00:00Z");
    let entry = |list: &str, index, purpose| StatusRef {
        list: list.to_owned(),
        index,
        purpose,
    };
    assert_eq!(
        credential.status,
        [
            entry(
                "https://issuer.example/status/1",
                7,
                StatusPurpose::Revocation
            ),
            entry(
                "https://issuer.example/status/2",
                0,
                StatusPurpose::Suspension
            ),
        ]
    );
    assert!(credential.verifies_with(&public(&secret(1))));
    assert!(!credential.verifies_with(&public(&secret(2))));
    // No point of the curve has this encoding.
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert!(!credential.verifies_with(&PublicKey::from_bytes(off_curve)));
}

#[test]
fn the_header_is_that_of_a_signed_vc() {
    let payload = full().to_string();
    let check = |header: &str, expect| {
        let jwt = sign_compact(&secret(1), header, &payload);
        assert_eq!(Credential::parse(&jwt).map(|_| ()), expect, "{header}");
    };
    check(HEADER, Ok(()));
    check(
        r#"{"alg":"EdDSA","kid":"k","typ":"vc+jwt","cty":"vc","x":[1]}"#,
        Ok(()),
    );
    check(r#"{"kid":"k","typ":"vc+jwt"}"#, missing("alg"));
    check(r#"{"alg":"EdDSA","kid":"k"}"#, missing("typ"));
    check(r#"{"alg":"EdDSA","typ":"vc+jwt"}"#, missing("kid"));
    for alg in ["none", "HS256", "ES256", "eddsa", "Ed25519"] {
        check(
            &format!(r#"{{"alg":"{alg}","kid":"k","typ":"vc+jwt"}}"#),
            malformed("alg", "`EdDSA`"),
        );
    }
    for typ in ["JWT", "vc+ld+jwt", "vp+jwt", "VC+JWT", "application/vc+jwt"] {
        check(
            &format!(r#"{{"alg":"EdDSA","kid":"k","typ":"{typ}"}}"#),
            malformed("typ", "`vc+jwt`"),
        );
    }
    for kid in ["", &"k".repeat(257), "e\u{301}", "k\u{202e}", "k\u{85}"] {
        check(
            &format!(r#"{{"alg":"EdDSA","kid":"{kid}","typ":"vc+jwt"}}"#),
            malformed("kid", NAME),
        );
    }
    check(
        r#"{"alg":"EdDSA","kid":1,"typ":"vc+jwt"}"#,
        malformed("kid", "a string"),
    );
    for crit in [r#"["b64"]"#, "[]", "null"] {
        check(
            &format!(r#"{{"alg":"EdDSA","kid":"k","typ":"vc+jwt","crit":{crit}}}"#),
            Err(CredentialError::Forbidden { member: "crit" }),
        );
    }
    for (header, name) in [
        (
            r#"{"alg":"EdDSA","kid":"k","typ":"vc+jwt","kid":"j"}"#,
            "kid",
        ),
        (
            r#"{"alg":"EdDSA","kid":"k","typ":"vc+jwt","x":1,"x":2}"#,
            "x",
        ),
    ] {
        let (part, name) = (Part::Header, name.to_owned());
        check(header, Err(CredentialError::DuplicateMember { part, name }));
    }
    check("[]", malformed("header", "a JSON object"));
    check(
        "",
        Err(CredentialError::NotJson {
            part: Part::Header,
            line: 1,
            column: 0,
        }),
    );
}

#[test]
fn the_payload_is_a_vc_of_data_model_2() {
    check(
        "/vc",
        Some(json!({})),
        Err(CredentialError::Forbidden { member: "vc" }),
    );
    check(
        "/vp",
        Some(json!(null)),
        Err(CredentialError::Forbidden { member: "vp" }),
    );

    check("/@context", None, missing("@context"));
    for context in [
        json!("https://www.w3.org/ns/credentials/v2"),
        json!([]),
        json!(["https://www.w3.org/2018/credentials/v1"]),
        json!([{}, "https://www.w3.org/ns/credentials/v2"]),
    ] {
        check("/@context", Some(context), malformed("@context", CONTEXT));
    }

    check("/type", None, missing("type"));
    check("/type", Some(json!("VerifiableCredential")), Ok(()));
    for types in [json!("Membership"), json!([]), json!(["Membership"])] {
        check(
            "/type",
            Some(types),
            malformed("type", "`VerifiableCredential` or with it"),
        );
    }
    check(
        "/type",
        Some(json!(["VerifiableCredential", 1])),
        malformed("type", "a string"),
    );

    check("/issuer", None, missing("issuer"));
    check("/issuer", Some(json!("https://issuer.example")), Ok(()));
    check("/issuer", Some(json!("")), malformed("issuer", NAME));
    check(
        "/issuer",
        Some(json!("//issuer.example")),
        malformed("issuer", "a URL"),
    );
    check(
        "/issuer",
        Some(json!(format!("i:{}", "i".repeat(255)))),
        malformed("issuer", NAME),
    );
    for shows_as_more in [
        "https://issuer.example\n",
        "https://issuer.example/\u{200f}x",
    ] {
        check(
            "/issuer",
            Some(json!(shows_as_more)),
            malformed("issuer", NAME),
        );
    }
    check(
        "/issuer",
        Some(json!(["x"])),
        malformed("issuer", "a string"),
    );
    check("/issuer/id", None, missing("issuer.id"));
    check("/issuer/id", Some(json!("")), malformed("issuer.id", NAME));
    check(
        "/issuer/id",
        Some(json!("issuer")),
        malformed("issuer.id", "a URL"),
    );

    let payload = full()
        .to_string()
        .replacen('{', r#"{"role":1,"role":2,"#, 1);
    let jwt = sign_compact(&secret(1), HEADER, &payload);
    let (part, name) = (Part::Payload, "role".to_owned());
    assert_eq!(
        Credential::parse(&jwt),
        Err(CredentialError::DuplicateMember { part, name })
    );
}

#[test]
fn registered_claims_repeat_the_credential() {
    check("/iss", None, Ok(()));
    check(
        "/iss",
        Some(json!("https://other.example")),
        mismatch("iss", "issuer"),
    );
    check("/iss", Some(json!(null)), malformed("iss", "a string"));
    check("/sub", None, Ok(()));
    check(
        "/sub",
        Some(json!("did:key:other")),
        mismatch("sub", "credentialSubject.id"),
    );
    check("/jti", None, Ok(()));
    check("/jti", Some(json!("urn:example:2")), mismatch("jti", "id"));
    check("/id", None, mismatch("jti", "id"));
    check("/id", Some(json!("")), malformed("id", NAME));
    check(
        "/id",
        Some(json!("https ://issuer.example/1")),
        malformed("id", "a URL"),
    );
}

#[test]
fn the_audience_is_one_string_or_several() {
    let expected = "a string or an array of strings";
    for audience in [json!("x"), json!(""), json!(["x"]), json!(["x", "x"])] {
        check("/aud", Some(audience), Ok(()));
    }
    check("/aud", Some(json!([])), malformed("aud", expected));
    for audience in [
        json!(null),
        json!(1),
        json!({}),
        json!(["x", 1]),
        json!([["x"]]),
    ] {
        check("/aud", Some(audience), malformed("aud", "a string"));
    }
    let many = |count: usize| json!(vec!["x"; count]);
    check("/aud", Some(many(64)), Ok(()));
    let (member, max) = ("aud", 64);
    check(
        "/aud",
        Some(many(65)),
        Err(CredentialError::TooMany { member, max }),
    );
}

#[test]
fn a_credential_is_for_the_projects_that_it_names() {
    let project = ProjectId::from_bytes([0xab; 32]);
    let named = project.to_string();
    let check = |audience: Option<Value>, expect: bool| {
        let shown = format!("{audience:?}");
        let jwt = match audience {
            None => signed(&full()),
            Some(audience) => signed(&insert(full(), "aud", audience)),
        };
        assert_eq!(
            Credential::parse(&jwt).unwrap().is_for(&project),
            expect,
            "{shown}"
        );
    };
    check(None, true);
    check(Some(json!(named)), true);
    check(Some(json!(["https://other.example", named])), true);
    check(Some(json!("https://other.example")), false);
    check(Some(json!(["", &named[1..]])), false);
    check(Some(json!(named.to_uppercase())), false);
    check(Some(json!(format!(" {named}"))), false);
}

#[test]
fn no_other_claim_of_status_is_there() {
    for name in [
        "status",
        "Status",
        "credentialstatus",
        "CREDENTIALSTATUS",
        "revoked",
        "revocation",
        "isRevoked",
        "credentialStatus2",
        "statuS",
    ] {
        for value in [
            json!(null),
            json!({"status_list": {"idx": 0, "uri": "https://x.example"}}),
        ] {
            let jwt = signed(&insert(full(), name, value));
            let name = name.to_owned();
            assert_eq!(
                Credential::parse(&jwt).map(|_| ()),
                Err(CredentialError::OtherStatus { name })
            );
        }
    }
    // Only letters of ASCII have a lower case here, only the top level is looked at, and only the names.
    for name in ["state", "rev", "\u{17f}tatus", "x"] {
        let jwt = signed(&insert(full(), name, json!({"status": "revoked"})));
        assert!(Credential::parse(&jwt).is_ok(), "{name}");
    }
    let subject = edit(full(), "/credentialSubject/status", Some(json!("revoked")));
    assert!(Credential::parse(&signed(&subject)).is_ok());
    let long = "status".repeat(20);
    let jwt = signed(&insert(full(), &long, json!(1)));
    let name = long[..64].to_owned();
    assert_eq!(
        Credential::parse(&jwt).map(|_| ()),
        Err(CredentialError::OtherStatus { name })
    );
}

#[test]
fn the_validity_is_a_window() {
    for member in ["validFrom", "validUntil"] {
        let at = format!("/{member}");
        check(&at, None, missing(member));
        check(&at, Some(json!("2026-01-01")), malformed(member, DATE_TIME));
        check(
            &at,
            Some(json!(1_767_225_600)),
            malformed(member, "a string"),
        );
    }
    for claim in ["nbf", "exp"] {
        let at = format!("/{claim}");
        check(&at, None, Ok(()));
        for value in [
            json!("1767225600"),
            json!(1.5),
            json!(null),
            json!(u64::MAX),
        ] {
            check(&at, Some(value), malformed(claim, SECONDS));
        }
    }
    let empty = || Err(CredentialError::EmptyWindow);
    check("/validUntil", Some(json!("2026-01-01T00:00:00Z")), empty());
    check(
        "/validUntil",
        Some(json!("2026-01-01T00:00:00.000000001Z")),
        Ok(()),
    );
    check("/validFrom", Some(json!("2028-01-01T00:00:00Z")), empty());
    check("/nbf", Some(json!(1_798_761_600)), empty());
    check("/exp", Some(json!(-1)), empty());

    let jwt = signed(&edit(full(), "/nbf", Some(json!(1_767_225_601))));
    let credential = Credential::parse(&jwt).unwrap();
    assert_eq!(credential.valid_from.to_string(), "2026-01-01T00:00:01Z");
    let jwt = signed(&edit(full(), "/exp", Some(json!(1_798_761_601))));
    let credential = Credential::parse(&jwt).unwrap();
    assert_eq!(credential.valid_until.to_string(), "2027-01-01T00:00:00.5Z");
}

#[test]
fn the_subject_is_one_key_with_a_role_and_a_scope() {
    let subject = "/credentialSubject";
    check(subject, None, missing("credentialSubject"));
    check(
        subject,
        Some(json!([{"id": SUBJECT, "role": "editor"}])),
        malformed("credentialSubject", "an object"),
    );

    let without_sub = |id: Option<Value>| {
        let document = edit(edit(full(), "/sub", None), "/credentialSubject/id", id);
        Credential::parse(&signed(&document)).map(|_| ())
    };
    assert_eq!(without_sub(None), missing("credentialSubject.id"));
    for id in ["", "alice", "did:web:alice.example", &SUBJECT[..40]] {
        assert_eq!(
            without_sub(Some(json!(id))),
            malformed("credentialSubject.id", "the did:key of an Ed25519 key")
        );
    }

    let role = "/credentialSubject/role";
    check(role, None, missing("credentialSubject.role"));
    for name in ["", "Editor", "superuser"] {
        check(
            role,
            Some(json!(name)),
            malformed("credentialSubject.role", "the name of a role"),
        );
    }
    for known in Role::ALL {
        check(role, Some(json!(known)), Ok(()));
    }

    let scope = "/credentialSubject/scope";
    check(scope, None, Ok(()));
    check(scope, Some(json!([])), Ok(()));
    check(
        scope,
        Some(json!("hr")),
        malformed("credentialSubject.scope", "an array of tags"),
    );
    check(
        scope,
        Some(json!([1])),
        malformed("credentialSubject.scope", "a string"),
    );
    check(scope, Some(json!(["t".repeat(256)])), Ok(()));
    for tag in ["", &"t".repeat(257), "e\u{301}", "t\n", "t\u{2066}"] {
        check(
            scope,
            Some(json!([tag])),
            malformed("credentialSubject.scope", NAME),
        );
    }
    let tags = |count: usize| json!((0..count).map(|n| n.to_string()).collect::<Vec<_>>());
    check(scope, Some(tags(64)), Ok(()));
    check(
        scope,
        Some(tags(65)),
        Err(CredentialError::TooMany {
            member: "credentialSubject.scope",
            max: 64,
        }),
    );
    let tag = "hr".to_owned();
    check(
        scope,
        Some(json!(["hr", "x", "hr"])),
        Err(CredentialError::RepeatedTag { tag }),
    );
}

#[test]
fn what_another_language_has_minted_is_read() {
    // Minted with Python: `json`, `gzip` and `cryptography`, with the key of RFC 8037 appendix A.1.
    let key = "did:key:z6MktwupdmLXVVqTzCw4i46r4uGyosGXRnR3XjN4Zq7oMMsw";
    let key: PublicKey = key.parse().unwrap();
    let jwt = include_str!("vectors/python-credential.jwt").trim_end();
    let credential = Credential::parse(jwt).unwrap();
    assert!(credential.verifies_with(&key));
    assert_eq!(credential.kid, "rfc8037");
    assert_eq!(credential.role, Role::PolicyAdmin);
    assert_eq!(credential.scope, ["büro".to_owned()].into());
    assert_eq!(credential.valid_from.to_string(), "2026-01-31T08:00:00Z");

    let jwt = include_str!("vectors/python-status-list.jwt").trim_end();
    let list = StatusList::parse(jwt).unwrap();
    assert!(list.verifies_with(&key));
    assert_eq!(list.issuer, credential.issuer);
    let [entry] = credential.status.as_slice() else {
        panic!("the credential has one entry");
    };
    assert_eq!((&list.id, list.purpose), (&entry.list, entry.purpose));
    let set = (0..list.bit_count()).filter(|bit| list.get(*bit) == Some(true));
    assert_eq!(set.collect::<Vec<_>>(), [entry.index]);
}
