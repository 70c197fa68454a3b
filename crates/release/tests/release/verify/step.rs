//! What is told of a right release, and of the first step that fails.

use std::collections::BTreeMap;
use std::fs;

use ecac_artifact::{Digest, exit};
use ecac_fixture::sbom::sbom;
use ecac_fixture::set::COMMIT;

use super::desk::{Desk, Release, key, steps};
use super::set::{files, pack};

#[test]
fn a_release_is_verified_step_by_step_and_needs_a_key_for_who_made_it() {
    let desk = Desk::new();
    let release = Release::signed(pack(files()), &key(1));
    let (code, answer) = desk.verify(&release, true);
    assert_eq!(
        (code, &answer["verdict"]),
        (exit::SUCCESS, &"verified".into()),
        "{answer:#}"
    );
    assert_eq!(steps(&answer, "ok").len(), 12);
    assert_eq!(answer["version"], "0.1.0");
    assert_eq!(answer["gz_sha256"], Digest::of(&release.gz).to_string());
    assert_eq!(answer["commit"], COMMIT);

    let (code, answer) = desk.verify(&release, false);
    assert_eq!(
        (code, &answer["verdict"]),
        (exit::SUCCESS, &"consistent".into())
    );
    assert_eq!(steps(&answer, "not-checked"), ["signature", "provenance"]);

    let mut verify = desk.workspace.xtask(&["bundle", "verify", "--key"]);
    verify
        .arg(desk.path("key.pub"))
        .arg(desk.path("release.tar.gz"));
    let (stdout, _) = ecac_fixture::workspace::check(&mut verify, exit::SUCCESS, "");
    assert!(stdout.ends_with("verdict     verified\n"), "{stdout}");
    for says in [
        &format!("\ncommit      {COMMIT}\nversion     v0.1.0\n"),
        "\nrelease     ok          v0.1.0, commit ",
        "none was demanded",
        "digests not compared: this tree has another Cargo.lock",
        "not judged: whether these are all",
    ] {
        assert!(stdout.contains(says), "`{says}` in {stdout}");
    }

    fs::remove_file(desk.path("release.tar.gz.sigstore.json")).unwrap();
    ecac_fixture::workspace::check(&mut verify, exit::BAD_SIGNATURE, "nobody signed this");
}

/// The set of a release without what only its signer could make.
fn unsigned(files: BTreeMap<String, Vec<u8>>) -> Release {
    Release::signed(pack(files), &key(2))
}

#[test]
fn a_bill_of_materials_that_is_none_is_no_part_of_a_consistent_set() {
    let desk = Desk::new();
    let check = |sbom: Vec<u8>, says: &str| {
        let mut files = files();
        files.insert("sbom.json".to_owned(), sbom);
        let (code, answer) = desk.verify(&unsigned(files), false);
        assert_eq!(
            (code, steps(&answer, "failed")),
            (exit::VERIFICATION, vec!["sbom".to_owned()])
        );
        let told = answer.to_string();
        assert!(told.contains(says), "`{says}` in {told}");
    };
    check(
        b"{\"this is\": \"no SBOM\"}\n".to_vec(),
        "is no bill of materials",
    );
    check(
        sbom(&"0".repeat(40)),
        "it states ecac:cargo-lock-sha256 `000",
    );
    let ours = String::from_utf8(sbom(COMMIT)).unwrap();
    let version = "\"name\": \"hex\",\n      \"version\": \"0.4.3\"";
    check(
        ours.replace(version, &version.replace("0.4.3", "0.4.4"))
            .into_bytes(),
        "its serial number is not that of its content",
    );
    check(ours.replace("  ", "\t").into_bytes(), "sbom.json");
}

#[test]
fn each_cause_is_told_once_and_the_next_step_is_not_taken() {
    let desk = Desk::new();
    let mut release = unsigned(files());
    release.signature = b"{\"a\\u001b[2K\": 1}".to_vec();
    let file = desk.put("release.tar.gz", &release);
    let mut verify = desk.workspace.xtask(&["bundle", "verify", "--key"]);
    verify.arg(desk.path("key.pub")).arg(&file);
    let (stdout, stderr) = ecac_fixture::workspace::check(&mut verify, exit::BAD_SIGNATURE, "");
    let both = format!("{stdout}{stderr}");
    assert_eq!(both.matches("unknown field").count(), 1, "{both}");
    assert_eq!(both.matches("signature step failed").count(), 11, "{both}");
    assert!(!both.contains('\u{1b}'), "{both:?}");
    assert!(
        stderr.starts_with(&format!(
            "error: {}: the step `signature` failed\nhint: ",
            file.display()
        )),
        "{stderr}"
    );
}
