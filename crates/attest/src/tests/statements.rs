//! Statements: their published form, and what is no provenance although it is signed.

use serde_json::{Value, json};

use super::{build, key};
use crate::{Build, Envelope, PAYLOAD_TYPE, Statement};

#[test]
fn a_statement_has_the_published_form() {
    let hex = |text: &[u8]| ecac_artifact::Digest::of(text).to_string();
    let commit = "ab".repeat(20);
    let expected = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [
            { "name": format!("ecac-artifacts-{commit}.tar.gz"), "digest": { "sha256": hex(b"tar.gz") } },
            { "name": format!("ecac-artifacts-{commit}.tar"), "digest": { "sha256": hex(b"tar") } },
            { "name": "ecac", "digest": { "sha256": hex(b"ecac") } },
            { "name": "sbom.json", "digest": { "sha256": hex(b"sbom.json") } },
        ],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "https://example.org/ecac/blob/main/docs/signing.md#the-build-v2",
                "externalParameters": {
                    "commit": commit,
                    "command": "cargo xtask repro",
                    "seed": 42,
                    "ops": 500,
                    "scenarios": ["hb-chain", "concurrent"],
                },
                "internalParameters": {
                    "flags": ["--remap-path-prefix=$TREE=/src"],
                    "target": "x86_64-unknown-linux-gnu",
                    "takenOver": {
                        "keys": ["source.crates-io.replace-with"],
                        "variables": ["https_proxy"],
                    },
                },
                "resolvedDependencies": [
                    {
                        "name": "source",
                        "uri": format!("git+https://example.org/ecac@{commit}"),
                        "digest": { "gitCommit": commit },
                    },
                    { "name": "Cargo.lock", "digest": { "sha256": hex(b"Cargo.lock") } },
                    {
                        "name": "rustc",
                        "uri": "git+https://github.com/rust-lang/rust@1.95.0",
                        "digest": { "gitCommit": "cd".repeat(20), "sha256": hex(b"rustc") },
                    },
                    {
                        "name": "linker",
                        "digest": { "sha256": hex(b"linker") },
                        "annotations": { "file": "x86_64-linux-gnu-gcc-12", "version": "cc 12.2.0" },
                    },
                ],
            },
            "runDetails": {
                "builder": { "id": "https://example.org/ecac/blob/main/docs/signing.md#the-builder" },
            },
        },
    });
    let statement = Statement::of(&build());
    let value: Value = serde_json::from_slice(&statement.to_bytes()).unwrap();
    assert_eq!(value, expected);
    assert_eq!(Statement::parse(&statement.to_bytes()).unwrap(), statement);
    assert_eq!(statement.subject("ecac"), Some(build().ecac));
    assert_eq!(statement.subject("ecac2"), None);
}

#[test]
fn without_an_sbom_there_is_no_subject_for_it() {
    let without = Build {
        sbom: None,
        ..build()
    };
    let statement = Statement::of(&without);
    assert_eq!(statement.subject.len(), 3);
    assert_eq!(statement.subject("sbom.json"), None);
}

#[test]
#[should_panic(expected = "a release is built of a commit")]
fn nobody_vouches_for_a_dirty_tree() {
    let commit = build().commit.into_dirty();
    let _ = Statement::of(&Build { commit, ..build() });
}

/// What a reader says of a changed and then signed statement.
fn verdict(change: impl FnOnce(&mut Value)) -> Result<Statement, String> {
    let mut value = serde_json::from_slice(&Statement::of(&build()).to_bytes()).unwrap();
    change(&mut value);
    let payload = value.to_string().into_bytes();
    let envelope = Envelope::of_payload(&key(), PAYLOAD_TYPE, payload);
    let statement = envelope.open(&key().public());
    statement.map_err(|error| error.to_string())
}

#[test]
fn what_is_signed_but_no_provenance_is_refused() {
    let check = |change: &dyn Fn(&mut Value), says: &str| {
        let error = verdict(change).unwrap_err();
        let rest = error.strip_prefix("the statement is signed but malformed: ");
        assert!(rest.is_some_and(|rest| rest.starts_with(says)), "{error}");
    };
    check(
        &|it| it["_type"] = json!("https://in-toto.io/Statement/v0.1"),
        "it is a `https://in-toto.io/Statement/v0.1`, expected",
    );
    check(
        &|it| it["predicateType"] = json!("https://slsa.dev/provenance/v0.2"),
        "it is a `https://slsa.dev/provenance/v0.2`, expected",
    );
    check(&|it| it["subject"] = json!([]), "it has no subject");
    check(
        &|it| it["subject"][1]["name"] = it["subject"][0]["name"].clone(),
        "it names the subject",
    );
    check(
        &|it| it["subject"][2]["digest"] = json!({ "sha512": "00" }),
        "its subject `ecac` has no sha256",
    );
    check(
        &|it| it["subject"][2]["digest"]["sha256"] = json!("AB".repeat(32)),
        "a digest is 64 lower-case hexadecimal digits",
    );
    check(
        &|it| {
            it["predicate"]["buildDefinition"]["externalParameters"]["more"] = json!(1);
        },
        "unknown field `more`",
    );
    check(
        &|it| {
            drop(
                it["predicate"]
                    .as_object_mut()
                    .unwrap()
                    .remove("runDetails"),
            )
        },
        "missing field `runDetails`",
    );
}

#[test]
fn members_that_others_add_are_ignored() {
    let statement = verdict(|it| {
        it["more"] = json!(1);
        it["subject"][0]["digest"]["sha512"] = json!("00");
        it["subject"][0]["uri"] = json!("a:b");
        it["predicate"]["runDetails"]["metadata"] = json!({ "invocationId": "1" });
    });
    assert_eq!(statement.unwrap(), Statement::of(&build()));
}

/// What signers wrote who said nothing of their machine.
#[test]
fn the_first_version_is_read() {
    let first = verdict(|it| {
        let definition = &mut it["predicate"]["buildDefinition"];
        let version_1 = definition["buildType"]
            .as_str()
            .unwrap()
            .replace("-v2", "-v1");
        definition["buildType"] = json!(version_1);
        let parameters = definition["internalParameters"].as_object_mut();
        parameters.unwrap().remove("takenOver").unwrap();
        let dependencies = definition["resolvedDependencies"].as_array_mut().unwrap();
        dependencies.truncate(3);
        let rustc = dependencies[2]["digest"].as_object_mut();
        rustc.unwrap().remove("sha256").unwrap();
    })
    .unwrap();
    let definition = &first.predicate.build_definition;
    assert!(definition.build_type.ends_with(crate::BUILD_TYPES[0]));
    assert_eq!(definition.internal_parameters.taken_over, None);
    let bytes = first.to_bytes();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(
        !text.contains("takenOver") && !text.contains("annotations"),
        "{text}"
    );
    assert_eq!(Statement::parse(&bytes).unwrap(), first);
}

#[test]
fn a_duplicate_member_is_refused_though_it_is_signed() {
    let text = String::from_utf8(Statement::of(&build()).to_bytes()).unwrap();
    let payload = text.replacen("{\"name\"", "{\"more\":1,\"more\":2,\"name\"", 1);
    let envelope = Envelope::of_payload(&key(), PAYLOAD_TYPE, payload.into_bytes());
    let error = envelope.open(&key().public()).unwrap_err();
    assert!(
        error.to_string().contains("duplicate member `more`"),
        "{error}"
    );
}
