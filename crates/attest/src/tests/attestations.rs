//! Attestations: their published form, and what does not count although it is signed.

use ecac_artifact::Digest;
use serde_json::{Value, json};

use super::{build, flipped, key, other_key};
use crate::{ATTESTATION_TYPE, Attestation, Attested, Bundle, Envelope, PAYLOAD_TYPE, Statement};

const SUMS: &[u8] = b"sums\n";

fn attestation() -> Attestation {
    Attestation {
        version: "0.1.0".parse().unwrap(),
        commit: "ab".repeat(20).parse().unwrap(),
        sums: Digest::of(SUMS),
    }
}

/// What the verifier says of a bundle beside [`SUMS`].
fn verdict(bundle: &Bundle) -> Result<Attested, String> {
    let told = |error: crate::BundleError| error.to_string();
    let read = Bundle::parse(&bundle.to_bytes()).map_err(told)?;
    read.verify_attestation(&key().public(), SUMS).map_err(told)
}

/// What it says of a signed payload.
fn of_payload(payload: &Value) -> Result<Attested, String> {
    let envelope = Envelope::of_payload(&key(), PAYLOAD_TYPE, payload.to_string().into_bytes());
    verdict(&Bundle::of_envelope(&key().public(), envelope))
}

#[test]
fn an_attestation_has_the_published_form_and_reads_back() {
    let value: Value = serde_json::from_slice(&attestation().to_bytes()).unwrap();
    let expected = json!({
        "_type": "https://in-toto.io/Statement/v1",
        // printf 'sums\n' | sha256sum
        "subject": [{
            "name": "SHA256SUMS",
            "digest": { "sha256": "c001d0d1d2da2d23b87521529826ff1bb00c6afaac20b652c0871905c84d1508" },
        }],
        "predicateType": ATTESTATION_TYPE,
        "predicate": { "commit": "ab".repeat(20), "format": 2, "version": "0.1.0" },
    });
    assert_eq!(value, expected);
    assert!(
        ATTESTATION_TYPE.ends_with("/blob/main/docs/attestations/README.md#the-attestation-v2")
    );
    let bundle = Bundle::of_attestation(&key(), &attestation());
    assert_eq!(bundle, Bundle::of_attestation(&key(), &attestation()));
    assert_eq!(verdict(&bundle), Ok(Attested::Bound(attestation())));
}

#[test]
fn a_signature_over_the_sums_alone_is_told_apart() {
    let first = Bundle::of_message(&key(), SUMS);
    assert_eq!(verdict(&first), Ok(Attested::Unbound));
    let other = verdict(&Bundle::of_message(&key(), b"others\n")).unwrap_err();
    assert!(
        other.starts_with("the bundle is about another file"),
        "{other}"
    );
}

#[test]
fn attestations_of_other_keys_and_other_sums_are_refused() {
    let error = verdict(&Bundle::of_attestation(&other_key(), &attestation())).unwrap_err();
    assert!(error.starts_with("the bundle names the key"), "{error}");
    let other = Attestation {
        sums: Digest::of(b"others\n"),
        ..attestation()
    };
    let error = verdict(&Bundle::of_attestation(&key(), &other)).unwrap_err();
    assert!(
        error.starts_with("the attestation is about other sums"),
        "{error}"
    );
    // A bundle of the right key around an envelope of another.
    let envelope = Envelope::of_payload(&other_key(), PAYLOAD_TYPE, attestation().to_bytes());
    let error = verdict(&Bundle::of_envelope(&key().public(), envelope)).unwrap_err();
    assert!(error.starts_with("the envelope names the key"), "{error}");
}

#[test]
fn what_is_signed_but_no_attestation_is_refused_for_what_is_wrong_with_it() {
    let check = |change: &dyn Fn(&mut Value), says: &str| {
        let mut payload = serde_json::from_slice(&attestation().to_bytes()).unwrap();
        change(&mut payload);
        let error = of_payload(&payload).unwrap_err();
        assert!(error.starts_with(says), "`{says}` in {error}");
    };
    check(&|it| *it = json!([]), "the attestation is malformed: ");
    check(
        &|it| it["_type"] = json!("https://in-toto.io/Statement/v0.1"),
        "the statement is a `https://in-toto.io/Statement/v0.1`, expected",
    );
    check(
        &|it| it["predicateType"] = json!("a\nb"),
        "the statement is a `a\\nb`, expected",
    );
    check(
        &|it| it["predicate"]["format"] = json!(3),
        "the attestation has format 3, but 2 is known",
    );
    check(
        &|it| it["predicate"]["more"] = json!(1),
        "the attestation is malformed: unknown field `more`",
    );
    for member in ["commit", "format", "version"] {
        check(
            &|it| drop(it["predicate"].as_object_mut().unwrap().remove(member)),
            "the attestation is malformed: missing field",
        );
    }
    for version in ["", "v0.1.0", "0.1.0/../../..", "0.1.0\n"] {
        check(
            &|it| it["predicate"]["version"] = json!(version),
            "the attestation is of the version `",
        );
    }
    for commit in ["", "HEAD", &"AB".repeat(20)] {
        check(
            &|it| it["predicate"]["commit"] = json!(commit),
            "the attestation is of the commit `",
        );
    }
    check(
        &|it| it["predicate"]["commit"] = json!(format!("{}-dirty", "ab".repeat(20))),
        "the attestation is of a tree that differed",
    );
    let about = "the attestation has to be about SHA256SUMS alone";
    check(&|it| it["subject"] = json!([]), about);
    check(&|it| it["subject"][0]["name"] = json!("sums"), about);
    check(&|it| it["subject"][0]["digest"] = json!({}), about);
    check(
        &|it| {
            let subject = it["subject"][0].clone();
            it["subject"] = json!([subject.clone(), subject]);
        },
        about,
    );
}

#[test]
fn provenance_and_attestation_do_not_pass_for_each_other() {
    let provenance = Envelope::sign(&key(), &Statement::of(&build()));
    let error = verdict(&Bundle::of_envelope(&key().public(), provenance)).unwrap_err();
    assert!(
        error.starts_with("the statement is a `https://slsa.dev/provenance/v1`"),
        "{error}"
    );
    let attestation = Bundle::of_attestation(&key(), &attestation());
    assert!(attestation.verify_statement(&key().public()).is_err());
}

#[test]
fn no_flipped_byte_attests() {
    for flipped in flipped(&Bundle::of_attestation(&key(), &attestation()).to_bytes()) {
        let verdict = Bundle::parse(&flipped)
            .and_then(|bundle| bundle.verify_attestation(&key().public(), SUMS));
        assert!(verdict.is_err(), "{}", String::from_utf8_lossy(&flipped));
    }
}

#[test]
#[should_panic(expected = "a commit is attested, not a tree")]
fn nobody_attests_a_dirty_tree() {
    let commit = attestation().commit.into_dirty();
    let _ = Attestation {
        commit,
        ..attestation()
    }
    .to_bytes();
}
