//! Sigstore bundles and DSSE envelopes: every refusal, and every byte.

use serde_json::{Value, json};

use super::{build, flipped, key, other_key};
use crate::{Bundle, Envelope, PublicKey, Statement};

fn message_bundle() -> Vec<u8> {
    Bundle::of_message(&key(), b"message").to_bytes()
}

fn envelope_bundle() -> Vec<u8> {
    let envelope = Envelope::sign(&key(), &Statement::of(&build()));
    Bundle::of_envelope(&key().public(), envelope).to_bytes()
}

/// Reads a bundle and verifies what it holds.
fn verify(bytes: &[u8], key: &PublicKey) -> Result<(), String> {
    let bundle = Bundle::parse(bytes).map_err(|error| error.to_string())?;
    match bundle.envelope() {
        Some(_) => bundle.verify_statement(key).map(|_| ()),
        None => bundle.verify_message(key, b"message"),
    }
    .map_err(|error| error.to_string())
}

/// Changes a bundle and requires the refusal of what comes out to begin so.
#[track_caller]
fn refuses(bundle: &[u8], change: impl FnOnce(&mut Value), says: &str) {
    let mut value = serde_json::from_slice(bundle).unwrap();
    change(&mut value);
    let error = verify(value.to_string().as_bytes(), &key().public()).unwrap_err();
    assert!(error.starts_with(says), "{error}");
}

#[test]
fn bundles_have_the_published_form() {
    let hint = key().public().hint();
    let bundle: Value = serde_json::from_slice(&message_bundle()).unwrap();
    let expected = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": hint } },
        "messageSignature": {
            "messageDigest": {
                "algorithm": "SHA2_256",
                // printf message | openssl dgst -sha256 -binary | base64
                "digest": "q1MKE+RZFJgrefm34/uplM/R8/si9xzqGvvwK0YMbR0=",
            },
            "signature": key().sign(b"message").to_string(),
        },
    });
    assert_eq!(bundle, expected);
}

#[test]
fn one_input_has_one_bundle() {
    assert_eq!(message_bundle(), message_bundle());
    assert_eq!(envelope_bundle(), envelope_bundle());
    for bytes in [message_bundle(), envelope_bundle()] {
        assert_eq!(Bundle::parse(&bytes).unwrap().to_bytes(), bytes);
        assert_eq!(verify(&bytes, &key().public()), Ok(()));
    }
}

#[test]
fn no_flipped_byte_verifies() {
    for bytes in [message_bundle(), envelope_bundle()] {
        for flipped in flipped(&bytes) {
            let verdict = verify(&flipped, &key().public());
            assert!(verdict.is_err(), "{}", String::from_utf8_lossy(&flipped));
        }
    }
    let line = Envelope::sign(&key(), &Statement::of(&build())).to_bytes();
    for flipped in flipped(&line) {
        let verdict = Envelope::parse(&flipped).and_then(|it| it.open(&key().public()));
        assert!(verdict.is_err(), "{}", String::from_utf8_lossy(&flipped));
    }
}

#[test]
fn bundles_of_other_keys_and_other_forms_are_refused() {
    let other = other_key().public();
    let error = verify(&message_bundle(), &other).unwrap_err();
    assert!(error.starts_with("the bundle names the key"), "{error}");

    let message = message_bundle();
    let envelope = envelope_bundle();
    let of_other = Bundle::of_message(&other_key(), b"message").to_bytes();
    let of_other: Value = serde_json::from_slice(&of_other).unwrap();
    refuses(
        &message,
        |it| it["mediaType"] = json!("a"),
        "the bundle is `a`",
    );
    refuses(
        &message,
        |it| it["more"] = json!(1),
        "the bundle is malformed: unknown field `more`",
    );
    refuses(
        &message,
        |it| it["verificationMaterial"]["more"] = json!(1),
        "the bundle is malformed: unknown field `more`",
    );
    refuses(
        &message,
        |it| {
            it["dsseEnvelope"] =
                serde_json::from_slice::<Value>(&envelope).unwrap()["dsseEnvelope"].clone()
        },
        "the bundle has to hold a message signature or an envelope",
    );
    refuses(
        &message,
        |it| it["messageSignature"] = json!(null),
        "the bundle has to hold a message signature or an envelope",
    );
    refuses(
        &message,
        |it| it["verificationMaterial"]["certificate"] = json!({}),
        "the bundle has to name a public key or hold a certificate",
    );
    refuses(
        &message,
        |it| it["verificationMaterial"] = json!({}),
        "the bundle has to name a public key or hold a certificate",
    );
    refuses(
        &message,
        |it| it["verificationMaterial"] = json!({ "certificate": { "rawBytes": "" } }),
        "the bundle was signed without a key",
    );
    refuses(
        &message,
        |it| it["messageSignature"]["messageDigest"]["algorithm"] = json!("SHA2_512"),
        "the digest in the bundle is made with `SHA2_512`",
    );
    refuses(
        &message,
        |it| it["messageSignature"]["messageDigest"]["digest"] = json!("AAAA"),
        "the bundle is about another file",
    );
    refuses(
        &message,
        |it| it["messageSignature"]["signature"] = json!("AAAA"),
        "the bundle is not to be believed: the signature is not the DER",
    );
    refuses(
        &message,
        |it| {
            it["messageSignature"]["signature"] = of_other["messageSignature"]["signature"].clone()
        },
        "the bundle is not to be believed: the signature does not verify",
    );
    refuses(
        &message,
        |it| it["messageSignature"]["signature"] = json!("A"),
        "the bundle is malformed: not base64",
    );
}

#[test]
fn entries_of_a_transparency_log_do_not_stand_in_the_way_of_a_key() {
    let mut bundle: Value = serde_json::from_slice(&message_bundle()).unwrap();
    bundle["verificationMaterial"]["tlogEntries"] = json!([{ "logIndex": "1" }]);
    bundle["verificationMaterial"]["timestampVerificationData"] = json!({});
    let verdict = verify(bundle.to_string().as_bytes(), &key().public());
    assert_eq!(verdict, Ok(()));
}

#[test]
fn bundles_hold_what_is_looked_for() {
    let key = key().public();
    let error = |result: Result<(), crate::BundleError>| result.unwrap_err().to_string();
    let message = Bundle::parse(&message_bundle()).unwrap();
    let envelope = Bundle::parse(&envelope_bundle()).unwrap();
    let none = error(envelope.verify_message(&key, b"message"));
    assert_eq!(
        none,
        "the bundle holds an envelope and no message signature"
    );
    let none = error(message.verify_statement(&key).map(|_| ()));
    assert_eq!(none, "the bundle holds a message signature and no envelope");
    let other = error(message.verify_message(&key, b"another"));
    assert!(other.starts_with("the bundle is about another file"));
}

#[test]
fn duplicate_members_and_large_files_are_refused() {
    let text = String::from_utf8(message_bundle()).unwrap();
    let twice = text.replacen("{\"mediaType\"", "{\"mediaType\":0,\"mediaType\"", 1);
    let error = verify(twice.as_bytes(), &key().public()).unwrap_err();
    assert!(error.contains("duplicate member `mediaType`"), "{error}");
    let padded = text + &" ".repeat(2 << 20);
    let error = verify(padded.as_bytes(), &key().public()).unwrap_err();
    assert!(error.contains("more than 2097152 are not read"), "{error}");
    for bytes in [&b""[..], b"[]", b"null", b"{}", b"{", b"\xff"] {
        assert!(Bundle::parse(bytes).is_err());
        assert!(Envelope::parse(bytes).is_err());
    }
}

#[test]
fn envelopes_are_refused_for_what_is_wrong_with_them() {
    let envelope = envelope_bundle();
    let refuses = |change: &dyn Fn(&mut Value), says: &str| {
        refuses(&envelope, |it| change(&mut it["dsseEnvelope"]), says);
    };
    refuses(
        &|it| it["signatures"] = json!([]),
        "the envelope has 0 signatures",
    );
    refuses(
        &|it| {
            let first = it["signatures"][0].clone();
            it["signatures"] = json!([first.clone(), first]);
        },
        "the envelope has 2 signatures",
    );
    refuses(
        &|it| it["signatures"][0]["keyid"] = json!("mine"),
        "the envelope names the key `mine`",
    );
    refuses(
        &|it| it["payloadType"] = json!("text/plain"),
        "the envelope is not to be believed: the signature does not verify",
    );
    refuses(
        &|it| it["payload"] = json!("e30="),
        "the envelope is not to be believed: the signature does not verify",
    );
    refuses(
        &|it| it["signatures"][0]["sig"] = json!("AAAA"),
        "the envelope is not to be believed: the signature is not the DER",
    );
    refuses(
        &|it| it["more"] = json!(1),
        "the bundle is malformed: unknown field `more`",
    );
}

#[test]
fn an_envelope_need_not_name_its_key() {
    let statement = Statement::of(&build());
    let line = Envelope::sign(&key(), &statement).to_bytes();
    for keyid in [json!(""), json!(null)] {
        let mut value: Value = serde_json::from_slice(&line).unwrap();
        match keyid.is_null() {
            true => drop(
                value["signatures"][0]
                    .as_object_mut()
                    .unwrap()
                    .remove("keyid"),
            ),
            false => value["signatures"][0]["keyid"] = keyid,
        }
        let envelope = Envelope::parse(value.to_string().as_bytes()).unwrap();
        assert_eq!(envelope.open(&key().public()).unwrap(), statement);
        let error = envelope.open(&other_key().public()).unwrap_err();
        assert!(error.to_string().contains("does not verify"), "{error}");
    }
}

#[test]
fn another_type_of_payload_is_refused_though_it_is_signed() {
    let payload = Statement::of(&build()).to_bytes();
    let envelope = Envelope::of_payload(&key(), "text/plain", payload);
    let error = envelope.open(&key().public()).unwrap_err();
    assert!(
        error.to_string().starts_with("the payload is `text/plain`"),
        "{error}"
    );
}

#[test]
fn each_cause_is_told_once() {
    let refused = [
        Bundle::parse(b"{").unwrap_err(),
        Bundle::parse(&message_bundle())
            .and_then(|bundle| bundle.verify_message(&other_key().public(), b"message"))
            .unwrap_err(),
        Bundle::of_envelope(
            &key().public(),
            Envelope::of_payload(&key(), crate::PAYLOAD_TYPE, b"{".to_vec()),
        )
        .verify_statement(&key().public())
        .unwrap_err(),
    ];
    for error in refused {
        let text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            let cause_text = cause.to_string();
            assert!(
                !text.contains(&cause_text),
                "`{cause_text}` again in `{text}`"
            );
            source = cause.source();
        }
    }
}
