//! `bundle attest` and `bundle quorum`: four builders, one of whom got other bytes.

use std::fs;
use std::path::Path;

use ecac_artifact::exit;
use ecac_attest::{Bundle, PrivateKey};

use crate::golden::{COMMIT, publish};
use crate::support::Workspace;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_random(&[seed; 32]).unwrap()
}

/// Builds in `docs/eval/out` and attests it with the key of `seed`.
fn attest(workspace: &Workspace, signer: &str, seed: u8, ops: u32) {
    let out = workspace.root().join("docs/eval/out");
    let _ = fs::remove_dir_all(&out);
    fs::create_dir(&out).unwrap();
    for (name, bytes) in &publish(COMMIT, ops).files {
        fs::write(out.join(name), bytes).unwrap();
    }
    let pem = workspace.beside("key.pem");
    fs::write(&pem, key(seed).to_pem().as_bytes()).unwrap();
    let key = format!("--key={}", pem.display());
    let args = ["bundle", "attest", "--signer", signer, &key];
    workspace.check(&args, exit::SUCCESS, "");
}

fn signature(workspace: &Workspace, signer: &str) -> std::path::PathBuf {
    let dir = Path::new("docs/attestations/v0.1.0").join(signer);
    workspace.root().join(dir).join("SHA256SUMS.sigstore.json")
}

#[test]
fn three_of_four_are_a_quorum_and_the_dissenter_is_named_with_the_files() {
    let workspace = Workspace::new();
    for (signer, seed, ops) in [
        ("ada", 1, 120),
        ("bob", 2, 120),
        ("eve", 3, 130),
        ("zoe", 4, 120),
    ] {
        attest(&workspace, signer, seed, ops);
    }
    let quorum = |needed: &str, code: u8, says: &str| {
        let args = ["bundle", "quorum", needed, "--release=v0.1.0"];
        workspace.check(&args, code, says).0
    };
    let stdout = quorum("3", exit::SUCCESS, "");
    assert!(
        stdout.contains("reached: 3 distinct keys agree, 3 needed"),
        "{stdout}"
    );
    let eve = stdout.split("  eve").nth(1).unwrap();
    let eve = eve.split("  zoe").next().unwrap();
    assert!(eve.contains("DIFFERS"), "{stdout}");
    for file in [
        "hb-chain-42-ops.cborseq: ",
        "manifest.json: ",
        "report.html: ",
    ] {
        assert!(eve.contains(file), "{stdout}");
    }
    assert_eq!(stdout.matches("agrees").count(), 3, "{stdout}");
    quorum("4", exit::VERIFICATION, "3 of 4 keys agree");

    // One key under two names counts once.
    attest(&workspace, "double", 4, 120);
    quorum("4", exit::VERIFICATION, "3 of 4 keys agree");

    // A signature that does not verify, and a key that nobody knows, do not count.
    let sums = workspace
        .root()
        .join("docs/attestations/v0.1.0/ada/SHA256SUMS");
    let forged = fs::read_to_string(&sums).unwrap().replacen('0', "1", 1);
    fs::write(&sums, forged).unwrap();
    let stdout = quorum("3", exit::VERIFICATION, "2 of 3 keys agree");
    assert!(
        stdout.contains("ada                  does not count"),
        "{stdout}"
    );
    fs::remove_file(workspace.root().join("docs/attestations/signers/bob.pub")).unwrap();
    let stdout = quorum("1", exit::SUCCESS, "");
    assert!(stdout.contains("no known key"), "{stdout}");
}

#[test]
fn what_is_not_whole_is_not_attested_and_a_name_belongs_to_one_key() {
    let workspace = Workspace::new();
    attest(&workspace, "ada", 1, 120);
    let filed = fs::read(signature(&workspace, "ada")).unwrap();
    let args = |signer: &str| {
        let key = format!("--key={}", workspace.beside("key.pem").display());
        ["bundle", "attest", "--signer", signer, &key].map(str::to_owned)
    };
    fs::write(workspace.beside("key.pem"), key(2).to_pem().as_bytes()).unwrap();
    workspace.check(&args("ada"), exit::BAD_SIGNATURE, "another key than yours");
    workspace.check(&args("../ada"), exit::USAGE, "a signer is 1 to 40");
    let csv = workspace.root().join("docs/eval/out/hb-chain-42.csv");
    fs::write(csv, "forged").unwrap();
    workspace.check(
        &args("bob"),
        exit::VERIFICATION,
        "does not agree with its SHA256SUMS",
    );
    assert!(!signature(&workspace, "bob").exists());
    assert_eq!(fs::read(signature(&workspace, "ada")).unwrap(), filed);
    let bundle = Bundle::parse(&filed).unwrap();
    let sums = fs::read(signature(&workspace, "ada").with_file_name("SHA256SUMS")).unwrap();
    bundle.verify_message(&key(1).public(), &sums).unwrap();
    let args = ["bundle", "quorum", "1", "--release=v9"];
    workspace.check(&args, exit::NOT_FOUND, "there are no attestations");
}
