//! A credential: a JWT as it is, and a header and payload that the target signs.
//!
//! - What is read keeps the limits that the reader documents, and says what the payload says to another reader.
//! - Reading is a function of the text; only the signer's key verifies it.
//! - Minted again from what was read, it is read as the same.

use ecac_core::Name;
use ecac_core::credential::mint::{CredentialClaims, mint_credential};
use ecac_core::credential::{Credential, Timestamp};
use ecac_core::limits::{JWT_BYTES_MAX, STATUS_ENTRIES_MAX, STATUS_INDEX_MAX, TAGS_MAX};
use ecac_oracle::world::person;
use serde_json::Value;

use crate::jws::{self, Jws, SIGNER};
use crate::reading::Reading;

/// Runs the target.
pub fn run(data: &[u8]) -> Reading {
    let readings = jws::of(data).into_iter().map(|jws| check(&jws));
    readings.min().unwrap_or(Reading::Refused)
}

fn check(jws: &Jws) -> Reading {
    let parsed = Credential::parse(&jws.text);
    assert_eq!(parsed, Credential::parse(&jws.text));
    let credential = match parsed {
        Ok(credential) => credential,
        Err(error) => {
            let _ = error.to_string();
            return Reading::Refused;
        }
    };
    check_limits(&credential);
    assert!(jws.text.len() <= JWT_BYTES_MAX);
    if let Some(payload) = &jws.payload {
        assert!(credential.verifies_with(&person(SIGNER).public));
        assert!(!credential.verifies_with(&person(0).public));
        check_meaning(&credential, payload);
    }
    mint_again(&credential);
    Reading::Accepted
}

fn check_limits(credential: &Credential) {
    assert!(credential.valid_from < credential.valid_until);
    check_url(&credential.issuer);
    check_name(&credential.kid);
    credential.id.as_deref().inspect(|id| check_url(id));
    assert!(credential.scope.len() <= TAGS_MAX);
    credential.scope.iter().for_each(|tag| check_name(tag));
    assert!(credential.status.len() <= STATUS_ENTRIES_MAX);
    for entry in &credential.status {
        check_url(&entry.list);
        assert!(entry.index <= STATUS_INDEX_MAX);
    }
    for at in [credential.valid_from, credential.valid_until] {
        assert_eq!(at.to_string().parse::<Timestamp>(), Ok(at));
    }
}

/// What is promised of a name in a credential: it can be one of an op, too.
pub(crate) fn check_name(text: &str) {
    Name::new(text).expect("a name in a credential is a name");
}

/// What is promised of a URL in a credential.
pub(crate) fn check_url(text: &str) {
    check_name(text);
    let (scheme, rest) = text.split_once(':').expect("a URL has a scheme");
    assert!(
        scheme
            .as_bytes()
            .first()
            .is_some_and(u8::is_ascii_alphabetic)
    );
    assert!(!rest.is_empty() && !text.contains(char::is_whitespace));
}

/// Compares with a reader that is not strict: where a document has one meaning, both find it.
fn check_meaning(credential: &Credential, payload: &[u8]) {
    let document: Value = serde_json::from_slice(payload).expect("a strict reader accepts less");
    let issuer = &document["issuer"];
    let issuer = issuer.get("id").unwrap_or(issuer);
    assert_eq!(issuer.as_str(), Some(credential.issuer.as_str()));
    assert_eq!(document["id"].as_str(), credential.id.as_deref());
    let subject = &document["credentialSubject"];
    assert_eq!(subject["role"].as_str(), Some(credential.role.name()));
    assert_eq!(
        subject["id"].as_str(),
        Some(credential.subject.to_string().as_str())
    );
    let tags = subject["scope"].as_array().map_or(0, Vec::len);
    assert_eq!(tags, credential.scope.len());
    let entries = match &document["credentialStatus"] {
        Value::Null => 0,
        Value::Array(entries) => entries.len(),
        _ => 1,
    };
    assert_eq!(entries, credential.status.len());
}

fn mint_again(credential: &Credential) {
    let exact_ms = |at: Timestamp| {
        let ms = u64::try_from(at.nanoseconds() / 1_000_000).ok()?;
        (Timestamp::from_ms(ms) == at).then_some(ms)
    };
    let (from, until) = (credential.valid_from, credential.valid_until);
    let (Some(valid_from_ms), Some(valid_until_ms)) = (exact_ms(from), exact_ms(until)) else {
        return;
    };
    let claims = CredentialClaims {
        issuer: credential.issuer.clone(),
        kid: credential.kid.clone(),
        id: credential.id.clone(),
        subject: credential.subject,
        role: credential.role,
        scope: credential.scope.clone(),
        valid_from_ms,
        valid_until_ms,
        status: credential.status.clone(),
    };
    let jwt = mint_credential(&person(SIGNER).secret, &claims);
    if jwt.len() > JWT_BYTES_MAX {
        return;
    }
    let again = Credential::parse(&jwt).expect("what was read can be minted");
    assert_eq!(
        (
            again.issuer,
            again.kid,
            again.id,
            again.subject,
            again.role,
            again.scope
        ),
        (
            claims.issuer,
            claims.kid,
            claims.id,
            claims.subject,
            claims.role,
            claims.scope
        )
    );
    assert_eq!(
        (again.valid_from, again.valid_until, again.status),
        (from, until, claims.status)
    );
}
