//! What is judged of a document: ours holds, and every other is refused for what is wrong with it.

use super::*;
use crate::set::sbom::cyclonedx::{Bom, Component, Hash, LicenseChoice};
use crate::set::sbom::document::{EXCLUDED, serial_number, write};

/// The citation of the example, of the time that its document has.
fn citation() -> Citation {
    Citation {
        commit_time: EPOCH,
        ..Example::get().citation.clone()
    }
}

fn verdict(bytes: &[u8]) -> Result<String> {
    check(bytes, &citation(), Some(&Example::get().answers.lockfile))
}

#[track_caller]
fn refuses(bytes: &[u8], says: &str) {
    let error = format!("{:#}", verdict(bytes).unwrap_err());
    assert!(error.contains(says), "`{says}` in {error}");
}

/// Changes the document, numbers and writes it as the generator does, and requires a refusal that says this.
#[track_caller]
fn changed(change: impl FnOnce(&mut Bom), says: &str) {
    let mut bom: Bom = serde_json::from_slice(&Example::get().bytes).unwrap();
    change(&mut bom);
    bom.serial_number = None;
    let repository = bom.metadata.manufacturer.url[0].clone();
    bom.serial_number = Some(serial_number(&bom, &repository).unwrap());
    refuses(&write(&bom).unwrap(), says);
}

fn component<'a>(bom: &'a mut Bom, name: &str) -> &'a mut Component {
    let mut all = bom.components.iter_mut();
    all.find(|component| component.name == name).unwrap()
}

#[test]
fn ours_holds_with_and_without_the_lockfile() {
    let bytes = &Example::get().bytes;
    let told = verdict(bytes).unwrap();
    assert!(told.contains("digests as in Cargo.lock"), "{told}");
    assert!(told.contains("not judged: whether these are all"), "{told}");
    let told = check(bytes, &citation(), None).unwrap();
    assert!(told.contains("digests not compared"), "{told}");
}

#[test]
fn what_is_no_document_of_the_generator_is_refused() {
    let ours = String::from_utf8(Example::get().bytes.clone()).unwrap();
    let no_bom = "is no bill of materials of this project";
    refuses(b"", no_bom);
    refuses(b"{}\n", no_bom);
    refuses(b"{\"this is\": \"no SBOM\"}", no_bom);
    let forged = ours.replacen("{", "{\"verdict\\nverified\\u001b[2K\": 1,", 1);
    refuses(
        forged.as_bytes(),
        "unknown field `verdict\\nverified\\u{1b}[2K`",
    );
    let more = ours.replacen(
        "\"type\": \"library\"",
        "\"type\": \"library\", \"cpe\": \"a\"",
        1,
    );
    refuses(more.as_bytes(), "unknown field `cpe`");
    let huge = ours.clone() + &" ".repeat(1 << 20);
    refuses(huge.as_bytes(), "has more than 1048576 bytes");
    for respelled in [
        format!("{ours}\n"),
        ours.replacen("  ", " ", 1),
        ours.replacen("CycloneDX", "\\u0043ycloneDX", 1),
    ] {
        refuses(respelled.as_bytes(), "sbom.json");
    }
    let number = ours.find("urn:uuid:").unwrap() + "urn:uuid:".len();
    let mut renumbered = ours.clone().into_bytes();
    renumbered[number] = if renumbered[number] == b'0' {
        b'1'
    } else {
        b'0'
    };
    refuses(&renumbered, "its serial number is not that of its content");
}

#[test]
fn a_heading_of_another_source_is_refused() {
    changed(|bom| bom.schema = "x".into(), "its $schema is `x`");
    changed(
        |bom| bom.bom_format = "SPDX".into(),
        "its bomFormat is `SPDX`",
    );
    changed(
        |bom| bom.spec_version = "1.5".into(),
        "its specVersion is `1.5`",
    );
    changed(|bom| bom.version = 2, "its version is 2");
    let property = |name: &'static str, says: &'static str| {
        changed(
            |bom| {
                let mut all = bom.metadata.properties.iter_mut();
                let property = all.find(|property| property.name == name).unwrap();
                property.value = "other\n".to_owned();
            },
            says,
        );
    };
    property("ecac:commit", "it states ecac:commit `other\\n`, expected");
    property("ecac:cargo-lock-sha256", "it states ecac:cargo-lock-sha256");
    property("ecac:toolchain", "it states ecac:toolchain");
    property("ecac:target", "it states ecac:target");
    property("cdx:reproducible", "it states cdx:reproducible");
    changed(
        |bom| drop(bom.metadata.properties.pop()),
        "its metadata are not those",
    );
    changed(
        |bom| bom.metadata.timestamp = "2026-09-21T14:13:21Z".to_owned(),
        "it is of 2026-09-21T14:13:21Z, expected 2026-09-21T14:13:20Z",
    );
    changed(
        |bom| bom.metadata.tools.components[1].version = "9.9.9".to_owned(),
        "its metadata are not those",
    );
    changed(
        |bom| {
            bom.metadata
                .manufacturer
                .url
                .push("https://example.org".to_owned())
        },
        "it does not name one repository",
    );
    changed(
        |bom| bom.metadata.manufacturer.url[0] = "https://example.org/ecac".to_owned(),
        "its metadata are not those",
    );
    changed(
        |bom| bom.metadata.component.name = "other".to_owned(),
        "it is not about the program",
    );
    changed(
        |bom| bom.metadata.component.swhid.clear(),
        "it is not about the program",
    );
    changed(
        |bom| bom.metadata.component.version = "9.9.9".to_owned(),
        "is of another version than",
    );
}

#[test]
fn a_crate_that_is_named_wrongly_is_refused() {
    let hex = |change: fn(&mut Component), says: &str| {
        changed(|bom| change(component(bom, "hex")), says);
    };
    let digest = |content: &str| Hash {
        alg: "SHA-256".into(),
        content: content.to_owned(),
    };
    hex(
        |it| it.hashes[0].content = "0".repeat(64),
        "its digest is not the one in Cargo.lock",
    );
    hex(
        |it| it.hashes[0].content.truncate(63),
        "its digest is no SHA-256",
    );
    hex(
        |it| it.hashes[0].alg = "MD5".into(),
        "described in another way",
    );
    hex(|it| it.hashes.clear(), "has not one digest");
    changed(
        |bom| component(bom, "hex").hashes.push(digest(&"0".repeat(64))),
        "has not one digest",
    );
    hex(
        |it| it.version = "9.9.9".to_owned(),
        "Cargo.lock does not have it",
    );
    hex(|it| it.purl = None, "a component has no purl");
    hex(|it| it.purl = Some("hex".to_owned()), "`hex` is no purl");
    hex(|it| it.bom_ref = None, "is not the purl of hex");
    hex(
        |it| it.external_references[0].url = "https://example.org".to_owned(),
        "does not name its archive",
    );
    hex(
        |it| it.external_references[1].url = "javascript:alert".to_owned(),
        "refers to something else",
    );
    hex(|it| it.licenses.clear(), "has not one licence");
    hex(
        |it| {
            it.licenses[0] = LicenseChoice::Expression {
                expression: "FREE".to_owned(),
                acknowledgement: "declared".into(),
            }
        },
        "its licence is none that SPDX knows",
    );
    hex(
        |it| it.scope = Some("optional".into()),
        "neither required nor excluded",
    );
    hex(|it| it.kind = "file".into(), "described in another way");
    hex(
        |it| it.supplier.as_mut().unwrap().name = "me".to_owned(),
        "described in another way",
    );
    hex(
        |it| it.swhid.push("swh:1:rev:0".to_owned()),
        "described in another way",
    );
    // A crate of the workspace, of another commit.
    changed(
        |bom| {
            let core = component(bom, "ecac-core");
            let other = core
                .purl
                .as_ref()
                .unwrap()
                .replace(&"ab".repeat(20), &"cd".repeat(20));
            core.purl = Some(other.clone());
            core.bom_ref = Some(other);
        },
        "is not the purl of ecac-core",
    );
    changed(
        |bom| bom.components.reverse(),
        "not sorted, or one stands twice",
    );
    changed(
        |bom| {
            let first = bom.components[0].clone();
            bom.components.insert(0, first);
        },
        "not sorted, or one stands twice",
    );
}

#[test]
fn relations_that_do_not_close_are_refused() {
    changed(
        |bom| drop(bom.components.pop()),
        "the relations are not those of the components",
    );
    changed(
        |bom| drop(bom.dependencies.remove(0)),
        "the relations are not those of the components",
    );
    changed(
        |bom| bom.dependencies.swap(0, 1),
        "the relations are not those of the components",
    );
    changed(
        |bom| bom.dependencies[0].depends_on = vec!["pkg:cargo/ghost@1.0.0".to_owned()],
        "which is no component",
    );
    changed(
        |bom| {
            let mut all = bom.dependencies.iter_mut();
            let many = all.find(|it| it.depends_on.len() > 1).unwrap();
            many.depends_on.reverse();
        },
        "is not sorted, or stands twice",
    );
    let lonely = |bom: &mut Bom, name: &str| {
        let reference = component(bom, name).bom_ref.clone().unwrap();
        for dependency in &mut bom.dependencies {
            dependency.depends_on.retain(|it| *it != reference);
        }
    };
    changed(|bom| lonely(bom, "hex"), "nothing needs `pkg:cargo/hex@");
    changed(
        |bom| {
            // Everything that needs hex runs in the compiler, it is said, but not hex.
            let hex = component(bom, "hex").bom_ref.clone().unwrap();
            let needs: Vec<_> = bom
                .dependencies
                .iter()
                .filter(|it| it.depends_on.contains(&hex))
                .map(|it| it.reference.clone())
                .collect();
            for component in &mut bom.components {
                if component
                    .bom_ref
                    .as_ref()
                    .is_some_and(|it| needs.contains(it))
                {
                    component.scope = Some(EXCLUDED.into());
                }
            }
            let root = bom.metadata.component.bom_ref.clone();
            for dependency in &mut bom.dependencies {
                if root.as_ref() == Some(&dependency.reference) {
                    dependency.depends_on.retain(|it| *it != hex);
                }
            }
        },
        "is required, but nothing that is needs it",
    );
    changed(
        |bom| drop(bom.compositions.pop()),
        "its compositions are not those",
    );
    changed(
        |bom| bom.compositions[1].aggregate = "complete".into(),
        "its compositions are not those",
    );
}
