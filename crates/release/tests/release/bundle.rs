//! `bundle` on real artifacts, without a build.

use std::fs;

use ecac_artifact::{Digest, exit};
use ecac_fixture::set::{Fixture, flip, published, tarball, write};
use ecac_fixture::workspace::check;

#[test]
fn a_bundle_is_the_same_bytes_again_whatever_the_old_one_was() {
    let fixture = Fixture::new();
    let path = fixture.out().join(tarball());
    let expected = fs::read(&path).unwrap();
    for old in [Some(&b"garbage"[..]), None] {
        match old {
            Some(old) => fs::write(&path, old).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let (stdout, _) = fixture.workspace.check(&["bundle"], exit::SUCCESS, "");
        assert!(
            stdout.contains(&format!("sha256:{}", Digest::of(&expected))),
            "{stdout}"
        );
        assert_eq!(fs::read(&path).unwrap(), expected);
    }
    let elsewhere = fixture.workspace.beside("mine.tar.gz");
    let mut bundle = fixture.workspace.xtask(&["bundle", "--out"]);
    check(bundle.arg(&elsewhere), exit::SUCCESS, "");
    assert_eq!(fs::read(elsewhere).unwrap(), expected);
}

#[test]
fn a_directory_that_is_no_complete_set_is_not_packed() {
    let fixture = Fixture::new();
    let out = fixture.out();
    let check = |code: u8, says: &str| {
        let before = fs::read(out.join(tarball())).ok();
        fixture.workspace.check(&["bundle"], code, says);
        assert_eq!(fs::read(out.join(tarball())).ok(), before);
        write(&out, &published().files);
    };
    flip(&out.join("audit.jsonl"), 7);
    check(exit::VERIFICATION, "audit.jsonl has digest");
    flip(&out.join("SHA256SUMS"), 3);
    check(exit::VERIFICATION, "has digest");
    fs::remove_file(out.join("trustview.json")).unwrap();
    check(exit::MISSING, "trustview.json");
    fs::write(out.join("notes"), "").unwrap();
    check(exit::EXTRA, "notes");
    fs::remove_file(out.join("notes")).unwrap();
    fs::write(out.join("manifest.json"), "{}").unwrap();
    check(exit::BAD_INPUT, "manifest.json is malformed");
    fs::remove_dir_all(&out).unwrap();
    fixture.workspace.check(
        &["bundle"],
        exit::NOT_FOUND,
        "hint: make it first: cargo xtask repro",
    );
}
